"""Ghosts: users whom an application service makes and speaks as (spec, "Identity assertion", "Registration")."""

from __future__ import annotations

from tests.builders import PASSWORD, SERVER_NAME, RunningNode
from tests.matrix.application_services.conftest import MakeNode
from tests.matrix.application_services.service import Registered, ghost

SENDER = f"@ircbot:{SERVER_NAME}"


async def test_a_service_makes_a_user_whose_name_may_begin_with_an_underscore(bridge: Registered) -> None:
    answer = await bridge.registers("taro")
    assert answer["user_id"] == ghost("taro")
    me = await bridge.node.ask("GET", "v3/account/whoami", token=answer["access_token"])
    assert (me["user_id"], me["device_id"]) == (ghost("taro"), answer["device_id"])


async def test_a_service_makes_a_user_without_logging_them_in(bridge: Registered) -> None:
    answer = await bridge.registers("taro", inhibit_login=True)
    assert answer["user_id"] == ghost("taro")
    assert "access_token" not in answer.body


async def test_the_same_user_is_made_once(bridge: Registered) -> None:
    await bridge.ghosts("taro")
    assert (await bridge.registers("taro")).refusal == (400, "M_USER_IN_USE")


async def test_a_service_makes_no_user_outside_of_its_names(bridge: Registered) -> None:
    body = {"type": "m.login.application_service", "username": "hanako"}
    assert (await bridge.ask("POST", "v3/register", body)).refusal == (400, "M_EXCLUSIVE")


