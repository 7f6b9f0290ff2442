"""``python -m benchmarks.wide_area``: from the city's "send" until a waiting resident has it.

Two ways from one city node, in turns: a broadcast to an association's node, where it becomes a circular; and, to
compare with, a message in a room with a resident of a Synapse. All are processes of their own and speak TLS.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import orjson
import uvloop

from benchmarks.http_client import RawHttpClient
from benchmarks.kairan import Kairan
from benchmarks.matrix_client import CLIENT, Person, next_batch, register
from benchmarks.measuring import Latencies, latencies_of
from benchmarks.servers import ServerProcess
from benchmarks.servers import Site as Directory
from benchmarks.synapse import Synapse
from federation.links.model import Area, NodeKind
from server.assembly import build
from server.assembly.people import on_running_node
from server.demo.certificates import Certificates, make_certificates
from server.demo.machine import free_ports
from server.demo.node_folder import SETTINGS_FILE
from server.demo.region import Place, Site, all_answering, link, make_site
from server.demo.settling import give_accounts, take_in_roster
from server.foundation.canonical_json import canonical_json

CITY: Final = Place("city", "花見市", NodeKind.CITY, Area("99201", "花見市"))
SAKURA: Final = Place("sakura", "桜町町内会", NodeKind.ASSOCIATION, Area("99201/sakura", "桜町"))
_ROW: Final = {
    "班": "1班", "世帯番号": "1", "世帯": "山田", "氏名": "山田 花子", "ふりがな": "やまだ はなこ", "役職": "会長",
}
_WAIT_MS: Final = 30_000
_PATIENCE_S: Final = 60.0
_WARM_UP: Final = 5
# Between two samples, so that each begins on a machine that rests.
_REST_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class Street:
    """Folders of all three, before they run."""

    city: Site
    sakura: Site
    far: ServerProcess


@dataclass(frozen=True, slots=True)
class Running:
    """The city's settings and clerk, and the two who wait; ``room`` is that with Synapse."""

    city: Site
    clerk: Person
    resident: Person
    other: Person
    room: str


