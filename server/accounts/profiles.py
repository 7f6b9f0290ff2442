"""Profiles (spec, "Profiles" of v1.16): display name, avatar, and free fields, at most 64 KiB together."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, Final

from server.accounts.profiles_store import clear_field, clear_profile, read_profile, set_field
from server.foundation.canonical_json import canonical_json, require_canonical
from server.foundation.errors import BadRequest, InvalidParam, NotFound, Refused, TooLarge
from server.foundation.keyed_locks import KeyedLocks
from server.storage.database import Database, Writes

MAX_NAME_CHARACTERS: Final = 256
MAX_AVATAR_BYTES: Final = 1_000
MAX_KEY_BYTES: Final = 255
MAX_PROFILE_BYTES: Final = 65_536
_KEPT: Final = 5_000
OLD_FIELDS: Final = ("displayname", "avatar_url")
# Common Namespaced Identifier Grammar (spec appendix).
_FIELD_NAME: Final = re.compile(r"^[a-z][a-z0-9_.-]*$")

Profile = dict[str, Any]
# ``(user_id, changed field, whole new profile)``, after the commit; member events in rooms follow from it.
OnChange = Callable[[str, str, Profile], Awaitable[None]]


class Profiles:
    """What users of this node show of themselves."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: OrderedDict[str, Profile] = OrderedDict()
        self._changing = KeyedLocks()
        self._listeners: list[OnChange] = []
        # What the profiles were whose change is being told.
        self._before: dict[str, Profile] = {}

    def on_change(self, listener: OnChange) -> None:
        """Await ``listener`` after each change, before the change is answered."""
        self._listeners.append(listener)

    def before(self, user_id: str) -> Profile | None:
        """What a profile was; for listeners, while they are told of its change."""
        return self._before.get(user_id)

    def known(self, user_id: str) -> Profile | None:
        """The profile, if it is in memory. Not to be changed."""
        return self._known.get(user_id)

    async def get(self, user_id: str) -> Profile:
        """All fields of a local user; empty where nothing was set. Not to be changed."""
        profile = self._known.get(user_id)
        if profile is None:
            profile = self._known.setdefault(user_id, await read_profile(self._database, user_id))
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return profile

    async def field(self, user_id: str, name: str) -> Any:
        """One field; raises ``NotFound`` where it was never set."""
        profile = await self.get(user_id)
        if name not in profile:
            raise NotFound("This profile has no such field")
        return profile[name]

    def begin(self, user_id: str, display_name: str, writes: Writes) -> None:
        """The profile of an account that is just being made."""
        checked = {"displayname": check_field("displayname", display_name)}
        set_field(writes, user_id, "displayname", display_name)
        writes.after_commit.append(lambda: self._known.__setitem__(user_id, checked))

    async def set(self, user_id: str, name: str, value: Any) -> None:
        """Set a field; raises ``M_INVALID_PARAM``, ``M_KEY_TOO_LARGE``, ``M_PROFILE_TOO_LARGE``."""
        value = check_field(name, value)
        async with self._changing.hold(user_id):
            old = await self.get(user_id)
            if name in OLD_FIELDS and not value:
                await self._clear(user_id, name, old)
                return
            profile = {**old, name: value}
            if len(canonical_json(profile)) > MAX_PROFILE_BYTES:
                raise TooLarge("The profile would be larger than 64 KiB", code="M_PROFILE_TOO_LARGE", status=400)
            writes = Writes()
            set_field(writes, user_id, name, value)
            await self._commit(writes, user_id, name, profile, old)

    async def clear(self, user_id: str, name: str) -> None:
        """Remove a field; one that is not there is gone already."""
        async with self._changing.hold(user_id):
            await self._clear(user_id, name, await self.get(user_id))

    def drop(self, user_id: str, writes: Writes) -> None:
        """Remove everything that a user has shown, with the rows of ``writes``."""
        clear_profile(writes, user_id)
        writes.after_commit.append(lambda: self._known.__setitem__(user_id, {}))

    async def _clear(self, user_id: str, name: str, old: Profile) -> None:
        writes = Writes()
        clear_field(writes, user_id, name)
        rest = {key: value for key, value in old.items() if key != name}
        await self._commit(writes, user_id, name, rest, old)

    async def _commit(self, writes: Writes, user_id: str, name: str, profile: Profile, old: Profile) -> None:
        writes.after_commit.append(lambda: self._known.__setitem__(user_id, profile))
        await asyncio.shield(self._database.submit(writes))
        if profile == old:
            return
        self._before[user_id] = old
        try:
            for listener in self._listeners:
                await listener(user_id, name, profile)
        finally:
            del self._before[user_id]


def check_field(name: str, value: Any) -> Any:
    """``value`` as it is stored under ``name``; raises ``Refused``. ``None`` for the two old fields means: remove."""
    if len(name.encode()) > MAX_KEY_BYTES:
        raise Refused("The name of a profile field has at most 255 bytes", code="M_KEY_TOO_LARGE")
    if not _FIELD_NAME.match(name):
        raise InvalidParam("This is no name for a profile field")
    if name in OLD_FIELDS:
        return _check_old_field(name, value)
    require_canonical(value)
    return value


def _check_old_field(name: str, value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise BadRequest(f"{name} must be a text")
    if name == "displayname" and len(value) > MAX_NAME_CHARACTERS:
        raise InvalidParam(f"A display name has at most {MAX_NAME_CHARACTERS} characters")
    if name == "avatar_url" and len(value.encode()) > MAX_AVATAR_BYTES:
        raise InvalidParam(f"An avatar address has at most {MAX_AVATAR_BYTES} bytes")
    return value
