"""Headers, server names, lists of servers and what is shown, as the reference implementation has them."""

from __future__ import annotations

from typing import Any

import pytest

from federation.identity.x_matrix import Unauthorized, authorization, read_claims
from federation.serving.visible import is_shown
from server.foundation.ids import is_server_name
from server.foundation.signatures import SigningKey, from_unpadded_base64
from server.rooms.event import Event
from server.rooms.room_versions import room_version
from server.rooms.server_acl import is_admitted
from tests.rules.rooms import vectors

Json = dict[str, Any]
# What others let pass here and find out later, or not at all.
STRICTER = ("key", "99999999", 'origin="evil.example"')


@pytest.mark.parametrize("case", vectors("x_matrix"), ids=lambda case: f"{case['method']} {case['uri']}")
def test_a_request_is_signed_as_others_sign_it(case: Json) -> None:
    told = vectors("signing_key")
    key = SigningKey.from_seed(told["key_id"].partition(":")[2], from_unpadded_base64(told["seed"]))
    header = authorization(key, case["method"], case["uri"], case["origin"], case["destination"], case["content"])
    assert read_claims([header]) == read_claims(case["headers"])


@pytest.mark.parametrize("case", vectors("x_matrix_parse"), ids=lambda case: ascii(case["header"][:60]))
def test_a_header_is_read_as_others_read_it_or_more_strictly(case: Json) -> None:
    try:
        claim = read_claims([case["header"]])[0]
    except Unauthorized:
        assert case["parsed"] is None or is_stricter(case)
        return
    assert [claim.origin, claim.key_id, claim.signature, claim.destination or None] == case["parsed"]


def is_stricter(case: Json) -> bool:
    """Whether we turn down what another implementation reads: no key, no port, a doubled name."""
    return not case["parsed"][1].startswith("ed25519:") or any(part in case["header"] for part in STRICTER)


@pytest.mark.parametrize("name", ["a.example.", "a.example.:8448", "A.EXAMPLE."])
def test_a_server_has_no_second_name_with_a_dot(name: str) -> None:
    with pytest.raises(Unauthorized):
        read_claims([f'X-Matrix origin="{name}",key="ed25519:1",sig="s"'])


@pytest.mark.parametrize("case", vectors("server_name"), ids=lambda case: ascii(case["name"][:40]))
def test_what_others_take_for_a_server_name_we_do_too(case: Json) -> None:
    if case["parsed"] is not None:
        assert is_server_name(case["name"])


@pytest.mark.parametrize("name", [
    "a.example\n", "a.example:8448\n", "\na.example", "", ":80", "a.example:", "a.example:port", "a.example:8448x",
    "a b", "a_b", "[::1", "::1", "[::1]x", "a.example/x", "a@b", "a" * 300, "a.example:123456",
])
def test_what_is_no_server_name_is_none(name: str) -> None:
    assert not is_server_name(name)


def test_a_list_of_servers_is_read_as_others_read_it() -> None:
    """Their function is given the host; ours looks away from the port itself."""
    assert len(vectors("server_acl")) == 153
    for case in vectors("server_acl"):
        host, colon, port = case["server"].rpartition(":")
        if not (colon and port.isdigit()):
            assert is_admitted(case, case["server"]) is case["allowed"], case
        else:
            assert is_admitted(case, case["server"]) is is_admitted(case, host), case


@pytest.mark.parametrize("erased", [False, True])
def test_what_is_shown_to_another_server_is_what_others_show(*, erased: bool) -> None:
    cases = [case for case in vectors("event_visible") if case["sender_erased"] is erased]
    assert len(cases) == 32
    for case in cases:
        told = {("m.room.history_visibility", ""): {"history_visibility": case["history_visibility"]}}
        told |= {("m.room.member", user): {"membership": membership} for user, membership in case["memberships"]}
        state = {key: _event(key, content) for key, content in told.items()}
        assert (not erased and is_shown(case["server"], state)) is case["visible"], case


@pytest.mark.parametrize("visibility", [None, 5, [], {}, "everybody", "shared"])
def test_a_visibility_that_nobody_understands_is_the_usual_one(visibility: Any) -> None:
    key = ("m.room.history_visibility", "")
    assert is_shown("t.example", {key: _event(key, {"history_visibility": visibility})})


def _event(key: tuple[str, str], content: Json) -> Event:
    pdu = {"type": key[0], "state_key": key[1], "content": content, "sender": "@s:o.example", "depth": 1,
           "origin_server_ts": 1, "prev_events": [], "auth_events": []}
    return Event(pdu, room_version("11"), "$event", "!room:o.example")
