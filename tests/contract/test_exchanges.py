"""What the contract finds wrong, and what it lets pass."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.builders import RunningNode
from tests.contract.exchanges import Contract, Exchange

EVENT = {
    "type": "m.room.message", "event_id": "$a", "sender": "@a:b.example", "origin_server_ts": 5, "room_id": "!a",
    "content": {"msgtype": "m.text", "body": "x"},
}


def faults(
    method: str, path: str, answer: Any, *, status: int = 200, body: Any = None, query: str = ""
) -> list[str]:
    sent = b"" if body is None else json.dumps(body).encode()
    raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    full = path if path.startswith("/") else f"/_matrix/client/{path}"
    return [str(fault) for fault in Contract().faults(Exchange(method, full, query, sent, status, raw))]


def test_what_is_as_the_specification_has_it_passes() -> None:
    assert faults("GET", "v3/joined_rooms", {"joined_rooms": ["!a"]}) == []
    assert faults("GET", "v3/rooms/!a/event/$a", EVENT) == []
    assert faults("GET", "v3/rooms/!a/event/$a", {"errcode": "M_NOT_FOUND", "error": "No"}, status=404) == []
    assert faults("POST", "v3/account/deactivate", {"flows": [], "session": "s"}, status=401, body={}) == []
    assert faults("GET", "v3/nothing", {"errcode": "M_UNRECOGNIZED", "error": "No"}, status=404) == []
    assert faults("GET", "/some/page", b"<html>", status=500) == []


@pytest.mark.parametrize(
    "answer", [{}, {"joined_rooms": "!a"}, {"joined_rooms": [5]}, {"joined_rooms": ["a"]}, [], b"x", b""]
)
def test_an_answer_of_another_shape_is_found(answer: Any) -> None:
    assert faults("GET", "v3/joined_rooms", answer)


@pytest.mark.parametrize("missing", ["type", "event_id", "sender", "origin_server_ts", "content", "room_id"])
def test_a_part_of_an_event_that_is_missing_is_found(missing: str) -> None:
    event = {name: value for name, value in EVENT.items() if name != missing}
    assert faults("GET", "v3/rooms/!a/event/$a", event)
    assert faults("GET", "v3/rooms/!a/messages", {"chunk": [EVENT, event], "start": "s"})


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("m.room.message", {"body": "x"}), ("m.room.message", {"msgtype": "m.text", "body": 5}),
        ("m.room.member", {"membership": "there"}), ("m.room.power_levels", {"users": {"@a:b.example": "100"}}),
        ("m.room.join_rules", {"join_rule": 5}),
    ],
)
def test_a_content_that_is_not_of_its_type_is_found_unless_a_client_has_said_it(kind: str, content: Any) -> None:
    event = {**EVENT, "type": kind, "content": content, "state_key": "@a:b.example"}
    exchange = Exchange("GET", "/_matrix/client/v3/rooms/!a/event/$a", "", b"", 200, json.dumps(event).encode())
    contract = Contract()
    assert contract.faults(exchange)
    path, sent = f"/_matrix/client/v3/rooms/!a/send/{kind}/1", json.dumps(content).encode()
    contract.faults(Exchange("PUT", path, "", sent, 200, b'{"event_id":"$a"}'))
    assert contract.faults(exchange) == []


def test_what_a_client_says_when_it_joins_is_its_own_and_what_the_node_adds_is_not() -> None:
    content = {"membership": "join", "is_direct": None, "displayname": "花子"}
    event = {**EVENT, "type": "m.room.member", "content": content, "state_key": "@a:b.example"}
    exchange = Exchange("GET", "/_matrix/client/v3/rooms/!a/event/$a", "", b"", 200, json.dumps(event).encode())
    contract = Contract()
    assert contract.faults(exchange)
    contract.faults(Exchange("POST", "/_matrix/client/v3/join/!a", "", b'{"is_direct":null}', 200, b'{"room_id":"!a"}'))
    assert contract.faults(exchange) == []
    spoilt = {**event, "content": {**content, "displayname": 5}}
    assert contract.faults(replace(exchange, answer=json.dumps(spoilt).encode()))


@pytest.mark.parametrize(
    "answer", [b"not found", {}, {"errcode": "M_NOT_FOUND"}, {"errcode": "nothing", "error": "x"}, [1]]
)
@pytest.mark.parametrize("path", ["v3/rooms/!a/event/$a", "v3/nothing"])
def test_an_error_without_code_or_text_is_found(answer: Any, path: str) -> None:
    assert faults("GET", path, answer, status=404)


@pytest.mark.parametrize("status", [201, 302, 409, 500, 501])
def test_a_status_that_nobody_expects_is_found(status: int) -> None:
    assert faults("GET", "v3/joined_rooms", {"joined_rooms": [], "errcode": "M_UNKNOWN", "error": "x"}, status=status)


def test_a_wrong_request_that_was_taken_is_found_and_one_that_was_refused_is_not() -> None:
    wrong = {"visibility": "everybody"}
    assert faults("POST", "v3/createRoom", {"room_id": "!a"}, body=wrong)
    assert faults("POST", "v3/createRoom", {"errcode": "M_BAD_JSON", "error": "No"}, status=400, body=wrong) == []


def test_events_in_another_form_are_not_judged() -> None:
    query = "filter=%7B%22event_fields%22%7D"
    assert faults("GET", "v3/rooms/!a/messages", {"chunk": [{}], "start": "s"}, query=query) == []


async def test_a_fault_fails_the_test_that_has_met_it(node: RunningNode, monkeypatch: pytest.MonkeyPatch) -> None:
    hanako = await node.user("hanako")

    async def stumbles(*_: object) -> None:
        raise LookupError

    monkeypatch.setattr(node.inside.accounts.profiles, "get", stumbles)
    with pytest.raises(AssertionError, match="getUserProfile, status at 500"):
        await hanako.get(f"v3/profile/{hanako.user_id}")
    with node.contract.tolerating("this test is about that"):
        assert (await hanako.get(f"v3/profile/{hanako.user_id}")).status == 500
