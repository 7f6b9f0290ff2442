"""A street whose node is killed: residents, a hall, a safety check, a room of another server; the doors to write at."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import aiohttp

from server.assembly import Node, build
from server.association.bookings.model import Facility, Hours, Rules
from server.association.members.model import EVERYONE
from server.calendars.app_passwords import AppPasswords
from server.config import load_settings
from server.demo.settling import give_accounts, take_in_roster
from server.foundation.clock import TOKYO
from server.foundation.signatures import SigningKey
from server.rooms.event_format import read_pdu
from tests.faults.process import Client, NodeProcess
from tests.federation.stranger import Asked, Stranger

CHAIR = "山田 花子"
RESIDENTS = ("青木 一", "井上 二", "上田 三", "江藤 四")
_FAR_AWAY = datetime(2035, 1, 1, tzinfo=TOKYO)
_SLOT = timedelta(minutes=30)

Write = Callable[[str], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Settled:
    """What has to be known of a street that is settled: tokens, and a calendar's password."""

    chair: str
    calendar: str
    facility: str
    check: str
    # Of each resident the token and their 窓口.
    residents: list[tuple[str, str]]


async def settle(process: NodeProcess) -> Settled:
    """Make the street before its node runs."""
    roster = [
        {"班": "1班", "世帯番号": str(number), "世帯": name, "氏名": name, "ふりがな": "やまだ",
         "役職": "会長" if name == CHAIR else ""}
        for number, name in enumerate((CHAIR, *RESIDENTS), 1)
    ]
    async with build(load_settings(process.config)) as node:
        await take_in_roster(node, roster)
        await give_accounts(node, node.association.members.persons(), lambda _done: None)
        return await _begin(node)


async def _begin(node: Node) -> Settled:
    """The hall can be booked at any time, and everybody is asked how they are."""
    people = {person.name: person for person in node.association.members.persons()}
    chair = people[CHAIR].user_id or ""
    rules = Rules(hours=(Hours(0, 24 * 60),) * 7, most=0)
    hall = await node.association.daily_life.bookings.put_facility(chair, Facility("", "集会所", rules=rules))
    checks = node.association.safety_checks
    check = await checks.announce(chair, "地震", EVERYONE, drill=False)
    await checks.ask(check.id)
    checks.close_down()
    _, secret = await AppPasswords(node.core.database, node.core.clock).create(chair, "電話")
    proof = base64.b64encode(f"{chair.partition(':')[0][1:]}:{secret}".encode()).decode()
    residents = []
    for name in RESIDENTS:
        token, *_ = await node.accounts.create_session(people[name].user_id or "", "PHONE")
        residents.append((token, str(node.association.members.desk_room_of(people[name].id))))
    token, *_ = await node.accounts.create_session(chair, "PHONE")
    return Settled(token, proof, hall.id, check.id, residents)


