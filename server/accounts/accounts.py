"""Everything about accounts in one place, and the verbs that other parts of the node use."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from server.accounts.account_data import AccountData
from server.accounts.changes import Changes, Listener
from server.accounts.consents import Consents
from server.accounts.cross_signing import CrossSigning
from server.accounts.device_keys import DeviceKeys
from server.accounts.device_lists import DeviceLists
from server.accounts.filters import Filters
from server.accounts.key_backup import KeyBackups
from server.accounts.last_seen import LastSeen
from server.accounts.login_tokens import LoginTokens
from server.accounts.looks import Looks
from server.accounts.open_id import OpenIdTokens
from server.accounts.passwords import Passwords
from server.accounts.policies import Policy
from server.accounts.presence import Presences
from server.accounts.profiles import OLD_FIELDS, OnChange, Profiles
from server.accounts.push_rules import PushRules
from server.accounts.renewals import Renewals
from server.accounts.sessions import Device, Sessions
from server.accounts.tags import Tags
from server.accounts.to_device import ToDevice, as_events
from server.accounts.tokens import FOR_EVER, Lifetimes, NewSession
from server.accounts.users import Users
from server.accounts.users_store import User
from server.foundation.clock import Clock
from server.foundation.errors import Locked
from server.storage.database import Database, Writes
from server.storage.streams import StreamPositions

Json = dict[str, Any]

# Spec, "Send-to-Device messaging": at most so many in one answer of /sync.
MOST_TO_DEVICE: Final = 100

# Awaited with the id of an account that has been closed.
OnClosed = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRules:
    """What the settings say about sessions and consents."""

    lifetimes: Lifetimes = FOR_EVER
    policies: Sequence[Policy] = ()
    consent_is_demanded: bool = False


NO_RULES: Final = AccountRules()


class Accounts:
    """The accounts of this node. ``await open()`` once before use."""

    def __init__(
        self,
        database: Database,
        positions: StreamPositions,
        clock: Clock,
        server_name: str,
        *,
        passwords: Passwords,
        rules: AccountRules = NO_RULES,
    ) -> None:
        self._database = database
        self._clock = clock
        self._when_closed: list[OnClosed] = []
        self._changes = Changes(positions)
        self.device_lists = DeviceLists(database, positions)
        self.server_name = server_name
        self.users = Users(database, clock, server_name, passwords)
        self.consents = Consents(database, clock, rules.policies, is_demanded=rules.consent_is_demanded)
        self.sessions = Sessions(database, clock, self.device_lists, self.consents, rules.lifetimes)
        self.renewals = Renewals(database, clock, self.sessions, rules.lifetimes)
        self.last_seen = LastSeen(database, clock)
        self.login_tokens = LoginTokens(clock)
        self.profiles = Profiles(database)
        self.account_data = AccountData(database, self._changes)
        self.filters = Filters(database)
        self.looks = Looks(database)
        self.push_rules = PushRules(database, self.account_data)
        self.device_keys = DeviceKeys(database, self.device_lists)
        self.cross_signing = CrossSigning(database, self.device_lists)
        self.key_backups = KeyBackups(database)
        self.presence = Presences(clock)
        self.tags = Tags(self.account_data)
        self.open_id = OpenIdTokens(clock)
        self.to_device = ToDevice(database, clock, self._changes)
        for drop in (self.device_keys.drop, self.to_device.drop, self.last_seen.drop):
            self.sessions.when_dropped(drop)

    async def open(self) -> None:
        """Learn from the database what is kept in memory."""
        await self.users.open()
        await self.account_data.open()
        await self.push_rules.open()
        await self.device_lists.open()
        await self.device_keys.open()
        await self.to_device.open()

    def listen(self, listener: Listener) -> None:
        """Call ``listener(users, position)`` after what shows in these users' own ``/sync`` has changed."""
        self._changes.listen(listener)

    def listen_device_lists(self, listener: Listener) -> None:
        """Call ``listener(users, position)`` after the devices or keys of these users have changed.

        It concerns everybody who shares a room with them, and themselves.
        """
        self.device_lists.listen(listener)

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
        consents: bool = False,
    ) -> str:
        """Make an account and answer its user id. Without a password it can only be entered by ``create_session``.

        ``consents``: its owner has agreed to the texts in force.

        Without a localpart it gets one of random letters. Raises ``M_USER_IN_USE``, ``M_INVALID_USERNAME``,
        ``M_WEAK_PASSWORD``; ``Forbidden`` where the registration token is used up.
        """
        name = displayname or localpart

        def begin_profile(user_id: str, writes: Writes) -> None:
            if name:
                self.profiles.begin(user_id, name, writes)
            if consents:
                self.consents.enter(user_id, writes)

        return await self.users.create(
            localpart, password, admin=admin, guest=guest, registration_token=registration_token, also=begin_profile
        )

    async def keep_guest(self, user_id: str, password: str, *, consents: bool) -> str:
        """A guest stays, with a password; ``consents``: they have agreed to the texts in force. Answers the user id."""
        await self.users.keep_guest(user_id, password)
        if consents:
            await self.consents.accept(user_id)
        self.sessions.change_callers(user_id, lambda caller: replace(caller, is_guest=False))
        return user_id

    async def create_session(
        self, user_id: str, device_id: str | None = None, display_name: str | None = None
    ) -> tuple[str, str]:
        """Log a user in: ``(access token, device id)``. Raises ``NotFound`` where there is no such open account."""
        session = await self.log_in(user_id, device_id, display_name)
        return session.access_token, session.device_id

    async def log_in(
        self, user_id: str, device_id: str | None = None, display_name: str | None = None, *, renewable: bool = False
    ) -> NewSession:
        """Log a user in, with a token that the client can renew if it is ``renewable``.

        Raises ``NotFound`` where there is no such open account, ``Locked``.
        """
        user = await self.users.get(user_id)
        if user.is_locked:
            raise Locked
        return await self.sessions.create(
            user_id, device_id, display_name, is_guest=user.is_guest, is_admin=user.is_admin, renewable=renewable
        )

    async def renew(self, refresh_token: str) -> NewSession:
        """New tokens for an old one; raises ``UnknownToken``, ``Locked``."""
        owner = await self.renewals.owner(refresh_token)
        if (await self.users.get(owner)).is_locked:
            raise Locked
        return await self.renewals.renew(refresh_token)

    async def set_password(self, user_id: str, password: str, *, log_out: bool = True, but: str | None = None) -> None:
        """Give a user a new password and, if ``log_out``, end all sessions but the one on device ``but``."""
        await self.users.set_password(user_id, password)
        self.login_tokens.forget(user_id)
        if log_out:
            await self.sessions.drop_all(user_id, but=but)

    async def devices(self, user_id: str) -> list[Device]:
        """All devices of a user, and when and from where each was last here."""
        return self.last_seen.brought_up_to_date(await self.sessions.devices(user_id))

    async def device(self, user_id: str, device_id: str) -> Device:
        """One of them; raises ``NotFound``."""
        return self.last_seen.brought_up_to_date([await self.sessions.device(user_id, device_id)])[0]

    async def hold(self, user_id: str, *, locked: bool | None = None, suspended: bool | None = None) -> User:
        """Lock or suspend an account, or take it back; holds for requests from the next one on. Raises ``NotFound``."""
        user = await self.users.hold(user_id, locked=locked, suspended=suspended)
        self.sessions.change_callers(
            user_id, lambda caller: replace(caller, is_locked=user.is_locked, is_suspended=user.is_suspended)
        )
        return user

    async def accept_policies(self, user_id: str) -> None:
        """Somebody agrees to the texts in force."""
        await self.consents.accept(user_id)
        self.sessions.change_callers(user_id, lambda caller: replace(caller, owes_consent=False))

    def when_closed(self, listener: OnClosed) -> None:
        """Await ``listener(user_id)`` after an account has been closed, before that is answered."""
        self._when_closed.append(listener)

    async def deactivate(self, user_id: str, *, erase: bool = False, clear_profile: bool = False) -> None:
        """Close an account for good: no password, no sessions, no keys; ``when_closed`` listeners take it out of rooms.

        With ``clear_profile`` no name and no picture either. With ``erase`` neither, and what its owner said is only
        for those who were there (spec, "Account deactivation").
        """
        await self.users.deactivate(user_id, erase=erase)
        await self.sessions.drop_all(user_id)
        writes = Writes()
        self.account_data.drop(user_id, writes)
        if erase or clear_profile:
            self.profiles.drop(user_id, writes)
            self.consents.drop(user_id, writes)
        await asyncio.shield(self._database.submit(writes))
        await self.cross_signing.drop(user_id)
        await self.key_backups.drop_all(user_id)
        for listener in self._when_closed:
            await listener(user_id)

    async def user_exists(self, user_id: str) -> bool:
        """Whether there is an open account of that id here."""
        return await self.users.exists(user_id)

    async def member_profile(self, user_id: str) -> Json:
        """What member events show of a local user: ``displayname`` and ``avatar_url``, as far as they are set."""
        if not self.users.is_ours(user_id):
            return {}
        profile = await self.profiles.get(user_id)
        return {name: profile[name] for name in OLD_FIELDS if name in profile}

    async def account_data_since(
        self, user_id: str, since: int, until: int
    ) -> tuple[list[Json], dict[str, list[Json]]]:
        """For ``/sync``: account data of no room, and by room, changed with ``since < position <= until``."""
        own: list[Json] = []
        by_room: dict[str, list[Json]] = {}
        for item in await self.account_data.between(user_id, since, until):
            shown = {"type": item.type, "content": orjson.Fragment(item.content)}
            (by_room.setdefault(item.room_id, []) if item.room_id else own).append(shown)
        return own, by_room

    async def to_device_for(
        self, user_id: str, device_id: str, since: int, until: int, limit: int = MOST_TO_DEVICE
    ) -> tuple[list[Json], int]:
        """For ``/sync``: messages to a device, and the position up to which they were given (always ``until``)."""
        return as_events(await self.to_device.waiting_for(user_id, device_id, since, until, limit)), until

    async def acknowledge_to_device(self, user_id: str, device_id: str, until: int) -> None:
        """For ``/sync``: the device came back with ``until`` as its ``since``, so it has all messages up to there."""
        self.to_device.acknowledge(user_id, device_id, until)

    async def device_changes_since(self, since: int, until: int) -> list[str]:
        """For ``/sync`` and ``keys/changes``: users whose devices or keys have changed. Costs no SQL."""
        return self.device_lists.between(since, until)

    async def key_counts(self, user_id: str, device_id: str) -> tuple[dict[str, int], list[str]]:
        """For ``/sync``: one-time keys left by algorithm, and unused fallback key types. Costs no SQL."""
        return self.device_keys.counts(user_id, device_id), self.device_keys.unused_fallbacks(user_id, device_id)

    async def forget_old(self) -> None:
        """Drop what no client will ask for again. To be called once a day or so."""
        await self.to_device.forget_transactions()

    async def list_users(self) -> list[User]:
        """Everybody, closed accounts too."""
        return await self.users.list_all()
