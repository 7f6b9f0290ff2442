"""What the operator of a node tells its people, each in a room of their own (spec, "Server Notices").

Any Matrix client shows it: the room is tagged ``m.server_notice``, its reader cannot answer there and cannot leave.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from server.accounts.accounts import Accounts
from server.accounts.tags import TAGS
from server.foundation.errors import BadRequest, NotFound
from server.foundation.keyed_locks import KeyedLocks
from server.rooms import notice_room_store
from server.rooms.create_room import RoomCreator
from server.rooms.notice_rooms import notice_plan
from server.rooms.room_versions import RoomVersion
from server.rooms.send_event import Draft, EventSender
from server.storage.database import Database, Writes

TAG: Final = "m.server_notice"
# ``server_notice_type`` of what a person wrote; the specification names types for machines only.
WRITTEN: Final = "jp.kairan.notice"
MOST_CHARS: Final = 10_000
_AT_ONCE: Final = 16


class ServerNotices:
    """Speaks as the node's own account, which must exist."""

    def __init__(
        self, database: Database, accounts: Accounts, creator: RoomCreator, sender: EventSender, node_user_id: str,
        version: RoomVersion,
    ) -> None:
        self._database = database
        self._accounts = accounts
        self._creator = creator
        self._sender = sender
        self._node = node_user_id
        self._version = version
        self._making = KeyedLocks()

    async def send(self, user_id: str, text: str, *, kind: str = WRITTEN, **more: Any) -> str:
        """Tell ``user_id`` something; answers the event id. The room is made, and its reader asked in, where needed.

        ``kind`` is the ``server_notice_type``, ``more`` are further keys of the message. Raises ``NotFound`` for whom
        this node does not have, ``BadRequest`` for a text that is empty or too long.
        """
        if not text.strip() or len(text) > MOST_CHARS:
            raise BadRequest(f"A notice has 1 to {MOST_CHARS} letters")
        if user_id == self._node or not await self._accounts.user_exists(user_id):
            raise NotFound("There is no such user here")
        async with self._making.hold(user_id):
            room_id = await self._room_of(user_id)
        content = {"msgtype": "m.server_notice", "server_notice_type": kind, "body": text, **more}
        return (await self._sender.send(Draft(room_id, self._node, "m.room.message", content))).event_id

    async def send_all(self, user_ids: Sequence[str], text: str) -> int:
        """Tell many; answers how many. A few at once, which share commits; others get their turn in between."""
        for start in range(0, len(user_ids), _AT_ONCE):
            async with asyncio.TaskGroup() as group:
                for user_id in user_ids[start:start + _AT_ONCE]:
                    group.create_task(self.send(user_id, text))
        return len(user_ids)

    async def readers(self) -> list[str]:
        """Everybody whom the node can tell something: open accounts of people."""
        users = [user for user in await self._accounts.list_users() if not user.is_deactivated and not user.is_guest]
        return [user.user_id for user in users if user.user_id != self._node]

    async def _room_of(self, user_id: str) -> str:
        room_id = await notice_room_store.find_room(self._database, user_id)
        if room_id is None:
            return await self._make(user_id)
        room = await self._sender.rooms.get(room_id)
        if room.membership(user_id) not in ("invite", "join"):
            content = {"membership": "invite", **await self._accounts.member_profile(user_id)}
            await self._sender.send(Draft(room_id, self._node, "m.room.member", content, user_id))
        return room_id

    async def _make(self, user_id: str) -> str:
        plan = notice_plan(
            node=self._node, version=self._version, user_id=user_id,
            profile=await self._accounts.member_profile(self._node),
            user_profile=await self._accounts.member_profile(user_id),
        )
        return (await self._creator.create(plan, also=partial(self._keep, user_id))).room_id

    def _keep(self, user_id: str, room_id: str, writes: Writes) -> None:
        """Rows in the commit that makes the room: whose it is, and by what clients know it."""
        notice_room_store.put_room(writes, user_id, room_id)
        self._accounts.account_data.add(writes, user_id, room_id, TAGS, {"tags": {TAG: {}}})
