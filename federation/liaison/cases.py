"""What officers do in liaison rooms: ask, reply, take a case, answer it; and say who is on duty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

from federation.liaison.model import (
    CASE,
    DUTY,
    LIAISON,
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
from federation.links.book import LinkBook
from server.foundation.errors import Forbidden, InvalidParam, NotFound
from server.foundation.ids import random_letters, server_name_of
from server.rooms.live_room import LiveRoom
from server.rooms.send_event import Draft, EventSender
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

    def __init__(self, book: LinkBook, rooms: LiaisonRooms, sender: EventSender, relations: Relations) -> None:
        self._book = book
        self.rooms = rooms
        self._sender = sender
        self._relations = relations

    async def cases(self, officer: str, link_room_id: str) -> list[Case]:
        """All cases of a link, those that wait first, then the newest."""
        _, room = await self.rooms.room_of(officer, link_room_id)
        found = [case for key in room.state if key[0] == CASE and (case := _case_in(room, key[1])) is not None]
        return sorted(found, key=lambda case: (list(CaseState).index(case.state), -case.changed_ts))

    async def ask(self, officer: str, link_room_id: str, title: str, text: str, by: str = "") -> Case:
        """Open a case. ``by`` is how the officer wants to be called on the other side; empty says only which side."""
        room = await self._room_to_speak(officer, link_room_id)
        title, text = checked(title, MAX_TITLE, "題名"), checked(text, MAX_TEXT, "本文")
        case_id, now, server = random_letters(12), self._book.clock.now_ms(), self._book.us.server
        content = self._message(f"【相談】{title}\n{text}", case_id, by)
        root = await self._sender.send(Draft(room.room_id, self._book.us.user_id, "m.room.message", content))
        case = Case(
            id=case_id, title=title, state=CaseState.OPEN, root=root.event_id, opened_by=server, opened_ts=now,
            changed_by=server, changed_ts=now, by=_name(by),
        )
        await self._set(room, case)
        return case

    async def reply(self, officer: str, link_room_id: str, case_id: str, text: str, by: str = "") -> None:
        """Say something about a case, in its thread."""
        room = await self._room_to_speak(officer, link_room_id)
        case = _require_case(room, case_id)
        content = self._message(checked(text, MAX_TEXT, "本文"), case_id, by)
        content["m.relates_to"] = {
            "rel_type": "m.thread", "event_id": case.root, "is_falling_back": True,
            "m.in_reply_to": {"event_id": case.root},
        }
        await self._sender.send(Draft(room.room_id, self._book.us.user_id, "m.room.message", content))

    async def move(self, officer: str, link_room_id: str, case_id: str, state: CaseState, by: str = "") -> Case:
        """Take a case, mark it as answered, or open it again."""
        room = await self._room_to_speak(officer, link_room_id)
        case = _require_case(room, case_id)
        case.require_next(state)
        moved = replace(
            case, state=state, changed_by=self._book.us.server, changed_ts=self._book.clock.now_ms(), by=_name(by))
        await self._set(room, moved)
        return moved

    async def conversation(self, officer: str, link_room_id: str, case_id: str) -> list[Line]:
        """Everything that was said about a case, the oldest first; also by people in their own Matrix clients."""
        _, room = await self.rooms.room_of(officer, link_room_id)
        case, me = _require_case(room, case_id), self._book.us.user_id
        first = await self._relations.event(room.room_id, me, case.root)
        page = await self._relations.related(
            room.room_id, me, case.root, ("m.thread", "m.room.message"), None, _MOST_LINES, backwards=False)
        entries: Sequence[Entry] = page.entries
        return [_line(entry) for entry in (first, *entries)]

    async def set_duty(self, officer: str, link_room_id: str, who: str, until_ts: int | None = None) -> None:
        """Say who answers on our side."""
        room = await self._room_to_speak(officer, link_room_id)
        if until_ts is not None and until_ts <= self._book.clock.now_ms():
            raise InvalidParam("これからの日時にしてください")
        content: Content = {"who": checked(who, MAX_NAME, "担当"), "body": f"担当：{who.strip()}"}
        if until_ts is not None:
            content["until_ts"] = until_ts
        me = self._book.us.user_id
        await self._sender.send(Draft(room.room_id, me, DUTY, content, state_key=me))

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

    # ---- parts ------------------------------------------------------------------------------------------------------

    async def _room_to_speak(self, officer: str, link_room_id: str) -> LiveRoom:
        link, room = await self.rooms.room_of(officer, link_room_id)
        if not link.is_in_force:
            raise Forbidden("このつながりは、もう終わっています")
        return room

    def _message(self, text: str, case_id: str, by: str) -> Content:
        return {"msgtype": "m.text", "body": text, LIAISON: {"case": case_id, "by": _name(by)}}

    async def _set(self, room: LiveRoom, case: Case) -> None:
        await self._sender.send(
            Draft(room.room_id, self._book.us.user_id, CASE, case.as_content(), state_key=case.id))


def _name(by: str) -> str:
    return by.strip()[:MAX_NAME]


def _case_in(room: LiveRoom, case_id: str) -> Case | None:
    try:
        case = Case.from_content(room.content(CASE, case_id))
    except _UNREADABLE:
        return None
    return case if case.id == case_id else None


def _require_case(room: LiveRoom, case_id: str) -> Case:
    case = _case_in(room, case_id)
    if case is None:
        raise NotFound("その相談はありません")
    return case


def _line(entry: Entry) -> Line:
    event = entry.event
    mark, body = event.content.get(LIAISON), event.content.get("body")
    by = mark.get("by") if isinstance(mark, dict) else None
    return Line(
        event.event_id, event.origin_server_ts, server_name_of(event.sender),
        by if isinstance(by, str) else event.sender, body if isinstance(body, str) else "",
    )
