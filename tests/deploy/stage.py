"""A whole Debian in a folder, in which playbooks run as on a machine."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

ROOT = Path(__file__).parents[2]
ANSIBLE = ROOT / "deploy/ansible"
TOOLS = ROOT / ".venv-deploy"
# What was fetched once; it may be removed at any time.
CACHE = Path(os.environ.get("KAIRAN_DEPLOY_CACHE", ROOT / ".cache/deploy"))
MIRROR = os.environ.get("KAIRAN_DEBIAN_MIRROR", "http://deb.debian.org/debian")
RELEASE: Final = "bookworm"
KEPT = CACHE / f"{RELEASE}.tar"
PYTHON: Final = (3, 11)
PACKAGES = "python3,python3-venv,python3-apt,ca-certificates,systemd,sudo,adduser,acl"
# With /proc, which goes by itself with the program that needed it.
_WITH_PROC: Final = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'
INTO: Final = ("unshare", "--mount", "--propagation=slave", "sh", "-c", _WITH_PROC)
_WEEK_S: Final = 7 * 86_400
# No program is started by being installed: there is no service manager in a folder.
LEAN = """\
APT::Install-Recommends "false";
APT::Keep-Downloaded-Packages "true";
Binary::apt::APT::Keep-Downloaded-Packages "true";
Acquire::Languages "none";
"""
POLICY = "#!/bin/sh\nexit 101\n"


def reason_to_skip() -> str:
    """Why the test cannot run here; empty where it can."""
    if os.environ.get("KAIRAN_DEPLOY") != "1":
        return "the playbooks are tried by: make deploy-test"
    if os.getuid() != 0:
        return "PLAYBOOKS NOT TRIED: only root may make a Debian in a folder (sudo make deploy-test)"
    if shutil.which("debootstrap") is None:
        return "PLAYBOOKS NOT TRIED: debootstrap is missing (apt install debootstrap)"
    return ""


def run(*command: str | Path, timeout: int = 300, **more: str) -> str:
    """Run a program; answers what it says, which is also in the failure."""
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=timeout, check=False,
        env={**os.environ, **more}, cwd=ANSIBLE,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Nobody else does the same meanwhile."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def prepare_tools() -> None:
    """Ansible in a virtual environment of its own."""
    with alone("tools"):
        _install_tools()


def _install_tools() -> None:
    if not (TOOLS / "bin/ansible-lint").exists():
        venv.create(TOOLS, with_pip=True)
        run(TOOLS / "bin/pip", "install", "--quiet", "ansible-core>=2.16", "ansible-lint>=24", timeout=600)


def stage(machine: Machine) -> Path:
    """Make a machine; answers the folder of the wheels. What all need is made once, by whoever comes first."""
    wheels = CACHE / f"wheels-{os.environ.get('PYTEST_XDIST_TESTRUNUID', os.getpid())}"
    with alone("stage"):
        if not wheels.exists():
            _prepare(machine, wheels)
    machine.make()
    return wheels


def _prepare(machine: Machine, wheels: Path) -> None:
    """Ansible, the Debian and the wheels: at the same time where they do not need each other."""
    for old in CACHE.glob("wheels-*"):
        shutil.rmtree(old)
    python = sys.executable if sys.version_info[:2] == PYTHON else shutil.which("python3.11")
    made = wheels.with_name(f"new-{wheels.name}")
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    with ThreadPoolExecutor() as together:
        works: list[Future[Any]] = [together.submit(prepare_tools), together.submit(_fetch_debian)]
        if python is not None:
            command = (python, "-m", "pip", "wheel", "--quiet", "--wheel-dir", made, f"{ROOT}[postgres,copies]")
            works.append(together.submit(run, *command, timeout=600))
        for work in works:
            work.result()
    if python is None:
        builder = Machine(machine.folder.with_name("builder"))
        builder.make()
        make_wheels_inside(builder, made)
        builder.remove()
    made.rename(wheels)


def _fetch_debian() -> None:
    """A Debian, unless there is one of this week."""
    if KEPT.exists() and time.time() - KEPT.stat().st_mtime < _WEEK_S:
        return
    folder = CACHE / "root"
    shutil.rmtree(folder, ignore_errors=True)
    run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", RELEASE, folder, MIRROR, timeout=900)
    run("tar", "-cf", KEPT.with_suffix(".part"), "-C", folder, ".")
    KEPT.with_suffix(".part").replace(KEPT)
    shutil.rmtree(folder)


def make_wheels_inside(machine: Machine, folder: Path) -> None:
    """The node and everything that it needs, by the Debian's own Python."""
    shutil.copytree(ROOT, machine.folder / "src", ignore=shutil.ignore_patterns(".*", "*.egg-info", "build"))
    machine.inside("python3", "-m", "venv", "/builder")
    wanted = "/src[postgres,copies]"
    machine.inside("/builder/bin/pip", "wheel", "--quiet", "--wheel-dir", "/wheels", wanted, timeout=600)
    shutil.copytree(machine.folder / "wheels", folder, dirs_exist_ok=True)


