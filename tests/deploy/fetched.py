"""What the tests of the playbooks need from elsewhere: Ansible, and a Debian in a file. Kept for a week."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

ROOT = Path(__file__).parents[2]
ANSIBLE = ROOT / "deploy/ansible"
TOOLS = ROOT / ".venv-deploy"
# It may be removed at any time.
CACHE = Path(os.environ.get("KAIRAN_DEPLOY_CACHE", ROOT / ".cache/deploy"))
_DEBIAN: Final = os.environ.get("KAIRAN_DEBIAN_MIRROR", "http://deb.debian.org/debian")
_UBUNTU: Final = os.environ.get("KAIRAN_UBUNTU_MIRROR", "http://archive.ubuntu.com/ubuntu")


class Release(NamedTuple):
    """A Debian, or one of its relatives: what debootstrap calls it, its Python, and where it comes from. ``script`` is
    that of an older one which debootstrap knows where it does not know this one.
    """

    name: str
    python: tuple[int, int]
    mirror: str = _DEBIAN
    components: str = "main"
    script: str = ""


RELEASES: Final = (
    Release("bookworm", (3, 11)),
    Release("trixie", (3, 13)),
    Release("noble", (3, 12), _UBUNTU, "main,universe", "jammy"),
)
RELEASE: Final = next(
    release for release in RELEASES if release.name == os.environ.get("KAIRAN_DEPLOY_RELEASE", "bookworm")
)
DEBIAN = CACHE / f"{RELEASE.name}.tar"
ARCHIVES = CACHE / f"{RELEASE.name}-archives"
PACKAGES: Final = "python3,python3-venv,python3-apt,ca-certificates,systemd,sudo,adduser,acl"
_WEEK_S: Final = 7 * 86_400


def reason_to_skip() -> str:
    """Why the tests cannot run here; empty where they can."""
    if os.environ.get("KAIRAN_DEPLOY") != "1":
        return "the playbooks are tried by: make deploy-test"
    if os.getuid() != 0:
        return "PLAYBOOKS NOT TRIED: only root may make a Debian in a folder (sudo make deploy-test)"
    if shutil.which("debootstrap") is None:
        return "PLAYBOOKS NOT TRIED: debootstrap is missing (apt install debootstrap)"
    return ""


def run(*command: str | Path, timeout: int = 300, said: str = "", **more: str) -> str:
    """Run a program, which is ``said`` something; answers what it says, which is also in the failure."""
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=timeout, check=False, input=said,
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
        if not (TOOLS / "bin/ansible-lint").exists():
            venv.create(TOOLS, with_pip=True)
            run(TOOLS / "bin/pip", "install", "--quiet", "ansible-core>=2.16", "ansible-lint>=24", timeout=600)


def fetch_debian() -> None:
    """A Debian, unless there is one of this week."""
    if DEBIAN.exists() and time.time() - DEBIAN.stat().st_mtime < _WEEK_S:
        return
    folder = CACHE / RELEASE.name
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(ARCHIVES, ignore_errors=True)
    run("debootstrap", "--variant=minbase", f"--components={RELEASE.components}", f"--include={PACKAGES}", RELEASE.name,
        folder, RELEASE.mirror, *([f"/usr/share/debootstrap/scripts/{RELEASE.script}"] if RELEASE.script else []),
        timeout=900)
    run("tar", "-cf", DEBIAN.with_suffix(".part"), "-C", folder, ".")
    DEBIAN.with_suffix(".part").replace(DEBIAN)
    shutil.rmtree(folder)
