"""Where officers have written answers down, reactions alone do not say how many come: one quiet message of the node
tells each room the figures, and is edited as they change. Figures only, never a name.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from server.association.gatherings.answers import Answer
from server.association.gatherings.answers_store import written_gatherings
from server.association.gatherings.attendance import Attendance
from server.association.gatherings.counting import Figures, figures_of_homes
from server.association.gatherings.figures_store import Told, figures_told, note_figures
from server.association.gatherings.gatherings import Gatherings
from server.association.gatherings.model import Gathering, State
from server.association.members.members import Members
from server.rooms.accept_event import EventAcceptor
from server.rooms.live_room import LiveRoom
from server.rooms.send_event import Draft, EventSender
from server.rooms.timeline import Entry
from server.storage.database import Database, Writes

MARK: Final = "jp.kairan.gathering.attendance"

Content = dict[str, Any]


class FiguresInRooms:
    """Order of life: ``attach``, then ``tell`` again and again; ``Attendance.moved`` says of what."""

    def __init__(
        self, database: Database, members: Members, sender: EventSender, gatherings: Gatherings, attendance: Attendance
    ) -> None:
        self._database = database
        self._members = members
        self._sender = sender
        self._gatherings = gatherings
        self._attendance = attendance
        self._turn = asyncio.Lock()

    def attach(self, acceptor: EventAcceptor) -> None:
        """Follow what the node says."""
        acceptor.project(self._said, ["m.room.message"])

    async def tell(self) -> int:
        """Tell the rooms of what has moved; answers how many messages that took."""
        async with self._turn:
            # Taken out first: what moves while one is told is looked at once more.
            moved, self._attendance.moved = self._attendance.moved, set()
            try:
                return await self._tell_all(moved)
            except BaseException:
                self._attendance.moved |= moved
                raise

    async def _tell_all(self, moved: set[str]) -> int:
        count = 0
        for gathering in map(self._gatherings.find, sorted(moved & await written_gatherings(self._database))):
            if gathering is not None and gathering.state is State.PLANNED and gathering.plan.asks:
                count += await self._tell(gathering)
        return count

    async def _tell(self, gathering: Gathering) -> int:
        figures = figures_of_homes(await self._attendance.homes(gathering))
        told = await figures_told(self._database, gathering.id)
        now = figures.as_content()
        drafts = [
            Draft(room_id, self._members.node_user_id, "m.room.message",
                  _content(gathering, figures, event_id, told.get(room_id)))
            for room_id, event_id in self._gatherings.posts_of(gathering.id).items()
            if room_id not in told or told[room_id].figures != now
        ]
        await self._sender.send_many(drafts)
        return len(drafts)

    def _said(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        content = entry.event.content
        new = content.get("m.new_content", content)
        mark = new.get(MARK) if isinstance(new, dict) else None
        if entry.event.sender != self._members.node_user_id or not isinstance(mark, dict):
            return
        relates = content.get("m.relates_to", {})
        first = relates.get("event_id") if "m.new_content" in content else entry.event.event_id
        figures = {key: value for key, value in mark.items() if key != "id"}
        note_figures(writes, str(mark["id"]), room.room_id, Told(str(first), figures))


def _content(gathering: Gathering, figures: Figures, announced: str, told: Told | None) -> Content:
    """The message, in answer to the one that announced the gathering; or the edit of what was told before."""
    message: Content = {
        "msgtype": "m.notice", "body": figures_text(gathering, figures),
        MARK: {"id": gathering.id, **figures.as_content()},
    }
    if told is None:
        return {**message, "m.relates_to": {"m.in_reply_to": {"event_id": announced}}}
    return {
        "msgtype": "m.notice", "body": f"* {message['body']}", "m.new_content": message,
        "m.relates_to": {"rel_type": "m.replace", "event_id": told.event_id},
    }


def figures_text(gathering: Gathering, figures: Figures) -> str:
    """In words, for every client."""
    homes = figures.homes
    return (
        f"【出欠】{gathering.plan.title}\n来る {figures.people}人（{homes[Answer.ACCEPTED]}世帯）、"
        f"来ない {homes[Answer.DECLINED]}世帯、未定 {homes[Answer.TENTATIVE]}世帯、まだ {figures.unanswered}世帯\n"
        f"紙・電話・訪問で 聞いた {figures.written}世帯も 入っています。"
    )
