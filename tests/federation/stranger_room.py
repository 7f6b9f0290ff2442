"""A room that lives on strangers' servers, kept by the pure rules alone (``server.rooms.judge``)."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from server.foundation.clock import SystemClock
from server.foundation.signatures import SigningKey
from server.rooms.auth_rules import auth_types_for
from server.rooms.event import Event, StateKey, seal
from server.rooms.event_format import read_pdu
from server.rooms.judge import JudgedRoom, Verdict
from server.rooms.room_versions import room_version

Json = dict[str, Any]
_numbers = itertools.count(1)


class StrangerRoom:
    """A room as its servers see it. ``event`` makes one, ``add`` takes it in, ``put`` does both."""

    create: Event

    def __init__(self, room_id: str, version: str, signers: Mapping[str, SigningKey]) -> None:
        self.version = room_version(version)
        self.signers: dict[str, SigningKey] = {}
        self._keys: dict[str, dict[str, bytes]] = {}
        self.judged = JudgedRoom(self.version, self._keys)
        self.room_id = room_id
        for server, key in signers.items():
            self.trust(server, key)

    @classmethod
    def created(
        cls, server: str, signers: Mapping[str, SigningKey], creator: str, version: str, create: Json
    ) -> StrangerRoom:
        """A new room."""
        room = cls(f"!room{next(_numbers)}:{server}", version, signers)
        content = {"room_version": version, **create}
        if not room.version.implicit_room_creator:
            content.setdefault("creator", creator)
        room.create = room.put(creator, "m.room.create", content, "")
        room.room_id = room.create.room_id
        room.put(creator, "m.room.member", {"membership": "join"}, creator)
        return room

    def arrive(self, join: Event, state: Sequence[Json], auth_chain: Sequence[Json]) -> None:
        """Believe what another server has answered to ``join``."""
        for pdu in (*auth_chain, *state):
            event = read_pdu(pdu, self.version)
            self.judged.events[event.event_id] = event
        before = {event.key: event.event_id for event in (read_pdu(pdu, self.version) for pdu in state)}
        self.create = self.judged.events[before["m.room.create", ""]]
        self.judged.events[join.event_id] = join
        self.judged.states_after[join.event_id] = {**before, join.key: join.event_id}
        self.judged.heads = {join.event_id}

    def trust(self, server: str, key: SigningKey) -> None:
        """Know a server's key; with it ``event`` signs for that server's people."""
        self.signers[server] = key
        self._keys.setdefault(server, {})[key.key_id] = key.public

    @property
    def state(self) -> dict[StateKey, Event]:
        """The current state."""
        return self.events_of(self.judged.state_over(self.judged.heads).values())

    def events_of(self, event_ids: Iterable[str]) -> dict[StateKey, Event]:
        """State events by key."""
        return {self.judged.events[event_id].key: self.judged.events[event_id] for event_id in event_ids}

    def state_before(self, event: Event) -> list[Event]:
        """The state before an event whose predecessors are known."""
        return [self.judged.events[item] for item in self.judged.state_over(event.prev_events).values()]

    def chain(self, events: Iterable[Event]) -> list[Event]:
        """All that events rest on, without themselves."""
        found: dict[str, Event] = {}
        waiting = [link for event in events for link in event.auth_events]
        if self.version.room_id_is_create_hash:
            waiting.append(self.create.event_id)
        while waiting:
            event_id = waiting.pop()
            if event_id not in found and event_id in self.judged.events:
                found[event_id] = self.judged.events[event_id]
                waiting += found[event_id].auth_events
        return list(found.values())

    def draft(
        self, sender: str, kind: str, content: Json, state_key: str | None = None, *,
        after: Sequence[str] | None = None, rests_on: Sequence[str] | None = None,
    ) -> Json:
        """An event that is not hashed and signed yet, as it would go on ``after`` these, or on all that is there."""
        ends = sorted(self.judged.heads)[:20] if after is None else list(after)
        state = self.judged.state_over(ends)
        wanted = auth_types_for(kind, sender, state_key, content, self.version)
        depths = [self.judged.events[end].depth for end in ends if end in self.judged.events]
        pdu: Json = {
            "type": kind, "sender": sender, "content": content, "depth": max(depths, default=0) + 1,
            "origin_server_ts": SystemClock().now_ms(), "prev_events": ends,
            "auth_events": [state[key] for key in wanted if key in state] if rests_on is None else list(rests_on),
        }
        if kind != "m.room.create" or not self.version.room_id_is_create_hash:
            pdu["room_id"] = self.room_id
        return pdu if state_key is None else {**pdu, "state_key": state_key}

    def event(
        self, sender: str, kind: str, content: Json, state_key: str | None = None, *,
        after: Sequence[str] | None = None, rests_on: Sequence[str] | None = None, **fields: Any,
    ) -> Event:
        """A new event, hashed and signed. ``fields`` go into it as they are."""
        pdu = {**self.draft(sender, kind, content, state_key, after=after, rests_on=rests_on), **fields}
        return self.sealed(pdu)

    def sealed(self, pdu: Json) -> Event:
        """``pdu`` hashed, and signed by its sender's server."""
        server = str(pdu["sender"]).partition(":")[2]
        return seal(dict(pdu), self.version, server, self.signers[server])

    def add(self, event: Event) -> Verdict:
        """Take an event in, by the rules."""
        return self.judged.receive(event.pdu)

    def put(self, sender: str, kind: str, content: Json, state_key: str | None = None, **more: Any) -> Event:
        """A new event that the rules allow."""
        event = self.event(sender, kind, content, state_key, **more)
        assert self.add(event).accepted, (kind, content)
        return event

    def says(self, sender: str, text: str, **more: Any) -> Event:
        """A new message, not taken in yet."""
        return self.event(sender, "m.room.message", {"msgtype": "m.text", "body": text}, **more)
