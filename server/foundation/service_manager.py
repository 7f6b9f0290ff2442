"""What the node tells the service manager of its machine: that it is ready, that it stops, that it is alive.

The protocol of systemd's ``sd_notify(3)``: lines in a datagram to the socket named in ``NOTIFY_SOCKET``. Where nobody
asked to be told (started from a shell, in a test), nothing happens.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping


class ServiceManager:
    """The way to the service manager, as the environment describes it."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        found = os.environ if environment is None else environment
        path = found.get("NOTIFY_SOCKET", "")
        # A name that begins with "@" is in the abstract namespace.
        self._address = "\0" + path[1:] if path.startswith("@") else path
        self._watchdog_us = _watchdog(found)

    @property
    def heartbeat_s(self) -> float | None:
        """How often it wants to hear ``alive``: twice in the time after which it would start the node anew; ``None``
        where it does not listen for that.
        """
        return self._watchdog_us / 2_000_000 if self._address and self._watchdog_us else None

    def ready(self) -> None:
        """The node answers."""
        self._tell("READY=1")

    def stopping(self) -> None:
        """The node was told to stop and finishes what it has begun."""
        self._tell("STOPPING=1")

    def alive(self) -> None:
        """The node works."""
        self._tell("WATCHDOG=1")

    def _tell(self, state: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as way:
                way.setblocking(False)
                way.sendto(state.encode(), self._address)
        except OSError:
            pass  # it has gone, or is busy; the next heartbeat follows


def _watchdog(environment: Mapping[str, str]) -> int:
    meant = environment.get("WATCHDOG_PID", "")
    if meant and meant != str(os.getpid()):
        return 0
    told = environment.get("WATCHDOG_USEC", "")
    return int(told) if told.isascii() and told.isdigit() else 0
