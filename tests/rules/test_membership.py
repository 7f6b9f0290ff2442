"""Authorization rule 4: who comes and goes."""

from __future__ import annotations

from typing import Any

import pytest

from server.foundation.signatures import SigningKey, sign_json, unpadded_base64
from server.rooms.room_versions import ROOM_VERSIONS
from tests.rules.rooms import ANN, BOB, CY, DEE, PaperRoom, room_with

ALL = list(ROOM_VERSIONS)
SINCE_7 = ["7", "8", "9", "10", "11", "12"]
SINCE_8 = SINCE_7[1:]


@pytest.mark.parametrize("version", ALL)
def test_only_the_creator_joins_right_after_the_creation(version: str) -> None:
    room = PaperRoom(version)
    del room.state["m.room.member", ANN]
    assert room.allows_member(ANN, ANN, "join") is False
    first = {"membership": "join"}
    assert room.allows(ANN, "m.room.member", ANN, first, prev_events=[room.create.event_id])
    assert not room.allows(BOB, "m.room.member", BOB, first, prev_events=[room.create.event_id])


@pytest.mark.parametrize("version", ALL)
@pytest.mark.parametrize(("join_rule", "bob", "good"), [
    ("public", None, True), ("public", "leave", True), ("public", "ban", False), ("public", "join", True),
    ("invite", None, False), ("invite", "invite", True), ("invite", "join", True), ("invite", "ban", False),
    ("private", "invite", False), ("nonsense", "join", False), (7, "invite", False),
])
def test_who_may_join(version: str, join_rule: Any, bob: str | None, good: bool) -> None:
    assert room_with(version, join_rule, bob).allows_member(BOB, BOB, "join") is good


def test_nobody_makes_others_join() -> None:
    assert not room_with("11", "public").allows_member(ANN, BOB, "join")


@pytest.mark.parametrize("version", SINCE_8)
@pytest.mark.parametrize(("authoriser", "good"), [(ANN, True), (CY, False), (DEE, False), (None, False), (3, False)])
def test_a_restricted_room_is_joined_through_a_member_who_may_invite(version: str, authoriser: Any, good: bool) -> None:
    room = room_with(version, "restricted")
    assert room.allows_member(BOB, BOB, "join", join_authorised_via_users_server=authoriser) is good


@pytest.mark.parametrize("bob", ["invite", "join"])
def test_the_invited_join_a_restricted_room_by_themselves(bob: str) -> None:
    assert room_with("8", "restricted", bob).allows_member(BOB, BOB, "join")


def test_rooms_before_version_8_know_no_restricted_joins() -> None:
    room = room_with("7", "restricted", "invite")
    assert not room.allows_member(BOB, BOB, "join", join_authorised_via_users_server=ANN)


@pytest.mark.parametrize(("sender", "bob", "good"), [
    (ANN, None, True), (ANN, "leave", True), (ANN, "knock", True), (ANN, "invite", True), (ANN, "join", False),
    (ANN, "ban", False), (CY, None, False), (DEE, None, False),
])
def test_who_may_invite(sender: str, bob: str | None, good: bool) -> None:
    assert room_with("11", bob=bob).allows_member(sender, BOB, "invite") is good


@pytest.mark.parametrize(("bob", "good"), [
    ("join", True), ("invite", True), ("knock", True), ("leave", False), ("ban", False), (None, False),
])
def test_who_may_leave(bob: str | None, good: bool) -> None:
    assert room_with("11", bob=bob).allows_member(BOB, BOB, "leave") is good


@pytest.mark.parametrize("version", ALL)
@pytest.mark.parametrize(("sender", "target", "good"), [(ANN, CY, True), (CY, ANN, False), (CY, BOB, False),
                                                        (DEE, CY, False)])
def test_who_may_remove_and_ban_whom(version: str, sender: str, target: str, good: bool) -> None:
    room = room_with(version, bob="join")
    assert room.allows_member(sender, target, "leave") is good
    assert room.allows_member(sender, target, "ban") is good


