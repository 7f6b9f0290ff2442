"""What other servers' files have not come lately: neither they nor their servers are asked again at once."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from server.foundation.clock import Clock
from server.foundation.errors import Refused
from server.media.model import Mxc
from server.media.ports import ServerSilent

_FIRST_S: Final = 15.0
_LONGEST_S: Final = 900.0
_REMEMBERED: Final = 5_000


@dataclass(frozen=True, slots=True)
class _Failure:
    until: float
    pause_s: float
    reason: str
    code: str
    status: int


class RemoteFailures:
    """In memory: after a restart everybody may be asked once more."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: OrderedDict[Mxc | str, _Failure] = OrderedDict()

    def require_worth_asking(self, mxc: Mxc) -> None:
        """Raise what was said last time, where that is not long ago."""
        now = self._clock.monotonic()
        for subject in (mxc.server_name, mxc):
            failure = self._known.get(subject)
            if failure is not None and now < failure.until:
                raise Refused(failure.reason, code=failure.code, status=failure.status)

    def remember(self, mxc: Mxc, fault: Refused) -> None:
        """A file has not come. What has only not been uploaded yet may come at any moment."""
        if fault.code in ("M_NOT_YET_UPLOADED", "M_RESOURCE_LIMIT_EXCEEDED"):
            return
        subject = mxc.server_name if isinstance(fault, ServerSilent) else mxc
        before = self._known.pop(subject, None)
        pause_s = _FIRST_S if before is None else min(before.pause_s * 2, _LONGEST_S)
        until = self._clock.monotonic() + pause_s
        self._known[subject] = _Failure(until, pause_s, fault.reason, fault.code, fault.status)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    def forget(self, server_name: str) -> None:
        """The server has sent a file."""
        self._known.pop(server_name, None)
