"""What a stranger's event must look like."""

from __future__ import annotations

from typing import Any

import pytest

from server.foundation.canonical_json import MAX_INTEGER, canonical_json
from server.foundation.errors import BadRequest, Refused, TooLarge
from server.foundation.signatures import SigningKey
from server.rooms.event import content_hash, seal
from server.rooms.event_format import as_redacted, check_content_hash, read_pdu, required_signers
from server.rooms.room_versions import ROOM_VERSIONS

V11, V12 = ROOM_VERSIONS["11"], ROOM_VERSIONS["12"]
KEY = SigningKey.from_seed("1", b"s" * 32)


def pdu(**changes: Any) -> dict[str, Any]:
    """A good event with ``changes``; ``...`` takes a field away."""
    fields: dict[str, Any] = {
        "type": "m.room.topic", "sender": "@ann:a.example", "room_id": "!room:a.example", "state_key": "",
        "content": {"topic": "hi"}, "depth": 5, "origin_server_ts": 1, "prev_events": ["$p"], "auth_events": ["$a"],
        "hashes": {"sha256": "x"}, "signatures": {"a.example": {"ed25519:1": "x"}},
    }
    fields.update(changes)
    return {name: value for name, value in fields.items() if value is not ...}


def test_a_sealed_event_reads_back_as_itself() -> None:
    sealed = seal(pdu(hashes=..., signatures=...), V11, "a.example", KEY)
    read = read_pdu({**sealed.pdu, "unsigned": {"age": 5}}, V11)
    assert (read.event_id, read.pdu) == (sealed.event_id, sealed.pdu)
    assert check_content_hash(read)


@pytest.mark.parametrize("changes", [
    {"state_key": ...}, {"depth": 0}, {"depth": MAX_INTEGER}, {"origin_server_ts": -1}, {"unknown": {"a": [1]}},
    {"prev_events": []}, {"room_id": "!odd"}, {"redacts": "$x"}, {"type": "x" * 255}, {"content": {}},
    {"prev_events": ["$p"] * 20}, {"auth_events": ["$a"] * 10}, {"sender": "@Ünïcode:b"}, {"type": "町" * 85},
])
def test_unusual_but_good_events_are_read(changes: dict[str, Any]) -> None:
    read_pdu(pdu(**changes), V11)


@pytest.mark.parametrize("name", ["type", "sender", "room_id", "content", "depth", "origin_server_ts", "prev_events",
                                  "auth_events", "hashes", "signatures"])
@pytest.mark.parametrize("value", [..., None, 1.5, True, [1], {"a": 1}, ["a", {}]])
def test_no_field_may_be_missing_or_of_another_type(name: str, value: Any) -> None:
    if name == "content" and value == {"a": 1}:
        value = "text"
    with pytest.raises(BadRequest):
        read_pdu(pdu(**{name: value}), V11)


@pytest.mark.parametrize("changes", [
    {"state_key": 3}, {"state_key": None}, {"event_id": "$x"}, {"depth": -1}, {"depth": MAX_INTEGER + 1},
    {"sender": "ann:a.example"}, {"sender": "@ann"}, {"sender": "@ann:"}, {"room_id": "room:a.example"},
    {"content": {"n": 1.0}}, {"content": {"n": 2**53}}, {"content": {"n": "\ud800"}}, {"prev_events": ["$p"] * 21},
    {"auth_events": ["$a"] * 11}, {"signatures": {"a": {"b": 1}}}, {"signatures": {"a": "b"}}, {"hashes": {"a": 1}},
])
def test_malformed_events_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        read_pdu(pdu(**changes), V11)


@pytest.mark.parametrize("value", [None, [], "x", 5])
def test_an_event_is_an_object(value: Any) -> None:
    with pytest.raises(BadRequest):
        read_pdu(value, V11)


@pytest.mark.parametrize("changes", [
    {"type": "x" * 256}, {"type": "町" * 86}, {"state_key": "x" * 256}, {"sender": "@" + "a" * 250 + ":b.example"},
    {"room_id": "!" + "x" * 255},
])
def test_long_names_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(TooLarge):
        read_pdu(pdu(**changes), V11)


def test_an_event_has_at_most_65536_bytes_with_an_empty_unsigned() -> None:
    room_left = 65_536 - len(canonical_json(pdu(content={"topic": ""}, unsigned={})))
    read_pdu(pdu(content={"topic": "x" * room_left}), V11)
    with pytest.raises(TooLarge):
        read_pdu(pdu(content={"topic": "x" * (room_left + 1)}), V11)


def test_what_others_put_into_unsigned_counts_for_nothing() -> None:
    assert "unsigned" not in read_pdu(pdu(unsigned={"redacted_because": "x" * 70_000}), V11).pdu


def test_fractions_are_let_through_in_old_rooms() -> None:
    read_pdu(pdu(content={"n": 1.5}), ROOM_VERSIONS["5"])


def test_the_create_event_of_version_12_names_the_room() -> None:
    create = pdu(type="m.room.create", room_id=..., prev_events=[], auth_events=[])
    event = read_pdu(create, V12)
    assert event.room_id == "!" + event.event_id[1:]
    read_pdu(pdu(room_id=event.room_id), V12)
    for bad in ({**create, "room_id": "!x"}, {**create, "state_key": "x"},
                pdu(room_id=event.room_id, auth_events=[event.event_id])):
        with pytest.raises(BadRequest):
            read_pdu(bad, V12)


def test_a_changed_content_is_found_by_its_hash_and_kept_redacted() -> None:
    sealed = seal(pdu(hashes=..., signatures=...), V11, "a.example", KEY)
    changed = read_pdu({**sealed.pdu, "content": {"topic": "changed"}}, V11)
    assert changed.event_id == sealed.event_id
    assert not check_content_hash(changed)
    kept = as_redacted(changed)
    assert (kept.event_id, kept.content) == (sealed.event_id, {})


@pytest.mark.parametrize(("hashes", "good"), [
    (lambda right: right, True), (lambda right: right + "=", True), (lambda right: "!!!", False),
    (lambda right: "", False),
])
def test_a_hash_is_compared_as_bytes(hashes: Any, good: bool) -> None:
    fields = pdu()
    fields["hashes"] = {"sha256": hashes(content_hash(fields))}
    assert check_content_hash(read_pdu(fields, V11)) is good


def test_an_event_without_a_hash_is_refused() -> None:
    with pytest.raises(Refused):
        check_content_hash(read_pdu(pdu(hashes={"md5": "x"}), V11))


@pytest.mark.parametrize(("content", "servers"), [
    ({"membership": "join"}, ["a.example"]),
    ({"membership": "join", "join_authorised_via_users_server": "@b:b.example"}, ["a.example", "b.example"]),
    ({"membership": "join", "join_authorised_via_users_server": "@b:a.example"}, ["a.example"]),
    ({"membership": "leave", "join_authorised_via_users_server": "@b:b.example"}, ["a.example"]),
    ({"membership": "invite", "third_party_invite": {}}, []),
    ({"membership": "join", "third_party_invite": {}}, ["a.example"]),
])
def test_whose_signature_a_membership_needs(content: dict[str, Any], servers: list[str]) -> None:
    member = pdu(type="m.room.member", state_key="@ann:a.example", content=content)
    assert required_signers(read_pdu(member, V11)) == servers
    assert required_signers(read_pdu(pdu(content=content), V11)) == ["a.example"]
