"""Cities, federations of associations, neighbours: what they send is kept when it comes, and looked at by what is
loaded when there is a first link, a first letter or a first question.
"""

from __future__ import annotations

import asyncio
import importlib
from typing import TYPE_CHECKING, Final

from federation.broadcasts.sends_store import note_gone
from federation.links.inbox_store import Letter, add_letter, is_anything_between_nodes
from federation.sharing.things_store import note_given
from server.association.members.members import NODE_LOCALPART
from server.rooms.live_room import LiveRoom
from server.rooms.timeline import Entry
from server.storage.database import Writes

if TYPE_CHECKING:
    from federation.links.offers import Offers
    from federation.sharing.offers import ShareOffers
    from server.assembly.core import Core
    from server.assembly.node import Node
    from server.assembly.wide_area import WideArea

_BROADCAST: Final = "jp.kairan.broadcast"
LOOKED_AT: Final = ("jp.kairan.link", _BROADCAST, "jp.kairan.figures", "jp.kairan.liaison", "jp.kairan.sharing")
_SHARED: Final = "jp.kairan.shared"


class LateWideArea:
    """The way to everything between nodes. ``attach`` before the first event, ``start`` when the node is built."""

    def __init__(self) -> None:
        self._node: Node | None = None
        self._wide_area: WideArea | None = None
        self._opening = asyncio.Lock()
        self._own_account = ""
        self._is_needed = False

    def attach(self, core: Core) -> None:
        """Keep what linked nodes send, in the transaction of its event."""
        self._own_account = f"@{NODE_LOCALPART}:{core.settings.server_name}"
        core.acceptor.project(self._keep, LOOKED_AT)
        core.acceptor.project(self._shared, ["m.room.message"])

    async def start(self, node: Node) -> None:
        """The node listens: go on where it was stopped or killed."""
        self._node = node
        self._is_needed = await is_anything_between_nodes(node.core.database)
        if self._is_needed:
            node.core.tasks.start("wide area", self.open())

    async def open(self) -> WideArea:
        """All of it."""
        async with self._opening:
            if self._wide_area is None:
                assert self._node is not None
                module = await asyncio.to_thread(importlib.import_module, "server.assembly.wide_area")
                self._wide_area = await module.open_wide_area(self._node)
            return self._wide_area

    async def if_needed(self) -> WideArea | None:
        """All of it, where this node was ever linked with another or has shared with one."""
        return await self.open() if self._is_needed or self._wide_area is not None else None

    async def offers(self) -> Offers:
        """The side that invites, for its door."""
        return (await self.open()).offers

    async def share_offers(self) -> ShareOffers:
        """The side that offers to share, for its door."""
        return (await self.open()).sharing.offers

    def _keep(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        event = entry.event
        if event.sender == self._own_account:
            if event.type == _BROADCAST:
                note_gone(writes, event.content, room.room_id, event.event_id, event.origin_server_ts)
            return
        add_letter(writes, Letter(
            event.event_id, entry.stream, room.room_id, event.type, event.sender,
            event.content.get("priority") == "alert", event.origin_server_ts, dict(event.content),
        ))
        writes.after_commit.append(self._wake)

    def _shared(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """A thing that neighbours share stands as a key in a message, so that every client shows its words."""
        event = entry.event
        told = event.content.get(_SHARED)
        if told is None:
            return
        if event.sender == self._own_account:
            note_given(writes, room.room_id, told)
            return
        add_letter(writes, Letter(
            event.event_id, entry.stream, room.room_id, _SHARED, event.sender, False, event.origin_server_ts,
            {_SHARED: told},
        ))
        writes.after_commit.append(self._wake)

    def _wake(self) -> None:
        if self._wide_area is not None:
            self._wide_area.wake()
        elif self._node is not None:
            self._node.core.tasks.start("wide area", self.open())
