"""The chat of a liaison room: what officers of both sides say beside the cases; and all rooms at a glance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from federation.liaison.cases import Cases
from federation.liaison.lines import file_of, is_in_the_open, line_of
from federation.liaison.model import MAX_TEXT, CaseState, Line, OnDuty, checked
from federation.liaison.rooms import LiaisonRooms
from federation.liaison.speaking import Speaker
from federation.links.book import LinkBook
from federation.links.model import Link
from server.association.circulars.model import Attachment
from server.foundation.errors import NotFound
from server.rooms.history import BEGINNING, Page, Wanted
from server.rooms.timeline import Entry

_MOST_LINES: Final = 100
# Not the very beginning: whoever asks for that may wait for other servers, and those may be away just now.
_WHAT_IS_HERE: Final = BEGINNING + 1


class Reader(Protocol):
    """Reading a room on behalf of somebody in it."""

    async def event(self, room_id: str, user_id: str, event_id: str) -> Entry: ...

    async def page(
        self, room_id: str, user_id: str, start: int | None, stop: int | None, limit: int, wanted: Wanted,
        *, backwards: bool,
    ) -> Page: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """One liaison room in the list. ``is_there`` is false before it is made."""

    link: Link
    is_there: bool
    states: Mapping[CaseState, int]
    duty: Mapping[str, OnDuty]


class Talk:
    """Verbs of the chat. A link is named by its room, like everywhere."""

    def __init__(self, book: LinkBook, rooms: LiaisonRooms, speaker: Speaker, reader: Reader, cases: Cases) -> None:
        self._book = book
        self._rooms = rooms
        self._speaker = speaker
        self._reader = reader
        self._cases = cases

    async def glances(self, officer: str) -> list[Glance]:
        """All rooms, those first in which something waits; ended links last."""
        self._book.require(officer)
        found = [await self.glance(officer, link.room_id) for link in self._book.links()]
        return sorted(found, key=lambda item: (
            not item.link.is_in_force, -item.states.get(CaseState.OPEN, 0), -item.states.get(CaseState.TAKEN, 0)))

    async def glance(self, officer: str, link_room_id: str) -> Glance:
        """One of them; raises ``Forbidden`` or ``NotFound``."""
        link = self._book.get(officer, link_room_id)
        try:
            cases = await self._cases.cases(officer, link_room_id)
            duty = await self._cases.on_duty(officer, link_room_id)
        except NotFound:
            return Glance(link=link, is_there=False, states={}, duty={})
        states = {state: sum(1 for case in cases if case.state is state) for state in CaseState}
        return Glance(link=link, is_there=True, states=states, duty=duty)

    async def lines(self, officer: str, link_room_id: str) -> list[Line]:
        """What was said lately, the oldest first; of a case only its first message."""
        link, room = await self._rooms.room_of(officer, link_room_id)
        page = await self._reader.page(
            room.room_id, self._book.us.user_id, None, _WHAT_IS_HERE, _MOST_LINES, is_in_the_open, backwards=True)
        nodes = (self._book.us.user_id, link.user_id)
        lines = [line_of(entry, room, nodes) for entry in reversed(page.entries)]
        return [line for line in lines if line is not None]

    async def say(self, officer: str, link_room_id: str, text: str, by: str = "") -> None:
        """Say something to the other side, beside all cases."""
        room = await self._speaker.room_to_speak(officer, link_room_id)
        await self._speaker.say(room, checked(text, MAX_TEXT, "本文"), by)

    async def show(self, officer: str, link_room_id: str, file: Attachment, by: str = "", case_id: str = "") -> None:
        """Show a photo or a paper, in the thread of a case or beside all."""
        room = await self._speaker.room_to_speak(officer, link_room_id)
        root = (await self._cases.one(officer, link_room_id, case_id)).root if case_id else ""
        await self._speaker.show(room, file, by, case_id, root)

    async def file(self, officer: str, link_room_id: str, event_id: str) -> Attachment:
        """The file that a message is, of one of the two servers; raises ``NotFound``."""
        link, room = await self._rooms.room_of(officer, link_room_id)
        entry = await self._reader.event(room.room_id, self._book.us.user_id, event_id)
        url, name, kind = file_of(entry.event)
        if not url.startswith((f"mxc://{self._book.us.server}/", f"mxc://{link.server}/")):
            raise NotFound("このファイルは ありません。")
        return Attachment(url, name or "ファイル", kind)