async def test_only_a_service_makes_users_in_this_way(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    body = {"type": "m.login.application_service", "username": "_irc_taro"}
    with node.contract.tolerating("a token that is missing is a 401 everywhere; there is no flow to go on with"):
        assert (await node.ask("POST", "v3/register", body)).refusal == (401, "M_MISSING_TOKEN")
        assert (await hanako.post("v3/register", body)).refusal == (401, "M_UNKNOWN_TOKEN")


async def test_people_cannot_register_a_name_of_the_service(node: RunningNode) -> None:
    body = {"username": "_irc_taro", "password": PASSWORD, "auth": {"type": "m.login.dummy"}}
    assert (await node.ask("POST", "v3/register", body)).refusal == (400, "M_EXCLUSIVE")
    free = await node.ask("GET", "v3/register/available", username="_irc_taro")
    assert free.refusal == (400, "M_EXCLUSIVE")
    assert (await node.ask("GET", "v3/register/available", username="taro"))["available"]


async def test_a_service_logs_a_ghost_in(bridge: Registered) -> None:
    flows = (await bridge.ask("GET", "v3/login"))["flows"]
    assert {"type": "m.login.application_service"} in flows
    await bridge.ghosts("taro")
    identifier = {"type": "m.id.user", "user": ghost("taro")}
    body = {"type": "m.login.application_service", "identifier": identifier, "device_id": "BRIDGE"}
    answer = await bridge.ask("POST", "v3/login", body)
    assert (answer["user_id"], answer["device_id"]) == (ghost("taro"), "BRIDGE")
    foreign = {**body, "identifier": {"type": "m.id.user", "user": "hanako"}}
    assert (await bridge.ask("POST", "v3/login", foreign)).refusal == (400, "M_EXCLUSIVE")
    assert (await bridge.node.ask("POST", "v3/login", body)).refusal == (401, "M_MISSING_TOKEN")
    assert (await bridge.node.ask("POST", "v3/login", body, token="nobody's")).refusal == (401, "M_UNKNOWN_TOKEN")


async def test_the_sender_is_there_without_registering(bridge: Registered) -> None:
    hanako = await bridge.node.user("hanako")
    room = await hanako.creates_room(preset="public_chat")
    assert (await bridge.ask("POST", f"v3/rooms/{room}/join", {})).status == 200
    other = await hanako.creates_room(preset="public_chat")
    assert (await bridge.joins(SENDER, other)).status == 200
    assert (await bridge.ask("GET", "v3/account/whoami")).body == {"user_id": SENDER, "is_guest": False}


async def test_a_ghost_registers_before_it_joins(bridge: Registered) -> None:
    hanako = await bridge.node.user("hanako")
    room = await hanako.creates_room(preset="public_chat")
    assert (await bridge.joins(ghost("taro"), room)).refusal == (403, "M_FORBIDDEN")
    await bridge.ghosts("taro")
    assert (await bridge.joins(ghost("taro"), room)).status == 200


async def test_ghosts_use_rooms_as_people_do(bridge: Registered) -> None:
    hanako = await bridge.node.user("hanako")
    [taro] = await bridge.ghosts("taro")
    room = await bridge.creates_room(taro, invite=[hanako.user_id])
    await hanako.joins(room)
    assert (await bridge.says(taro, room, "こんにちは", "1")).status == 200
    again = await bridge.says(taro, room, "こんにちは", "1")
    events = (await hanako.syncs()).timeline(room)
    assert [(event["sender"], event["content"]["body"]) for event in events[-1:]] == [(taro, "こんにちは")]
    assert again["event_id"] == events[-1]["event_id"]


async def test_a_service_speaks_for_nobody_else(bridge: Registered) -> None:
    hanako = await bridge.node.user("hanako")
    answer = await bridge.ask("GET", "v3/account/whoami", user_id=hanako.user_id)
    assert answer.refusal == (403, "M_FORBIDDEN")
    path = f"v3/profile/{hanako.user_id}/displayname"
    assert (await bridge.ask("PUT", path, {"displayname": "x"}, user_id=hanako.user_id)).status == 403
    assert (await bridge.ask("PUT", path, {"displayname": "x"})).status == 403


async def test_a_service_gives_its_ghosts_names_and_pictures(bridge: Registered) -> None:
    [taro] = await bridge.ghosts("taro")
    for name, value in (("displayname", "太郎"), ("avatar_url", "mxc://sakura.example/taro")):
        assert (await bridge.ask("PUT", f"v3/profile/{taro}/{name}", {name: value}, user_id=taro)).status == 200
    profile = await bridge.ask("GET", f"v3/profile/{taro}")
    assert (profile["displayname"], profile["avatar_url"]) == ("太郎", "mxc://sakura.example/taro")


async def test_a_service_closes_the_account_of_a_ghost(bridge: Registered) -> None:
    [taro] = await bridge.ghosts("taro")
    assert (await bridge.ask("POST", "v3/account/deactivate", {}, user_id=taro)).status == 200
    assert (await bridge.ask("GET", "v3/account/whoami", user_id=taro)).refusal == (403, "M_USER_DEACTIVATED")


async def test_a_service_says_when_something_was_said_and_people_cannot(bridge: Registered) -> None:
    hanako = await bridge.node.user("hanako")
    [taro] = await bridge.ghosts("taro")
    room = await bridge.creates_room(taro)
    await hanako.joins(room)
    await bridge.says(taro, room, "昔のこと", "1", ts="1500000000000")
    path = f"v3/rooms/{room}/state/m.room.topic"
    await bridge.ask("PUT", path, {"topic": "昔"}, user_id=taro, ts="1500000000001")
    sent = await hanako.put(f"v3/rooms/{room}/send/m.room.message/1", {"msgtype": "m.text", "body": "今"}, ts="1")
    assert sent.status == 200
    times = [event["origin_server_ts"] for event in (await hanako.syncs()).timeline(room)[-3:]]
    assert times[:2] == [1500000000000, 1500000000001]
    assert times[2] > 1600000000000
    gone = await bridge.says(taro, room, "消える", "2")
    path = f"v3/rooms/{room}/redact/{gone['event_id']}/3"
    await bridge.ask("PUT", path, {}, user_id=taro, ts="1500000000002")
    assert (await hanako.syncs()).timeline(room)[-1]["origin_server_ts"] == 1500000000002
    refused = await bridge.says(taro, room, "?", "4", ts="yesterday")
    assert refused.refusal == (400, "M_INVALID_PARAM")


async def test_a_service_acts_from_a_device_of_its_ghost(bridge: Registered) -> None:
    answer = await bridge.registers("taro", device_id="BRIDGE")
    for name in ("device_id", "org.matrix.msc3202.device_id"):
        me = await bridge.ask("GET", "v3/account/whoami", user_id=ghost("taro"), **{name: "BRIDGE"})
        assert me["device_id"] == "BRIDGE"
    assert answer["device_id"] == "BRIDGE"
    wrong = await bridge.ask("GET", "v3/account/whoami", user_id=ghost("taro"), device_id="OTHER")
    assert wrong.refusal == (400, "M_UNKNOWN_DEVICE")
    gone = await bridge.ask("DELETE", "v3/devices/BRIDGE", {}, user_id=ghost("taro"))
    assert gone.status == 200
    me = await bridge.ask("GET", "v3/account/whoami", user_id=ghost("taro"), device_id="BRIDGE")
    assert me.refusal == (400, "M_UNKNOWN_DEVICE")


async def test_a_service_that_may_makes_devices_for_its_ghosts(make_node: MakeNode) -> None:
    node = await make_node({"io.element.msc4190": True})
    bridge, hanako = Registered(node), await node.user("hanako")
    [taro] = await bridge.ghosts("taro")
    named = {"display_name": "橋"}
    assert (await bridge.ask("PUT", "v3/devices/BRIDGE", named, user_id=taro)).status == 201
    assert (await bridge.ask("PUT", "v3/devices/BRIDGE", named, user_id=taro)).status == 200
    devices = (await bridge.ask("GET", "v3/devices", user_id=taro))["devices"]
    assert [(device["device_id"], device["display_name"]) for device in devices] == [("BRIDGE", "橋")]
    assert (await hanako.put("v3/devices/BRIDGE", named)).refusal == (404, "M_NOT_FOUND")


async def test_a_service_that_may_not_makes_no_devices(bridge: Registered) -> None:
    [taro] = await bridge.ghosts("taro")
    assert (await bridge.ask("PUT", "v3/devices/BRIDGE", {}, user_id=taro)).refusal == (404, "M_NOT_FOUND")


async def test_keys_are_uploaded_from_a_device(bridge: Registered) -> None:
    await bridge.registers("taro", device_id="BRIDGE")
    keys = {"one_time_keys": {"curve25519:AAAA": "wBb+hlnBuJKhgFHKNTsPsAPVmtnSvjZJ+kzGtOdLDTE"}}
    path = "v3/keys/upload"
    assert (await bridge.ask("POST", path, keys, user_id=ghost("taro"))).refusal == (400, "M_INVALID_PARAM")
    answer = await bridge.ask("POST", path, keys, user_id=ghost("taro"), device_id="BRIDGE")
    assert answer["one_time_key_counts"]["curve25519"] == 1


async def test_a_service_is_bound_by_what_admins_have_decided_of_a_user(make_node: MakeNode) -> None:
    node = await make_node({"namespaces": {"users": [{"regex": "@.*"}]}})
    bridge, hanako = Registered(node), await node.user("hanako")
    room = await hanako.creates_room()
    assert (await bridge.says(hanako.user_id, room, "一", "1")).status == 200
    await node.inside.accounts.hold(hanako.user_id, locked=True)
    assert (await bridge.says(hanako.user_id, room, "二", "2")).refusal == (401, "M_USER_LOCKED")


async def test_rooms_get_the_names_of_the_service_from_it_alone(bridge: Registered) -> None:
    hanako = await bridge.node.user("hanako")
    [taro] = await bridge.ghosts("taro")
    room, other = await bridge.creates_room(taro), await hanako.creates_room()
    path = f"v3/directory/room/%23_irc_matsuri:{SERVER_NAME}"
    assert (await hanako.put(path, {"room_id": other})).refusal == (400, "M_EXCLUSIVE")
    assert (await hanako.post("v3/createRoom", {"room_alias_name": "_irc_x"})).refusal == (400, "M_EXCLUSIVE")
    assert (await bridge.ask("PUT", path, {"room_id": room}, user_id=taro)).status == 200
    assert (await hanako.get(path))["room_id"] == room
    foreign = f"v3/directory/room/%23matsuri:{SERVER_NAME}"
    assert (await bridge.ask("PUT", foreign, {"room_id": room}, user_id=taro)).refusal == (400, "M_EXCLUSIVE")


async def test_limits_hold_for_a_service_only_where_they_are_said_to(make_node: MakeNode) -> None:
    limits = "[limits]\nrequests_per_second = 1\nrequest_burst = 3\nmessages_per_second = 1\nmessage_burst = 2\n"
    node = await make_node(
        {"rate_limited": True},
        {"id": "free", "as_token": "free", "hs_token": "free-hs", "sender_localpart": "freebot", "namespaces": {
            "users": [{"regex": "@_free_.*"}]}},
        more=limits,
    )
    limited, free = Registered(node), Registered(node, "free")
    await limited.ghosts("taro")
    body = {"type": "m.login.application_service", "username": "_free_taro", "inhibit_login": True}
    await free.ask("POST", "v3/register", body)
    who = "v3/account/whoami"
    asked = [(await limited.ask("GET", who, user_id=ghost("taro"))).status for _ in range(6)]
    assert 429 in asked
    assert [(await limited.ask("GET", who)).status for _ in range(6)] == [200] * 6
    assert [(await free.ask("GET", who, user_id=f"@_free_taro:{SERVER_NAME}")).status for _ in range(6)] == [200] * 6


async def test_a_bridge_does_not_change_the_password_of_a_resident_whom_it_may_speak_as(make_node: MakeNode) -> None:
    """Double puppets: a registration that names every user of the node, and not as its own."""
    node = await make_node({"id": "puppets", "as_token": "puppets", "hs_token": "p-hs", "sender_localpart": "puppeteer",
                            "namespaces": {"users": [{"regex": "@.*", "exclusive": False}]}})
    hanako = await node.user("hanako")
    puppets = Registered(node, "puppets")
    assert (await puppets.ask("GET", "v3/account/whoami", user_id=hanako.user_id))["user_id"] == hanako.user_id
    wanted = {"new_password": "the bridge's own words"}
    asked = await puppets.ask("POST", "v3/account/password", wanted, user_id=hanako.user_id)
    assert (asked.status, "flows" in asked.body) == (401, True)
    closed = await puppets.ask("POST", "v3/account/deactivate", {}, user_id=hanako.user_id)
    assert closed.status == 401
    gone = await puppets.ask("DELETE", f"v3/devices/{hanako.device_id}", {}, user_id=hanako.user_id)
    assert gone.status == 401
    assert (await hanako.get("v3/account/whoami")).status == 200


async def test_a_bridge_confirms_nothing_for_its_sender_and_its_ghosts(bridge: Registered) -> None:
    [taro] = await bridge.ghosts("taro")
    for user_id in (taro, SENDER):
        device = (await bridge.ask("POST", "v3/login", {
            "type": "m.login.application_service", "identifier": {"type": "m.id.user", "user": user_id},
        }))["device_id"]
        assert (await bridge.ask("DELETE", f"v3/devices/{device}", {}, user_id=user_id)).status == 200


async def test_whoever_is_not_limited_searches_reports_and_upgrades_without_waiting(make_node: MakeNode) -> None:
    node = await make_node({}, more="[limits]\nmessages_per_second = 1\nmessage_burst = 2\n")
    bridge, hanako = Registered(node), await node.user("hanako")
    [taro] = await bridge.ghosts("taro")
    wanted = {"search_categories": {"room_events": {"search_term": "花"}}}
    assert [(await bridge.ask("POST", "v3/search", wanted, user_id=taro)).status for _ in range(5)] == [200] * 5
    room = await bridge.creates_room(taro, room_version="11")
    path = f"v3/rooms/{room}/report"
    assert [(await bridge.ask("POST", path, {"reason": "x"}, user_id=taro)).status for _ in range(5)] == [200] * 5
    for _ in range(4):
        answer = await bridge.ask("POST", f"v3/rooms/{room}/upgrade", {"new_version": "11"}, user_id=taro)
        room = answer["replacement_room"]
    assert 429 in [(await hanako.post("v3/search", wanted)).status for _ in range(5)]


async def test_a_ghost_that_is_locked_or_suspended_is_held_as_people_are(bridge: Registered) -> None:
    [taro] = await bridge.ghosts("taro")
    room = await bridge.creates_room(taro)
    accounts = bridge.node.inside.accounts
    await accounts.hold(taro, suspended=True)
    assert (await bridge.says(taro, room, "a", "1")).refusal == (403, "M_USER_SUSPENDED")
    await accounts.hold(taro, suspended=False, locked=True)
    assert (await bridge.says(taro, room, "b", "2")).refusal == (401, "M_USER_LOCKED")
    await accounts.hold(taro, locked=False)
    assert (await bridge.says(taro, room, "c", "3")).status == 200
