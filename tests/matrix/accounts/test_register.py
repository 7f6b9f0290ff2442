"""Making accounts: by anybody, by token, by tools that share a secret, as a guest."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from typing import Any

import pytest

from tests.matrix.accounts.conftest import PASSWORD, Node, StartNode

DUMMY = {"type": "m.login.dummy"}
TOKENS = '[registration]\nmode = "token"\n'


def account(username: str | None = "hana", **more: Any) -> dict[str, Any]:
    body = {"password": PASSWORD, "auth": DUMMY, **more}
    return body if username is None else {**body, "username": username}


@pytest.mark.parametrize("body", [None, {}, {"auth": {}}])
async def test_an_empty_request_is_answered_with_the_flows(node: Node, body: Any) -> None:
    status, answer = await node.ask("POST", "v3/register", body)
    assert status == 401
    assert answer["flows"] == [{"stages": ["m.login.dummy"]}]
    assert answer["session"]
    assert "errcode" not in answer


async def test_a_new_user_is_logged_in_and_has_a_name(node: Node) -> None:
    status, answer = await node.ask("POST", "v3/register", account(device_id="PHONE"))
    assert status == 200
    assert (answer["user_id"], answer["device_id"]) == ("@hana:test.example", "PHONE")
    assert (await node.ask("GET", "v3/account/whoami", token=answer["access_token"]))[0] == 200
    assert (await node.ask("GET", "v3/profile/@hana:test.example"))[1] == {"displayname": "hana"}


async def test_capitals_become_small_letters(node: Node) -> None:
    assert (await node.ask("POST", "v3/register", account("HANA")))[1]["user_id"] == "@hana:test.example"


@pytest.mark.parametrize("name", ["q", "3", "_x", "a=b", "a-b", "a.b", "a/b", "a+b"])
async def test_these_names_are_allowed(node: Node, name: str) -> None:
    assert (await node.ask("POST", "v3/register", account(name)))[0] == 200


@pytest.mark.parametrize(
    "name", ["", "!a", '"a', ":a", "\\a", "@a", "[a", "{a", "|a", "}a", "'a", "花", "a b", "x" * 250]
)
async def test_these_names_are_refused(node: Node, name: str) -> None:
    status, answer = await node.ask("POST", "v3/register", account(name))
    assert (status, answer["errcode"]) == (400, "M_INVALID_USERNAME")


async def test_a_taken_name_is_refused_before_any_stage(node: Node) -> None:
    await node.person("hana")
    status, answer = await node.ask("POST", "v3/register", {"username": "Hana", "password": PASSWORD})
    assert (status, answer["errcode"]) == (400, "M_USER_IN_USE")


async def test_of_many_who_want_one_name_one_gets_it(node: Node) -> None:
    answers = await asyncio.gather(*(node.ask("POST", "v3/register", account()) for _ in range(8)))
    assert sorted(status for status, _ in answers) == [200] + [400] * 7


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (account(username=None) | {"username": 7}, "M_BAD_JSON"),
        (account(password=7), "M_BAD_JSON"),
        (account(inhibit_login="yes"), "M_BAD_JSON"),
        (account(auth=[]), "M_BAD_JSON"),
        ({"username": "hana", "auth": DUMMY}, "M_MISSING_PARAM"),
        (account(password=""), "M_WEAK_PASSWORD"),
        (account(password="7 signs"), "M_WEAK_PASSWORD"),
        (account(password="x" * 513), "M_INVALID_PARAM"),
        (b"[]", "M_BAD_JSON"),
        (b"{", "M_NOT_JSON"),
        (b'{"username": "\xff"}', "M_NOT_JSON"),
    ],
)
async def test_a_malformed_registration_makes_no_account(node: Node, body: Any, code: str) -> None:
    status, answer = await node.ask("POST", "v3/register", body)
    assert (status, answer["errcode"]) == (400, code)
    assert not await node.accounts.user_exists("@hana:test.example")


async def test_a_password_may_hold_any_letters(node: Node) -> None:
    await node.ask("POST", "v3/register", account(password="übergrößenträger 桜"))
    body = {"type": "m.login.password", "user": "hana", "password": "übergrößenträger 桜"}
    assert (await node.ask("POST", "v3/login", body))[0] == 200


async def test_the_login_can_be_left_out(node: Node) -> None:
    _, answer = await node.ask("POST", "v3/register", account(inhibit_login=True))
    assert answer == {"user_id": "@hana:test.example", "home_server": "test.example"}


async def test_parameters_of_the_first_request_are_remembered(node: Node) -> None:
    _, first = await node.ask("POST", "v3/register", {"username": "hana", "password": PASSWORD, "device_id": "ONE"})
    status, answer = await node.ask("POST", "v3/register", {"auth": {**DUMMY, "session": first["session"]}})
    assert (status, answer["user_id"], answer["device_id"]) == (200, "@hana:test.example", "ONE")


async def test_the_same_session_again_leads_to_the_same_user(node: Node) -> None:
    _, first = await node.ask("POST", "v3/register", {})
    body = account(username=None, auth={**DUMMY, "session": first["session"]})
    _, one = await node.ask("POST", "v3/register", body)
    status, two = await node.ask("POST", "v3/register", body)
    assert status == 200
    assert one["user_id"] == two["user_id"]


async def test_availability_is_told(node: Node) -> None:
    await node.person("hana")
    assert await node.ask("GET", "v3/register/available?username=taro") == (200, {"available": True})
    assert (await node.ask("GET", "v3/register/available?username=hana"))[1]["errcode"] == "M_USER_IN_USE"
    assert (await node.ask("GET", "v3/register/available?username=!"))[1]["errcode"] == "M_INVALID_USERNAME"
    assert (await node.ask("GET", "v3/register/available"))[1]["errcode"] == "M_MISSING_PARAM"


async def test_a_closed_node_registers_nobody(start_node: StartNode) -> None:
    node = await start_node('[registration]\nmode = "closed"\n')
    status, answer = await node.ask("POST", "v3/register", account())
    assert (status, answer["errcode"]) == (403, "M_FORBIDDEN")


async def test_a_token_makes_as_many_accounts_as_it_may_however_fast_they_come(start_node: StartNode) -> None:
    node = await start_node(TOKENS)
    await node.accounts.users.allow_registration("QR-1", uses=2)
    auth = {"type": "m.login.registration_token", "token": "QR-1"}
    answers = await asyncio.gather(
        *(node.ask("POST", "v3/register", account(f"user{number}", auth=auth)) for number in range(6))
    )
    assert sorted(status for status, _ in answers)[:2] == [200, 200]
    assert all(answer["errcode"] == "M_FORBIDDEN" for status, answer in answers if status != 200)
    assert len(await node.accounts.list_users()) == 2


async def test_a_wrong_token_leaves_the_stage_open(start_node: StartNode) -> None:
    node = await start_node(TOKENS)
    auth = {"type": "m.login.registration_token", "token": "wrong"}
    status, answer = await node.ask("POST", "v3/register", account(auth=auth))
    assert (status, answer["errcode"], answer["completed"]) == (401, "M_FORBIDDEN", [])
    status, answer = await node.ask("POST", "v3/register", account(auth=DUMMY))
    assert (status, answer["flows"]) == (401, [{"stages": ["m.login.registration_token"]}])


async def test_an_expired_token_is_no_good(start_node: StartNode) -> None:
    node = await start_node(TOKENS)
    await node.accounts.users.allow_registration("old", expires_ts=node.clock.now_ms() + 1_000)
    path = "v1/register/m.login.registration_token/validity?token="
    assert (await node.ask("GET", path + "old"))[1] == {"valid": True}
    node.clock.ahead_s = 2
    assert (await node.ask("GET", path + "old"))[1] == {"valid": False}
    assert (await node.ask("GET", path + "unknown"))[1] == {"valid": False}


async def test_guests_come_in_only_where_they_may(start_node: StartNode) -> None:
    node = await start_node('[registration]\nmode = "open"\nallow_guests = true\n')
    status, guest = await node.ask("POST", "v3/register?kind=guest", {"device_id": "IGNORED"})
    assert status == 200
    assert guest["device_id"] != "IGNORED"
    token = guest["access_token"]
    assert (await node.ask("GET", "v3/account/whoami", token=token))[1]["is_guest"] is True
    status, answer = await node.ask("GET", "v3/pushrules/", token=token)
    assert (status, answer["errcode"]) == (403, "M_GUEST_ACCESS_FORBIDDEN")
    assert (await node.ask("POST", "v3/register?kind=king", {}))[1]["errcode"] == "M_INVALID_PARAM"


async def test_no_guests_by_default(node: Node) -> None:
    assert (await node.ask("POST", "v3/register?kind=guest", {}))[0] == 403


SECRET = "/_synapse/admin/v1/register"


def signed(nonce: str, *parts: str, secret: str = "secret of tools") -> str:
    return hmac.new(secret.encode(), "\0".join([nonce, *parts]).encode(), hashlib.sha1).hexdigest()


async def test_a_tool_with_the_secret_makes_an_administrator(node: Node) -> None:
    _, answer = await node.ask("GET", SECRET)
    nonce = answer["nonce"]
    body = {"nonce": nonce, "username": "Chair", "password": PASSWORD, "admin": True,
            "mac": signed(nonce, "Chair", PASSWORD, "admin")}
    status, answer = await node.ask("POST", SECRET, body)
    assert (status, answer["user_id"]) == (200, "@chair:test.example")
    user = await node.accounts.users.get("@chair:test.example")
    assert user.is_admin
    assert (await node.ask("POST", SECRET, body))[1]["errcode"] == "M_UNKNOWN"


@pytest.mark.parametrize("secret", ["wrong", ""])
async def test_a_tool_without_the_secret_is_refused(node: Node, secret: str) -> None:
    nonce = (await node.ask("GET", SECRET))[1]["nonce"]
    mac = signed(nonce, "x", PASSWORD, "notadmin", secret=secret)
    status, answer = await node.ask("POST", SECRET, {"nonce": nonce, "username": "x", "password": PASSWORD, "mac": mac})
    assert (status, answer["errcode"]) == (403, "M_FORBIDDEN")


async def test_a_nonce_grows_old(node: Node) -> None:
    nonce = (await node.ask("GET", SECRET))[1]["nonce"]
    node.clock.ahead_s = 61
    body = {"nonce": nonce, "username": "x", "password": PASSWORD, "mac": signed(nonce, "x", PASSWORD, "notadmin")}
    assert (await node.ask("POST", SECRET, body))[0] == 400


async def test_without_a_secret_there_is_no_such_registration(start_node: StartNode) -> None:
    node = await start_node('[registration]\nmode = "open"\n')
    assert (await node.ask("GET", SECRET))[0] == 403


async def test_a_user_type_is_signed_and_means_nothing(node: Node) -> None:
    nonce = (await node.ask("GET", SECRET))[1]["nonce"]
    body = {"nonce": nonce, "username": "x", "password": PASSWORD, "user_type": "support",
            "mac": signed(nonce, "x", PASSWORD, "notadmin", "support")}
    assert (await node.ask("POST", SECRET, body))[0] == 200


async def test_registrations_of_one_address_are_limited(start_node: StartNode) -> None:
    node = await start_node('[limits]\nregistrations_per_minute = 1\n[registration]\nmode = "open"\n')
    assert (await node.ask("POST", "v3/register", account("a")))[0] == 200
    status, answer = await node.ask("POST", "v3/register", account("b"))
    assert (status, answer["errcode"]) == (429, "M_LIMIT_EXCEEDED")


async def test_a_guest_stays_under_their_own_name_only(start_node: StartNode) -> None:
    node = await start_node('[registration]\nmode = "open"\nallow_guests = true\n')
    await node.person("hana")
    _, guest = await node.ask("POST", "v3/register?kind=guest", {})
    for name in ("hana", "nobody-yet"):
        status, answer = await node.ask(
            "POST", "v3/register", account(name, guest_access_token=guest["access_token"])
        )
        assert (status, answer["errcode"]) == (403, "M_FORBIDDEN")
    assert not await node.accounts.user_exists("@nobody-yet:test.example")
    own = guest["user_id"][1:].partition(":")[0]
    status, answer = await node.ask("POST", "v3/register", account(own, guest_access_token=guest["access_token"]))
    assert (status, answer["user_id"]) == (200, guest["user_id"])
    _, who = await node.ask("GET", "v3/account/whoami", token=answer["access_token"])
    assert who["is_guest"] is False


async def test_the_token_of_no_guest_upgrades_nobody(node: Node) -> None:
    hana = await node.person("hana")
    for token in (hana.token, "unknown"):
        status, answer = await node.ask("POST", "v3/register", account("hana", guest_access_token=token))
        assert (status, answer["errcode"]) == (403, "M_FORBIDDEN")
    assert (await node.accounts.users.get(hana.user_id)).is_guest is False


async def test_guesses_of_registration_tokens_are_slowed_down(start_node: StartNode) -> None:
    node = await start_node(TOKENS + "[limits]\nlogin_attempts_per_minute = 3\n")
    path = "v1/register/m.login.registration_token/validity"
    answers = [await node.ask("GET", f"{path}?token=guess{number}") for number in range(5)]
    assert [status for status, _ in answers] == [200, 200, 200, 429, 429]
    assert answers[0][1] == {"valid": False}
    assert (answers[-1][1]["errcode"], answers[-1][1]["retry_after_ms"] > 0) == ("M_LIMIT_EXCEEDED", True)
