"""A Debian in a folder that really boots: systemd is its first process, it has a network of its own, and there is a
street before its door from which others come.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

from tests.deploy.fetched import run
from tests.deploy.machine import INTO, Machine

_SCRIPT: Final = Path(__file__).with_name("boot.sh")
# Addresses that documents may use (RFC 5737, RFC 3849): no relay takes them for those of a house.
BOX, STREET = "203.0.113.10", "203.0.113.1"
BOX_6, STREET_6 = "2001:db8::10", "2001:db8::1"
Addresses = tuple[str, str]
# Its clock is that of the machine around it.
_NO_CLOCK: Final = "[Unit]\nConditionVirtualization=\n[Service]\nType=exec\nExecStart=\nExecStart=/bin/sleep infinity\n"
_LISTEN: Final = """
import socket, sys
kept = [socket.create_server(("::", int(port)), family=socket.AF_INET6, dualstack_ipv6=True) for port in sys.argv[1:]]
print("listening", flush=True)
sys.stdin.read()
"""
# Whom a firewall turns away hears nothing.
_KNOCK: Final = """
import concurrent.futures, json, socket, sys
def knock(port):
    try:
        socket.create_connection((sys.argv[1], int(port)), timeout=2, source_address=(sys.argv[2], 0)).close()
    except TimeoutError:
        return "shut"
    except ConnectionRefusedError:
        pass
    return "open"
with concurrent.futures.ThreadPoolExecutor(20) as together:
    print(json.dumps(dict(zip(sys.argv[3:], together.map(knock, sys.argv[3:])))))
