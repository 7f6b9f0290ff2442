"""Logging in, being known, logging out."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import ClientSession, TCPConnector

from tests.matrix.accounts.conftest import PASSWORD, Node, StartNode


def by_password(user: str, password: str = PASSWORD, **more: Any) -> dict[str, Any]:
    return {
        "type": "m.login.password", "identifier": {"type": "m.id.user", "user": user}, "password": password, **more,
    }


async def test_one_may_log_in_by_password_or_by_a_token(node: Node) -> None:
    status, answer = await node.ask("GET", "v3/login")
    flows = [{"type": "m.login.password"}, {"type": "m.login.token", "get_login_token": True}]
    assert (status, answer) == (200, {"flows": flows})


@pytest.mark.parametrize("name", ["hana", "@hana:test.example", "Hana", "@Hana:test.example", "hana "])
async def test_a_user_logs_in_by_name_or_full_id(node: Node, name: str) -> None:
    await node.person("hana")
    status, answer = await node.ask("POST", "v3/login", by_password(name))
    assert status == 200
    assert answer["user_id"] == "@hana:test.example"
    status, who = await node.ask("GET", "v3/account/whoami", token=answer["access_token"])
    assert who == {"user_id": "@hana:test.example", "device_id": answer["device_id"], "is_guest": False}


async def test_the_old_field_user_still_works(node: Node) -> None:
    await node.person("hana")
    body = {"type": "m.login.password", "user": "hana", "password": PASSWORD}
    assert (await node.ask("POST", "r0/login", body))[0] == 200


@pytest.mark.parametrize("name", ["nobody", "hana", "@hana:elsewhere.example", "@:", "花"])
async def test_wrong_names_and_passwords_are_refused_alike(node: Node, name: str) -> None:
    await node.person("hana")
    status, answer = await node.ask("POST", "v3/login", by_password(name, "wrong"))
    assert (status, answer["errcode"]) == (403, "M_FORBIDDEN")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "M_MISSING_PARAM"),
        ({"type": 5}, "M_BAD_JSON"),
        ({"type": "m.login.token"}, "M_MISSING_PARAM"),
        ({"type": "org.matrix.login.jwt", "token": "x"}, "M_UNKNOWN"),
        ({"type": "m.login.password", "password": "x"}, "M_MISSING_PARAM"),
        ({"type": "m.login.password", "identifier": {"type": "m.id.user"}, "password": "x"}, "M_BAD_JSON"),
        ({"type": "m.login.password", "identifier": {"type": "m.id.phone"}, "password": "x"}, "M_UNKNOWN"),
        ({"type": "m.login.password", "user": "hana", "password": ["x"]}, "M_BAD_JSON"),
        (by_password("hana", device_id=7), "M_BAD_JSON"),
        (by_password("hana", device_id="x" * 256), "M_INVALID_PARAM"),
    ],
)
async def test_a_malformed_login_is_refused(node: Node, body: dict[str, Any], code: str) -> None:
    await node.person("hana")
    status, answer = await node.ask("POST", "v3/login", body)
    assert (status, answer["errcode"]) == (400, code)


async def test_a_device_that_logs_in_again_keeps_its_name_and_loses_its_old_token(node: Node) -> None:
    await node.person("hana")
    body = by_password("hana", device_id="PHONE", initial_device_display_name="Telephone")
    _, first = await node.ask("POST", "v3/login", body)
    _, second = await node.ask("POST", "v3/login", {**body, "initial_device_display_name": "Other"})
    assert second["device_id"] == "PHONE"
    assert (await node.ask("GET", "v3/account/whoami", token=first["access_token"]))[0] == 401
    _, device = await node.ask("GET", "v3/devices/PHONE", token=second["access_token"])
    assert (device["device_id"], device["display_name"]) == ("PHONE", "Telephone")


async def test_a_token_survives_a_restart_and_its_text_is_not_on_disk(node: Node, start_node: StartNode) -> None:
    person = await node.person()
    again = await start_node()
    assert (await again.ask("GET", "v3/account/whoami", token=person.token))[0] == 200
    rows = await node.database.fetch_all(__import__("sqlalchemy").text("SELECT hash FROM access_tokens"))
    assert person.token.encode() not in [bytes(row[0]) for row in rows]


async def test_requests_without_or_with_a_wrong_token_are_refused(node: Node) -> None:
    status, answer = await node.ask("GET", "v3/account/whoami")
    assert (status, answer["errcode"]) == (401, "M_MISSING_TOKEN")
    status, answer = await node.ask("GET", "v3/account/whoami", token="wrong")
    assert (status, answer["errcode"]) == (401, "M_UNKNOWN_TOKEN")


async def test_old_clients_may_put_the_token_into_the_query(node: Node) -> None:
    person = await node.person()
    assert (await node.ask("GET", f"v3/account/whoami?access_token={person.token}"))[0] == 200


async def test_logging_out_ends_this_session_only(node: Node) -> None:
    one, two = await node.person("hana"), await node.person("hana")
    assert await one.post("v3/logout", None) == (200, {})
    assert (await one.get("v3/account/whoami"))[0] == 401
    status, answer = await two.get("v3/devices")
    assert status == 200
    assert [device["device_id"] for device in answer["devices"]] == [two.device_id]


async def test_logging_out_everywhere_ends_all_sessions(node: Node) -> None:
    one, two = await node.person("hana"), await node.person("hana")
    other = await node.person("taro")
    assert (await one.post("v3/logout/all", {}))[0] == 200
    assert (await one.get("v3/account/whoami"))[0] == 401
    assert (await two.get("v3/account/whoami"))[0] == 401
    assert (await other.get("v3/account/whoami"))[0] == 200


@pytest.mark.parametrize("path", ["v3/logout", "v3/logout/all"])
async def test_logging_out_needs_a_good_token(node: Node, path: str) -> None:
    assert (await node.ask("POST", path))[1]["errcode"] == "M_MISSING_TOKEN"
    assert (await node.ask("POST", path, token="wrong"))[1]["errcode"] == "M_UNKNOWN_TOKEN"


async def test_many_wrong_passwords_must_wait_while_others_log_in(start_node: StartNode) -> None:
    node = await start_node("[limits]\nlogin_attempts_per_minute = 3\n")
    await node.person("hana")
    for _ in range(3):
        assert (await node.ask("POST", "v3/login", by_password("hana", "wrong")))[0] == 403
    status, answer = await node.ask("POST", "v3/login", by_password("hana"))
    assert (status, answer["errcode"]) == (429, "M_LIMIT_EXCEEDED")
    assert answer["retry_after_ms"] > 0
    node.clock.ahead_s = 61
    assert (await node.ask("POST", "v3/login", by_password("hana")))[0] == 200


async def test_who_guesses_does_not_lock_the_owner_out(start_node: StartNode) -> None:
    node = await start_node("[limits]\nlogin_attempts_per_minute = 3\n")
    await node.person("hana")
    answers = [(await node.ask("POST", "v3/login", by_password("hana", "wrong")))[0] for _ in range(4)]
    assert answers == [403, 403, 403, 429]
    door = node.client.make_url("/_matrix/client/v3/login")
    async with ClientSession(connector=TCPConnector(local_addr=("127.0.0.2", 0))) as elsewhere:
        async with elsewhere.post(door, json=by_password("hana", "wrong")) as answer:
            assert answer.status == 403
        async with elsewhere.post(door, json=by_password("hana")) as answer:
            assert answer.status == 200
