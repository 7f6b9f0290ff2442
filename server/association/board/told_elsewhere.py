"""What neighbours find wrong beside the board: in other rooms, a room as a whole, a person; told from Matrix clients.

Officers read what the reporter says, never what was said in a room: that stays with those who are in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from server.association.board import board_store, moderation_store
from server.association.board.actions import Ground
from server.association.board.model import MAX_REASON, Decision, checked_line
from server.association.members.model import Right
from server.foundation.errors import InvalidParam
from server.foundation.ids import random_letters
from server.foundation.keyed_locks import KeyedLocks
from server.rooms.report_store import Report, newest_reports
from server.storage.database import Writes

DONE, UNIMPORTANT = "done", "unimportant"
_MOST: Final = 500
_SHOWN: Final = 30
_THANKS: Final = "【通報】知らせてくださったことを、役員が読みました。ありがとうございます。"
_LOOKED: Final = "アプリから 知らされたこと（通報）"


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody, or several, find wrong. ``subject`` is the message, else the room, else the person (Matrix ids).

    ``room`` is its name where the officer is in it, else empty; ``about`` the person whom it is about, or empty.
    """

    subject: str
    room: str
    about: str
    reports: Sequence[Report]

    @property
    def is_message(self) -> bool:
        """Whether it is about something that was said."""
        return self.subject.startswith("$")

    @property
    def is_person(self) -> bool:
        """Whether it is about somebody, wherever they are."""
        return self.subject.startswith("@")


class ToldElsewhere:
    """For officers who look after the board (``Right.MODERATE``). Nobody decides, or reads, what is about themselves.
    """

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._turns = KeyedLocks()

    async def count(self, officer: str) -> int:
        """How much waits for a decision."""
        return len(await self._open(officer))

    async def waiting(self, officer: str) -> list[Told]:
        """What waits, the oldest first. That somebody has looked is kept for everybody to see."""
        waiting = await self._open(officer)
        await self._ground.members.log_look(officer, _LOOKED)
        return [await self._told(officer, subject, reports) for subject, reports in waiting.items()]

    async def decide(self, officer: str, subject: str, action: str, words: str) -> None:
        """It was seen to, or was nothing; whoever has reported it is told that an officer has read it."""
        reason = checked_line(words, "ひとこと", MAX_REASON, needed=False)
        if action not in (DONE, UNIMPORTANT):
            raise InvalidParam("もう一度 ボタンを おしてください")
        async with self._turns.hold(subject):
            reports = (await self._open(officer)).get(subject)
            if reports is None:
                raise InvalidParam("ほかの役員が、もう決めました", status=409)
            writes, now = Writes(), self._ground.clock.now_ms()
            moderation_store.add_decision(
                writes, Decision(random_letters(12), subject, "", officer, action, reason, now))
            await self._ground.write(writes)
        for reporter in dict.fromkeys(item.reporter for item in reports):
            await self._ground.tell(reporter, _THANKS)

    async def decided(self, officer: str) -> list[Decision]:
        """What was decided, the last first."""
        self._ground.members.require(officer, Right.MODERATE)
        return await moderation_store.newest_decisions(self._ground.database, _SHOWN, beside_the_board=True)

    async def _open(self, officer: str) -> dict[str, list[Report]]:
        """Reports that came after the last decision, by what they are about, the oldest first."""
        self._ground.members.require(officer, Right.MODERATE)
        database = self._ground.database
        decided, found = await moderation_store.last_decisions(database), dict[str, list[Report]]()
        for item in reversed(await newest_reports(database, _MOST)):
            subject = item.event_id or item.room_id or item.user_id
            if item.user_id != officer and item.ts > decided.get(subject, -1):
                found.setdefault(subject, []).append(item)
        for event_id in await self._on_the_board(found):
            del found[event_id]
        return found

    async def _on_the_board(self, subjects: Iterable[str]) -> list[str]:
        """Posts and comments, which the board's own page shows."""
        database, messages = self._ground.database, [item for item in subjects if item.startswith("$")]
        posts = await board_store.posts_of_events(database, messages)
        comments = await board_store.comments_of_events(database, messages)
        return [*(post.event_id for post in posts), *(comment.event_id for comment in comments)]

    async def _told(self, officer: str, subject: str, reports: Sequence[Report]) -> Told:
        room_id, about = reports[0].room_id, reports[0].user_id
        room = await self._ground.sender.rooms.find(room_id) if room_id else None
        is_inside = room is not None and room.membership(officer) == "join"
        name = room.content("m.room.name").get("name") if room is not None and is_inside else None
        return Told(subject, name if isinstance(name, str) else "", about, reports)
