"""The verbs of 役員交代: prepare a handover, decide it, call it off; and carry it out when its day has come.

All rights follow from offices (``model.RIGHTS``), and rooms follow the roster, so nobody needs anything of whoever held
an office before: no password, no telephone. Everything changes in one commit, or nothing does.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import date, datetime, time
from typing import Final

from server.association.members.editor import MemberEditor, new_id
from server.association.members.handover import (
    Change,
    Handover,
    State,
    effective,
    require_possible,
)
from server.association.members.handovers_store import (
    all_handovers,
    due_handovers,
    find_handover,
    put_handover,
)
from server.association.members.members import Members
from server.association.members.model import Right, Role
from server.foundation.clock import TOKYO, Clock, tokyo_time
from server.foundation.errors import InvalidParam, NotFound, Refused
from server.storage.database import Database, Writes

logger = logging.getLogger(__name__)

_MOST_CHANGES: Final = 300
_MOST_DAYS: Final = 400

# Hears of a handover that was carried out, or could not be.
Told = Callable[[Handover], Awaitable[None]]


class Handovers:
    """Handovers of this association. ``officer`` is a user id with the right to give roles."""

    def __init__(self, database: Database, clock: Clock, members: Members, editor: MemberEditor, told: Told) -> None:
        self._database = database
        self._clock = clock
        self._members = members
        self._editor = editor
        self._told = told
        self._turn = asyncio.Lock()

    # ---- looking ---------------------------------------------------------------------------------------------------

    async def all(self, officer: str) -> list[Handover]:
        """All that there were, and what is to come."""
        self._members.require(officer, Right.GIVE_ROLES)
        return await all_handovers(self._database)

    async def get(self, officer: str, handover_id: str) -> Handover:
        """One of them with its changes; raises ``NotFound``."""
        self._members.require(officer, Right.GIVE_ROLES)
        found = await find_handover(self._database, handover_id)
        if found is None:
            raise NotFound("その役員交代は ありません。")
        return found

    # ---- preparing -------------------------------------------------------------------------------------------------

    async def begin(self, officer: str, day: date) -> Handover:
        """A new one for a day from today on; raises ``Refused`` while another one is open."""
        self._members.require(officer, Right.GIVE_ROLES)
        async with self._turn:
            if any(known.state.is_open for known in await all_handovers(self._database)):
                raise Refused("まだ おわっていない 役員交代が あります。", status=409)
            handover = Handover(
                id=new_id(), created_by=officer, created_ts=self._clock.now_ms(), due_ts=self._midnight(day)
            )
            await self._keep(handover)
        return handover

    async def set_day(self, officer: str, handover_id: str, day: date) -> Handover:
        """Another day; what was decided must be decided again."""
        return await self._redraft(officer, handover_id, lambda known: replace(known, due_ts=self._midnight(day)))

    async def set_endings(self, officer: str, handover_id: str, ending: Iterable[tuple[str, Role]]) -> Handover:
        """Who gives up which office, all of them at once; who takes one up stays as it was."""
        ends = [Change(self._members.person(person_id).id, role, False) for person_id, role in ending]
        return await self._redraft(officer, handover_id, lambda known: replace(
            known, changes=_merged([change for change in known.changes if change.gives], ends)
        ))

    async def add(self, officer: str, handover_id: str, person_id: str, role: Role) -> Handover:
        """Somebody takes an office up."""
        given = Change(self._members.person(person_id).id, role, True)
        return await self._redraft(
            officer, handover_id, lambda known: replace(known, changes=_merged(known.changes, [given]))
        )

    async def remove(self, officer: str, handover_id: str, person_id: str, role: Role) -> Handover:
        """They do not, after all."""
        return await self._redraft(officer, handover_id, lambda known: replace(known, changes=tuple(
            change for change in known.changes if (change.person_id, change.role) != (person_id, role)
        )))

    async def decide(self, officer: str, handover_id: str) -> Handover:
        """It will happen on its day; at once where that is today. Raises ``Refused`` where it could not."""
        async with self._turn:
            known = await self.get(officer, handover_id)
            known.require(State.DECIDED)
            self._require_day(tokyo_time(known.due_ts).date())
            require_possible(self._members.register, known.changes)
            decided = replace(known, state=State.DECIDED, created_by=officer)
            await self._keep(decided)
        await self._members.log_look(officer, "役員交代を きめた")
        await self.carry_out_due()
        return await self.get(self._members.node_user_id, handover_id)

    async def cancel(self, officer: str, handover_id: str) -> None:
        """It will not happen."""
        async with self._turn:
            known = await self.get(officer, handover_id)
            known.require(State.CANCELLED)
            await self._keep(replace(known, state=State.CANCELLED))

    # ---- its day ---------------------------------------------------------------------------------------------------

    async def carry_out_due(self) -> None:
        """Carry out those whose day has come, also days ago: the node may have been off."""
        for handover in await due_handovers(self._database, self._clock.now_ms()):
            done = await self._carry_out(handover.id)
            if done is not None:
                await self._told(done)

    async def _carry_out(self, handover_id: str) -> Handover | None:
        """All offices and the handover's own state in one commit; ``None`` where it was called off meanwhile."""
        now = self._clock.now_ms()
        async with self._turn, self._editor.editing() as edit:
            known = await find_handover(self._database, handover_id)
            if known is None or known.state is not State.DECIDED or known.due_ts > now:
                return None
            try:
                require_possible(self._members.register, known.changes)
            except Refused as refusal:
                logger.warning("a handover could not be carried out")
                known = replace(known, state=State.STUCK, trouble=refusal.reason)
            else:
                for change in effective(self._members.register, known.changes):
                    if change.gives:
                        edit.give_role(change.person_id, change.role, now)
                    else:
                        edit.take_role(change.person_id, change.role)
                known = replace(known, state=State.DONE, done_ts=now, trouble="")
            put_handover(edit.writes, known)
        return known

    # ---- what they have in common ----------------------------------------------------------------------------------

    async def _redraft(self, officer: str, handover_id: str, changed: Callable[[Handover], Handover]) -> Handover:
        async with self._turn:
            known = await self.get(officer, handover_id)
            if known.state is not State.DRAFTED:
                known.require(State.DRAFTED)
            drafted = replace(changed(known), state=State.DRAFTED, trouble="")
            if len(drafted.changes) > _MOST_CHANGES:
                raise InvalidParam(f"一度に かえられるのは{_MOST_CHANGES}件までです")
            await self._keep(drafted)
        return drafted

    def _midnight(self, day: date) -> int:
        self._require_day(day)
        return int(datetime.combine(day, time.min, TOKYO).timestamp() * 1000)

    def _require_day(self, day: date) -> None:
        ahead = (day - tokyo_time(self._clock.now_ms()).date()).days
        if not 0 <= ahead <= _MOST_DAYS:
            raise InvalidParam("きょうから 1年さきまでの 日を えらんでください。")

    async def _keep(self, handover: Handover) -> None:
        writes = Writes()
        put_handover(writes, handover)
        await asyncio.shield(self._database.submit(writes))


def _merged(known: Iterable[Change], new: Iterable[Change]) -> tuple[Change, ...]:
    """The last word about each person and office."""
    found = {(change.person_id, change.role): change for change in (*known, *new)}
    return tuple(sorted(found.values()))
