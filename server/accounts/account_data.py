"""Account data (spec, "Client Config"): what a client keeps on the node for its user, in all or in one room."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import orjson

from server.accounts.account_data_store import (
    AccountDataItem,
    drop_items,
    find_item,
    items_between,
    items_of_type,
    last_positions,
    set_item,
)
from server.accounts.changes import Changes
from server.foundation.errors import InvalidParam, NotFound, TooLarge
from server.storage.database import Database, Writes

PUSH_RULES: Final = "m.push_rules"
IGNORED_USERS: Final = "m.ignored_user_list"
INVITE_PERMISSION: Final = "m.invite_permission_config"
MAX_TYPE_BYTES: Final = 255
MAX_CONTENT_BYTES: Final = 256 * 1024

Present = Callable[[str], dict[str, Any]]


class AccountData:
    """Everybody's account data.

    In memory: where each user's latest change stands, whom users ignore, and who wants no invitations.
    """

    def __init__(self, database: Database, changes: Changes) -> None:
        self._database = database
        self._changes = changes
        self._last: dict[str, int] = {}
        self._ignored: dict[str, frozenset[str]] = {}
        self._blocks_invites: set[str] = set()
        self._presented: dict[str, Present] = {}

    def present(self, kind: str, content: Present) -> None:
        """Show ``content(user_id)`` instead of what is stored under ``kind``, and also where nothing is stored."""
        self._presented[kind] = content

    async def open(self) -> None:
        """Learn what is kept in memory."""
        self._last = await last_positions(self._database)
        for user_id, item in await items_of_type(self._database, [IGNORED_USERS, INVITE_PERMISSION]):
            self._note(user_id, item, orjson.loads(item.content))

    def last_position(self, user_id: str) -> int:
        """The position of the user's latest change; 0 where there never was one. Costs no SQL."""
        return self._last.get(user_id, 0)

    def ignored_by(self, user_id: str) -> frozenset[str]:
        """Whom the user does not want to hear (spec, "Ignoring Users"). Costs no SQL."""
        return self._ignored.get(user_id, frozenset())

    def blocks_invites(self, user_id: str) -> bool:
        """Whether the user wants no invitations at all (spec, "Invite permission"). Costs no SQL."""
        return user_id in self._blocks_invites

    @property
    def ignoring(self) -> Mapping[str, frozenset[str]]:
        """Whom each of those who ignore somebody ignores."""
        return self._ignored

    async def get(self, user_id: str, room_id: str, kind: str) -> dict[str, Any]:
        """The content of one item (``room_id`` empty: of no room); raises ``NotFound``."""
        content = await self.find(user_id, room_id, kind)
        if content is None:
            raise NotFound("There is no account data of this type")
        return content

    async def find(self, user_id: str, room_id: str, kind: str) -> dict[str, Any] | None:
        """The same, or ``None``."""
        if not room_id and kind in self._presented:
            return self._presented[kind](user_id)
        item = await find_item(self._database, user_id, room_id, kind)
        content: dict[str, Any] | None = None if item is None else orjson.loads(item.content)
        return content

    async def of_everybody(self, kind: str) -> dict[str, dict[str, Any]]:
        """By user id, the content of everybody who has an item of this type that belongs to no room."""
        return {user_id: orjson.loads(item.content) for user_id, item in await items_of_type(self._database, [kind])}

    async def set(self, user_id: str, room_id: str, kind: str, content: dict[str, Any]) -> int:
        """Keep ``content``; answers its position when it is on disk. Raises ``InvalidParam`` and ``TooLarge``."""
        writes = Writes()
        position = self.add(writes, user_id, room_id, kind, content)
        await asyncio.shield(self._database.submit(writes))
        return position

    def add(self, writes: Writes, user_id: str, room_id: str, kind: str, content: dict[str, Any]) -> int:
        """The same among the rows of ``writes``."""
        if len(kind.encode()) > MAX_TYPE_BYTES:
            raise InvalidParam("The type has at most 255 bytes")
        data = orjson.dumps(content)
        if len(data) > MAX_CONTENT_BYTES:
            raise TooLarge(f"Account data has at most {MAX_CONTENT_BYTES} bytes")
        writes.after_commit.append(lambda: self._note(user_id, item, content))
        position = self._changes.enter(writes, [user_id])
        item = AccountDataItem(room_id, kind, data, position)
        set_item(writes, user_id, item)
        return position

    async def between(self, user_id: str, after: int, until: int) -> list[AccountDataItem]:
        """What has changed with ``after < stream <= until``, in the order of the changes. Without news, no SQL."""
        items = []
        if self.last_position(user_id) > after:
            items = await items_between(self._database, user_id, after, until)
        items = [self._as_presented(user_id, item) for item in items]
        if after == 0:
            shown = {item.type for item in items if not item.room_id}
            missing = [kind for kind in self._presented if kind not in shown]
            items += [self._as_presented(user_id, AccountDataItem("", kind, b"", 0)) for kind in missing]
        return items

    def _as_presented(self, user_id: str, item: AccountDataItem) -> AccountDataItem:
        if item.room_id or item.type not in self._presented:
            return item
        return replace(item, content=orjson.dumps(self._presented[item.type](user_id)))

    def drop(self, user_id: str, writes: Writes) -> None:
        """Forget everything of a user, with the rows of ``writes``."""
        drop_items(writes, user_id)
        writes.after_commit.append(lambda: self._forget(user_id))

    def _forget(self, user_id: str) -> None:
        self._ignored.pop(user_id, None)
        self._blocks_invites.discard(user_id)

    def _note(self, user_id: str, item: AccountDataItem, content: dict[str, Any]) -> None:
        self._last[user_id] = max(item.stream, self._last.get(user_id, 0))
        if item.room_id:
            return
        if item.type == IGNORED_USERS:
            ignored = content.get("ignored_users")
            self._ignored[user_id] = frozenset(ignored) if isinstance(ignored, dict) else frozenset()
        elif item.type == INVITE_PERMISSION:
            is_blocked = content.get("default_action") == "block"
            (self._blocks_invites.add if is_blocked else self._blocks_invites.discard)(user_id)
