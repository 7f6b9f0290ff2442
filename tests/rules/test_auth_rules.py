"""Authorization rules 1 to 3 and 5 to 8, and redactions: what passes beside what does not."""

from __future__ import annotations

from typing import Any

import pytest

from server.foundation.errors import Forbidden
from server.rooms.auth_rules import auth_types_for, check_auth_events, power_of, redaction_applies
from server.rooms.auth_rules.power_levels import CREATOR_LEVEL
from server.rooms.room_versions import ROOM_VERSIONS
from tests.rules.rooms import ANN, BOB, CY, DEE, PaperRoom, room_with

ALL = list(ROOM_VERSIONS)


# --- 1: create

@pytest.mark.parametrize("version", ALL)
def test_a_room_begins_with_an_event_that_has_no_predecessor(version: str) -> None:
    room = PaperRoom(version)
    content = room.create.content
    assert room.allows(ANN, "m.room.create", "", content, prev_events=[])
    assert not room.allows(ANN, "m.room.create", "", content, prev_events=["$a"])


@pytest.mark.parametrize("version", ALL[:-1])
def test_a_room_is_created_under_the_name_of_its_creators_server(version: str) -> None:
    room = PaperRoom(version)
    assert not room.allows(BOB, "m.room.create", "", {**room.create.content, "creator": BOB})


@pytest.mark.parametrize("named", ["99", 11, None, []])
def test_a_room_of_an_unknown_version_cannot_begin(named: Any) -> None:
    assert not PaperRoom("11").allows(ANN, "m.room.create", "", {"room_version": named})


@pytest.mark.parametrize("version", ["6", "10"])
def test_older_rooms_name_their_creator(version: str) -> None:
    assert not PaperRoom(version).allows(ANN, "m.room.create", "", {"room_version": version})


def test_a_create_event_of_version_12_carries_no_room_id() -> None:
    room = PaperRoom("12")
    assert not room.allows(ANN, "m.room.create", "", {"room_version": "12"}, room_id="!x:a.example")


@pytest.mark.parametrize(("creators", "good"), [
    ([], True), ([BOB], True), ("x", False), ([3], False), (["bob"], False), (["@bob:"], False), (None, False),
    (["@" + "b" * 300 + ":b.example"], False),
])
def test_additional_creators_are_user_ids(creators: Any, good: bool) -> None:
    content = {"room_version": "12", "additional_creators": creators}
    assert PaperRoom("12").allows(ANN, "m.room.create", "", content) is good


# --- 2: auth events

def auth_events_pass(room: PaperRoom, keys: list[tuple[str, str]], rejected: set[str] | None = None) -> bool:
    event = room.event(CY, "m.room.message", None, {})
    try:
        check_auth_events(event, [room.state[key] for key in keys], rejected or set())
    except Forbidden:
        return False
    return True


CREATE, LEVELS, CYS = ("m.room.create", ""), ("m.room.power_levels", ""), ("m.room.member", CY)


def test_an_event_rests_on_exactly_what_bears_on_it() -> None:
    room = room_with("11")
    assert auth_events_pass(room, [CREATE, LEVELS, CYS])
    assert auth_events_pass(room, [CREATE])
    assert not auth_events_pass(room, [LEVELS, CYS])
    assert not auth_events_pass(room, [CREATE, CREATE, LEVELS])
    assert not auth_events_pass(room, [CREATE, ("m.room.join_rules", "")])
    assert not auth_events_pass(room, [CREATE, ("m.room.member", ANN)])


def test_an_event_of_version_12_does_not_name_the_create_event() -> None:
    room = room_with("12")
    assert auth_events_pass(room, [LEVELS, CYS])
    assert not auth_events_pass(room, [CREATE, LEVELS, CYS])


def test_an_event_cannot_rest_on_a_rejected_one() -> None:
    room = room_with("11")
    assert not auth_events_pass(room, [CREATE, CYS], {room.state[CYS].event_id})


def test_an_event_cannot_rest_on_another_room() -> None:
    room, other = room_with("11"), room_with("11")
    other.room_id = "!other:a.example"
    foreign = other.event(CY, "m.room.member", CY, {"membership": "join"})
    with pytest.raises(Forbidden):
        check_auth_events(room.event(CY, "m.room.message", None, {}), [room.create, foreign])


