"""A whole Debian in a folder, in which playbooks run as on a machine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.deploy.fetched import ANSIBLE, ARCHIVES, DEBIAN, TOOLS, alone, run

INTO: Final = ("sh", str(ANSIBLE / "test/into.sh"))
LEAN: Final = """\
APT::Install-Recommends "false";
APT::Keep-Downloaded-Packages "true";
Binary::apt::APT::Keep-Downloaded-Packages "true";
Acquire::Languages "none";
"""
# No program is started by being installed: there is no service manager in a folder.
POLICY: Final = "#!/bin/sh\nexit 101\n"


class Machine:
    """A Debian in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self) -> None:
        """Unpack it."""
        self.folder.mkdir()
        run("tar", "-xf", DEBIAN, "-C", self.folder)
        # Whether this Debian survives a power cut does not matter here.
        (self.folder / "etc/dpkg/dpkg.cfg.d/unsafe").write_text("force-unsafe-io\n")
        (self.folder / "etc/apt/apt.conf.d/90lean").write_text(LEAN)
        (self.folder / "dev/shm").mkdir(exist_ok=True)
        (self.folder / "dev/shm").chmod(0o1777)
        shutil.copyfile("/etc/resolv.conf", self.folder / "etc/resolv.conf")
        self.policy.write_text(POLICY)
        self.policy.chmod(0o755)

    @property
    def policy(self) -> Path:
        """What says whether programs are started when they are installed."""
        return self.folder / "usr/sbin/policy-rc.d"

    @property
    def leader(self) -> Path:
        """Where the number of its first process stands while it is on (``tests/deploy/booted.py``)."""
        return self.folder.with_suffix(".leader")

    @property
    def archives(self) -> Path:
        """Packages that were fetched."""
        return self.folder / "var/cache/apt/archives"

    def install(self, *packages: str) -> None:
        """Debian's packages, beforehand."""
        with alone("archives"):
            shutil.copytree(_kept(), self.archives, dirs_exist_ok=True)
        self.inside("apt-get", "-qq", "update", timeout=300)
        quietly = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "install", "--yes")
        self.inside(*quietly, *packages, timeout=600)
        with alone("archives"):
            for package in self.archives.glob("*.deb"):
                if not (_kept() / package.name).exists():
                    shutil.copyfile(package, _kept() / package.name)

    def remove(self) -> None:
        """Away with it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def inside(self, *command: str, timeout: int = 120, said: str = "") -> str:
        """Run a program there."""
        return run(*INTO, self.folder, *command, timeout=timeout, said=said)

    def ask(self, url: str, *more: str) -> Any:
        """What a node answers there."""
        return json.loads(self.inside("curl", "--silent", "--show-error", "--fail", *more, url))

    def play(self, playbook: str, *more: str, inventory: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run a playbook there, or on the machines of an inventory; whether it went well is for the test to judge."""
        said = ("-e", f"@{ANSIBLE / 'test/variables.yml'}", "-e", "kairan_hosts=all")
        where = (*self._here, *said) if inventory is None else ("-i", str(inventory))
        return _ansible("ansible-playbook", *where, f"playbooks/{playbook}", *more)

    def take_role(self, role: str, **variables: Any) -> subprocess.CompletedProcess[str]:
        """Run nothing but a role there."""
        which = ("-m", "include_role", "-a", f"name={role}", "-e", json.dumps(variables))
        return _ansible("ansible", "all", *self._here, *which)

    @property
    def _here(self) -> tuple[str, ...]:
        return ("-i", f"{self.folder},", "-c", "chroot")


def _ansible(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(TOOLS / "bin" / program), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=900, check=False, cwd=ANSIBLE,
        env={**os.environ, "ANSIBLE_CONNECTION_PLUGINS": str(ANSIBLE / "test/connection_plugins"),
             "ANSIBLE_CONFIG": str(ANSIBLE / "ansible.cfg"), "LC_ALL": "C.UTF-8", "ANSIBLE_PIPELINING": "1"},
    )


def _kept() -> Path:
    ARCHIVES.mkdir(exist_ok=True)
    return ARCHIVES


def recap(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    """Ansible's figures of a playbook that went well, of all machines together."""
    assert done.returncode == 0, done.stdout + done.stderr
    figures: dict[str, int] = {}
    for name, count in re.findall(r"(\w+)=(\d+)", done.stdout.partition("PLAY RECAP")[2]):
        figures[name] = figures.get(name, 0) + int(count)
    return figures


def did(done: subprocess.CompletedProcess[str], task: str) -> bool:
    """Whether a task of the playbook has changed something."""
    _, _, said = done.stdout.partition(f" : {task}] ")
    return "\nchanged:" in said.partition("\n\n")[0]


@contextmanager
def running(machine: Machine, name: str) -> Iterator[None]:
    """An association's node, started as its unit says where there is no service manager that has started it."""
    if machine.leader.exists():
        yield
        return
    unit = (machine.folder / f"etc/systemd/system/{name}.service").read_text()
    [start] = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    process = subprocess.Popen(
        ["chroot", f"--userspec={name}:{name}", str(machine.folder), *start.split()], stdout=subprocess.PIPE, text=True,
        env={"HOME": f"/var/lib/{name}", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )
    try:
        assert process.stdout is not None
        assert "ready" in process.stdout.readline(), name
        yield
    finally:
        process.terminate()
        assert process.wait(30) == 0
