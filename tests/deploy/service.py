"""The node as a service of a machine that is on: what it may do, and what becomes of it when it does not work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tests.deploy.booted import Booted

UNIT: Final = "kairan.service"
# What a service should not do, tried from within it; each that it can do is a line.
FORBIDDEN: Final = """\
for place in /etc /usr /usr/local/sbin /opt/kairan /boot /srv /var /var/lib /var/log /var/backups/kairan; do
    touch "$place/tried" && echo "writes to $place"
done
for place in /root /home/taro /etc/shadow /var/lib/private; do
    cat "$place" "$place"/* && echo "reads $place"
done
sudo -n true && echo "is root by sudo"
unshare --user true && echo "makes a user namespace"
mount -t tmpfs tmpfs /mnt && echo "mounts"
date --set 2001-01-01 > /dev/null && echo "sets the clock"
test -e /proc/1 && echo "sees processes of others"
test -e /dev/kmsg && echo "sees devices"
python3 -c 'import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)' && echo "listens to the cable"
python3 -c 'import mmap; mmap.mmap(-1, 4096, prot=7)' || echo "runs no code that it has made"
grep -q 'NoNewPrivs:.1' /proc/self/status || echo "may become more"
grep -q 'CapEff:.0000000000000000' /proc/self/status || echo "is more than others"
grep -q 'Seccomp:.2' /proc/self/status || echo "asks the kernel for anything"
touch /var/lib/kairan/tried || echo "cannot write to its own data"
exit 0
"""


@contextmanager
def changed(booted: Booted, unit: str, lines: str) -> Iterator[None]:
    """The unit says something else for the time of the block, and nothing of what was tried stays."""
    file = booted.machine.folder / f"etc/systemd/system/{unit}.d/tried.conf"
    file.parent.mkdir()
    file.write_text(lines)
    booted.machine.inside("systemctl", "daemon-reload")
    try:
        yield
    finally:
        file.unlink()
        file.parent.rmdir()
        booted.machine.inside("systemctl", "daemon-reload")
        booted.machine.inside("systemctl", "restart", unit)


def what(booted: Booted, name: str, unit: str = UNIT) -> str:
    """What systemd says about a unit."""
    return booted.machine.inside("systemctl", "show", "--value", "--property", name, unit).strip()


def answers(booted: Booted) -> bool:
    """Whether the node does."""
    return "200" in booted.machine.inside(
        "sh", "-c", "curl --silent --output /dev/null --write-out '%{http_code}' http://127.0.0.1:18008/health || true"
    )


def journal(booted: Booted, unit: str = UNIT) -> str:
    """What was said about it and by it."""
    return booted.machine.inside("journalctl", "--unit", unit, "--output", "cat", "--no-pager")
