"""Telling those once more who have not seen a circular: a message in their own 窓口, so that their telephone rings."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from server.association.circulars.again_store import note_again, told_again
from server.association.circulars.model import Circular, Progress, State
from server.association.circulars.reader import CircularReader, Reach
from server.association.members.members import Members
from server.association.members.model import Person
from server.foundation.clock import Clock
from server.foundation.errors import Refused
from server.rooms.accept_event import EventAcceptor
from server.rooms.live_room import LiveRoom
from server.rooms.send_event import Draft, EventSender
from server.rooms.send_to_each import send_to_each
from server.rooms.timeline import Entry
from server.storage.database import Database, Writes

MARK: Final = "jp.kairan.circular.again"
# Whoever has just been told is left in peace.
PEACE_MS: Final = 12 * 3_600_000


class Again:
    """``attach`` it once. ``address`` is that of the node's pages."""

    def __init__(
        self, database: Database, clock: Clock, members: Members, sender: EventSender, reader: CircularReader,
        address: str,
    ) -> None:
        self._database = database
        self._clock = clock
        self._members = members
        self._sender = sender
        self._reader = reader
        self._address = address
        self._turn = asyncio.Lock()

    def attach(self, acceptor: EventAcceptor) -> None:
        """Follow what the node says."""
        acceptor.project(self._said, ["m.room.message"])

    async def unseen(self, reach: Reach) -> list[Person]:
        """Who has not seen it, has a telephone and was left in peace for a while; those whom the officer sees."""
        told, now = await told_again(self._database, reach.circular.id), self._clock.now_ms()
        return [
            person for row in reach.rows for person, progress in row.persons
            if progress is Progress.NOT_YET and self._members.desk_room_of(person.id) is not None
            and now - told.get(person.id, 0) > PEACE_MS
        ]

    async def tell(self, officer: str, circular_id: str) -> int:
        """Tell them; answers how many. Raises ``Forbidden``, ``NotFound``, ``Refused`` for what is over."""
        async with self._turn:
            reach = await self._reader.reach(officer, circular_id)
            if reach.circular.state_at(self._clock.now_ms()) in (State.WITHDRAWN, State.RETURNED):
                raise Refused("この回覧は、もうおわっています", code="M_BAD_STATE", status=409)
            drafts = [self._draft(reach.circular, person) for person in await self.unseen(reach)]
            await send_to_each(self._sender, [[draft] for draft in drafts])
            return len(drafts)

    def _draft(self, circular: Circular, person: Person) -> Draft:
        room_id = self._members.desk_room_of(person.id)
        assert room_id is not None
        body = f"【回覧】「{circular.title}」を まだ 見ていない方に、もう一度 お知らせしています。"
        content: dict[str, Any] = {
            "msgtype": "m.text", "body": f"{body}\n{self._address}/circulars/{circular.id}",
            MARK: {"id": circular.id, "title": circular.title},
        }
        return Draft(room_id, self._members.node_user_id, "m.room.message", content)

    def _said(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        mark = entry.event.content.get(MARK)
        if entry.event.sender != self._members.node_user_id or not isinstance(mark, dict):
            return
        person = self._members.person_of_desk_room(room.room_id)
        if person is not None:
            note_again(writes, str(mark["id"]), person.id, entry.event.origin_server_ts)
