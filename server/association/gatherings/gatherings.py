"""Arranging gatherings (R5, R40): announce, change, call off. What is said in the rooms is all there is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from server.association.gatherings.book import GatheringBook
from server.association.gatherings.contents import edit_content, message_content, notice_content
from server.association.gatherings.gatherings_store import load_gatherings
from server.association.gatherings.model import Gathering, Moment, Plan, State, checked_plan, moves, require_next
from server.association.gatherings.occurrences import Occurrence, occurrences_after, occurrences_between
from server.association.gatherings.projection import GatheringProjection
from server.association.members.members import Members
from server.association.members.model import Audience, AudienceKind, Right
from server.foundation.clock import Clock, tokyo_time
from server.foundation.errors import InvalidParam, NotFound, Refused
from server.foundation.ids import random_letters
from server.rooms.accept_event import EventAcceptor
from server.rooms.send_event import Draft, EventSender
from server.storage.database import Database

# A gathering as the text of an .ics file; ``calendar.as_ics``.
IcsWriter = Callable[[Gathering], str]


class Gatherings:
    """The association's gatherings. ``attach`` it and ``await open()``, once."""

    def __init__(
        self, database: Database, clock: Clock, members: Members, sender: EventSender, as_ics: IcsWriter
    ) -> None:
        self._database = database
        self._clock = clock
        self._members = members
        self._sender = sender
        self._as_ics = as_ics
        self._turn = asyncio.Lock()
        self._book = GatheringBook()

    def attach(self, acceptor: EventAcceptor) -> None:
        """Follow what is said in rooms."""
        acceptor.project(GatheringProjection(self._book, self._members.node_user_id).project, ["m.room.message"])

    async def open(self) -> None:
        """Load all gatherings."""
        await load_gatherings(self._database, self._book)

    # ---- reading ---------------------------------------------------------------------------------------------------

    @property
    def revision(self) -> int:
        """The position of the last change of any gathering."""
        return self._book.revision

    def changed_since(self, revision: int) -> list[Gathering]:
        """What changed after ``revision`` (0: all), withdrawn ones too, oldest change first."""
        return [gathering for gathering in self._book.all() if gathering.revision > revision]

    def named(self, name: str) -> Gathering | None:
        """A gathering by the calendar's name."""
        return self._book.named(name)

    def posts_of(self, gathering_id: str) -> dict[str, str]:
        """Room id to event id of the messages that have announced it."""
        return self._book.posts_of(gathering_id)

    def announced_by(self, room_id: str, event_id: str) -> str | None:
        """The id of the gathering that a message has announced."""
        return self._book.announced_by(room_id, event_id)

    def announced_in(self, room_id: str) -> list[str]:
        """The ids of the gatherings that were announced in a room."""
        return self._book.announced_in(room_id)

    def find(self, gathering_id: str) -> Gathering | None:
        """One gathering, whoever asks."""
        return self._book.find(gathering_id)

    def stand_in(self, room_id: str) -> bool:
        """Whether any gathering was announced in a room."""
        return self._book.stand_in(room_id)

    def get(self, user_id: str, gathering_id: str) -> Gathering:
        """One gathering; raises ``NotFound`` also for somebody whom it is not for."""
        gathering = self._book.find(gathering_id)
        if gathering is None or not gathering.is_shown or not self.sees(user_id, gathering):
            raise NotFound("その集まりはありません")
        return gathering

    def sees(self, user_id: str, gathering: Gathering) -> bool:
        """Whether a gathering is for this account; officers who arrange gatherings see all."""
        if self._members.may(user_id, Right.ARRANGE_GATHERINGS):
            return True
        try:
            return self._members.is_in(user_id, gathering.audience)
        except NotFound:
            return False  # its block or group is gone

    def upcoming(self, user_id: str, limit: int = 20) -> list[Occurrence]:
        """What is ahead of this account or going on, soonest first, with what was called off."""
        now = self._clock.now_ms()
        found = [occurrence for item in self._shown_to(user_id) for occurrence in occurrences_after(item, now, limit)]
        return sorted(found, key=lambda occurrence: occurrence.start_ms)[:limit]

    def between(self, user_id: str, first_ms: int, last_ms: int) -> list[Occurrence]:
        """What concerns this account, is not over at ``first_ms`` and has begun by ``last_ms``; in no order."""
        return [occurrence for item in self._shown_to(user_id)
                for occurrence in occurrences_between(item, first_ms, last_ms)]

    def _shown_to(self, user_id: str) -> list[Gathering]:
        return [item for item in self._book.all() if item.is_shown and self.sees(user_id, item)]

    # ---- arranging -------------------------------------------------------------------------------------------------

    async def announce(
        self, officer: str, plan: Plan, audience: Audience, *, name: str | None = None, uid: str | None = None
    ) -> Gathering:
        """Announce a gathering in the rooms of its audience; answers when it is on disk.

        ``name`` and ``uid`` are those that an officer's calendar app has chosen. Raises ``Forbidden``,
        ``InvalidParam``, and ``Refused`` (409) where the name is taken.
        """
        self._require(officer, audience)
        plan, gathering_id = checked_plan(plan), random_letters(12)
        chosen = name or f"{gathering_id}.ics"
        gathering = Gathering(
            gathering_id, plan, audience, State.PLANNED, officer, chosen, uid or f"{gathering_id}@{self._server}",
            created_ms=self._clock.now_ms(), changed_ms=self._clock.now_ms(),
        )
        async with self._turn:
            if self._book.named(chosen) is not None:
                raise Refused("同じ名前の予定があります", status=409)
            content = message_content(gathering, self._as_ics(gathering))
            await self._send([(room_id, content) for room_id in self._members.rooms_for(audience)])
        return self._now(gathering_id)

    async def change(
        self, officer: str, gathering_id: str, plan: Plan, *, state: State | None = None,
        expected_revision: int | None = None, reason: str = "",
    ) -> Gathering:
        """Change what, when or where; the first message shows it, and a new one tells of another time or place.

        With ``expected_revision`` it is only done if nobody was faster (``Refused``, 412).
        """
        plan = checked_plan(plan)
        async with self._turn:
            old = self._changeable(officer, gathering_id, expected_revision)
            wanted = state or old.state
            require_next(old.state, wanted)
            told = moves(old.plan, plan) or wanted is not old.state
            new = replace(
                old, plan=plan, state=wanted, sequence=old.sequence + told, changed_ms=self._clock.now_ms(),
                reason=reason.strip() if told else old.reason,
            )
            if (new.plan, new.state) != (old.plan, old.state):
                days = [day for day in new.plan.called_off if day not in old.plan.called_off]
                await self._tell(new, reason, aloud=told, day=days[0] if days else None)
        return self._now(gathering_id)

    async def cancel(self, officer: str, gathering_id: str, reason: str = "") -> Gathering:
        """Call a gathering off: it stays visible as cancelled, and everybody is told (雨天中止)."""
        plan = self._now(gathering_id).plan
        return await self.change(officer, gathering_id, plan, state=State.CANCELLED, reason=reason)

    async def cancel_day(self, officer: str, gathering_id: str, start_ms: int, reason: str = "") -> Gathering:
        """Call off one day of a series; raises ``NotFound`` where it does not take place then."""
        gathering = self._now(gathering_id)
        ahead = occurrences_after(gathering, start_ms, 1)
        if not gathering.plan.rule or not ahead or ahead[0].start_ms != start_ms:
            raise NotFound("その日には、この集まりはありません")
        moment = tokyo_time(start_ms)
        day: Moment = moment.date() if gathering.plan.is_all_day else moment
        plan = gathering.plan
        plan = replace(plan, except_for=(*plan.except_for, day), called_off=(*plan.called_off, day))
        return await self.change(officer, gathering_id, plan, expected_revision=gathering.revision, reason=reason)

    async def withdraw(self, officer: str, gathering_id: str, *, expected_revision: int | None = None) -> None:
        """Take it out of lists and calendars; in the rooms it stands as cancelled."""
        plan = self._now(gathering_id).plan
        await self.change(
            officer, gathering_id, plan, state=State.WITHDRAWN, expected_revision=expected_revision
        )

    # ---- what they have in common ----------------------------------------------------------------------------------

    @property
    def _server(self) -> str:
        return self._sender.identity.server_name

    def _now(self, gathering_id: str) -> Gathering:
        gathering = self._book.find(gathering_id)
        if gathering is None:
            raise NotFound("その集まりはありません")
        return gathering

    def _require(self, officer: str, audience: Audience) -> None:
        self._members.require_for(officer, Right.ARRANGE_GATHERINGS, audience)
        if audience.kind is not AudienceKind.EVERYONE and not self._members.audience(audience):
            raise InvalidParam("その宛先には、だれもいません", field="audience")

    def _changeable(self, officer: str, gathering_id: str, expected_revision: int | None) -> Gathering:
        gathering = self._now(gathering_id)
        self._members.require_for(officer, Right.ARRANGE_GATHERINGS, gathering.audience)
        if expected_revision is not None and gathering.revision != expected_revision:
            raise Refused("ほかの人が先に変えました。もう一度ひらいてください", status=412)
        return gathering

    async def _tell(self, gathering: Gathering, reason: str, *, aloud: bool, day: Moment | None = None) -> None:
        ics, posts = self._as_ics(gathering), self._book.posts_of(gathering.id)
        edits = [(room_id, edit_content(gathering, ics, event_id)) for room_id, event_id in posts.items()]
        notices = [(room_id, notice_content(gathering, reason, day)) for room_id in posts] if aloud else []
        await self._send([*edits, *notices])

    async def _send(self, contents: list[tuple[str, dict[str, Any]]]) -> None:
        node = self._members.node_user_id
        await self._sender.send_many([Draft(room_id, node, "m.room.message", content) for room_id, content in contents])
