"""Accounts that admins lock or suspend, and looking them up."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import PASSWORD, SERVER_NAME, Person, RunningNode

OWN_AUTH = {"type": "m.login.password", "password": PASSWORD}


async def admin_of(node: RunningNode) -> Person:
    accounts = node.inside.accounts
    await accounts.create_user("admin", PASSWORD, admin=True)
    return await node.user("admin")


async def held(node: RunningNode, how: str, *, value: bool = True, name: str = "hana") -> tuple[Person, Person]:
    """An admin, and somebody whom they lock or suspend."""
    admin, hana = await admin_of(node), await node.user(name)
    field = {"lock": "locked", "suspend": "suspended"}[how]
    answer = await admin.put(f"v1/admin/{how}/{hana.user_id}", {field: value})
    assert (answer.status, answer.body) == (200, {field: value})
    return admin, hana


async def test_a_locked_device_is_turned_away_and_keeps_its_token(node: RunningNode) -> None:
    hana = await node.user("hana")
    room = await hana.creates_room()
    admin, _ = await held(node, "lock")
    for answer in (await hana.get("v3/sync"), await hana.get("v3/account/whoami"), await hana.get("v3/devices")):
        assert (answer.status, answer.body["errcode"], answer.body["soft_logout"]) == (401, "M_USER_LOCKED", True)
    assert (await admin.get(f"v1/admin/lock/{hana.user_id}")).body == {"locked": True}
    await admin.put(f"v1/admin/lock/{hana.user_id}", {"locked": False})
    assert (await hana.get("v3/joined_rooms")).body == {"joined_rooms": [room]}


async def test_a_locked_account_cannot_log_in_but_out(node: RunningNode) -> None:
    _, hana = await held(node, "lock")
    body = {"type": "m.login.password", "identifier": {"type": "m.id.user", "user": "hana"}, "password": PASSWORD}
    answer = await node.ask("POST", "v3/login", body)
    assert (answer.status, answer.body["errcode"]) == (401, "M_USER_LOCKED")
    assert (await hana.post("v3/logout", {})).status == 200
    assert await node.inside.accounts.sessions.devices(hana.user_id) == []


async def test_a_locked_account_renews_nothing(node: RunningNode) -> None:
    await node.inside.accounts.create_user("hana", PASSWORD)
    session = await node.inside.accounts.log_in(f"@hana:{SERVER_NAME}", renewable=True)
    await held(node, "lock")
    answer = await node.ask("POST", "v3/refresh", {"refresh_token": session.refresh_token})
    assert (answer.status, answer.body["errcode"]) == (401, "M_USER_LOCKED")


async def test_a_lock_survives_a_restart(node: RunningNode) -> None:
    _, hana = await held(node, "lock")
    await node.restart()
    assert (await hana.get("v3/account/whoami")).body["errcode"] == "M_USER_LOCKED"


async def test_suspended_people_do_not_speak(node: RunningNode) -> None:
    hana, jiro = await node.user("hana"), await node.user("jiro")
    room, other = await hana.creates_room(), await jiro.creates_room(preset="public_chat")
    heard = await jiro.says(other, "hello")
    await hana.joins(other)
    await held(node, "suspend")
    await jiro.invites(hana, await jiro.creates_room())
    refused = [
        await hana.sends(room, "m.room.message", {"msgtype": "m.text", "body": "x"}),
        await hana.sets(room, "m.room.topic", {"topic": "x"}),
        await hana.post(f"v3/rooms/{room}/invite", {"user_id": jiro.user_id}),
        await hana.post("v3/createRoom", {}),
        await hana.post(f"v3/join/{other}", {}),
        await hana.post(f"v3/knock/{other}", {}),
        await hana.put(f"v3/profile/{hana.user_id}/displayname", {"displayname": "X"}),
        await hana.redacts(other, heard),
    ]
    assert [(answer.status, answer.body["errcode"]) for answer in refused] == [(403, "M_USER_SUSPENDED")] * len(refused)
    assert (await jiro.get(f"v3/rooms/{other}/event/{heard}"))["content"]["body"] == "hello"
    assert (await hana.get(f"v3/profile/{hana.user_id}/displayname")).body != {"displayname": "X"}


async def test_suspended_people_read_leave_and_take_back(node: RunningNode) -> None:
    hana, jiro = await node.user("hana"), await node.user("jiro")
    room, other = await hana.creates_room(), await jiro.creates_room(preset="public_chat")
    said = await hana.says(room, "hello")
    await hana.joins(other)
    await held(node, "suspend")
    synced = await hana.syncs()
    assert "hello" in synced.texts(room)
    assert (await hana.redacts(room, said)).status == 200
    assert (await hana.reads(room, said)).status == 200
    assert (await hana.sets(other, "m.room.member", {"membership": "leave"}, hana.user_id)).status == 200
    await hana.leaves(room)
    body = {"type": "m.login.password", "identifier": {"type": "m.id.user", "user": "hana"}, "password": PASSWORD}
    assert (await node.ask("POST", "v3/login", body)).status == 200


async def test_a_suspension_ends(node: RunningNode) -> None:
    admin, hana = await held(node, "suspend")
    room = (await hana.post("v3/createRoom", {})).status
    await admin.put(f"v1/admin/suspend/{hana.user_id}", {"suspended": False})
    assert (room, (await hana.post("v3/createRoom", {})).status) == (403, 200)
    assert (await admin.get(f"v1/admin/suspend/{hana.user_id}")).body == {"suspended": False}


@pytest.mark.parametrize(("how", "body"), [("lock", {"locked": True}), ("suspend", {"suspended": True})])
async def test_who_may_not_hold_whom(node: RunningNode, how: str, body: dict[str, Any]) -> None:
    admin, hana, jiro = await admin_of(node), await node.user("hana"), await node.user("jiro")
    await node.inside.accounts.create_user("second", PASSWORD, admin=True)
    tries = [
        (hana, jiro.user_id, 403, "M_FORBIDDEN"),
        (hana, f"@nobody:{SERVER_NAME}", 403, "M_FORBIDDEN"),
        (admin, admin.user_id, 403, "M_FORBIDDEN"),
        (admin, f"@second:{SERVER_NAME}", 403, "M_FORBIDDEN"),
        (admin, f"@nobody:{SERVER_NAME}", 404, "M_NOT_FOUND"),
        (admin, "@hana:elsewhere.example", 400, "M_INVALID_PARAM"),
    ]
    for who, target, status, code in tries:
        for answer in (await who.put(f"v1/admin/{how}/{target}", body), await who.get(f"v1/admin/{how}/{target}")):
            assert (answer.status, answer.body["errcode"]) == (status, code), (who.user_id, target)
    assert (await jiro.get("v3/account/whoami")).status == 200
    users = await node.inside.accounts.list_users()
    assert not any(user.is_locked or user.is_suspended for user in users)


@pytest.mark.parametrize("how", ["lock", "suspend"])
async def test_a_body_that_says_nothing_changes_nothing(node: RunningNode, how: str) -> None:
    admin, hana = await admin_of(node), await node.user("hana")
    with node.contract.tolerating("the body is wrong on purpose"):
        assert (await admin.put(f"v1/admin/{how}/{hana.user_id}", {})).body["errcode"] == "M_MISSING_PARAM"
    assert (await hana.get("v3/account/whoami")).status == 200


async def test_one_sees_where_one_was_and_admins_see_others(node: RunningNode) -> None:
    admin, hana, jiro = await admin_of(node), await node.user("hana"), await node.user("jiro")
    await hana.get("v3/account/whoami")
    for who in (hana, admin):
        answer = await who.get(f"v3/admin/whois/{hana.user_id}")
        (seen,) = answer["devices"][hana.device_id]["sessions"][0]["connections"]
        assert (answer["user_id"], seen["ip"], seen["last_seen"] > 0) == (hana.user_id, "127.0.0.1", True)
    answer = await jiro.get(f"v3/admin/whois/{hana.user_id}")
    assert (answer.status, answer.body["errcode"]) == (403, "M_FORBIDDEN")


async def test_when_a_device_was_here_survives_a_restart(node: RunningNode) -> None:
    hana = await node.user("hana")
    await hana.get("v3/account/whoami")
    before = await node.inside.accounts.device(hana.user_id, hana.device_id)
    await node.restart()
    assert await node.inside.accounts.device(hana.user_id, hana.device_id) == before
    assert before.last_seen_ts is not None
