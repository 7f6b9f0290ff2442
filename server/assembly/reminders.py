"""Reminders of a node: who is reminded of what, joined to the features that know it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from server.assembly.core import Core
from server.association.gatherings.attendance import Attendance
from server.association.gatherings.gatherings import Gatherings
from server.association.gatherings.reminding import Coming, ComingGatherings
from server.association.members.members import Members
from server.association.reminders.model import CHOICE, Appointment, Choice, read_choice
from server.association.reminders.reminding import Reminders, ReminderSource
from server.foundation.tasks import keep_doing

EVERY_S: Final = 20.0


class _Gatherings:
    """A ``ReminderSource``."""

    def __init__(self, coming: ComingGatherings) -> None:
        self._coming = coming

    async def between(self, first_ms: int, last_ms: int) -> Sequence[Appointment]:
        """Gatherings that begin soon."""
        return [_appointment(item) for item in await self._coming.between(first_ms, last_ms)]


def build_reminders(
    core: Core, members: Members, gatherings: Gatherings, attendance: Attendance, more: Sequence[ReminderSource] = ()
) -> Reminders:
    """The reminders of a node, attached; ``more``: other things that take place."""

    async def choices() -> Mapping[str, Choice]:
        told = await core.accounts.account_data.of_everybody(CHOICE)
        return {user_id: read_choice(content) for user_id, content in told.items()}

    sources = (_Gatherings(ComingGatherings(gatherings, attendance, members)), *more)
    reminders = Reminders(core.database, core.clock, members, core.services.sender, choices, sources)
    reminders.attach(core.acceptor)
    return reminders


def resume_reminders(core: Core, reminders: Reminders) -> None:
    """The node listens: look round from now on, beginning with what fell due while it was stopped."""
    core.tasks.start("reminders", keep_doing("reminders", reminders.look_round, core.clock, every_s=EVERY_S))


def _appointment(item: Coming) -> Appointment:
    gathering = item.occurrence.gathering
    return Appointment(
        f"gathering:{gathering.id}", gathering.plan.title, item.occurrence.start_ms, gathering.changed_ms,
        gathering.plan.place, gathering.plan.is_all_day, item.attending, item.others,
    )
