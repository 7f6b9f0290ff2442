"""Room graphs at random, as several servers would make them: every event rests on what one of them may have seen.

What each comes to is told by the pure judge (``server.rooms.judge``), which knows no database and no order but this.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from hypothesis import strategies as st

from server.foundation.ids import server_name_of
from server.foundation.signatures import SigningKey
from server.rooms.auth_rules import PowerLevels, auth_types_for, power_of
from server.rooms.event import Event, seal
from server.rooms.event_format import read_pdu
from server.rooms.judge import JudgedRoom
from server.rooms.room_versions import room_version

Json = dict[str, Any]

ALICE, BOB, CAROL, DAVE, ERIN, ZOE = (
    "@alice:a.example", "@bob:b.example", "@carol:c.example", "@dave:d.example", "@erin:a.example", "@zoe:z.example",
)
# Zoe is always there and has no power: nobody does anything to her.
ACTORS: Final = (ALICE, BOB, CAROL, DAVE, ERIN)
KEYS: Final = {
    name: SigningKey.from_seed("1", hashlib.sha256(name.encode()).digest())
    for name in ("a.example", "b.example", "c.example", "d.example", "z.example")
}
SIGNERS: Final = {name: {key.key_id: key.public} for name, key in KEYS.items()}


class Step(NamedTuple):
    """One thing that somebody does; all are numbers, so that what fails can be made small."""

    kind: int
    actor: int
    target: int
    value: int
    # What they have seen: how many events back, for up to three of them.
    seen: tuple[int, ...]
    # How wrong their clock goes, in seconds.
    late: int


steps: Final = st.lists(
    st.builds(
        Step, kind=st.integers(0, 11), actor=st.integers(0, 4), target=st.integers(0, 4), value=st.integers(0, 3),
        seen=st.lists(st.integers(0, 6), min_size=1, max_size=3).map(tuple), late=st.integers(-20, 20),
    ),
    min_size=1, max_size=16,
)


class Graph:
    """A room that grows; ``events`` in an order in which each follows those that it names."""

    def __init__(self, version: str, name: str) -> None:
        self.version = room_version(version)
        self.judged = JudgedRoom(self.version, SIGNERS)
        self.events: list[Event] = []
        self._name = name
        self._room_id = f"!{name}:a.example"
        self._begin()

    @property
    def room_id(self) -> str:
        """The room."""
        return self.events[0].room_id

    def by_id(self) -> dict[str, Event]:
        """All events."""
        return {event.event_id: event for event in self.events}

    def leaves(self) -> list[str]:
        """What nothing follows."""
        followed = {link for event in self.events for link in event.prev_events}
        return [event.event_id for event in self.events if event.event_id not in followed]

    def add(
        self, sender: str, kind: str, state_key: str | None, content: Json, seen: Sequence[str] | None = None,
        late: int = 0, **fields: Any,
    ) -> Event:
        """Somebody does something, knowing what came up to ``seen`` (the newest event, where nothing is said)."""
        if seen is None:
            seen = [self.events[-1].event_id] if self.events else []
        before = self.judged.state_over(seen) if seen else {}
        known = self.by_id()
        wanted = auth_types_for(kind, sender, state_key, content, self.version)
        pdu: Json = {
            "type": kind, "sender": sender, "content": content, "prev_events": list(seen),
            "auth_events": [before[key] for key in wanted if key in before],
            "depth": max((known[link].depth for link in seen), default=0) + 1,
            "origin_server_ts": 1_000_000 + (len(self.events) + late) * 1000, **fields,
        }
        if state_key is not None:
            pdu["state_key"] = state_key
        if self.events or not self.version.room_id_is_create_hash:
            pdu["room_id"] = self.room_id if self.events else self._room_id
        server = server_name_of(sender)
        event = read_pdu(seal(pdu, self.version, server, KEYS[server]).pdu, self.version)
        if event.event_id not in known:
            self.judged.receive(event.pdu)
            self.events.append(event)
        return event

    def take(self, step: Step) -> Event:
        """Somebody does what a step says."""
        kind, state_key, content, fields = self._what(step)
        usual = len(self.events)
        seen = list(dict.fromkeys(self.events[max(usual - 1 - back, 6)].event_id for back in step.seen))
        return self.add(ACTORS[step.actor], kind, state_key, content, seen, step.late, **fields)

    def finish(self) -> Event:
        """Somebody has seen all of it and speaks."""
        return self.add(ZOE, "m.room.message", None, {"body": "皆さん"}, self.leaves())

    def power_before(self, event: Event) -> PowerLevels:
        """Who has which power when an event is judged."""
        known, before = self.by_id(), self.judged.state_over(event.prev_events)
        return power_of({key: known[event_id] for key, event_id in before.items()}, self.version)

    def _begin(self) -> None:
        content: Json = {"room_version": self.version.name, "name": self._name}
        if not self.version.implicit_room_creator:
            content["creator"] = ALICE
        self.add(ALICE, "m.room.create", "", content)
        self.add(ALICE, "m.room.member", ALICE, {"membership": "join"})
        self.add(ALICE, "m.room.power_levels", "", self._levels({BOB: 50, CAROL: 50}))
        self.add(ALICE, "m.room.join_rules", "", {"join_rule": "public"})
        for user in (BOB, CAROL, ZOE):
            self.add(user, "m.room.member", user, {"membership": "join"})

    def _levels(self, users: dict[str, int], **more: int) -> Json:
        if not self.version.creators_have_infinite_power:
            users = {ALICE: 100, **users}
        return {"users": users, "state_default": 50, "ban": 50, "kick": 50, "redact": 50, **more}

    def _what(self, step: Step) -> tuple[str, str | None, Json, Json]:
        target, value = ACTORS[step.target], step.value
        actor = ACTORS[step.actor]
        match step.kind:
            case 0 | 1 | 2 | 3 | 4:
                membership = ("ban", "leave", "invite", "join", "leave")[step.kind]
                whom = target if step.kind < 3 else actor
                return "m.room.member", whom, {"membership": membership, "n": value}, {}
            case 5 | 6:
                users = {BOB: 50, CAROL: 50, target: (0, 50, 75, 100)[value]}
                if self.version.creators_have_infinite_power:
                    users.pop(ALICE, None)
                return "m.room.power_levels", "", self._levels(users, n=step.actor), {}
            case 7:
                return "m.room.topic", "", {"topic": f"話題{value}"}, {}
            case 8:
                return "m.room.name", "", {"name": f"名前{value}"}, {}
            case 9:
                rule = ("public", "invite", "public", "knock")[value]
                return "m.room.join_rules", "", {"join_rule": rule}, {}
            case 10:
                event_id = self.events[-1 - min(step.target * 2 + value, len(self.events) - 2)].event_id
                if self.version.redaction_v11:
                    return "m.room.redaction", None, {"redacts": event_id}, {}
                return "m.room.redaction", None, {}, {"redacts": event_id}
            case _:
                return "m.room.message", None, {"body": f"こんにちは{value}"}, {}


def drawn(version: str, name: str, wanted: Sequence[Step]) -> Graph:
    """A graph of these steps."""
    graph = Graph(version, name)
    for step in wanted:
        graph.take(step)
    graph.finish()
    return graph
