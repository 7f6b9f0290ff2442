"""A whole Debian in a folder, in which playbooks run as on a machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT = Path(__file__).parents[2]
ANSIBLE = ROOT / "deploy/ansible"
TOOLS = ROOT / ".venv-deploy"
MIRROR = os.environ.get("KAIRAN_DEBIAN_MIRROR", "http://deb.debian.org/debian")
RELEASE: Final = "bookworm"
PYTHON: Final = (3, 11)
PACKAGES = "python3,python3-venv,python3-apt,ca-certificates,systemd,sudo,adduser,acl"
# With /proc, which goes by itself with the program that needed it.
_WITH_PROC: Final = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'
INTO: Final = ("unshare", "--mount", "--propagation=slave", "sh", "-c", _WITH_PROC)
# No program is started by being installed: there is no service manager in a folder.
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


def prepare_tools() -> None:
    """Ansible in a virtual environment of its own."""
    if not (TOOLS / "bin/ansible-lint").exists():
        venv.create(TOOLS, with_pip=True)
        run(TOOLS / "bin/pip", "install", "--quiet", "ansible-core>=2.16", "ansible-lint>=24", timeout=600)


def make_wheels(machine: Machine, folder: Path) -> None:
    """The node and everything that it needs, for the Debian's own Python: by the same Python here, or else by that."""
    python = sys.executable if sys.version_info[:2] == PYTHON else shutil.which("python3.11")
    if python is not None:
        run(python, "-m", "pip", "wheel", "--quiet", "--wheel-dir", folder, f"{ROOT}[postgres]", timeout=600)
        return
    shutil.copytree(ROOT, machine.folder / "src", ignore=shutil.ignore_patterns(".*", "*.egg-info", "build"))
    machine.inside("python3", "-m", "venv", "/builder")
    machine.inside("/builder/bin/pip", "wheel", "--quiet", "--wheel-dir", "/wheels", "/src[postgres]", timeout=600)
    shutil.copytree(machine.folder / "wheels", folder, dirs_exist_ok=True)


class Machine:
    """A Debian in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self) -> None:
        """Fetch and unpack it, or take the one that is kept."""
        kept = Path(os.environ.get("KAIRAN_DEPLOY_ROOT", self.folder.parent / "kept.tar"))
        if kept.exists():
            self.folder.mkdir()
            run("tar", "-xf", kept, "-C", self.folder)
        else:
            run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", RELEASE, self.folder, MIRROR, timeout=900)
        shutil.copyfile("/etc/resolv.conf", self.folder / "etc/resolv.conf")
        policy = self.folder / "usr/sbin/policy-rc.d"
        policy.write_text(POLICY)
        policy.chmod(0o755)

    def remove(self) -> None:
        """Away with it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def inside(self, *command: str, timeout: int = 120) -> str:
        """Run a program there."""
        return run(*INTO, self.folder, *command, timeout=timeout)

    def play(self, playbook: str, *more: str) -> subprocess.CompletedProcess[str]:
        """Run a playbook there; whether it went well is for the test to judge."""
        command: Sequence[str | Path] = (
            TOOLS / "bin/ansible-playbook", "-i", f"{self.folder},", "-c", "chroot", f"playbooks/{playbook}",
            "-e", f"@{ANSIBLE / 'test/variables.yml'}", *more,
        )
        return subprocess.run(
            [str(part) for part in command], capture_output=True, text=True, timeout=900, check=False, cwd=ANSIBLE,
            env={**os.environ, "ANSIBLE_CONNECTION_PLUGINS": str(ANSIBLE / "test/connection_plugins"),
                 "ANSIBLE_CONFIG": str(ANSIBLE / "ansible.cfg"), "LC_ALL": "C.UTF-8",
                 "ANSIBLE_PIPELINING": "1"},
        )