@pytest.mark.parametrize(("content", "more"), [
    ({"membership": "join"}, [("m.room.join_rules", "")]),
    ({"membership": "leave"}, []),
    ({"membership": "invite", "third_party_invite": {"signed": {"token": "t"}}},
     [("m.room.join_rules", ""), ("m.room.third_party_invite", "t")]),
    ({"membership": "invite", "third_party_invite": "junk"}, [("m.room.join_rules", "")]),
    ({"membership": "join", "join_authorised_via_users_server": DEE},
     [("m.room.join_rules", ""), ("m.room.member", DEE)]),
    ({"membership": ["junk"]}, []),
])
def test_a_membership_rests_on_what_decides_it(content: dict[str, Any], more: list[tuple[str, str]]) -> None:
    selected = auth_types_for("m.room.member", ANN, BOB, content, ROOM_VERSIONS["11"])
    common = [CREATE, LEVELS, ("m.room.member", ANN), ("m.room.member", BOB)]
    assert sorted(selected) == sorted([*common, *more])
    assert CREATE not in auth_types_for("m.room.member", ANN, BOB, content, ROOM_VERSIONS["12"])


# --- 3: federation

@pytest.mark.parametrize("version", ALL)
def test_a_room_that_is_closed_to_other_servers_stays_closed(version: str) -> None:
    closed = room_with(version, "public", create={"m.federate": False})
    assert closed.allows_member("@eva:a.example", "@eva:a.example", "join")
    assert not closed.allows_member(BOB, BOB, "join")
    assert not closed.allows_member(ANN, BOB, "invite")

# --- 5 to 8: sending

@pytest.mark.parametrize("version", ALL)
def test_only_members_speak(version: str) -> None:
    room = room_with(version, bob="invite")
    assert room.allows(CY, "m.room.message", None, {})
    assert not room.allows(BOB, "m.room.message", None, {})
    assert not room.allows(DEE, "m.room.message", None, {})


def test_power_levels_decide_who_may_send_what() -> None:
    room = room_with("11")
    room.levels(users={ANN: 100}, users_default=5, events={"m.room.topic": 5, "x.low": 6}, events_default=5)
    assert room.allows(CY, "m.room.message", None, {})
    assert room.allows(CY, "m.room.topic", "", {})
    assert not room.allows(CY, "x.low", None, {})
    assert not room.allows(CY, "m.room.name", "", {})
    assert room.allows(CY, "m.room.third_party_invite", "t", {})
    room.levels(users={ANN: 100}, invite=1)
    assert not room.allows(CY, "m.room.third_party_invite", "t", {})


@pytest.mark.parametrize(("version", "level"), [("6", 100), ("10", 100), ("11", 100), ("12", CREATOR_LEVEL)])
def test_without_power_levels_the_creator_rules(version: str, level: int) -> None:
    room = PaperRoom(version)
    room.member(CY, "join")
    power = power_of(room.state, room.version)
    assert (power.of_user(ANN), power.of_user(CY)) == (level, 0)
    assert room.allows(CY, "m.room.message", None, {})
    assert room.allows(ANN, "m.room.name", "", {})
    assert not room.allows(CY, "m.room.name", "", {})


def test_state_under_the_name_of_another_is_refused() -> None:
    room = room_with("11")
    room.levels(users={ANN: 100}, state_default=0)
    assert room.allows(CY, "x.state", CY, {})
    assert not room.allows(CY, "x.state", ANN, {})
    assert not room.allows(ANN, "x.state", "@", {})


def test_aliases_belong_to_their_server_in_old_rooms() -> None:
    old, new = PaperRoom("5"), PaperRoom("6")
    assert old.allows(ANN, "m.room.aliases", "a.example", {})
    assert not old.allows(ANN, "m.room.aliases", "b.example", {})
    assert new.allows(ANN, "m.room.aliases", "b.example", {})

# --- redactions

@pytest.mark.parametrize(("sender", "author", "good"), [(ANN, BOB, True), (CY, CY, True), (CY, BOB, False),
                                                        ("@eva:c.example", CY, True)])
@pytest.mark.parametrize("version", ["10", "11"])
def test_whose_words_a_redaction_blanks(version: str, sender: str, author: str, good: bool) -> None:
    room = room_with(version, bob="join")
    target = room.event(author, "m.room.message", None, {"body": "x"})
    where = {"redacts": target.event_id}
    in_content, beside = (where, {}) if version == "11" else ({}, where)
    redaction = room.event(sender, "m.room.redaction", None, in_content, **beside)
    power = power_of(room.state, room.version)
    assert redaction_applies(redaction, target, power) is good
    other = room.event(author, "m.room.message", None, {"body": "y"})
    assert not redaction_applies(redaction, other, power)
