"""What residents ask the officers: loaded where something was ever asked, or with the first who writes in a 窓口."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from server.assembly.core import Core
from server.assembly.inquiries_there_store import is_any_inquiry_kept
from server.association.bookings.asking import is_request
from server.association.members.editor import MemberEditor
from server.association.members.members import Members
from server.association.safety_checks.actions import SafetyChecks
from server.rooms.live_room import LiveRoom
from server.rooms.timeline import Entry
from server.storage.database import Writes

if TYPE_CHECKING:
    from server.association.inquiries.actions import Inquiries


class LateInquiries:
    """The verbs, made when they are first asked for (docs/decisions/0008). ``await open()`` once."""

    def __init__(self, core: Core, members: Members, editor: MemberEditor, checks: SafetyChecks) -> None:
        self._core = core
        self._members = members
        self._editor = editor
        self._checks = checks
        self._made: Inquiries | None = None

    async def open(self) -> None:
        """Load what the tables hold, if they hold anything."""
        if await is_any_inquiry_kept(self._core.database):
            await self.verbs.open()
        else:
            self._core.acceptor.project(self._message, ["m.room.message"])

    def resume(self) -> None:
        """The node listens: bring to the other side what was said and not carried."""
        if self._made is not None:
            self._made.resume()

    @property
    def verbs(self) -> Inquiries:
        """What doors call."""
        if self._made is None:
            module = importlib.import_module("server.association.inquiries.actions")
            core, outside = self._core, module.Outside(self._core.settings.http.public_url, self._is_for_others)
            self._made = module.Inquiries(
                core.database, self._members, core.services.sender, core.clock, core.tasks, outside)
            self._made.attach(core.acceptor)
            self._editor.on_change(self._made.follow)
        return self._made

    def _is_for_others(self, room: LiveRoom, text: str) -> bool:
        return is_request(text) or self._checks.hears(room.room_id, text)

    def _message(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """Before anything was asked. What is made meanwhile follows the rooms from this very event on: it stands at
        the end of the list of projections that is being walked.
        """
        is_ours = entry.event.sender == self._members.node_user_id
        if self._made is None and not is_ours and self._members.rooms.person_of_desk(room.room_id) is not None:
            _ = self.verbs
