"""Creating a room: its first events, in one commit (spec: ``POST /createRoom``)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from server.foundation.canonical_json import require_canonical
from server.foundation.errors import Forbidden, Refused
from server.foundation.ids import random_letters, server_name_of
from server.rooms.alias_store import Alias, add_alias_with
from server.rooms.event import Event, seal
from server.rooms.live_room import LiveRoom, Tip
from server.rooms.room_versions import RoomVersion
from server.rooms.send_event import Draft, EventSender
from server.rooms.state_store import add_room
from server.storage.database import Conflict, Database, Writes

Content = dict[str, Any]
# Is given the id of the new room and the rows that are committed with it.
AlsoWrite = Callable[[str, Writes], None]

PRESETS: Final[Mapping[str, tuple[str, str, str]]] = {
    # preset: join rule, history visibility, guest access
    "private_chat": ("invite", "shared", "can_join"),
    "trusted_private_chat": ("invite", "shared", "can_join"),
    "public_chat": ("public", "shared", "forbidden"),
}

# Version 12: explicitly higher than state_default (spec, ``POST /createRoom``, 3).
_TOMBSTONE_LEVEL: Final = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomPlan:
    """What the new room shall be. ``initial_state`` are ``(type, state key, content)``."""

    creator: str
    version: RoomVersion
    preset: str = "private_chat"
    name: str | None = None
    topic: str | None = None
    alias: str | None = None
    invite: tuple[str, ...] = ()
    is_direct: bool = False
    listed: bool = False
    creation_content: Content = field(default_factory=dict)
    power_levels: Content = field(default_factory=dict)
    initial_state: tuple[tuple[str, str, Content], ...] = ()
    # Members who are in from the start without being asked (the node's own accounts and residents).
    joined: tuple[str, ...] = ()
    profile: Content = field(default_factory=dict)
    profiles: Mapping[str, Content] = field(default_factory=dict)
    # Up to version 11 a room's id may be chosen beforehand.
    room_id: str | None = None
    # What the creator sets at the end, like ``initial_state``; bans and levels that bind the creator, too.
    finally_set: tuple[tuple[str, str, Content], ...] = ()

    def check(self) -> None:
        """Raise ``Refused`` where a part of the plan can stand in no event."""
        require_canonical(self.creation_content)
        require_canonical(self.power_levels)
        for kind, state_key, content in (*self.initial_state, *self.finally_set):
            Draft("", self.creator, kind, content, state_key).check()


class RoomCreator:
    """Creates rooms."""

    def __init__(self, database: Database, sender: EventSender) -> None:
        self._database = database
        self._sender = sender
        self._last_ms = 0

    async def create(
        self, plan: RoomPlan, *, also: AlsoWrite | None = None, writes: Writes | None = None
    ) -> LiveRoom:
        """Create the room with everything that ``plan`` names, all or nothing. Answers when it is on disk.

        ``also`` adds rows to the same commit, ``writes`` has some already; where this raises, they are undone.
        Raises ``M_INVALID_ROOM_STATE`` where the rules forbid a part of the plan, ``M_ROOM_IN_USE`` where its name
        is taken.
        """
        writes = Writes() if writes is None else writes
        try:
            room = self._enter(plan, writes, also)
        except BaseException:
            for undo in writes.on_failure:
                undo()
            raise
        commit = self._database.submit(writes)
        self._sender.rooms.enter(room)
        try:
            await asyncio.shield(commit)
        except Conflict:
            raise Refused("A room of this name exists already", code="M_ROOM_IN_USE") from None
        return room

    def _enter(self, plan: RoomPlan, writes: Writes, also: AlsoWrite | None) -> LiveRoom:
        plan.check()
        room = self._begin(plan)
        create = self._create_event(room, plan)
        room.room_id = create.room_id
        if also is not None:
            also(room.room_id, writes)
        add_room(writes, room)
        if plan.alias is not None:
            add_alias_with(writes, Alias(plan.alias, room.room_id, plan.creator))
        self._sender.accept_first(room, create, writes)
        for draft in self._drafts(room, plan):
            self._enter_draft(room, draft, writes)
        return room

    def _enter_draft(self, room: LiveRoom, draft: Draft, writes: Writes) -> None:
        try:
            self._sender.enter(room, draft, writes)
        except Forbidden as refused:
            reason = f"The room cannot begin like this ({draft.type}): {refused.reason}"
            raise Refused(reason, code="M_INVALID_ROOM_STATE") from None

    def _begin(self, plan: RoomPlan) -> LiveRoom:
        rooms = self._sender.rooms
        server_name = self._sender.identity.server_name
        room_id = plan.room_id or new_room_id(server_name)
        return LiveRoom(rooms.new_number(), room_id, plan.version, server_name, Tip([], 0, 0, 0), {}, plan.listed)

    def _create_event(self, room: LiveRoom, plan: RoomPlan) -> Event:
        content: Content = {**plan.creation_content, "room_version": plan.version.name}
        content.pop("creator", None)
        if not plan.version.implicit_room_creator:
            content["creator"] = plan.creator
        if plan.preset == "trusted_private_chat" and plan.version.creators_have_infinite_power and plan.invite:
            known = content.get("additional_creators") or []
            content["additional_creators"] = sorted({*known, *plan.invite} - {plan.creator})
        pdu: dict[str, Any] = {
            "auth_events": [],
            "content": content,
            "depth": 1,
            "origin_server_ts": self._own_moment(),
            "prev_events": [],
            "sender": plan.creator,
            "state_key": "",
            "type": "m.room.create",
        }
        if not plan.version.room_id_is_create_hash:
            pdu["room_id"] = room.room_id
        return self._seal_unlike_others(pdu, plan.version)

    def _seal_unlike_others(self, pdu: Content, version: RoomVersion) -> Event:
        """In version 12 two rooms that one creator makes alike in the same millisecond would be one room."""
        identity = self._sender.identity
        while True:
            event = seal(dict(pdu), version, identity.server_name, identity.key)
            if self._sender.rooms.live(event.room_id) is None:
                return event
            pdu["origin_server_ts"] += 1

    def _own_moment(self) -> int:
        """Now, or the next millisecond that no other create event has.

        In version 12 the hash of the create event names the room: two rooms that one user makes alike in one
        millisecond would be the same room.
        """
        self._last_ms = max(self._last_ms + 1, self._sender.now_ms())
        return self._last_ms

    def _drafts(self, room: LiveRoom, plan: RoomPlan) -> list[Draft]:
        """The events after the first, in the order that the specification gives."""
        creator = plan.creator

        def state(kind: str, content: Content, state_key: str = "") -> Draft:
            return Draft(room.room_id, creator, kind, content, state_key)

        given = {(kind, key) for kind, key, _ in plan.initial_state}
        join_rule, visibility, guests = PRESETS[plan.preset]
        drafts = [
            state("m.room.member", {"membership": "join", **plan.profile}, creator),
            state("m.room.power_levels", _power_levels(plan)),
        ]
        if plan.alias is not None:
            drafts.append(state("m.room.canonical_alias", {"alias": plan.alias}))
        for kind, content in (
            ("m.room.join_rules", {"join_rule": join_rule}),
            ("m.room.history_visibility", {"history_visibility": visibility}),
            ("m.room.guest_access", {"guest_access": guests}),
        ):
            if (kind, "") not in given:
                drafts.append(state(kind, content))
        drafts += [state(kind, content, key) for kind, key, content in plan.initial_state
                   if kind not in ("m.room.power_levels", "m.room.create", "m.room.member")]
        if plan.name is not None:
            drafts.append(state("m.room.name", {"name": plan.name}))
        if plan.topic is not None:
            drafts.append(state("m.room.topic", _topic(plan.topic)))
        # Those of other servers are invited by whoever creates: that needs the room, and their servers' signatures.
        near = [user_id for user_id in plan.invite if server_name_of(user_id) == self._sender.identity.server_name]
        for user_id in (*near, *plan.joined):
            drafts.append(state("m.room.member", self._invitation(plan, user_id), user_id))
        drafts += [_join(room.room_id, user_id, plan) for user_id in plan.joined]
        return drafts + [state(kind, content, key) for kind, key, content in plan.finally_set]

    def _invitation(self, plan: RoomPlan, user_id: str) -> Content:
        content: Content = {"membership": "invite", **plan.profiles.get(user_id, {})}
        if plan.is_direct:
            content["is_direct"] = True
        return content


def new_room_id(server_name: str) -> str:
    """A room id that nobody has; for versions before 12."""
    return f"!{random_letters(18)}:{server_name}"


def _join(room_id: str, user_id: str, plan: RoomPlan) -> Draft:
    content = {"membership": "join", **plan.profiles.get(user_id, {})}
    return Draft(room_id, user_id, "m.room.member", content, user_id)


def _topic(topic: str) -> Content:
    """The topic for old clients, and as a text of type ``text/plain`` for those who know such."""
    return {"topic": topic, "m.topic": {"m.text": [{"body": topic}]}}


def _power_levels(plan: RoomPlan) -> Content:
    """Default levels, the presets' changes, and on top what the creator asks for.

    In version 12 creators stand above all levels and must not be listed (rule 10.4); they are left out silently
    even if asked for, so that tools written for older versions go on working.
    """
    creators = {plan.creator, *(plan.creation_content.get("additional_creators") or [])}
    users: dict[str, int] = {} if plan.version.creators_have_infinite_power else {plan.creator: 100}
    if plan.preset == "trusted_private_chat":
        if plan.version.creators_have_infinite_power:
            creators |= set(plan.invite)
        else:
            users |= dict.fromkeys(plan.invite, 100)
    content: Content = {
        "users": users,
        "users_default": 0,
        "events": {
            "m.room.name": 50, "m.room.power_levels": 100, "m.room.history_visibility": 100,
            "m.room.canonical_alias": 50, "m.room.avatar": 50,
            "m.room.tombstone": _TOMBSTONE_LEVEL if plan.version.creators_have_infinite_power else 100,
            "m.room.server_acl": 100, "m.room.encryption": 100,
        },
        "events_default": 0,
        "state_default": 50,
        "ban": 50,
        "kick": 50,
        "redact": 50,
        "invite": 50 if plan.preset == "public_chat" else 0,
        "historical": 100,
    }
    for kind, key, given in plan.initial_state:
        if kind == "m.room.power_levels" and key == "":
            content = dict(given)
    content |= plan.power_levels
    return _below_creators(content, creators) if plan.version.creators_have_infinite_power else content


def _below_creators(content: Content, creators: set[str]) -> Content:
    """Version 12: no creators among the users, and a level of its own for the end of the room."""
    users, events = content.get("users"), content.get("events")
    if isinstance(users, dict):
        content["users"] = {user: level for user, level in users.items() if user not in creators}
    if isinstance(events, dict):
        ordinary = content.get("state_default")
        level = ordinary + 1 if isinstance(ordinary, int) and ordinary >= _TOMBSTONE_LEVEL else _TOMBSTONE_LEVEL
        content["events"] = {"m.room.tombstone": level, **events}
    return content
