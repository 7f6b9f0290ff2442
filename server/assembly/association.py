"""Building the association on top of the room core."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from server.association.members.editor import MemberEditor
from server.association.members.group_rooms import group_projection
from server.association.members.members import Members
from server.association.members.papers import PAPER_LIMITS, Papers
from server.association.members.rooms import AssociationRooms, Style
from server.association.safety_checks.actions import SafetyChecks
from server.association.safety_checks.desk import SafetyDesk
from server.foundation.worker_process import WorkerProcess
from server.media.media import Media
from server.rooms.room_versions import room_version

if TYPE_CHECKING:
    from server.assembly.node import Core


@dataclass(frozen=True, slots=True)
class Association:
    """The association's verbs and what it reads."""

    members: Members
    editor: MemberEditor
    rooms: AssociationRooms
    safety_checks: SafetyChecks
    safety_desk: SafetyDesk
    papers: Papers


@asynccontextmanager
async def build_association(core: Core, media: Media) -> AsyncIterator[Association]:
    """The association on its tables and rooms; what an interrupted run left undone is done first."""
    database, clock, services = core.database, core.clock, core.services
    members = Members(database, clock, core.settings.server_name)
    await members.open()
    core.acceptor.project(group_projection(members), ["m.room.member"])
    editor = MemberEditor(database, clock, members)
    style = Style(core.settings.association.name, room_version(core.settings.rooms.default_version))
    rooms = AssociationRooms(database, members, core.accounts, services.creator, services.sender, style)
    editor.on_change(rooms.follow)
    await rooms.open()
    safety_checks = SafetyChecks(database, members, services.sender, clock, core.tasks)
    safety_checks.attach(core.acceptor, services.receipts)
    await safety_checks.open()
    worker = WorkerProcess(clock, "paper", PAPER_LIMITS)
    try:
        yield Association(
            members, editor, rooms, safety_checks, SafetyDesk(database, members), Papers(worker),
        )
    finally:
        await worker.close()
