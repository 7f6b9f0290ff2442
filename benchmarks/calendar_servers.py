"""The calendar servers that are measured beside each other: ours whole, Radicale and Xandikos from PyPI."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

from benchmarks.servers import free_port
from server import assembly
from server.assembly.app_passwords import app_passwords_of
from server.config import parse_settings
from server.foundation.signatures import SigningKey

PEERS: Final = ("radicale==3.9.0", "xandikos==0.4.10")
VENV: Final = Path(__file__).resolve().parent.parent / ".venv-calendars"
_WAIT_S: Final = 60


@dataclass(frozen=True, slots=True)
class Served:
    """A server that answers. ``home`` holds ``calendar``; both are paths. ``neighbour`` is somebody else's login."""

    name: str
    process: subprocess.Popen[str]
    port: int
    user: str
    secret: str
    home: str
    calendar: str
    neighbour: tuple[str, str] = ("", "")


def install_when_missing() -> None:
    """The peers in an environment of their own."""
    if not (VENV / "bin/radicale").exists():
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        subprocess.run([VENV / "bin/pip", "install", "--quiet", *PEERS], check=True)


@contextmanager
def kairan(folder: Path) -> Iterator[Served]:
    """A whole node: authentication, rights, everybody's own alarms, the association's calendars beside one's own."""
    process = _start([sys.executable, "-m", "benchmarks.calendar_servers", str(folder)])
    assert process.stdout is not None
    port, (user, secret), neighbour = json.loads(process.stdout.readline())
    home = f"/dav/calendars/{user}/"
    yield from _while_running(
        Served("kairan", process, port, user, secret, home, f"{home}personal/", tuple(neighbour)))


@contextmanager
def radicale(folder: Path) -> Iterator[Served]:
    """Radicale with its own server, plain passwords, fsync on."""
    port = free_port()
    (folder / "users").write_text("hanako:pw\n")
    (folder / "config").write_text(
        f"[server]\nhosts = 127.0.0.1:{port}\n[auth]\ntype = htpasswd\nhtpasswd_filename = {folder}/users\n"
        f"htpasswd_encryption = plain\n[storage]\nfilesystem_folder = {folder}/collections\n[logging]\nlevel = error\n"
    )
    process = _start([str(VENV / "bin/radicale"), "-C", str(folder / "config")])
    yield from _while_running(Served("radicale", process, port, "hanako", "pw", "/hanako/", "/hanako/calendar/"))


@contextmanager
def xandikos(folder: Path) -> Iterator[Served]:
    """Xandikos, which offers no authentication of this kind."""
    port = free_port()
    process = _start([str(VENV / "bin/xandikos"), "serve", "--defaults", "-d", str(folder), "-l", "127.0.0.1",
                      "-p", str(port)])
    served = Served("xandikos", process, port, "user", "pw", "/user/calendars/", "/user/calendars/calendar/")
    yield from _while_running(served)


def _start(command: list[str]) -> subprocess.Popen[str]:
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    return subprocess.Popen(command, stdin=nowhere, stdout=pipe, stderr=nowhere, text=True)


def _while_running(served: Served) -> Iterator[Served]:
    try:
        time.sleep(4)  # the peers say nothing when they listen
        yield served
    finally:
        served.process.terminate()
        served.process.wait(_WAIT_S)


async def _serve(folder: Path) -> None:
    """A node with two residents on the roster, each with an app password, until it is terminated."""
    port = free_port()
    settings = parse_settings(
        f'server_name = "bench.example"\ndata_dir = "data"\nassociation.name = "桜町町内会"\n'
        f'http.public_url = "http://127.0.0.1:{port}"\npasswords.cost = 4\n[limits]\nenabled = false\n', folder)
    settings.signing_key_file.parent.mkdir(parents=True, exist_ok=True)
    settings.signing_key_file.write_text(SigningKey.generate().line())
    async with assembly.build(settings) as node:
        logins = [await _resident(node, name) for name in ("佐藤 花子", "鈴木 一郎")]
        runner = web.AppRunner(assembly.make_app(node), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        print(json.dumps([port, *logins]), flush=True)
        await asyncio.Event().wait()


async def _resident(node: assembly.Node, name: str) -> tuple[str, str]:
    """Somebody on the roster; answers their login."""
    members, editor = node.association.members, node.association.editor
    block = await editor.add_block(members.node_user_id, name)
    home = await editor.add_household(members.node_user_id, block.id, name)
    person = await editor.add_person(members.node_user_id, home.id, name)
    user_id = await node.accounts.create_user(None, None, name)
    async with editor.editing() as edit:
        edit.account(person.id, user_id)
    _, secret = await app_passwords_of(node.core).create(user_id, "benchmark")
    return user_id[1:].partition(":")[0], secret


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
