"""A notice becomes a circular, a poll or a safety check of the association: once, and followed through its life."""

from __future__ import annotations

import contextlib
from typing import Final, Protocol

from federation.broadcasts.model import Kind, Notice, Record, Stage, id_from
from federation.broadcasts.rendering import audience_of, check_title_of, letter_of, question_of
from server.association.circulars.model import Circular, Letter
from server.association.members.members import Members
from server.association.members.model import Audience
from server.association.polls.model import Question
from server.foundation.clock import Clock
from server.foundation.errors import Refused

_WHY_CORRECTED: Final = "訂正がありました"


class Circulars(Protocol):
    """What is needed of the association's circulars."""

    async def post(self, officer: str, letter: Letter, *, circular_id: str = "") -> Circular: ...

    async def correct(self, officer: str, circular_id: str, letter: Letter, reason: str = "") -> Circular: ...

    async def withdraw(self, officer: str, circular_id: str, reason: str = "") -> Circular: ...


class Polls(Protocol):
    """What is needed of its polls."""

    async def start(self, officer: str, question: Question, *, poll_id: str = "") -> object: ...

    async def close(self, user_id: str, poll_id: str) -> object: ...


class SafetyChecks(Protocol):
    """What is needed of its safety checks."""

    async def start(
        self, officer: str, title: str, audience: Audience, *, drill: bool, check_id: str = ""
    ) -> object: ...

    async def close(self, officer: str, check_id: str) -> object: ...


class Showing:
    """Shows notices to the association. Every verb may be done twice and has been done once."""

    def __init__(
        self, members: Members, clock: Clock, circulars: Circulars, polls: Polls, checks: SafetyChecks
    ) -> None:
        self._members = members
        self._me = members.node_user_id
        self._clock = clock
        self._circulars = circulars
        self._polls = polls
        self._checks = checks

    async def show(self, record: Record) -> Record:
        """Make of a notice what residents see; answers it with the ids of that."""
        notice, now = record.notice, self._clock.now_ms()
        circular_id, twin_id = ids_of(notice)
        if notice.message.kind is Kind.SAFETY_CHECK:
            if not self._members.audience(audience_of(notice)):
                return record  # a federation of associations whose node nobody lives on
            await self._checks.start(
                self._me, check_title_of(notice), audience_of(notice), drill=notice.message.drill, check_id=twin_id)
            return record.now(twin_id=twin_id)
        await self._circulars.post(self._me, letter_of(notice, record.note, now), circular_id=circular_id)
        if notice.message.kind is Kind.SURVEY:
            await self._polls.start(self._me, question_of(notice, now), poll_id=twin_id)
        return record.now(circular_id=circular_id, twin_id=twin_id)

    async def follow(self, record: Record) -> None:
        """Bring what residents see to the notice's newest revision: corrected, closed or taken back."""
        notice = record.notice
        if record.twin_id and notice.stage.is_over:
            await self._close_twin(record)
        if not record.circular_id:
            return
        try:
            await self._follow_circular(record)
        except Refused as refused:
            if refused.code != "M_BAD_STATE":  # it is withdrawn already
                raise

    async def _follow_circular(self, record: Record) -> None:
        notice = record.notice
        if notice.stage is Stage.CANCELLED:
            reason = notice.reason or f"{notice.from_words}が取り消しました"
            await self._circulars.withdraw(self._me, record.circular_id, reason)
            return
        reason = notice.reason or (_WHY_CORRECTED if notice.stage is Stage.CORRECTED else "")
        letter = letter_of(notice, record.note, self._clock.now_ms())
        await self._circulars.correct(self._me, record.circular_id, letter, reason)

    async def _close_twin(self, record: Record) -> None:
        with contextlib.suppress(Refused):  # it is over already
            if record.notice.message.kind is Kind.SAFETY_CHECK:
                await self._checks.close(self._me, record.twin_id)
            else:
                await self._polls.close(self._me, record.twin_id)


def ids_of(notice: Notice) -> tuple[str, str]:
    """The ids of the circular and of the poll or check that a notice becomes."""
    key, kind = notice.key, notice.message.kind
    circular_id = "" if kind is Kind.SAFETY_CHECK else id_from(key, "circular")
    return circular_id, "" if kind is Kind.NOTICE else id_from(key, kind.value)

