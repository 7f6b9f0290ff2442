"""Building the association on top of the room core: what must hear every event."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Final

from server.assembly.closed_accounts import detach_when_closed, forget_calendars_when_closed
from server.assembly.common_life import CommonLife
from server.assembly.core import Core
from server.assembly.daily_life import DailyLife
from server.assembly.handing_over import watch_handovers
from server.assembly.inquiries import LateInquiries
from server.assembly.officers_work import OfficersWork
from server.assembly.reminders import build_reminders, resume_reminders
from server.assembly.trial import watch_trial
from server.association.circulars.actions import Circulars
from server.association.gatherings.attendance import Attendance
from server.association.gatherings.gatherings import Gatherings
from server.association.gatherings.model import Gathering
from server.association.members.editor import MemberEditor
from server.association.members.group_rooms import group_projection
from server.association.members.members import Members
from server.association.members.rooms import AssociationRooms, Style
from server.association.polls.actions import Polls
from server.association.reminders.reminding import Reminders
from server.association.safety_checks.actions import SafetyChecks
from server.foundation.tasks import keep_doing
from server.rooms.room_versions import room_version

_WATCH_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Association:
    """The association's verbs."""

    members: Members
    editor: MemberEditor
    rooms: AssociationRooms
    circulars: Circulars
    gatherings: Gatherings
    polls: Polls
    safety_checks: SafetyChecks
    daily_life: DailyLife
    attendance: Attendance
    reminders: Reminders
    inquiries: LateInquiries
    officers_work: OfficersWork
    common_life: CommonLife

    def resume(self, core: Core) -> None:
        """The node listens: go on with what it was doing when it was stopped or killed, and keep watching deadlines."""
        for feature in (self.circulars, self.polls, self.safety_checks):
            feature.resume()
        watch = keep_doing("closing polls", self.polls.close_due, core.clock, every_s=_WATCH_S)
        core.tasks.start("closing polls", watch)
        self.daily_life.resume()
        self.inquiries.resume()
        self.officers_work.resume()
        watch_handovers(core, self)
        watch_trial(core)
        resume_reminders(core, self.reminders)
        for timed in (self.polls, self.safety_checks):
            core.closing.callback(timed.close_down)


async def build_association(core: Core) -> Association:
    """The association on its tables and rooms; what an interrupted run left undone is done first."""
    members, editor, rooms = await _build_members(core)
    detach_when_closed(core.accounts, members, editor)
    forget_calendars_when_closed(core)
    database, sender, clock = core.database, core.services.sender, core.clock
    circulars = Circulars(database, members, sender, clock, core.tasks)
    gatherings = Gatherings(database, clock, members, sender, _as_ics)
    polls = Polls(database, members, sender, clock, core.tasks)
    checks = SafetyChecks(database, members, sender, clock, core.tasks)
    circulars.attach(core.acceptor, core.services.receipts)
    for feature in (gatherings, polls):
        feature.attach(core.acceptor)
    checks.attach(core.acceptor, core.services.receipts)
    for opened in (circulars, gatherings, polls, checks, rooms):
        await opened.open()
    daily_life = DailyLife(core, members, editor)
    await daily_life.open()
    attendance = Attendance(database, gatherings, members, sender)
    attendance.attach(core.acceptor)
    reminders = build_reminders(core, members, gatherings, attendance, [daily_life])
    inquiries = LateInquiries(core, members, editor, checks)
    await inquiries.open()
    officers_work = OfficersWork(core, members, circulars, gatherings, attendance)
    await officers_work.open()
    return Association(
        members, editor, rooms, circulars, gatherings, polls, checks, daily_life, attendance, reminders, inquiries,
        officers_work, CommonLife(core, members),
    )


def _as_ics(gathering: Gathering) -> str:
    """A gathering as an .ics file; what knows iCalendar is loaded when the first one is written."""
    text: str = importlib.import_module("server.association.gatherings.calendar").as_ics(gathering)
    return text


async def _build_members(core: Core) -> tuple[Members, MemberEditor, AssociationRooms]:
    database, clock, services, settings = core.database, core.clock, core.services, core.settings
    members = Members(database, clock, settings.server_name)
    await members.open()
    core.acceptor.project(group_projection(members), ["m.room.member"])
    editor = MemberEditor(database, clock, members)
    style = Style(settings.association.name, room_version(settings.rooms.default_version))
    rooms = AssociationRooms(database, members, core.accounts, services.creator, services.sender, style)
    editor.on_change(rooms.follow)
    return members, editor, rooms
