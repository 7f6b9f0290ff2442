"""Logging in one more device by a token that another one has asked for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.matrix.accounts.conftest import Answer, Node, Person, StartNode

GET_TOKEN = "v1/login/get_token"


async def token_of(person: Person) -> str:
    status, answer = await person.post(GET_TOKEN, {"auth": person.password_auth()})
    assert (status, answer["expires_in_ms"]) == (200, 120_000)
    return str(answer["login_token"])


async def log_in(node: Node, token: Any, **more: Any) -> Answer:
    return await node.ask("POST", "v3/login", {"type": "m.login.token", "token": token, **more})


async def test_a_token_logs_in_one_device_once(node: Node) -> None:
    hana = await node.person("hana")
    token = await token_of(hana)
    status, answer = await log_in(node, token, device_id="TABLET", initial_device_display_name="Tablet")
    assert (status, answer["user_id"], answer["device_id"]) == (200, hana.user_id, "TABLET")
    status, answer = await log_in(node, token)
    assert (status, answer["errcode"]) == (403, "M_FORBIDDEN")
    assert len((await hana.get("v3/devices"))[1]["devices"]) == 2


async def test_a_token_is_good_for_two_minutes(node: Node) -> None:
    hana = await node.person("hana")
    token = await token_of(hana)
    node.clock.ahead_s += 121
    assert (await log_in(node, token))[0] == 403
    assert len((await hana.get("v3/devices"))[1]["devices"]) == 1


async def test_each_token_is_confirmed_anew(node: Node) -> None:
    hana = await node.person("hana")
    status, answer = await hana.post(GET_TOKEN, {})
    assert (status, answer["flows"][0]) == (401, {"stages": ["m.login.password"]})
    auth = hana.password_auth(session=answer["session"])
    assert (await hana.post(GET_TOKEN, {"auth": auth}))[0] == 200
    assert (await hana.post(GET_TOKEN, {"auth": {"session": answer["session"]}}))[0] == 401
    status, answer = await hana.post(GET_TOKEN, {"auth": hana.password_auth("wrong")})
    assert (status, answer["errcode"], "login_token" in answer) == (401, "M_FORBIDDEN", False)


async def test_a_new_password_makes_tokens_void(node: Node) -> None:
    hana = await node.person("hana")
    token = await token_of(hana)
    await node.accounts.set_password(hana.user_id, "something-new-8")
    assert (await log_in(node, token))[0] == 403


@pytest.mark.parametrize("token", ["unknown", ""])
async def test_an_unknown_token_is_refused(node: Node, token: str) -> None:
    assert (await log_in(node, token))[0] == 403


async def test_nobody_asks_for_many(start_node: StartNode) -> None:
    node = await start_node("[limits]\nenabled = true\n")
    hana = await node.person("hana")
    answers = [await hana.post(GET_TOKEN, {"auth": hana.password_auth()}) for _ in range(4)]
    assert [status for status, _ in answers] == [200, 200, 200, 429]
    assert answers[-1][1]["errcode"] == "M_LIMIT_EXCEEDED"


async def test_guesses_are_slowed_down(start_node: StartNode) -> None:
    node = await start_node("[limits]\nlogin_attempts_per_minute = 3\n")
    assert [(await log_in(node, f"guess {number}"))[0] for number in range(5)] == [403, 403, 403, 429, 429]


async def test_without_a_login_no_token_is_given(node: Node) -> None:
    with node.contract.tolerating("401 is described for the stages only"):
        assert (await node.ask("POST", GET_TOKEN, {}))[1]["errcode"] == "M_MISSING_TOKEN"
