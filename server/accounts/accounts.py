"""Everything about accounts in one place, and the verbs that other parts of the node use."""

from __future__ import annotations

import asyncio
from typing import Any

from server.accounts.account_data import AccountData
from server.accounts.changes import Changes, Listener
from server.accounts.filters import Filters
from server.accounts.passwords import Passwords
from server.accounts.profiles import OLD_FIELDS, OnChange, Profiles
from server.accounts.sessions import Sessions
from server.accounts.users import Users
from server.accounts.users_store import User
from server.foundation.clock import Clock
from server.storage.database import Database, Writes
from server.storage.streams import StreamPositions


class Accounts:
    """The accounts of this node. ``await open()`` once before use."""

    def __init__(
        self,
        database: Database,
        positions: StreamPositions,
        clock: Clock,
        server_name: str,
        *,
        password_cost: int,
    ) -> None:
        self._database = database
        self._changes = Changes(positions)
        self._device_lists = Changes(positions)
        self.server_name = server_name
        self.users = Users(database, clock, server_name, Passwords(password_cost))
        self.sessions = Sessions(database, clock, self._device_lists)
        self.profiles = Profiles(database)
        self.account_data = AccountData(database, self._changes)
        self.filters = Filters(database)

    async def open(self) -> None:
        """Learn from the database what is kept in memory."""
        await self.account_data.open()

    def listen(self, listener: Listener) -> None:
        """Call ``listener(users, position)`` after what shows in these users' own ``/sync`` has changed."""
        self._changes.listen(listener)

    def listen_device_lists(self, listener: Listener) -> None:
        """Call ``listener(users, position)`` after the devices or keys of these users have changed.

        It concerns everybody who shares a room with them, and themselves.
        """
        self._device_lists.listen(listener)

    def on_profile_change(self, listener: OnChange) -> None:
        """Await ``listener(user_id, field, profile)`` after a profile has changed, before that is answered."""
        self.profiles.on_change(listener)

    async def create_user(
        self,
        localpart: str | None,
        password: str | None = None,
        displayname: str | None = None,
        *,
        admin: bool = False,
        guest: bool = False,
        registration_token: str | None = None,
    ) -> str:
        """Make an account and answer its user id. Without a password it can only be entered by ``create_session``.

        Without a localpart it gets one of random letters. Raises ``M_USER_IN_USE``, ``M_INVALID_USERNAME``,
        ``M_WEAK_PASSWORD``; ``Forbidden`` where the registration token is used up.
        """
        name = displayname or localpart

        def begin_profile(user_id: str, writes: Writes) -> None:
            if name:
                self.profiles.begin(user_id, name, writes)

        return await self.users.create(
            localpart, password, admin=admin, guest=guest, registration_token=registration_token, also=begin_profile
        )

    async def create_session(
        self, user_id: str, device_id: str | None = None, display_name: str | None = None
    ) -> tuple[str, str]:
        """Log a user in: ``(access token, device id)``. Raises ``NotFound`` where there is no such open account."""
        user = await self.users.get(user_id)
        return await self.sessions.create(
            user_id, device_id, display_name, is_guest=user.is_guest, is_admin=user.is_admin
        )

    async def set_password(self, user_id: str, password: str, *, log_out: bool = True, but: str | None = None) -> None:
        """Give a user a new password and, if ``log_out``, end all sessions but the one on device ``but``."""
        await self.users.set_password(user_id, password)
        if log_out:
            await self.sessions.drop_all(user_id, but=but)

    async def deactivate(self, user_id: str, *, erase: bool = False) -> None:
        """Close an account for good: no password, no sessions; with ``erase`` no profile and no account data either."""
        await self.users.deactivate(user_id)
        await self.sessions.drop_all(user_id)
        if erase:
            writes = Writes()
            self.profiles.drop(user_id, writes)
            self.account_data.drop(user_id, writes)
            await asyncio.shield(self._database.submit(writes))

    async def user_exists(self, user_id: str) -> bool:
        """Whether there is an open account of that id here."""
        return await self.users.exists(user_id)

    async def member_profile(self, user_id: str) -> dict[str, Any]:
        """What member events show of a local user: ``displayname`` and ``avatar_url``, as far as they are set."""
        if not self.users.is_ours(user_id):
            return {}
        profile = await self.profiles.get(user_id)
        return {name: profile[name] for name in OLD_FIELDS if name in profile}

    async def list_users(self) -> list[User]:
        """Everybody, closed accounts too."""
        return await self.users.list_all()
