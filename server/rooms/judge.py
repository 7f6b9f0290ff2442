"""Verdicts on questions about rooms, from the rules alone: no database, no network, no clock.

One question is one JSON object with ``format`` (1), ``kind`` (``auth``, ``pdu`` or ``dag``), ``version`` (room
version), ``room_id`` and ``id``; the answer is one JSON object with the same ``id``. Serves to compare this node's
rules with those of other homeservers, and is the shortest account of how the rules fit together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from server.foundation.canonical_json import canonical_json
from server.foundation.errors import BadRequest, Forbidden, Refused
from server.foundation.signatures import from_unpadded_base64, signature_is_valid
from server.rooms.auth_rules import check_auth, check_auth_events
from server.rooms.event import Event, StateKey, event_id_from_hash, reference_hash
from server.rooms.event_format import as_redacted, check_content_hash, read_pdu, required_signers
from server.rooms.redaction import redact
from server.rooms.room_versions import RoomVersion, room_version
from server.rooms.state_resolution import resolve

Json = dict[str, Any]
StateIds = dict[StateKey, str]
Keys = Mapping[str, Mapping[str, bytes]]

_CREATE: Final[StateKey] = ("m.room.create", "")


@dataclass(slots=True)
class Verdict:
    """What became of one event. ``event_id`` is ``None`` where the event could not even be named."""

    event_id: str | None
    accepted: bool = False
    soft_failed: bool = False
    redacted: bool = False


@dataclass(slots=True)
class JudgedRoom:
    """A room as it grows from events that arrive one by one; ``states_after`` has the state after each known event."""

    version: RoomVersion
    keys: Keys
    events: dict[str, Event] = field(default_factory=dict)
    rejected: set[str] = field(default_factory=set)
    soft_failed: set[str] = field(default_factory=set)
    states_after: dict[str, StateIds] = field(default_factory=dict)
    heads: set[str] = field(default_factory=set)

    def receive(self, pdu: object) -> Verdict:
        """Judge one more event, in the order of the checks on receipt."""
        verdict = Verdict(_name_of(pdu, self.version))
        try:
            event = read_pdu(pdu, self.version)  # 1 format and sizes
            self._check_signatures(event)  # 2
            if not check_content_hash(event):  # 3
                event = as_redacted(event)
                verdict.redacted = True
        except Refused:
            return verdict
        verdict.accepted = self._place(event)
        if verdict.accepted:
            verdict.soft_failed = self._is_stale(event)
            self._advance_heads(event, verdict.soft_failed)
        return verdict

    def state_over(self, event_ids: Iterable[str]) -> StateIds:
        """The state resolved over the states after these events; those that were never known are left out."""
        states = [self.states_after[event_id] for event_id in dict.fromkeys(event_ids) if event_id in self.states_after]
        return resolve(self.version, states, self.events, self.rejected)

    def _check_signatures(self, event: Event) -> None:
        signed = redact(event.pdu, self.version)
        for server in required_signers(event):
            keys = self.keys.get(server, {})
            if not any(signature_is_valid(signed, server, key_id, public) for key_id, public in keys.items()):
                raise Forbidden("The event is not signed by a server that it needs")

    def _place(self, event: Event) -> bool:
        """Checks 4 and 5. The event is kept in either case, and with it the state after it."""
        if any(auth_id not in self.events for auth_id in event.auth_events):
            return False
        state = self.state_over(event.prev_events)
        accepted = self._is_authorised(event, state)
        self.events[event.event_id] = event
        if not accepted:
            self.rejected.add(event.event_id)
        elif event.state_key is not None:
            state[event.key] = event.event_id
        self.states_after[event.event_id] = state
        return accepted

    def _is_authorised(self, event: Event, state: StateIds) -> bool:
        authorities = [self.events[auth_id] for auth_id in event.auth_events]
        try:
            check_auth_events(event, authorities, self.rejected)
            check_auth(event, self._with_create(event, {item.key: item for item in authorities}))
            check_auth(event, self._events_of(state))
        except Forbidden:
            return False
        return True

    def _is_stale(self, event: Event) -> bool:
        """Check 6: whether the current state forbids what the state before the event allowed."""
        try:
            check_auth(event, self._events_of(self.state_over(self.heads)))
        except Forbidden:
            return True
        return False

    def _advance_heads(self, event: Event, soft_failed: bool) -> None:
        if soft_failed:
            self.soft_failed.add(event.event_id)
            return
        waiting, passed = list(event.prev_events), set[str]()
        while waiting:
            event_id = waiting.pop()
            if event_id in passed:
                continue
            passed.add(event_id)
            if event_id in self.rejected or event_id in self.soft_failed:
                waiting.extend(self.events[event_id].prev_events)
        self.heads -= passed
        self.heads.add(event.event_id)

    def _with_create(self, event: Event, state: dict[StateKey, Event]) -> dict[StateKey, Event]:
        """Since version 12 every event rests on the create event without naming it."""
        create = self.events.get(f"${event.room_id[1:]}") if self.version.room_id_is_create_hash else None
        if create is not None:
            state[_CREATE] = create
        return state

    def _events_of(self, state: StateIds) -> dict[StateKey, Event]:
        return {key: self.events[event_id] for key, event_id in state.items()}


def answer(question: Json) -> Json:
    """The answer to one question. Raises ``BadRequest`` where it is none, ``Refused`` on an unknown room version."""
    ask = _KINDS.get(str(question.get("kind")))
    if ask is None or question.get("format") != 1:
        raise BadRequest("Unknown kind or format of question")
    try:
        return {"id": question["id"], **ask(question, room_version(question["version"]))}
    except KeyError as missing:
        raise BadRequest(f"The question lacks {missing}") from None


def _answer_auth(question: Json, version: RoomVersion) -> Json:
    """``event`` against ``state``, both taken as they are: without checks of format, signature and hash."""
    room_id, create_event_id = question["room_id"], question["create_event_id"]
    state: dict[StateKey, Event] = {}
    for pdu in question["state"]:
        is_create = pdu["type"] == _CREATE[0]
        event_id = create_event_id if is_create else _reference_id(pdu, version)
        item = Event(pdu, version, event_id, room_id if is_create else pdu["room_id"])
        state[item.key] = item
    pdu = question["event"]
    event = Event(pdu, version, _reference_id(pdu, version), pdu.get("room_id", room_id))
    try:
        check_auth(event, state)
    except Forbidden:
        return {"allowed": False}
    return {"allowed": True}


def _answer_pdu(question: Json, version: RoomVersion) -> Json:
    room = JudgedRoom(version, _keys_of(question))
    for pdu in question["events"]:
        room.receive(pdu)
    verdict = room.receive(question["pdu"])
    return {"accepted": verdict.accepted, "redacted": verdict.accepted and verdict.redacted}


def _answer_dag(question: Json, version: RoomVersion) -> Json:
    """``state_of_heads`` is one state, over the ``heads`` asked for; ``current_state`` that over the room's own heads,
    the accepted events without successors among which no soft-failed one counts.
    """
    room = JudgedRoom(version, _keys_of(question))
    verdicts = [room.receive(pdu) for pdu in question["events"]]
    return {
        "events": [
            {"event_id": item.event_id, "accepted": item.accepted, "soft_failed": item.soft_failed} for item in verdicts
        ],
        "resolutions": [
            _as_rows(resolve(version, [_from_rows(rows) for rows in sets], room.events, room.rejected))
            for sets in question["resolutions"]
        ],
        "state_of_heads": _as_rows(room.state_over(question["heads"])),
        "current_state": _as_rows(room.state_over(room.heads)),
    }


def _from_rows(rows: Sequence[Sequence[str]]) -> StateIds:
    return {(kind, state_key): event_id for kind, state_key, event_id in rows}


def _as_rows(state: StateIds) -> list[list[str]]:
    return sorted([kind, state_key, event_id] for (kind, state_key), event_id in state.items())


def _keys_of(question: Json) -> Keys:
    return {
        server: {key_id: from_unpadded_base64(key) for key_id, key in keys.items()}
        for server, keys in question["keys"].items()
    }


def _reference_id(pdu: Json, version: RoomVersion) -> str:
    return event_id_from_hash(reference_hash(pdu, version), version)


def _name_of(pdu: object, version: RoomVersion) -> str | None:
    """The id of an event that may be malformed; ``None`` where it has no canonical form or no room."""
    if not isinstance(pdu, dict) or not isinstance(pdu.get("content"), dict) or "type" not in pdu:
        return None
    starts_room = version.room_id_is_create_hash and pdu["type"] == _CREATE[0] and pdu.get("state_key") == ""
    if "room_id" not in pdu and not starts_room:
        return None
    try:
        canonical_json(pdu)
        return _reference_id(pdu, version)
    except TypeError:
        return None


_KINDS: Final[Mapping[str, Callable[[Json, RoomVersion], Json]]] = {
    "auth": _answer_auth,
    "pdu": _answer_pdu,
    "dag": _answer_dag,
}
