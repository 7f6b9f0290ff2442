"""Building the association on top of the room core: what must hear every event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from server.association.members.editor import MemberEditor
from server.association.members.group_rooms import group_projection
from server.association.members.members import Members
from server.association.members.rooms import AssociationRooms, Style
from server.association.polls.actions import Polls
from server.association.safety_checks.actions import SafetyChecks
from server.rooms.room_versions import room_version

if TYPE_CHECKING:
    from server.assembly.node import Core


@dataclass(frozen=True, slots=True)
class Association:
    """The association's verbs."""

    members: Members
    editor: MemberEditor
    rooms: AssociationRooms
    polls: Polls
    safety_checks: SafetyChecks


async def build_association(core: Core) -> Association:
    """The association on its tables and rooms; what an interrupted run left undone is done first."""
    members, editor, rooms = await _build_members(core)
    polls = Polls(core.database, members, core.services.sender, core.clock, core.tasks)
    polls.attach(core.acceptor)
    await polls.open()
    checks = SafetyChecks(core.database, members, core.services.sender, core.clock, core.tasks)
    checks.attach(core.acceptor, core.services.receipts)
    await checks.open()
    await rooms.open()
    return Association(members, editor, rooms, polls, checks)


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
