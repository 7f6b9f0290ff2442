"""Going on in a new room of another version (spec: "Room Upgrades").

The new room, the end of the old one, its names and its place in the public list: all in one commit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from server.foundation.errors import Forbidden, InvalidParam, Refused
from server.foundation.ids import UserId
from server.rooms.alias_store import move_aliases
from server.rooms.auth_rules.create import creators_of
from server.rooms.auth_rules.power_levels import read_level
from server.rooms.create_room import RoomCreator, RoomPlan, new_room_id
from server.rooms.event import Event
from server.rooms.live_room import LiveRoom
from server.rooms.room_versions import CREATABLE, RoomVersion, room_version
from server.rooms.rooms import Rooms
from server.rooms.send_event import Draft, EventSender
from server.rooms.state_store import list_room
from server.storage.database import Stale, Writes

Content = dict[str, Any]
State = tuple[str, str, Content]

TOMBSTONE: Final = "m.room.tombstone"
_LEVELS: Final = "m.room.power_levels"
_ALIAS: Final = "m.room.canonical_alias"
_COPIED: Final = (
    "m.room.join_rules", "m.room.history_visibility", "m.room.guest_access", "m.room.name", "m.room.topic",
    "m.room.avatar", "m.room.encryption", "m.room.server_acl", _ALIAS, "m.space.child", "m.space.parent",
)
_MOST_CREATORS: Final = 100
_FOUNDER: Final = 100


class Upgrades:
    """Moves rooms."""

    def __init__(self, rooms: Rooms, creator: RoomCreator, sender: EventSender) -> None:
        self._rooms = rooms
        self._creator = creator
        self._sender = sender

    async def upgrade(
        self, room_id: str, user_id: str, version_name: str, additional_creators: Sequence[object] = ()
    ) -> LiveRoom:
        """Close a room and go on in a new one of that version, which is the answer.

        For those who may send the tombstone: raises ``Forbidden``, ``NotFound``, ``M_UNSUPPORTED_ROOM_VERSION``, and
        ``M_BAD_STATE`` (409) where the room has a successor here already.
        """
        version = room_version(version_name)
        if version.name not in CREATABLE:
            raise InvalidParam("Rooms of this version cannot be made here", code="M_UNSUPPORTED_ROOM_VERSION")
        creators = _checked(additional_creators, user_id) if version.creators_have_infinite_power else []
        found = await self._rooms.get(room_id)
        try:
            async with self._rooms.hold(found) as old:
                successor = old.content(TOMBSTONE).get("replacement_room")
                if isinstance(successor, str) and await self._rooms.find(successor) is not None:
                    raise Refused("This room has been upgraded already", code="M_BAD_STATE", status=409)
                return await self._move(old, user_id, version, creators)
        except Stale:
            raise Refused("The node is overloaded; please try again", status=503) from None

    async def _move(self, old: LiveRoom, user_id: str, version: RoomVersion, creators: list[str]) -> LiveRoom:
        """Before version 12 the new room can name the tombstone; since then its id is known only afterwards."""
        if old.membership(user_id) != "join":
            raise Forbidden("You are not in this room")
        if old.levels().of_user(user_id) < old.levels().needed_for(TOMBSTONE, is_state=True):
            raise Forbidden("You may not upgrade this room (この部屋をアップグレードする権限がありません)")
        writes = Writes()
        last, room_id = old.tip.extremities[-1], None
        if not version.room_id_is_create_hash:
            room_id = new_room_id(self._sender.identity.server_name)
            last = self._sender.enter(old, _tombstone(old, user_id, room_id), writes).event_id
        plan = _plan(old, user_id, version, creators, last, room_id)

        def leave_behind(new_room_id: str, writes: Writes) -> None:
            if version.room_id_is_create_hash:
                self._sender.enter(old, _tombstone(old, user_id, new_room_id), writes)
            self._close(old, user_id, writes)
            move_aliases(writes, old.room_id, new_room_id)

        return await self._creator.create(plan, also=leave_behind, writes=writes)

    def _close(self, old: LiveRoom, user_id: str, writes: Writes) -> None:
        """Take the old room's names and listing away and keep people from going on there, as far as the user may."""
        drafts = [Draft(old.room_id, user_id, _LEVELS, _silenced(old), "")]
        if old.content(_ALIAS):
            drafts.insert(0, Draft(old.room_id, user_id, _ALIAS, {}, ""))
        for draft in drafts:
            try:
                self._sender.enter(old, draft, writes)
            except Forbidden:
                continue
        if old.listed:
            old.listed = False
            list_room(writes, old)


