"""One's own account and devices; confirming what matters with the password."""

from __future__ import annotations

from typing import Any

import pytest

from tests.matrix.accounts.conftest import PASSWORD, Node

NEW = "plum-blossom-5"
CONFIRMATIONS = [{"stages": ["m.login.password"]}, {"stages": ["m.login.sso"]}]


def login(user: str, password: str) -> dict[str, Any]:
    return {"type": "m.login.password", "user": user, "password": password}


async def test_a_new_password_works_here_and_ends_other_sessions(node: Node) -> None:
    one, two = await node.person("hana"), await node.person("hana")
    status, answer = await one.post("v3/account/password", {"new_password": NEW})
    assert (status, answer["flows"]) == (401, CONFIRMATIONS)
    auth = one.password_auth(session=answer["session"])
    assert await one.post("v3/account/password", {"new_password": NEW, "auth": auth}) == (200, {})
    assert (await one.get("v3/account/whoami"))[0] == 200
    assert (await two.get("v3/account/whoami"))[0] == 401
    assert (await node.ask("POST", "v3/login", login("hana", NEW)))[0] == 200
    assert (await node.ask("POST", "v3/login", login("hana", PASSWORD)))[0] == 403


async def test_other_sessions_may_be_kept(node: Node) -> None:
    one, two = await node.person("hana"), await node.person("hana")
    body = {"new_password": NEW, "logout_devices": False, "auth": one.password_auth()}
    assert (await one.post("v3/account/password", body))[0] == 200
    assert (await two.get("v3/account/whoami"))[0] == 200


async def test_a_wrong_password_confirms_nothing(node: Node) -> None:
    person = await node.person("hana")
    body = {"new_password": NEW, "auth": person.password_auth("wrong")}
    status, answer = await person.post("v3/account/password", body)
    assert (status, answer["errcode"], answer["completed"]) == (401, "M_FORBIDDEN", [])
    assert (await node.ask("POST", "v3/login", login("hana", PASSWORD)))[0] == 200


async def test_a_new_password_that_is_too_short_changes_nothing(node: Node) -> None:
    person = await node.person("hana")
    body = {"new_password": "7 signs", "auth": person.password_auth()}
    status, answer = await person.post("v3/account/password", body)
    assert (status, answer["errcode"]) == (400, "M_WEAK_PASSWORD")
    assert (await node.ask("POST", "v3/login", login("hana", PASSWORD)))[0] == 200
    assert (await node.ask("POST", "v3/login", login("hana", "7 signs")))[0] == 403


async def test_a_deactivated_account_is_closed_for_good(node: Node) -> None:
    person = await node.person("hana")
    assert (await person.post("v3/account/deactivate", {}))[0] == 401
    status, answer = await person.post("v3/account/deactivate", {"auth": person.password_auth(), "erase": True})
    assert (status, answer) == (200, {"id_server_unbind_result": "no-support"})
    assert (await person.get("v3/account/whoami"))[0] == 401
    assert (await node.ask("POST", "v3/login", login("hana", PASSWORD)))[0] == 403
    assert (await node.ask("GET", "v3/profile/@hana:test.example"))[0] == 404
    body = {"username": "hana", "password": PASSWORD, "auth": {"type": "m.login.dummy"}}
    assert (await node.ask("POST", "v3/register", body))[1]["errcode"] == "M_USER_IN_USE"


async def test_devices_are_listed_named_and_unknown_ones_are_not_found(node: Node) -> None:
    person = await node.person("hana", "PHONE")
    (shown,) = (await person.get("v3/devices"))[1]["devices"]
    assert (shown["device_id"], "display_name" in shown, shown["last_seen_ip"]) == ("PHONE", False, "127.0.0.1")
    assert await person.put("v3/devices/PHONE", {"display_name": "携帯"}) == (200, {})
    assert (await person.get("v3/devices/PHONE"))[1]["display_name"] == "携帯"
    assert (await person.get("v3/devices/OTHER"))[1]["errcode"] == "M_NOT_FOUND"
    assert (await person.put("v3/devices/OTHER", {"display_name": "x"}))[0] == 404
    assert (await person.put("v3/devices/PHONE", {"display_name": 5}))[1]["errcode"] == "M_BAD_JSON"
    assert (await person.put("v3/devices/PHONE", {"display_name": "x" * 101}))[0] == 400
    assert node.device_lists_heard[-1][0] == (person.user_id,)


