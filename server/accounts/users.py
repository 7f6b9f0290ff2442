"""Users of this node: making, finding, closing accounts (spec, "Account registration and management")."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Final

from server.accounts.passwords import Passwords
from server.accounts.users_store import (
    RegistrationToken,
    User,
    add_user,
    all_users,
    deactivate_user,
    erased_users,
    find_registration_token,
    find_user,
    hold_user,
    make_full,
    set_password,
    set_registration_token,
    use_registration_token,
)
from server.foundation.clock import Clock
from server.foundation.errors import Forbidden, InvalidParam, NotFound, Refused
from server.foundation.ids import MAX_ID_BYTES, UserId, is_new_localpart, random_letters
from server.foundation.keyed_locks import KeyedLocks
from server.storage.database import Database, Writes

_KEPT: Final = 10_000

# Asks somebody who may make this user now; answers whether to look again.
Ask = Callable[[str], Awaitable[bool]]


class Users:
    """Who has an account here."""

    def __init__(self, database: Database, clock: Clock, server_name: str, passwords: Passwords) -> None:
        self._database = database
        self._clock = clock
        self._server_name = server_name
        self.passwords = passwords
        self._known: OrderedDict[str, User] = OrderedDict()
        self._being_made: set[str] = set()
        self._spent = KeyedLocks()
        self._ask: Ask | None = None
        self._holding = KeyedLocks()
        # Those who have asked to be forgotten; few, and asked for with every page of a room's past.
        self.erased: set[str] = set()

    def ask_where_unknown(self, ask: Ask) -> None:
        """Let ``ask`` be awaited for users of this node who do not exist when somebody wants them."""
        self._ask = ask

    async def open(self) -> None:
        """Learn who has asked to be forgotten."""
        self.erased.update(await erased_users(self._database))

    def user_id(self, localpart: str) -> str:
        """The id of a new user called ``localpart``, in small letters; raises ``M_INVALID_USERNAME``."""
        user_id = f"@{localpart.lower()}:{self._server_name}"
        if not is_new_localpart(localpart.lower()) or len(user_id) > MAX_ID_BYTES:
            raise InvalidParam("A user name has only a-z, 0-9 and ._=/+-", code="M_INVALID_USERNAME")
        return user_id

    def is_ours(self, user_id: str) -> bool:
        """Whether the id belongs to this node, known or not."""
        return user_id.startswith("@") and user_id.partition(":")[2] == self._server_name

    async def find(self, user_id: str) -> User | None:
        """The user, closed accounts too, or ``None``."""
        user = self._known.get(user_id)
        if user is None and self.is_ours(user_id):
            user = await find_user(self._database, user_id)
            if user is not None:
                # Somebody may have changed it while we were reading; what is in memory is never older.
                user = self._known.setdefault(user_id, user)
                self._make_place()
        return user

    async def exists(self, user_id: str) -> bool:
        """Whether there is an open account of that id."""
        user = await self._find_or_ask(user_id)
        return user is not None and not user.is_deactivated

    async def get(self, user_id: str) -> User:
        """The user; raises ``NotFound`` where there is none or it is closed."""
        user = await self._find_or_ask(user_id)
        if user is None or user.is_deactivated:
            raise NotFound("There is no such user here")
        return user

    async def _find_or_ask(self, user_id: str) -> User | None:
        user = await self.find(user_id)
        if user is None and self._ask is not None and self.is_ours(user_id) and await self._ask(user_id):
            user = await self.find(user_id)
        return user

    async def require_free(self, user_id: str) -> None:
        """Raise ``M_USER_IN_USE`` where the id is taken, by a closed account too."""
        if user_id in self._being_made or await self.find(user_id) is not None:
            raise Refused("This user name is taken", code="M_USER_IN_USE")

    async def create(
        self,
        localpart: str | None,
        password: str | None = None,
        *,
        admin: bool = False,
        guest: bool = False,
        registration_token: str | None = None,
        also: Callable[[str, Writes], None] | None = None,
    ) -> str:
        """Make an account and answer its id. ``also(user_id, writes)`` adds rows to the same commit.

        Raises ``M_USER_IN_USE``, ``M_INVALID_USERNAME``, ``M_WEAK_PASSWORD``, and ``Forbidden`` for a token that is
        used up.
        """
        user_id = self.user_id(localpart if localpart is not None else random_letters(12))
        await self.require_free(user_id)
        if user_id in self._being_made:
            raise Refused("This user name is taken", code="M_USER_IN_USE")
        self._being_made.add(user_id)
        try:
            stored = None if password is None else await self.passwords.make(password)
            user = User(user_id, stored, self._clock.now_ms(), is_admin=admin, is_guest=guest)
            async with self._spending(registration_token) as writes:
                add_user(writes, user)
                if also is not None:
                    also(user_id, writes)
                await self._commit(writes, user)
        finally:
            self._being_made.discard(user_id)
        return user_id

    async def set_password(self, user_id: str, password: str) -> None:
        """Give a user a new password. Sessions are the caller's business."""
        user = await self.get(user_id)
        stored = await self.passwords.make(password)
        writes = Writes()
        set_password(writes, user_id, stored)
        await self._commit(writes, replace(user, password=stored))

    async def keep_guest(self, user_id: str, password: str) -> None:
        """A guest becomes a user like all others; a registration token is not spent on them."""
        user = await self.get(user_id)
        stored = await self.passwords.make(password)
        writes = Writes()
        set_password(writes, user_id, stored)
        make_full(writes, user_id)
        await self._commit(writes, replace(user, password=stored, is_guest=False))

    async def deactivate(self, user_id: str, *, erase: bool = False) -> None:
        """Close an account: its name stays taken, its password is gone. With ``erase`` its owner is to be forgotten."""
        user = await self.get(user_id)
        writes = Writes()
        deactivate_user(writes, user_id, is_erased=erase)
        if erase:
            writes.after_commit.append(lambda: self.erased.add(user_id))
        await self._commit(writes, replace(user, password=None, is_deactivated=True, is_erased=erase))

    async def hold(self, user_id: str, *, locked: bool | None = None, suspended: bool | None = None) -> User:
        """Lock or suspend an account, or take it back; ``None`` leaves it. Raises ``NotFound``."""
        async with self._holding.hold(user_id):
            user = await self.get(user_id)
            held = replace(
                user,
                is_locked=user.is_locked if locked is None else locked,
                is_suspended=user.is_suspended if suspended is None else suspended,
            )
            writes = Writes()
            hold_user(writes, user_id, is_locked=held.is_locked, is_suspended=held.is_suspended)
            await self._commit(writes, held)
        return held

    async def authenticate(self, user_id: str, password: str) -> User | None:
        """The user whose password this is, or ``None``, after the same time in either case."""
        user = await self.find(user_id)
        right = await self.passwords.is_right(password, None if user is None else user.password)
        return user if right and user is not None and not user.is_deactivated else None

    def named(self, name: str) -> str:
        """The full id of what people type as their user name: ``@a:here``, or only ``a``; phones like to begin with
        a capital and to end with a space.
        """
        name = name.strip()
        if name.startswith("@"):
            user_id = UserId.parse(name)
            return f"@{user_id.localpart.lower()}:{user_id.server_name}"
        return f"@{name.lower()}:{self._server_name}"

    async def list_all(self) -> list[User]:
        """Everybody, closed accounts too."""
        return await all_users(self._database)

    async def allow_registration(
        self, token: str, *, uses: int | None = None, expires_ts: int | None = None
    ) -> None:
        """Make a registration token, usable ``uses`` times (``None``: always) until ``expires_ts``."""
        writes = Writes()
        set_registration_token(writes, RegistrationToken(token, uses, 0, expires_ts))
        await asyncio.shield(self._database.submit(writes))

    async def may_register(self, token: str) -> bool:
        """Whether an account can be made with ``token`` now."""
        found = await find_registration_token(self._database, token)
        if found is None:
            return False
        if found.expires_ts is not None and found.expires_ts <= self._clock.now_ms():
            return False
        return found.uses_allowed is None or found.used < found.uses_allowed

    @contextlib.asynccontextmanager
    async def _spending(self, token: str | None) -> AsyncIterator[Writes]:
        """Rows that also count a use of ``token``; whoever comes second with the last use is refused."""
        writes = Writes()
        if token is None:
            yield writes
            return
        async with self._spent.hold(token):
            if not await self.may_register(token):
                raise Forbidden("This registration token is not valid any more")
            use_registration_token(writes, token)
            yield writes

    async def _commit(self, writes: Writes, user: User) -> None:
        writes.after_commit.append(lambda: self._remember(user))
        await asyncio.shield(self._database.submit(writes))

    def _remember(self, user: User) -> None:
        self._known[user.user_id] = user
        self._make_place()

    def _make_place(self) -> None:
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)
