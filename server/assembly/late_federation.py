"""Other servers: built when one of them asks, when something is to go out, or when somebody here wants to go there.

A node that never meets another one never loads it.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from server.accounts.device_lists_told_store import is_anything_untold
from server.assembly.core import Core
from server.media.model import Mxc
from server.media.ports import FarFile
from server.outbox.outbox import Outbox
from server.outbox.outbox_store import is_anything_waiting
from server.rooms.event import Event
from server.rooms.far_member_store import is_anybody_far
from server.rooms.live_room import LiveRoom

if TYPE_CHECKING:
    from federation.serving.messages import Messages
    from federation.serving.services import Federation


class LateFederation:
    """Implements ``FarRooms`` and ``FarQuestions`` of ``server.rooms.ports``, ``FarMedia`` of ``server.media.ports``;
    and is the doors' way to the rest.
    """

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self._core: Core | None = None
        self._is_listening = False
        self._federation: Federation | None = None
        self._opening = asyncio.Lock()
        outbox.deliver_by(self._wake)

    def attach(self, core: Core) -> None:
        """The node is built."""
        self._core = core

    async def resume(self) -> None:
        """The node is listening: go on with what is waiting to go out.

        Not before: whoever hears of us comes back at once, and finding nobody it would not try again for long.
        """
        core = self._core
        assert core is not None
        self._is_listening = True
        database, name = core.database, core.settings.server_name
        questions = (is_anything_waiting(database), is_anything_untold(database), is_anybody_far(database, name))
        if any([await question for question in questions]):
            core.tasks.start("federation", self.open())

    async def open(self) -> Federation:
        """All of it."""
        async with self._opening:
            if self._federation is None:
                module = await asyncio.to_thread(importlib.import_module, "server.assembly.federation")
                assert self._core is not None
                self._federation = await module.open_federation(self._core, self.outbox)
            return self._federation

    def _wake(self, destination: str) -> None:
        if self._federation is not None:
            self._federation.delivery.wake(destination)
        elif self._core is not None and self._is_listening:
            self._core.tasks.start("federation", self._wake_when_open(destination))

    async def _wake_when_open(self, destination: str) -> None:
        (await self.open()).delivery.wake(destination)

    @property
    def is_open(self) -> bool:
        """Whether another server was met since the start."""
        return self._federation is not None

    def tell(self, tell: Callable[[Messages], None]) -> None:
        """``tell`` what is no event, as soon as there is somebody who can."""
        if self._federation is not None:
            tell(self._federation.messages)
        elif self._core is not None and self._is_listening:
            self._core.tasks.start("federation", self._tell_when_open(tell))

    async def _tell_when_open(self, tell: Callable[[Messages], None]) -> None:
        tell((await self.open()).messages)

    async def query_keys(self, reader: str, wanted: Mapping[str, Sequence[str]], timeout_s: float) -> dict[str, Any]:
        """Keys of people of other servers."""
        return await (await self.open()).messages.far_keys.query_keys(reader, wanted, timeout_s)

    async def claim_keys(self, wanted: Mapping[str, Mapping[str, str]], timeout_s: float) -> dict[str, Any]:
        """One-time keys of people of other servers."""
        return await (await self.open()).messages.far_keys.claim_keys(wanted, timeout_s)

    async def join(self, servers: Sequence[str], room_id: str, user_id: str, content: Mapping[str, Any]) -> LiveRoom:
        """Join a room of other servers."""
        return await (await self.open()).far_rooms.join(servers, room_id, user_id, content)

    async def knock(self, servers: Sequence[str], room_id: str, user_id: str, content: Mapping[str, Any]) -> LiveRoom:
        """Knock at a room of other servers."""
        return await (await self.open()).far_rooms.knock(servers, room_id, user_id, content)

    async def leave(self, servers: Sequence[str], room: LiveRoom, user_id: str, content: Mapping[str, Any]) -> None:
        """Decline an invitation, or take a knock back."""
        await (await self.open()).far_rooms.leave(servers, room, user_id, content)

    async def fetch_past(self, room: LiveRoom) -> bool:
        """Fetch an earlier piece of a room's past."""
        return await (await self.open()).backfill.more(room)

    async def find_moment(self, room: LiveRoom, ts: int, *, backwards: bool) -> str | None:
        """The event that other servers know nearest to a moment."""
        return await (await self.open()).moments.find(room, ts, backwards=backwards)

    async def alias(self, alias: str) -> tuple[str, list[str]]:
        """Resolve an alias of another server."""
        return await (await self.open()).questions.alias(alias)

    @asynccontextmanager
    async def fetch(self, mxc: Mxc, *, wait_ms: int) -> AsyncIterator[FarFile]:
        """A file of another server."""
        federation = await self.open()
        async with federation.far_media.fetch(mxc, wait_ms=wait_ms) as file:
            yield file

    async def profile(self, user_id: str, name: str | None = None) -> dict[str, Any]:
        """What somebody of another server shows."""
        return await (await self.open()).questions.profile(user_id, name)

    async def public_rooms(self, server: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """A page of another server's list."""
        return await (await self.open()).questions.public_rooms(server, wanted)

    async def hierarchy(self, servers: Sequence[str], room_id: str, *, suggested_only: bool) -> dict[str, Any]:
        """A Space of another server."""
        return await (await self.open()).questions.hierarchy(servers, room_id, suggested_only=suggested_only)

    async def invite(self, room: LiveRoom, event: Event, shown: Sequence[Mapping[str, Any]]) -> None:
        """Invite somebody of another server."""
        await (await self.open()).far_rooms.invite(room, event, shown)
