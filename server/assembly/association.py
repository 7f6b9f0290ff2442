"""Building the association on top of the room core."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from server.association.members.departures import Departures
from server.association.members.editor import MemberEditor
from server.association.members.group_rooms import group_projection
from server.association.members.invitations import CardSettings, Invitations
from server.association.members.members import Members
from server.association.members.papers import PAPER_LIMITS, Papers
from server.association.members.rooms import AssociationRooms, Style
from server.association.members.roster_exchange import RosterExchange
from server.association.polls.actions import Polls
from server.association.safety_checks.actions import SafetyChecks
from server.association.safety_checks.desk import SafetyDesk
from server.calendars.app_passwords import AppPasswords
from server.foundation.worker_process import WorkerProcess
from server.rooms.room_versions import room_version

if TYPE_CHECKING:
    from server.assembly.node import Core


@dataclass(frozen=True, slots=True)
class Roster:
    """Who belongs to the association: changing it, reading it in, inviting, leaving."""

    members: Members
    editor: MemberEditor
    exchange: RosterExchange
    invitations: Invitations
    departures: Departures
    rooms: AssociationRooms


@dataclass(frozen=True, slots=True)
class Association:
    """The association's verbs and what it reads."""

    roster: Roster
    polls: Polls
    safety_checks: SafetyChecks
    safety_desk: SafetyDesk
    app_passwords: AppPasswords
    papers: Papers

    @property
    def members(self) -> Members:
        """Who belongs to the association."""
        return self.roster.members

    @property
    def editor(self) -> MemberEditor:
        """Changes the roster."""
        return self.roster.editor


@asynccontextmanager
async def build_association(core: Core) -> AsyncIterator[Association]:
    """The association on its tables and rooms; what an interrupted run left undone is done first."""
    roster = await _build_roster(core)
    polls = await _build_polls(core, roster.members)
    checks = await _build_safety_checks(core, roster.members)
    await roster.rooms.open()
    worker = WorkerProcess(core.clock, "paper", PAPER_LIMITS)
    try:
        yield Association(
            roster, polls, checks, SafetyDesk(core.database, roster.members),
            AppPasswords(core.database, core.clock), Papers(worker),
        )
    finally:
        await worker.close()


async def _build_roster(core: Core) -> Roster:
    database, clock, services, settings = core.database, core.clock, core.services, core.settings
    members = Members(database, clock, settings.server_name)
    await members.open()
    core.acceptor.project(group_projection(members), ["m.room.member"])
    editor = MemberEditor(database, clock, members)
    style = Style(settings.association.name, room_version(settings.rooms.default_version))
    rooms = AssociationRooms(database, members, core.accounts, services.creator, services.sender, style)
    editor.on_change(rooms.follow)
    cards = CardSettings(settings.http.public_url, _pepper(core))
    return Roster(
        members, editor, RosterExchange(clock, members, editor),
        Invitations(database, clock, members, editor, core.accounts, cards),
        Departures(members, editor, core.accounts, services.sender, services.history, services.membership), rooms,
    )


async def _build_polls(core: Core, members: Members) -> Polls:
    polls = Polls(core.database, members, core.services.sender, core.clock, core.tasks)
    polls.attach(core.acceptor)
    await polls.open()
    return polls


async def _build_safety_checks(core: Core, members: Members) -> SafetyChecks:
    checks = SafetyChecks(core.database, members, core.services.sender, core.clock, core.tasks)
    checks.attach(core.acceptor, core.services.receipts)
    await checks.open()
    return checks


def _pepper(core: Core) -> bytes:
    """A secret of this node that is nowhere in its database: it follows from the signing key."""
    return hashlib.blake2b(core.services.sender.identity.key.seed, person=b"invitations").digest()