"""


def reason_not_to_boot() -> str:
    """Why systemd cannot be started here; empty where it can."""
    for program in ("ip", "unshare", "nsenter", "pivot_root"):
        if shutil.which(program) is None:
            return f"NOT BOOTED: {program} is missing (apt install iproute2 util-linux mount)"
    tried = subprocess.run(
        ["unshare", "--pid", "--mount", "--cgroup", "--net", "--uts", "--fork", "sh", "-c",
         "mount -t tmpfs tmpfs /mnt && mount -t sysfs -o ro sysfs /mnt && ip link add veth0 type veth peer name veth1"],
        capture_output=True, text=True, check=False, timeout=30,
    )
    return f"NOT BOOTED: this sandbox does not let systemd start ({tried.stderr.strip()})" if tried.returncode else ""


class Booted:
    """A machine that is on, and the street before its door."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.name = f"kairan-{os.getpid()}"
        self.street = f"{self.name}-street"
        self._process: subprocess.Popen[bytes] | None = None
        self._others: list[subprocess.Popen[bytes]] = []

    def lay_cables(
        self, box: Addresses = (BOX, BOX_6), street: Addresses = (STREET, STREET_6), *, leads_out: bool = True
    ) -> None:
        """The network between the machine and the street, which is the way out for it; nothing leads further."""
        for name in (self.name, self.street):
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        run("ip", "-n", self.name, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", self.street)
        for name, (four, six) in ((self.name, box), (self.street, street)):
            run("ip", "-n", name, "addr", "add", f"{four}/24", "brd", "+", "dev", "eth0")
            run("ip", "-n", name, "addr", "add", f"{six}/64", "dev", "eth0", "nodad")
            run("ip", "-n", name, "link", "set", "eth0", "up")
        if leads_out:
            run("ip", "-n", self.name, "route", "add", "default", "via", street[0])

    def name_it(self, *others: str) -> None:
        """Tell it its names (``=NAME``) and those of whom it finds on the street (``NAME``); there is nobody else."""
        mine = " ".join(name[1:] for name in others if name.startswith("="))
        theirs = " ".join(name for name in others if not name.startswith("="))
        hosts = f"127.0.0.1 localhost\n127.0.1.1 box\n{BOX} {mine}\n{STREET} street {theirs}\n"
        clock = self.machine.folder / "etc/systemd/system/systemd-timesyncd.service.d/nothing.conf"
        clock.parent.mkdir(parents=True, exist_ok=True)
        clock.write_text(_NO_CLOCK)
        self.machine.policy.unlink(missing_ok=True)
        for file, text in (("hostname", "box\n"), ("hosts", hosts), ("resolv.conf", "# nobody to ask\n")):
            (self.machine.folder / "etc" / file).write_text(text)

    def start(self) -> None:
        """Switch it on, and wait until everything that starts with it has started."""
        with self.machine.folder.with_suffix(".console").open("ab") as console:
            self._process = subprocess.Popen(
                ["sh", str(_SCRIPT), str(self.machine.folder), self.name], stdout=console, stderr=console,
                stdin=subprocess.DEVNULL,
            )
        until(lambda: self._leader() != "", "systemd starts", self.console)
        self.machine.leader.write_text(self._leader())
        until(lambda: self._state() in ("running", "degraded"), "the machine has started", self.console)

    def _leader(self) -> str:
        """The number of its first process, as seen from here."""
        assert self._process is not None
        for child in Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split():
            if "systemd" in Path(f"/proc/{child}/comm").read_text():
                return child
        return ""

    def _state(self) -> str:
        command = (*INTO, self.machine.folder, "systemctl", "is-system-running")
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=20).stdout.strip()

    def console(self) -> str:
        """What it has said."""
        return self.machine.folder.with_suffix(".console").read_text(errors="replace")[-3000:]

    def outside(self, *command: str, timeout: int = 60) -> str:
        """Run a program of the same Debian on the street."""
        return run("ip", "netns", "exec", self.street, "chroot", self.machine.folder, *command, timeout=timeout)

    def on_the_street(self, *command: str) -> None:
        """Let a program of the same Debian work there until everything ends."""
        into = ("ip", "netns", "exec", self.street, "chroot", str(self.machine.folder), *command)
        with self.machine.folder.with_suffix(".street").open("ab") as log:
            self._others.append(subprocess.Popen(into, stdout=log, stderr=log, stdin=subprocess.DEVNULL))

    @contextmanager
    def listening(self, *ports: int) -> Iterator[None]:
        """Somebody on the machine listens there, on all addresses."""
        command = (*INTO, str(self.machine.folder), "python3", "-c", _LISTEN, *map(str, ports))
        with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as listener:
            assert listener.stdout is not None
            assert listener.stdin is not None
            assert listener.stdout.readline() == "listening\n"
            yield
            listener.stdin.close()

    def doors(self, address: str, ports: Sequence[int], by: str = "") -> dict[int, str]:
        """Which ports somebody on the street (of all its addresses, ``by`` that one) finds open, if only to nobody."""
        said = self.outside("python3", "-c", _KNOCK, address, by, *map(str, ports))
        return {int(port): state for port, state in json.loads(said).items()}

    def stop(self) -> None:
        """Pull the plug."""
        self.machine.leader.unlink(missing_ok=True)
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(30)
            self._process = None
        for hierarchy in (Path("/sys/fs/cgroup"), *Path("/sys/fs/cgroup").iterdir()):
            remove_group(hierarchy / self.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_reason: object) -> None:
        """Away with it, its cables, and who is on the street."""
        self.stop()
        for other in self._others:
            other.kill()
            other.wait(30)
        for name in (self.name, self.street):
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)


def remove_group(group: Path) -> None:
    """A control group and those below it, as soon as nobody is in them any more."""
    if not group.is_dir():
        return
    for below in sorted(group.rglob("*/"), reverse=True):
        if below.is_dir():
            until(lambda below=below: _removed(below), f"{below} is empty")  # type: ignore[misc]
    until(lambda: _removed(group), f"{group} is empty")


def _removed(group: Path) -> bool:
    try:
        group.rmdir()
    except OSError:
        return False
    return True


def until(happens: Callable[[], bool], what: str, why: Callable[[], str] = str, within_s: float = 90) -> None:
    """Wait for something that the machine does by itself."""
    end = time.monotonic() + within_s
    while not happens():
        assert time.monotonic() < end, f"not within {within_s} s: {what}\n{why()}"
        time.sleep(0.1)
