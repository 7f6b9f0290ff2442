"""Remote events that arrive one by one in a real room come to what the oracle says of the same graph."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import orjson
import pytest

from server.foundation.clock import SystemClock
from server.foundation.errors import Refused
from server.foundation.signatures import from_unpadded_base64, signature_is_valid
from server.outbox.outbox import Outbox
from server.rooms.accept_event import EventAcceptor
from server.rooms.event import Event
from server.rooms.event_format import as_redacted, check_content_hash, read_pdu, required_signers
from server.rooms.graph_store import lowest_position, stored_events
from server.rooms.live_room import LiveRoom, Tip
from server.rooms.ports import NoPeers
from server.rooms.receive_event import EventReceiver
from server.rooms.redaction import redact
from server.rooms.room_versions import room_version
from server.rooms.rooms import Rooms
from server.rooms.state_store import add_room
from server.rooms.timeline import REJECTED, SOFT_FAILED
from server.rooms.to_others import ToOthers
from server.storage.database import Database, Writes
from server.storage.position_store import open_positions
from server.storage.streams import PastPositions
from tests.empty_database import empty_database
from tests.rules.rooms import DATA

CASES = [orjson.loads(line) for line in gzip.decompress((DATA / "judge.jsonl.gz").read_bytes()).splitlines()]
GRAPHS = [pytest.param(case, id=case["question"]["id"]) for case in CASES if case["question"]["kind"] == "dag"]


class Graph:
    """A room that grows from the events of a question, in a database."""

    def __init__(self, question: dict[str, Any], database: Database, rooms: Rooms, receiver: EventReceiver,
                 acceptor: EventAcceptor) -> None:
        self.version = room_version(question["version"])
        self.room_id = question["room_id"]
        self.keys = question["keys"]
        self.database = database
        self.rooms = rooms
        self.receiver = receiver
        self.acceptor = acceptor

    def read(self, pdu: Any) -> Event | None:
        """The event, if it passes the first three checks."""
        try:
            event = read_pdu(pdu, self.version)
            signed = redact(event.pdu, self.version)
            for server in required_signers(event):
                keys = {key_id: from_unpadded_base64(key) for key_id, key in self.keys.get(server, {}).items()}
                if not any(signature_is_valid(signed, server, key_id, key) for key_id, key in keys.items()):
                    return None
            return event if check_content_hash(event) else as_redacted(event)
        except Refused:
            return None

    async def begin(self, create: Event) -> None:
        """Enter the create event, as a join would have."""
        room = LiveRoom(self.rooms.new_number(), self.room_id, self.version, "nobody.example", Tip([], 0, 0, 0), {})
        writes = Writes()
        add_room(writes, room)
        self.acceptor.accept(room, create, writes)
        self.rooms.enter(room)
        await self.database.submit(writes)

    async def add(self, pdu: Any) -> None:
        """Take one more event as it comes."""
        event = self.read(pdu)
        if event is None:
            return
        if event.type == "m.room.create" and self.rooms.live(self.room_id) is None:
            await self.begin(event)
            return
        with suppress(Refused):
            await self.receiver.take_own(await self.rooms.get(self.room_id), event)

    async def add_together(self, pdus: Sequence[Any]) -> None:
        """Take events as a transaction brings them, in the eyes of a member whom nobody can put out."""
        (await self.rooms.get(self.room_id)).joined_here.add("@watcher:nobody.example")
        events = [event for event in map(self.read, pdus) if event is not None]
        await self.receiver.receive_all("elsewhere.example", self.room_id, events)

    async def verdict(self, event_id: str) -> tuple[bool, bool]:
        """Whether an event was accepted, and whether it has failed softly."""
        room = await self.rooms.get(self.room_id)
        found = (await stored_events(self.database, room, [event_id])).get(event_id)
        if found is None or found.flags & REJECTED:
            return False, False
        return True, bool(found.flags & SOFT_FAILED)

    async def state(self) -> list[list[str]]:
        """The room's state, as rows."""
        room = await self.rooms.get(self.room_id)
        return sorted([kind, key, event.event_id] for (kind, key), event in room.state.items())


@asynccontextmanager
async def graph_of(question: dict[str, Any], folder: Path) -> AsyncIterator[Graph]:
    async with empty_database(folder / "graph.db") as database:
        positions = await open_positions(database)
        rooms = Rooms(database, positions, SystemClock(), "nobody.example")
        await rooms.open()
        acceptor = EventAcceptor(rooms, positions)
        past = PastPositions(await lowest_position(database))
        to_others = ToOthers(Outbox(positions), "nobody.example")
        receiver = EventReceiver(database, rooms, acceptor, past, NoPeers(), to_others)
        yield Graph(question, database, rooms, receiver, acceptor)


@pytest.mark.parametrize("together", [1, 7, 50])
@pytest.mark.parametrize("case", GRAPHS)
async def test_a_forked_room_in_the_database_comes_to_the_state_that_others_see(
    case: dict[str, Any], together: int, tmp_path: Path
) -> None:
    async with graph_of(case["question"], tmp_path) as graph:
        pdus = list(case["question"]["events"])
        await graph.add(pdus.pop(0))
        for start in range(0, len(pdus), together):
            await graph.add_together(pdus[start:start + together])
        for expected in case["answer"]["events"]:
            if expected["event_id"] is not None:
                assert await graph.verdict(expected["event_id"]) == (expected["accepted"], expected["soft_failed"])
        assert await graph.state() == sorted(case["answer"]["current_state"])
        room = await graph.rooms.get(graph.room_id)
        graph.rooms.drop(room)
        assert await graph.state() == sorted(case["answer"]["current_state"]), "not the same after a restart"
