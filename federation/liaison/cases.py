"""What officers do with cases: ask, reply, take one, answer it; and say who is on duty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

from federation.liaison.lines import MESSAGE, line_of
from federation.liaison.model import (
    CASE,
    DUTY,
    MAX_NAME,
    MAX_TEXT,
    MAX_TITLE,
    Case,
    CaseState,
    Content,
    Line,
    OnDuty,
    checked,
)
from federation.liaison.rooms import LiaisonRooms
from federation.liaison.speaking import Speaker
from federation.links.book import LinkBook
from server.foundation.errors import InvalidParam, NotFound
from server.foundation.ids import random_letters, server_name_of
from server.rooms.live_room import LiveRoom
from server.rooms.timeline import Entry

_UNREADABLE: Final = (KeyError, ValueError, TypeError, AttributeError)
_MOST_LINES: Final = 500


class Relations(Protocol):
    """Reading what belongs to a message."""

    async def event(self, room_id: str, user_id: str, event_id: str) -> Entry: ...

    async def related(
        self, room_id: str, user_id: str, event_id: str, kinds: tuple[str | None, str | None], start: int | None,
        limit: int, *, backwards: bool,
    ) -> Any: ...


class Cases:
    """Verbs of cases. A link is named by its room, like everywhere."""

    def __init__(self, book: LinkBook, rooms: LiaisonRooms, speaker: Speaker, relations: Relations) -> None:
        self._book = book
        self.rooms = rooms
        self._speaker = speaker
        self._relations = relations

    async def cases(self, officer: str, link_room_id: str) -> list[Case]:
        """All cases of a link, those that wait first, then the newest."""
        _, room = await self.rooms.room_of(officer, link_room_id)
        found = [case for key in room.state if key[0] == CASE and (case := _case_in(room, key[1])) is not None]
        return sorted(found, key=lambda case: (list(CaseState).index(case.state), -case.changed_ts))

    async def one(self, officer: str, link_room_id: str, case_id: str) -> Case:
        """One case; raises ``NotFound``."""
        return _require_case((await self.rooms.room_of(officer, link_room_id))[1], case_id)

    async def ask(self, officer: str, link_room_id: str, title: str, text: str, by: str = "") -> Case:
        """Open a case. ``by`` is how the officer wants to be called on the other side; empty says only which side."""
        room = await self._speaker.room_to_speak(officer, link_room_id)
        title, text = checked(title, MAX_TITLE, "題名"), checked(text, MAX_TEXT, "本文")
        case_id, now, server = random_letters(12), self._book.clock.now_ms(), self._book.us.server
        root = await self._speaker.say(room, f"【相談】{title}\n{text}", by, case_id)
        case = Case(
            id=case_id, title=title, state=CaseState.OPEN, root=root.event_id, opened_by=server, opened_ts=now,
            changed_by=server, changed_ts=now, by=_name(by),
        )
        await self._speaker.set_case(room, CASE, case)
        return case

    async def reply(self, officer: str, link_room_id: str, case_id: str, text: str, by: str = "") -> None:
        """Say something about a case, in its thread."""
        room = await self._speaker.room_to_speak(officer, link_room_id)
        await self._speaker.say(room, checked(text, MAX_TEXT, "本文"), by, case_id, _require_case(room, case_id).root)

    async def move(self, officer: str, link_room_id: str, case_id: str, state: CaseState, by: str = "") -> Case:
        """Take a case, mark it as answered, or open it again."""
        room = await self._speaker.room_to_speak(officer, link_room_id)
        case = _require_case(room, case_id)
        case.require_next(state)
        moved = replace(
            case, state=state, changed_by=self._book.us.server, changed_ts=self._book.clock.now_ms(), by=_name(by))
        await self._speaker.set_case(room, CASE, moved)
        return moved

    async def conversation(self, officer: str, link_room_id: str, case_id: str) -> list[Line]:
        """Everything that was said about a case, the oldest first; also by people in their own Matrix clients."""
        link, room = await self.rooms.room_of(officer, link_room_id)
        case, me = _require_case(room, case_id), self._book.us.user_id
        page = await self._relations.related(
            room.room_id, me, case.root, ("m.thread", MESSAGE), None, _MOST_LINES, backwards=False)
        first = await self._relations.event(room.room_id, me, case.root)
        entries: Sequence[Entry] = (first, *page.entries)
        lines = [line_of(entry, room, (me, link.user_id)) for entry in entries]
        return [line for line in lines if line is not None]

    async def set_duty(self, officer: str, link_room_id: str, who: str, until_ts: int | None = None) -> None:
        """Say who answers on our side."""
        room = await self._speaker.room_to_speak(officer, link_room_id)
        if until_ts is not None and until_ts <= self._book.clock.now_ms():
            raise InvalidParam("これからの日時にしてください")
        content: Content = {"who": checked(who, MAX_NAME, "担当"), "body": f"担当：{who.strip()}"}
        if until_ts is not None:
            content["until_ts"] = until_ts
        await self._speaker.set(room, DUTY, self._book.us.user_id, content)

    async def on_duty(self, officer: str, link_room_id: str) -> dict[str, OnDuty]:
        """Who answers on each side, by server; nobody whose time is over."""
        link, room = await self.rooms.room_of(officer, link_room_id)
        found: dict[str, OnDuty] = {}
        for user_id in (self._book.us.user_id, link.user_id):
            content, server = room.content(DUTY, user_id), server_name_of(user_id)
            who, until = content.get("who"), content.get("until_ts")
            is_over = isinstance(until, int) and until <= self._book.clock.now_ms()
            if isinstance(who, str) and who and not is_over:
                found[server] = OnDuty(server, who[:MAX_NAME], until if isinstance(until, int) else None)
        return found


def _name(by: str) -> str:
    return by.strip()[:MAX_NAME]


def _case_in(room: LiveRoom, case_id: str) -> Case | None:
    """A case as it stands. Who has changed it is who has sent that, whatever the content says."""
    event = room.state.get((CASE, case_id))
    if event is None:
        return None
    try:
        case = Case.from_content(event.content)
    except _UNREADABLE:
        return None
    return replace(case, changed_by=server_name_of(event.sender)) if case.id == case_id else None


def _require_case(room: LiveRoom, case_id: str) -> Case:
    case = _case_in(room, case_id)
    if case is None:
        raise NotFound("その相談はありません")
    return case