async def test_a_device_is_deleted_with_the_password(node: Node) -> None:
    one, two = await node.person("hana", "ONE"), await node.person("hana", "TWO")
    status, answer = await one.delete("v3/devices/TWO", {})
    assert status == 401
    auth = one.password_auth(session=answer["session"])
    assert await one.delete("v3/devices/TWO", {"auth": auth}) == (200, {})
    assert (await two.get("v3/account/whoami"))[0] == 401
    assert (await one.get("v3/devices/TWO"))[0] == 404


async def test_the_password_of_somebody_else_deletes_nothing(node: Node) -> None:
    one, two = await node.person("hana", "ONE"), await node.person("hana", "TWO")
    thief = await node.person("taro")
    status, answer = await one.delete("v3/devices/TWO", {"auth": thief.password_auth()})
    assert (status, answer["errcode"]) == (403, "M_FORBIDDEN")
    assert (await two.get("v3/account/whoami"))[0] == 200


async def test_an_authentication_is_good_for_the_operation_it_was_begun_for_only(node: Node) -> None:
    one, two = await node.person("hana", "ONE"), await node.person("hana", "TWO")
    _, answer = await one.delete("v3/devices/ONE", {})
    auth = one.password_auth(session=answer["session"])
    assert (await one.delete("v3/devices/TWO", {"auth": auth}))[0] == 403
    _, answer = await one.post("v3/delete_devices", {"devices": ["ONE"]})
    auth = one.password_auth(session=answer["session"])
    assert (await one.post("v3/delete_devices", {"devices": ["TWO"], "auth": auth}))[0] == 403
    assert (await two.get("v3/account/whoami"))[0] == 200


async def test_several_devices_are_deleted_at_once(node: Node) -> None:
    one = await node.person("hana", "ONE")
    await node.person("hana", "TWO")
    await node.person("hana", "THREE")
    body = {"devices": ["TWO", "THREE", "NONE"], "auth": one.password_auth()}
    assert await one.post("v3/delete_devices", body) == (200, {})
    assert len((await one.get("v3/devices"))[1]["devices"]) == 1
    assert (await one.post("v3/delete_devices", {"devices": [5], "auth": one.password_auth()}))[0] == 400


async def test_deleting_a_device_takes_its_keys_and_messages_along(node: Node) -> None:
    one, two = await node.person("hana", "ONE"), await node.person("hana", "TWO")
    await two.post("v3/keys/upload", {"one_time_keys": {"curve25519:AAAA": "key"}})
    await one.put("v3/sendToDevice/m.x/1", {"messages": {one.user_id: {"TWO": {}}}})
    await one.delete("v3/devices/TWO", {"auth": one.password_auth()})
    assert node.accounts.device_keys.counts(one.user_id, "TWO") == {}
    assert node.accounts.to_device.last_position(one.user_id, "TWO") == 0
    _, answer = await one.post("v3/keys/claim", {"one_time_keys": {one.user_id: {"TWO": "curve25519"}}})
    assert answer["one_time_keys"] == {}


async def test_third_party_ids_are_none(node: Node) -> None:
    assert (await (await node.person()).get("v3/account/3pid"))[1] == {"threepids": []}


@pytest.mark.parametrize("path", ["v3/devices", "v3/capabilities", "v3/account/3pid", "v3/pushrules/"])
async def test_these_are_not_public(node: Node, path: str) -> None:
    assert (await node.ask("GET", path))[1]["errcode"] == "M_MISSING_TOKEN"