@pytest.mark.parametrize(("level", "good"), [(49, False), (50, False), (60, True)])
def test_a_ban_is_lifted_by_who_may_ban_and_remove(level: int, good: bool) -> None:
    room = room_with("11", bob="ban")
    room.levels(users={ANN: 100, CY: level}, kick=40, ban=60)
    assert room.allows_member(CY, BOB, "leave") is good


@pytest.mark.parametrize("version", SINCE_7)
@pytest.mark.parametrize(("join_rule", "bob", "good"), [
    ("knock", None, True), ("knock", "leave", True), ("knock", "knock", True), ("knock", "invite", False),
    ("knock", "join", False), ("knock", "ban", False), ("invite", None, False), ("public", None, False),
])
def test_who_may_knock(version: str, join_rule: str, bob: str | None, good: bool) -> None:
    assert room_with(version, join_rule, bob).allows_member(BOB, BOB, "knock") is good


def test_nobody_knocks_for_others_or_in_old_rooms() -> None:
    assert not room_with("11", "knock").allows_member(ANN, BOB, "knock")
    assert not room_with("6", "knock").allows_member(BOB, BOB, "knock")
    assert room_with("10", "knock_restricted").allows_member(BOB, BOB, "knock")
    assert not room_with("9", "knock_restricted").allows_member(BOB, BOB, "knock")


@pytest.mark.parametrize("content", [{}, {"membership": None}, {"membership": "bogus"}, {"membership": ["join"]}])
def test_an_unknown_membership_is_refused(content: dict[str, Any]) -> None:
    assert not room_with("11", "public").allows(BOB, "m.room.member", BOB, content)
    assert not room_with("11", "public").allows(BOB, "m.room.member", None, {"membership": "join"})
    assert not room_with("11", "public").allows(BOB, "m.room.member", "bob", {"membership": "join"})


# --- 4.4.1: third party invites

def third_party(token: str = "t", mxid: str = BOB, key: SigningKey | None = None) -> dict[str, Any]:
    signer = key or SigningKey.from_seed("0", b"k" * 32)
    return {"third_party_invite": {"signed": sign_json({"mxid": mxid, "token": token}, "id.example", signer)}}


def room_with_token(issuer: str = ANN, bob: str | None = None) -> PaperRoom:
    room = room_with("11", bob=bob)
    public = unpadded_base64(SigningKey.from_seed("0", b"k" * 32).public)
    junk: list[Any] = [{"public_key": "!"}, {"public_key": "AAAA"}, 3, {}]
    room.put(issuer, "m.room.third_party_invite", "t", {"public_keys": [*junk, {"public_key": public}]})
    return room


def test_an_invite_by_mail_is_good_where_the_identity_server_signed_it() -> None:
    assert room_with_token().allows_member(ANN, BOB, "invite", **third_party())
    assert not room_with_token().allows_member(ANN, BOB, "invite", **third_party(token="other"))
    assert not room_with_token().allows_member(ANN, BOB, "invite", **third_party(mxid=DEE))
    forger = SigningKey.from_seed("0", b"f" * 32)
    assert not room_with_token().allows_member(ANN, BOB, "invite", **third_party(key=forger))
    assert not room_with_token(issuer=CY).allows_member(ANN, BOB, "invite", **third_party())
    assert not room_with_token(bob="ban").allows_member(ANN, BOB, "invite", **third_party())


@pytest.mark.parametrize("junk", [None, [], {}, {"signed": None}, {"signed": {"token": "t", "mxid": BOB}},
                                  {"signed": {"token": "t", "mxid": BOB, "signatures": []}},
                                  {"signed": {"token": "t", "mxid": BOB, "signatures": {"a": {"ed25519:1": 3}}}}])
def test_a_malformed_invite_by_mail_is_refused(junk: Any) -> None:
    assert not room_with_token().allows_member(ANN, BOB, "invite", third_party_invite=junk)