class Street:
    """The doors that writers knock at; each answers what tells that it is done, and raises where the node is gone."""

    def __init__(self, process: NodeProcess, http: aiohttp.ClientSession, settled: Settled, far: FarTown) -> None:
        self._process = process
        self._http = http
        self._settled = settled
        self._far = far
        self.client = Client(process, http)
        self.client.token = settled.chair
        self._calendar = {"Authorization": f"Basic {settled.calendar}"}
        self._slots: dict[str, int] = {}
        self.room = ""
        self.far_room = ""

    def rooms_of(self, kind: str) -> list[tuple[Client, str]]:
        """Where what writers of a kind have said can be read, and by whom."""
        if kind == "answer":
            return [(self._resident(number), desk) for number, (_, desk) in enumerate(self._settled.residents)]
        return [(self.client, self.far_room if kind == "far" else self.room)]

    async def open_rooms(self) -> None:
        """Other rooms for what comes now: looking back must not become the longest part of a long run."""
        self.room = (await self.client.ask("POST", "createRoom", {}))["room_id"]
        self.far_room = self._far.creates_room()
        await self.client.ask("POST", f"join/{self.far_room}", {}, server_name=self._far.name)

    async def message(self, name: str) -> str:
        """Something said in a room of our own."""
        return await self._send(self.client, self.room, "m.room.message", name, {"msgtype": "m.text", "body": name})

    async def far(self, name: str) -> str:
        """Something said in a room in which another server is, too."""
        content = {"msgtype": "m.text", "body": name}
        return await self._send(self.client, self.far_room, "m.room.message", name, content)

    async def answer(self, name: str) -> str:
        """How a resident is, in their own 窓口; the number of the writer says who."""
        number = int(name.split("-")[2])
        status = ("safe", "contact", "help")[len(name) % 3]
        content = {"check_id": self._settled.check, "status": status, "comment": name}
        desk = self._settled.residents[number][1]
        return await self._send(self._resident(number), desk, "jp.kairan.safety.response", name, content)

    def _resident(self, number: int) -> Client:
        who = Client(self._process, self._http)
        who.token = self._settled.residents[number][0]
        return who

    async def _send(self, who: Client, room: str, kind: str, name: str, content: dict[str, Any]) -> str:
        return str((await who.ask("PUT", f"rooms/{room}/send/{kind}/{name}", content))["event_id"])

    async def entry(self, name: str) -> str:
        """Something in one's own calendar."""
        return await self._put(self._place(name), name, datetime(2027, 4, 1, 10, tzinfo=TOKYO))

    async def booking(self, name: str) -> str:
        """The hall, half an hour that nobody else has."""
        slot = self._slots.setdefault(name, len(self._slots))
        return await self._put(self._place(name), name, _FAR_AWAY + slot * _SLOT)

    async def _put(self, place: str, name: str, start: datetime) -> str:
        headers = {"If-None-Match": "*", "Content-Type": "text/calendar", **self._calendar}
        async with self._http.put(place, data=_entry(name, start), headers=headers) as response:
            told = await response.read()
            # 412: it was there already, from before the kill.
            assert response.status in (201, 412), (response.status, told[:300])
            return name

    async def file(self, name: str) -> str:
        """An upload."""
        headers = {"Authorization": f"Bearer {self.client.token}", "Content-Type": "text/plain"}
        url = f"{self._process.url}/_matrix/media/v3/upload"
        async with self._http.post(url, data=content_of(name), headers=headers) as response:
            answer = await response.json()
            assert response.status == 200, answer
            return str(answer["content_uri"])

    async def entry_there(self, name: str) -> bytes:
        """What the calendar has under a name."""
        async with self._http.get(self._place(name), headers=self._calendar) as response:
            return await response.read() if response.status == 200 else b""

    async def file_there(self, uri: str) -> bytes:
        """What was uploaded."""
        headers = {"Authorization": f"Bearer {self.client.token}"}
        url = f"{self._process.url}/_matrix/client/v1/media/download/{uri.removeprefix('mxc://')}"
        async with self._http.get(url, headers=headers) as response:
            return await response.read() if response.status == 200 else b""

    def answers(self) -> list[str]:
        """The events by which residents have answered, as the node has counted them; read from outside."""
        return self._read("SELECT id FROM safety_answers")

    def bookings(self) -> list[str]:
        """What the hall is booked for."""
        return self._read("SELECT json_extract(content, '$.title') FROM bookings")

    def _read(self, statement: str) -> list[str]:
        path = self._process.folder / "kairan.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as connection:
            return [str(row[0]) for row in connection.execute(statement)]

    def _place(self, name: str) -> str:
        collection = f"booking-{self._settled.facility}" if name.startswith("booking") else "personal"
        user = base64.b64decode(self._settled.calendar).decode().partition(":")[0]
        return f"{self._process.url}/dav/calendars/{user}/{collection}/{name}.ics"


class FarTown:
    """Another server. It keeps which events said what, and how many came again after a kill."""

    def __init__(self, process: NodeProcess) -> None:
        self._stranger = Stranger()
        self._stranger.known["sakura.example"] = SigningKey.read((process.folder / "signing.key").read_text())
        self._stranger.tells["send"] = self._hear
        self.heard: dict[str, set[str]] = {}
        self.again = 0

    @property
    def name(self) -> str:
        """Its server name."""
        return self._stranger.name

    async def start(self) -> None:
        """Answer."""
        await self._stranger.start()

    async def stop(self) -> None:
        """Be away."""
        await self._stranger.stop()

    def creates_room(self) -> str:
        """A public room of its own."""
        return self._stranger.creates_room().room_id

    def _hear(self, asked: Asked) -> dict[str, Any]:
        for pdu in asked.content["pdus"]:
            if pdu["type"] == "m.room.message":
                event_id = read_pdu(pdu, self._stranger.rooms[pdu["room_id"]].version).event_id
                known = self.heard.setdefault(pdu["content"]["body"], set())
                self.again += event_id in known
                known.add(event_id)
        self._stranger.asked.clear()
        return {"pdus": {}}


def content_of(name: str) -> bytes:
    """What a file has in it."""
    return name.encode() * 200


def _entry(name: str, start: datetime) -> bytes:
    lines = (
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//tests//JA", "BEGIN:VEVENT", f"UID:{name}",
        "DTSTAMP:20261123T000000Z", f"DTSTART;TZID=Asia/Tokyo:{start:%Y%m%dT%H%M%S}",
        f"DTEND;TZID=Asia/Tokyo:{start + _SLOT:%Y%m%dT%H%M%S}", f"SUMMARY:{name}", "END:VEVENT", "END:VCALENDAR", "",
    )
    return "\r\n".join(lines).encode()
