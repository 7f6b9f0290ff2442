"""Power levels as a parsed value, and authorization rule 9 (``m.room.power_levels``; 10 in versions 12 and up to 5)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from server.foundation.errors import Forbidden
from server.rooms.auth_rules.create import creators_of, looks_like_user_id
from server.rooms.event import Event, StateKey
from server.rooms.room_versions import RoomVersion

POWER_LEVELS: Final[StateKey] = ("m.room.power_levels", "")
CREATE: Final[StateKey] = ("m.room.create", "")
# Above every integer that canonical JSON can carry.
CREATOR_LEVEL: Final = 2**62
# The creator's level in a room without power levels, up to version 11.
_FOUNDER_LEVEL: Final = 100

_SCALARS: Final = ("users_default", "events_default", "state_default", "ban", "redact", "kick", "invite")
_SECTIONS: Final = ("events", "notifications")
_INTEGER_TEXT: Final = re.compile(r"\s*[+-]?[0-9]{1,100}\s*")
_NO_LEVELS: Final[Mapping[str, int]] = {}


class PowerLevels:
    """What users may do in a room. ``content`` is that of the event, ``owners`` are levels of users that win over it.

    Values that are no level at all count as absent: they come from rooms of old versions, where nobody refused them.
    """

    __slots__ = (
        "ban", "events", "events_default", "invite", "kick", "notifications", "redact", "state_default", "users",
        "users_default",
    )

    def __init__(self, content: Mapping[str, Any], owners: Mapping[str, int] = _NO_LEVELS) -> None:
        self.users: Mapping[str, int] = {**_levels_in(content.get("users")), **owners}
        self.users_default = _level_or(content.get("users_default"), 0)
        self.events: Mapping[str, int] = _levels_in(content.get("events"))
        self.events_default = _level_or(content.get("events_default"), 0)
        self.state_default = _level_or(content.get("state_default"), 50)
        self.invite = _level_or(content.get("invite"), 0)
        self.kick = _level_or(content.get("kick"), 50)
        self.ban = _level_or(content.get("ban"), 50)
        self.redact = _level_or(content.get("redact"), 50)
        self.notifications: Mapping[str, int] = _levels_in(content.get("notifications"))

    def of_user(self, user_id: str) -> int:
        """The level of a user; ``CREATOR_LEVEL`` for the creators of a version 12 room."""
        return self.users.get(user_id, self.users_default)

    def needed_for(self, kind: str, is_state: bool) -> int:
        """The level that it takes to send an event of type ``kind``."""
        level = self.events.get(kind)
        if level is not None:
            return level
        return self.state_default if is_state else self.events_default

    def needed_to_notify(self, name: str = "room") -> int:
        """The level that it takes to alert everyone (``@room``); 50 where nothing is said."""
        return self.notifications.get(name, 50)


def power_of(state: Mapping[StateKey, Event], version: RoomVersion) -> PowerLevels:
    """The levels in force in ``state``; parsed once per event. A state without a create event gives bare defaults."""
    event = state.get(POWER_LEVELS)
    if event is not None:
        power = event.power
        return power if isinstance(power, PowerLevels) else _parse(event, state.get(CREATE), version)
    create = state.get(CREATE)
    if create is None:
        return PowerLevels({})
    if create.power is None:
        level = CREATOR_LEVEL if version.creators_have_infinite_power else _FOUNDER_LEVEL
        create.power = PowerLevels({}, dict.fromkeys(creators_of(create), level))
    founding: PowerLevels = create.power
    return founding


def _parse(event: Event, create: Event | None, version: RoomVersion) -> PowerLevels:
    """Parse and keep. In version 12 the room id fixes the create event, so that the creators can be kept with it."""
    if not version.creators_have_infinite_power:
        event.power = PowerLevels(event.content)
    elif create is None:
        return PowerLevels(event.content)
    else:
        event.power = PowerLevels(event.content, dict.fromkeys(creators_of(create), CREATOR_LEVEL))
    power: PowerLevels = event.power
    return power


def check_power_levels(event: Event, state: Mapping[StateKey, Event], power: PowerLevels) -> None:
    """Whether the sender may set these levels; ``power`` is in force before. Raises ``Forbidden``."""
    version = event.version
    # Levels under another state key bind nobody, so that there is nothing before them to compare with.
    current = state.get(POWER_LEVELS) if event.state_key == "" else None
    _require_users(event.content, version)  # 9.3
    if version.integer_power_levels or current is not None:
        _require_levels(event.content, version)  # 9.1, 9.2
    if version.creators_have_infinite_power and not creators_of(state[CREATE]).isdisjoint(_users_in(event)):  # 10.4
        raise Forbidden("Creators of a room do not appear in its power levels")
    if current is None:  # 9.4
        return
    sender_level = power.of_user(event.sender)
    for name in _SCALARS:  # 9.5
        _require_reach(
            read_level(current.content.get(name)), read_level(event.content.get(name)), sender_level,
        )
    wanted = _parse(event, state[CREATE], version) if event.power is None else event.power
    _require_reach_in(power.events, wanted.events, sender_level)  # 9.6
    if version.notifications_guarded:
        _require_reach_in(power.notifications, wanted.notifications, sender_level)
    _require_reach_over_users(power.users, wanted.users, event.sender, sender_level)  # 9.7, 9.8


def read_level(value: object) -> int | None:
    """An integer, or what rooms before version 10 may hold instead (text, fractions); ``None`` where it is no level."""
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str) and _INTEGER_TEXT.fullmatch(value):
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return int(value)
    return None


def _level_or(value: object, default: int) -> int:
    level = read_level(value)
    return default if level is None else level


def _levels_in(section: object) -> Mapping[str, int]:
    if not isinstance(section, dict):
        return _NO_LEVELS
    return {name: level for name, value in section.items() if (level := read_level(value)) is not None}


def _users_in(event: Event) -> Mapping[str, Any]:
    users: Mapping[str, Any] = event.content.get("users", {})
    return users


def _require_levels(content: Mapping[str, Any], version: RoomVersion) -> None:
    """9.1, 9.2: every level is an integer. Before version 10 the rules are silent on levels but those of users; what
    cannot be read as an integer is refused all the same where it has to be compared with the levels before.
    """
    is_level = _is_integer if version.integer_power_levels else _is_readable
    for name in _SCALARS:
        if name in content and not is_level(content[name]):
            raise Forbidden(f"The power level {name} is not an integer")
    for name in _SECTIONS:
        _require_level_section(content, name, version)


def _require_users(content: Mapping[str, Any], version: RoomVersion) -> None:
    """9.3: levels of users are integers (readable as such before version 10), by user id."""
    _require_level_section(content, "users", version)
    if not all(map(looks_like_user_id, content.get("users", {}))):
        raise Forbidden("The power levels name someone who is not a user")


def _require_level_section(content: Mapping[str, Any], name: str, version: RoomVersion) -> None:
    is_level = _is_integer if version.integer_power_levels else _is_readable
    section = content.get(name, {})
    if not isinstance(section, dict) or not all(map(is_level, section.values())):
        raise Forbidden(f"The power levels in {name} are not integers")


def _is_integer(value: object) -> bool:
    return type(value) is int


def _is_readable(value: object) -> bool:
    return read_level(value) is not None


def _require_reach(old: int | None, new: int | None, sender_level: int) -> None:
    """A level may be added, changed or removed only where neither value stands above the sender."""
    if old == new:
        return
    if (old is not None and old > sender_level) or (new is not None and new > sender_level):
        raise Forbidden("You cannot change power levels above your own")


def _require_reach_in(old: Mapping[str, int], new: Mapping[str, int], sender_level: int) -> None:
    if old == new:
        return
    for name in old.keys() | new.keys():
        _require_reach(old.get(name), new.get(name), sender_level)


def _require_reach_over_users(old: Mapping[str, int], new: Mapping[str, int], sender: str, sender_level: int) -> None:
    """As for other levels, and nobody but the sender who stands as high as the sender may be changed."""
    if old == new:
        return
    _require_reach_in(old, new, sender_level)
    for user_id in old.keys() | new.keys():
        before = old.get(user_id)
        if before == sender_level and user_id != sender and before != new.get(user_id):
            raise Forbidden("You cannot change the power level of someone as high as you")