class Machine:
    """A Debian in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self) -> None:
        """Unpack it."""
        self.folder.mkdir()
        run("tar", "-xf", KEPT, "-C", self.folder)
        # Whether this Debian survives a power cut does not matter here.
        (self.folder / "etc/dpkg/dpkg.cfg.d/unsafe").write_text("force-unsafe-io\n")
        (self.folder / "etc/apt/apt.conf.d/90lean").write_text(LEAN)
        (self.folder / "dev/shm").mkdir(exist_ok=True)
        (self.folder / "dev/shm").chmod(0o1777)
        shutil.copyfile("/etc/resolv.conf", self.folder / "etc/resolv.conf")
        policy = self.folder / "usr/sbin/policy-rc.d"
        policy.write_text(POLICY)
        policy.chmod(0o755)

    @property
    def archives(self) -> Path:
        """Packages that were fetched."""
        return self.folder / "var/cache/apt/archives"

    def install(self, *packages: str) -> None:
        """Debian's packages, beforehand."""
        self.inside("apt-get", "-qq", "update", timeout=300)
        quietly = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "install", "--yes")
        self.inside(*quietly, *packages, timeout=600)

    def remove(self) -> None:
        """Away with it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def inside(self, *command: str, timeout: int = 120) -> str:
        """Run a program there."""
        return run(*INTO, self.folder, *command, timeout=timeout)

    def play(self, playbook: str, *more: str, inventory: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run a playbook there, or on the machines of an inventory; whether it went well is for the test to judge."""
        alone = ("-i", f"{self.folder},", "-c", "chroot", "-e", f"@{ANSIBLE / 'test/variables.yml'}")
        where = alone if inventory is None else ("-i", inventory)
        command: Sequence[str | Path] = (TOOLS / "bin/ansible-playbook", *where, f"playbooks/{playbook}", *more)
        return subprocess.run(
            [str(part) for part in command], capture_output=True, text=True, timeout=900, check=False, cwd=ANSIBLE,
            env={**os.environ, "ANSIBLE_CONNECTION_PLUGINS": str(ANSIBLE / "test/connection_plugins"),
                 "ANSIBLE_CONFIG": str(ANSIBLE / "ansible.cfg"), "LC_ALL": "C.UTF-8",
                 "ANSIBLE_PIPELINING": "1"},
        )


def recap(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    """Ansible's figures of a playbook that went well, of all machines together."""
    assert done.returncode == 0, done.stdout + done.stderr
    figures: dict[str, int] = {}
    for name, count in re.findall(r"(\w+)=(\d+)", done.stdout.partition("PLAY RECAP")[2]):
        figures[name] = figures.get(name, 0) + int(count)
    return figures