def main() -> int:
    """Set up, measure, print JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.wide_area", description=__doc__)
    parser.add_argument("--count", type=int, default=40, metavar="N", help="how many of each (default: 40)")
    count = parser.parse_args().count
    with tempfile.TemporaryDirectory(prefix="kairan-wide-area-") as folder:
        result = uvloop.run(_run(_set_up(Path(folder)), count))
    json.dump(result, sys.stdout, indent=1)
    sys.stdout.write("\n")
    return 0


async def _run(street: Street, count: int) -> dict[str, object]:
    async with _running(street) as here:
        ours, theirs = await _in_turns(here, count)
    return {
        "unit": "ms wall from send to the answer of a waiting /sync", "count": count,
        "city_to_association": asdict(ours), "city_to_synapse": asdict(theirs),
        "ratio_p50": round(theirs.p50 / ours.p50, 2),
    }


# ---- measuring ------------------------------------------------------------------------------------------------------


async def _in_turns(here: Running, count: int) -> tuple[Latencies, Latencies]:
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(_WARM_UP + count):
        mark = f"notice-{number:04}"
        ours.append(await _until_heard(here.resident, mark, lambda mark=mark: _broadcast(here.city, mark)))  # type: ignore[misc]
        await asyncio.sleep(_REST_S)
        theirs.append(await _until_heard(
            here.other, mark, lambda mark=mark: here.clerk.send(here.room, mark)))  # type: ignore[misc]
        await asyncio.sleep(_REST_S)
    return latencies_of(ours[_WARM_UP:]), latencies_of(theirs[_WARM_UP:])


async def _until_heard(person: Person, mark: str, send: Callable[[], Awaitable[object]]) -> float:
    """Seconds from the beginning of ``send`` until ``person``, who waits, has read ``mark``."""
    await _catch_up(person)
    heard = asyncio.create_task(_hears(person, mark.encode()))
    await asyncio.sleep(0.02)  # the request waits at the server now
    begun = time.perf_counter()
    _, ended = await asyncio.gather(send(), heard)
    return ended - begun


async def _hears(person: Person, mark: bytes) -> float:
    async with asyncio.timeout(_PATIENCE_S):
        while True:
            body = await person.sync(since=person.since, timeout_ms=_WAIT_MS)
            ended, person.since = time.perf_counter(), next_batch(body)
            if mark in body:
                return ended


async def _catch_up(person: Person) -> None:
    person.since = next_batch(await person.sync(since=person.since))


async def _broadcast(city: Site, title: str) -> None:
    """As an operator (or whatever the city has) sends it: asked of the running node, signed."""
    await asyncio.to_thread(on_running_node, city.settings, "broadcast", {
        "title": title, "text": "くわしくは市役所へ。", "areas": [CITY.area.code], "category": "administration",
        "priority": "ordinary", "kind": "notice", "choices": [], "drill": False, "office": "",
    })


# ---- setting up -----------------------------------------------------------------------------------------------------


def _set_up(folder: Path) -> Street:
    certificates = make_certificates(folder)
    ports = free_ports(6)
    chosen = {"limits.enabled": False, "passwords.cost": 4}
    city, sakura = (
        make_site(folder, place, certificates, port=port, federation_port=far, chosen=chosen)
        for place, port, far in ((CITY, ports[0], ports[1]), (SAKURA, ports[2], ports[3]))
    )
    far = ServerProcess(_FarSynapse(ports[5], certificates), Directory(folder / "synapse", ports[4]))
    far.prepare()
    return Street(city, sakura, far)


@asynccontextmanager
async def _running(street: Street) -> AsyncIterator[Running]:
    city, sakura, far = street.city, street.sakura, street.far
    clerk, resident = await _person(city), await _person(sakura)
    async with all_answering([city, sakura]) as (above, below):
        await link(above, below, SAKURA)
    async with AsyncExitStack() as closing:
        for site in (city, sakura):
            await _start(closing, ServerProcess(_SetUp(), Directory(site.settings_file.parent, _port(site))))
        await _start(closing, far)
        other = await register(far.site.port, "other", RawHttpClient, RawHttpClient(far.site.port))
        room = await clerk.create_room("連絡")
        await _invite(clerk, room, other.user_id)
        await _joined(other, room, clerk.user_id.partition(":")[2])
        for person in (clerk, resident, other):
            closing.push_async_callback(person.talking.close)
            closing.push_async_callback(person.waiting.close)
        yield Running(city, clerk, resident, other, room)


async def _start(closing: AsyncExitStack, process: ServerProcess) -> None:
    closing.push_async_callback(process.stop)
    await process.start()


async def _invite(person: Person, room: str, user_id: str) -> None:
    path = f"{CLIENT}/rooms/{quote(room)}/invite"
    answer = await person.talking.call("POST", path, person.token, orjson.dumps({"user_id": user_id}))
    if answer.status != 200:
        raise RuntimeError(f"nobody can be invited there: {answer.body[:300]!r}")


async def _joined(person: Person, room: str, server: str) -> None:
    """Join as soon as the invitation has arrived."""
    async with asyncio.timeout(_PATIENCE_S):
        while room.encode() not in await person.sync():
            await asyncio.sleep(0.1)
    await person.join_through(room, server)


async def _person(site: Site) -> Person:
    """The one who lives there, with an account and a device; before the node runs."""
    async with build(site.settings) as node:
        await take_in_roster(node, [_ROW])
        await give_accounts(node, node.association.members.persons(), lambda _done: None)
        user_id = node.association.members.persons()[0].user_id or ""
        token, _ = await node.accounts.create_session(user_id, "PHONE")
    return Person(user_id, token, RawHttpClient(_port(site)), RawHttpClient(_port(site)))


def _port(site: Site) -> int:
    return site.settings.http.listen.port


class _SetUp:
    """Recipe for a node whose folder is made already."""

    name = "kairan"

    def prepare(self, directory: Path, port: int) -> None:
        """There is nothing left to do."""

    def command(self, directory: Path) -> list[str]:
        """The node in the foreground."""
        return [str(Kairan.executable()), "run", "--config", str(directory / SETTINGS_FILE)]

    def version(self) -> str:
        """As installed."""
        return Kairan().version()


class _FarSynapse:
    """Recipe for a Synapse that answers others by TLS on a port of its own, which is its name."""

    name = "synapse"

    def __init__(self, far_port: int, certificates: Certificates) -> None:
        self._inner = Synapse()
        self._far_port = far_port
        self._certificates = certificates

    def prepare(self, directory: Path, port: int) -> None:
        """As for other figures, and a second door."""
        self._inner.prepare(directory, self._far_port)
        file = directory / "homeserver.json"
        settings: dict[str, Any] = json.loads(file.read_text())
        settings["listeners"] = [
            _listener(port, "client", tls=False), _listener(self._far_port, "federation", tls=True),
        ]
        settings["tls_certificate_path"] = str(self._certificates.chain)
        settings["tls_private_key_path"] = str(self._certificates.key)
        file.write_bytes(canonical_json(settings))

    def command(self, directory: Path) -> list[str]:
        """The same program."""
        return self._inner.command(directory)

    def version(self) -> str:
        """The same version."""
        return self._inner.version()


def _listener(port: int, resource: str, *, tls: bool) -> dict[str, Any]:
    resources: Sequence[dict[str, Any]] = [{"names": [resource]}]
    return {"port": port, "bind_addresses": ["127.0.0.1"], "type": "http", "tls": tls, "resources": resources}


if __name__ == "__main__":
    sys.exit(main())