def _checked(creators: Sequence[object], user_id: str) -> list[str]:
    if len(creators) > _MOST_CREATORS:
        raise InvalidParam(f"A room has at most {_MOST_CREATORS} creators")
    return sorted({str(UserId.parse(creator)) for creator in creators} - {user_id})


def _tombstone(old: LiveRoom, user_id: str, replacement: str) -> Draft:
    content = {"body": "This room has been replaced", "replacement_room": replacement}
    return Draft(old.room_id, user_id, TOMBSTONE, content, "")


def _plan(
    old: LiveRoom, user_id: str, version: RoomVersion, creators: list[str], last: str, room_id: str | None
) -> RoomPlan:
    creation: Content = {"predecessor": {"room_id": old.room_id, "event_id": last}}
    creation |= {name: value for name, value in old.create_event.content.items() if name in ("type", "m.federate")}
    if creators:
        creation["additional_creators"] = creators
    member = old.content("m.room.member", user_id)
    levels = _levels_for(old, user_id, version)
    copied = [(event.type, event.state_key or "", event.content) for event in old.state.values() if _is_copied(event)]
    bans = _bans(old, {user_id, *creators})
    sovereign = version.creators_have_infinite_power
    return RoomPlan(
        creator=user_id, version=version, listed=old.listed, creation_content=creation, room_id=room_id,
        profile={name: member[name] for name in ("displayname", "avatar_url") if name in member},
        initial_state=(*([(_LEVELS, "", levels)] if sovereign else []), *copied),
        # The creator must be able to set all of it; the levels that were bind only at the end.
        power_levels={} if sovereign else {"users": {user_id: _highest(levels)}},
        finally_set=(*bans, *(() if sovereign else [(_LEVELS, "", levels)])),
    )


def _is_copied(event: Event) -> bool:
    if event.type not in _COPIED or not event.content:
        return False
    return event.state_key == "" or event.type.startswith("m.space.")


def _bans(old: LiveRoom, creators: set[str]) -> list[State]:
    return [
        (kind, key, {name: event.content[name] for name in ("membership", "reason") if name in event.content})
        for (kind, key), event in old.state.items()
        if kind == "m.room.member" and event.content.get("membership") == "ban" and key not in creators
    ]


def _levels_for(old: LiveRoom, user_id: str, version: RoomVersion) -> Content:
    """The old levels as the new version wants them: integers; founders who stood above all levels get one."""
    levels = _in_integers(old.content(_LEVELS))
    if not version.creators_have_infinite_power:
        users = levels.setdefault("users", {})
        if old.version.creators_have_infinite_power or not old.content(_LEVELS):
            users |= dict.fromkeys({user_id, *creators_of(old.create_event)}, _FOUNDER)
    return levels


def _in_integers(content: Mapping[str, object]) -> Content:
    found: Content = {}
    for name, value in content.items():
        if isinstance(value, dict):
            found[name] = {key: level for key, item in value.items() if (level := read_level(item)) is not None}
        elif (level := read_level(value)) is not None:
            found[name] = level
    return found


def _highest(levels: Content) -> int:
    found = [_FOUNDER]
    for value in levels.values():
        found += value.values() if isinstance(value, dict) else [value]
    return max(found)


def _silenced(old: LiveRoom) -> Content:
    """The old room's levels, with which ordinary members can neither speak nor invite."""
    levels = old.levels()
    needed = max(50, levels.users_default + 1)
    content = dict(old.content(_LEVELS))
    content["events_default"] = max(levels.events_default, needed)
    content["invite"] = max(levels.invite, needed)
    return content

