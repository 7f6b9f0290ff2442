"""A room on paper for tests of the rules: events without hashes and signatures, one state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from server.foundation.errors import Forbidden
from server.rooms.auth_rules import auth_types_for, check_auth
from server.rooms.event import Event, StateKey, event_id_from_hash, reference_hash, room_id_of
from server.rooms.room_versions import room_version

DATA = Path(__file__).parent.parent / "data" / "matrix"
ANN, BOB, CY, DEE = "@ann:a.example", "@bob:b.example", "@cy:c.example", "@dee:d.example"


def vectors(section: str) -> Any:
    """One section of the reference vectors."""
    return json.loads((DATA / "vectors.json").read_text())[section]


class PaperRoom:
    """Created by ANN, who has joined. ``put`` sets state without asking the rules, ``allows`` asks them."""

    def __init__(self, version: str = "11", **create: Any) -> None:
        self.version = room_version(version)
        self.room_id = "!room:a.example"
        self.events: dict[str, Event] = {}
        self.state: dict[StateKey, Event] = {}
        self.clock = 1_000
        content = {"room_version": version, **create}
        if not self.version.implicit_room_creator:
            content.setdefault("creator", ANN)
        self.create = self.put(ANN, "m.room.create", "", content)
        self.room_id = self.create.room_id
        self.put(ANN, "m.room.member", ANN, {"membership": "join"})

    def event(
        self, sender: str, kind: str, state_key: str | None, content: dict[str, Any], **fields: Any
    ) -> Event:
        """An event that rests on the present state; ``fields`` go into the PDU as they are."""
        self.clock += 1
        authority = [
            self.state[key].event_id
            for key in auth_types_for(kind, sender, state_key, content, self.version)
            if key in self.state
        ]
        pdu: dict[str, Any] = {
            "type": kind, "sender": sender, "content": content, "depth": self.clock, "origin_server_ts": self.clock,
            "prev_events": ["$earlier"], "auth_events": authority, "hashes": {}, "signatures": {},
        }
        if kind == "m.room.create":
            pdu["prev_events"] = []
        if kind != "m.room.create" or not self.version.room_id_is_create_hash:
            pdu["room_id"] = self.room_id
        if state_key is not None:
            pdu["state_key"] = state_key
        pdu.update(fields)
        event_id = event_id_from_hash(reference_hash(pdu, self.version), self.version)
        event = Event(pdu, self.version, event_id, room_id_of(pdu, self.version, event_id))
        self.events[event_id] = event
        return event

    def put(self, sender: str, kind: str, state_key: str, content: dict[str, Any]) -> Event:
        """Set state."""
        event = self.event(sender, kind, state_key, content)
        self.state[event.key] = event
        return event

    def member(self, user_id: str, membership: str) -> Event:
        """Give a user a membership."""
        return self.put(user_id, "m.room.member", user_id, {"membership": membership})

    def levels(self, **content: Any) -> Event:
        """Set power levels."""
        return self.put(ANN, "m.room.power_levels", "", content)

    def allows(
        self, sender: str, kind: str, state_key: str | None, content: dict[str, Any], **fields: Any
    ) -> bool:
        """Whether the rules let this event pass."""
        try:
            check_auth(self.event(sender, kind, state_key, content, **fields), self.state)
        except Forbidden:
            return False
        return True

    def allows_member(self, sender: str, target: str, membership: str, **content: Any) -> bool:
        """Whether the rules let ``sender`` give ``target`` this membership."""
        return self.allows(sender, "m.room.member", target, {"membership": membership, **content})


def room_with(
    version: str, join_rule: str = "invite", bob: str | None = None, create: dict[str, Any] | None = None
) -> PaperRoom:
    """ANN has power (as creator in version 12), CY is a member without, BOB is as told."""
    room = PaperRoom(version, **(create or {}))
    users = {} if room.version.creators_have_infinite_power else {ANN: 100}
    room.levels(users=users, invite=10, kick=50, ban=50)
    room.put(ANN, "m.room.join_rules", "", {"join_rule": join_rule})
    room.member(CY, "join")
    if bob is not None:
        room.member(BOB, bob)
    return room
