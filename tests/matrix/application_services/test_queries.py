"""Asking a service for users, rooms and what lies behind it (spec, "Querying", "Third-party networks", "Pinging")."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from tests.builders import SERVER_NAME, RunningNode
from tests.fakes.clock import FakeClock
from tests.matrix.application_services.conftest import MakeNode
from tests.matrix.application_services.service import AppService, Registered, answering, ghost

ALIAS = f"#_irc_matsuri:{SERVER_NAME}"
PATH = f"%23_irc_matsuri:{SERVER_NAME}"
IRC = {
    "user_fields": ["nickname"], "location_fields": ["channel"], "icon": "mxc://sakura.example/irc",
    "field_types": {
        "nickname": {"regexp": ".+", "placeholder": "taro"}, "channel": {"regexp": "#.+", "placeholder": "#matsuri"},
    },
    "instances": [{"desc": "IRC", "network_id": "libera", "fields": {"network": "libera"}}],
}


async def test_a_service_is_asked_for_a_user_who_is_invited(bridge: Registered, service: AppService) -> None:
    hanako = await bridge.node.user("hanako")

    async def make(_request: web.Request) -> web.Response:
        assert (await bridge.registers("taro", inhibit_login=True)).status == 200
        return web.json_response({})

    service.replies["users"] = make
    room = await hanako.creates_room()
    assert (await hanako.post(f"v3/rooms/{room}/invite", {"user_id": ghost("taro")})).status == 200
    assert service.asked == [f"users/{ghost('taro')}"]
    assert (await hanako.get(f"v3/profile/{ghost('taro')}"))["displayname"] == "_irc_taro"
    assert len(service.asked) == 1


async def test_a_user_whom_the_service_does_not_know_is_nobody(bridge: Registered, service: AppService) -> None:
    hanako = await bridge.node.user("hanako")
    assert (await hanako.get(f"v3/profile/{ghost('nobody')}")).refusal == (404, "M_NOT_FOUND")
    assert (await hanako.get(f"v3/profile/@nobody:{SERVER_NAME}")).refusal == (404, "M_NOT_FOUND")
    invited = await hanako.post("v3/createRoom", {"invite": [ghost("nobody")]})
    assert invited.status in (400, 403, 404)
    assert service.asked == [f"users/{ghost('nobody')}"] * 2


async def test_a_service_is_asked_for_a_room_by_its_name(bridge: Registered, service: AppService) -> None:
    hanako = await bridge.node.user("hanako")
    [taro] = await bridge.ghosts("taro")

    async def make(_request: web.Request) -> web.Response:
        await bridge.creates_room(taro, room_alias_name="_irc_matsuri")
        return web.json_response({})

    service.replies["rooms"] = make
    joined = await hanako.post(f"v3/join/{PATH}", {})
    assert joined.status == 200
    assert service.asked == [f"rooms/{ALIAS}"]
    assert (await hanako.get(f"v3/directory/room/{PATH}"))["room_id"] == joined["room_id"]


async def test_a_room_that_the_service_does_not_know_is_none(bridge: Registered, service: AppService) -> None:
    hanako = await bridge.node.user("hanako")
    assert (await hanako.get(f"v3/directory/room/{PATH}")).refusal == (404, "M_NOT_FOUND")
    assert (await hanako.get(f"v3/directory/room/%23other:{SERVER_NAME}")).refusal == (404, "M_NOT_FOUND")
    assert service.asked == [f"rooms/{ALIAS}"]


async def test_an_old_service_is_asked_in_the_old_way(bridge: Registered, service: AppService) -> None:
    service.is_old = True
    hanako = await bridge.node.user("hanako")
    assert (await hanako.get(f"v3/directory/room/{PATH}")).refusal == (404, "M_NOT_FOUND")
    assert service.asked == [f"rooms/{ALIAS}"]


async def test_a_service_that_is_away_knows_nobody(make_node: MakeNode) -> None:
    node = await make_node({"url": "http://127.0.0.1:9"})
    hanako = await node.user("hanako")
    assert (await hanako.get(f"v3/profile/{ghost('taro')}")).refusal == (404, "M_NOT_FOUND")
    assert (await hanako.get("v3/thirdparty/protocols")).body == {}


async def test_networks_are_described_by_their_services(bridge: Registered, service: AppService) -> None:
    hanako = await bridge.node.user("hanako")
    service.replies["thirdparty/protocol"] = answering(IRC)
    told = (await hanako.get("v3/thirdparty/protocols"))["irc"]
    assert told["instances"] == [
        {"desc": "IRC", "network_id": "libera", "fields": {"network": "libera"}, "instance_id": "irc|libera"}
    ]
    assert (await hanako.get("v3/thirdparty/protocol/irc")).body == told
    assert (await hanako.get("v3/thirdparty/protocol/xmpp")).refusal == (404, "M_NOT_FOUND")
    assert service.asked == ["thirdparty/protocol/irc"]


async def test_two_services_of_one_network_are_shown_as_one(make_node: MakeNode, service: AppService) -> None:
    async with AppService() as second:
        names = {"users": [{"regex": "@_second_.*"}]}
        node = await make_node({"url": service.url}, {
            "id": "second", "url": second.url, "as_token": "second", "sender_localpart": "second", "namespaces": names,
            "hs_token": "second-hs",
        })
        second.token = "second-hs"
        hanako = await node.user("hanako")
        service.replies["thirdparty"] = second.replies["thirdparty"] = answering(IRC)
        told = (await hanako.get("v3/thirdparty/protocol/irc"))["instances"]
        assert [item["instance_id"] for item in told] == ["irc|libera", "second|libera"]


async def test_users_and_places_there_are_found(bridge: Registered, service: AppService) -> None:
    hanako = await bridge.node.user("hanako")
    user = {"userid": ghost("taro"), "protocol": "irc", "fields": {"nickname": "taro"}}
    place = {"alias": ALIAS, "protocol": "irc", "fields": {"channel": "#matsuri"}}
    seen: list[dict[str, str]] = []

    def telling(value: Any) -> Any:
        async def reply(request: web.Request) -> web.Response:
            seen.append(dict(request.query))
            return web.json_response([value, {"nonsense": True}])

        return reply

    service.replies["thirdparty/user"], service.replies["thirdparty/location"] = telling(user), telling(place)
    assert (await hanako.get("v3/thirdparty/user/irc", nickname="taro")).body == [user]
    assert (await hanako.get("v3/thirdparty/location/irc", channel="#matsuri")).body == [place]
    assert (await hanako.get("v3/thirdparty/user", userid=ghost("taro"))).body == [user]
    assert (await hanako.get("v3/thirdparty/location", alias=ALIAS)).body == [place]
    assert seen == [{"nickname": "taro"}, {"channel": "#matsuri"}, {"userid": ghost("taro")}, {"alias": ALIAS}]


async def test_nothing_is_found_where_nobody_knows_anything(bridge: Registered, service: AppService) -> None:
    hanako = await bridge.node.user("hanako")
    for path in ("user/irc", "location/irc", "user/xmpp", "location/xmpp"):
        assert (await hanako.get(f"v3/thirdparty/{path}")).refusal == (404, "M_NOT_FOUND")
    service.replies["thirdparty"] = answering("nonsense")
    assert (await hanako.get("v3/thirdparty/user", userid="@a:b")).refusal == (404, "M_NOT_FOUND")
    assert (await hanako.get("v3/thirdparty/protocol/irc")).refusal == (404, "M_NOT_FOUND")
    with bridge.node.contract.tolerating("a parameter is left out"):
        assert (await hanako.get("v3/thirdparty/user")).refusal == (400, "M_MISSING_PARAM")
    assert (await bridge.node.ask("GET", "v3/thirdparty/protocols")).refusal == (401, "M_MISSING_TOKEN")


async def test_a_service_asks_whether_it_can_be_reached(bridge: Registered, service: AppService) -> None:
    seen = []

    async def reply(request: web.Request) -> web.Response:
        seen.append(await request.json())
        return web.json_response({})

    service.replies["ping"] = reply
    answer = await bridge.ask("POST", "v1/appservice/irc/ping", {"transaction_id": "meow"})
    assert answer["duration_ms"] >= 0
    await bridge.ask("POST", "v1/appservice/irc/ping", {})
    # By the name of the draft, too: older bridges know no other.
    old = "unstable/fi.mau.msc2659/appservice/irc/ping"
    assert (await bridge.ask("POST", old, {"transaction_id": "old"}))["duration_ms"] >= 0
    assert (await bridge.node.ask("POST", old, {})).refusal == (401, "M_MISSING_TOKEN")
    assert seen == [{"transaction_id": "meow"}, {}, {"transaction_id": "old"}]


async def test_why_a_service_cannot_be_reached_is_told(make_node: MakeNode, service: AppService) -> None:
    others = {"hs_token": "x", "namespaces": {}}
    node = await make_node(
        {"url": service.url},
        {"id": "mute", "as_token": "mute", "sender_localpart": "mute", **others},
        {"id": "dead", "as_token": "dead", "sender_localpart": "dead", "url": "http://127.0.0.1:9", "hs_token": "y",
         "namespaces": {}},
    )
    bridge, hanako = Registered(node), await node.user("hanako")
    service.replies["ping"] = answering({"errcode": "M_X"}, 418)
    bad = await bridge.ask("POST", "v1/appservice/irc/ping", {})
    assert bad.refusal == (502, "M_BAD_STATUS")
    assert (bad.body["status"], bad.body["body"]) == (418, '{"errcode": "M_X"}')
    mute, dead = Registered(node, "mute"), Registered(node, "dead")
    assert (await mute.ask("POST", "v1/appservice/mute/ping", {})).refusal == (400, "M_URL_NOT_SET")
    assert (await dead.ask("POST", "v1/appservice/dead/ping", {})).refusal == (502, "M_CONNECTION_FAILED")
    assert (await bridge.ask("POST", "v1/appservice/dead/ping", {})).refusal == (403, "M_FORBIDDEN")
    assert (await hanako.post("v1/appservice/irc/ping")).refusal == (403, "M_FORBIDDEN")


async def test_a_service_that_takes_too_long_is_told_so(
    make_node: MakeNode, service: AppService, monkeypatch: Any
) -> None:
    monkeypatch.setattr("server.application_services.pings._TIMEOUT_S", 0.05)
    never = asyncio.Event()

    async def reply(_request: web.Request) -> web.Response:
        await never.wait()
        return web.json_response({})

    service.replies["ping"] = reply
    bridge = Registered(await make_node({"url": service.url}))
    assert (await bridge.ask("POST", "v1/appservice/irc/ping", {})).refusal == (504, "M_CONNECTION_TIMEOUT")
    never.set()


async def test_a_service_publishes_rooms_in_a_list_of_its_own(bridge: Registered) -> None:
    hanako = await bridge.node.user("hanako")
    [taro] = await bridge.ghosts("taro")
    room, listed = await bridge.creates_room(taro), await hanako.creates_room(visibility="public")
    path = f"v3/directory/list/appservice/libera/{room}"
    assert (await bridge.ask("PUT", path, {"visibility": "public"})).status == 200

    async def found(**wishes: Any) -> list[str]:
        return sorted(item["room_id"] for item in (await hanako.post("v3/publicRooms", wishes))["chunk"])

    assert await found() == [listed]
    assert await found(third_party_instance_id="irc|libera") == [room]
    assert await found(third_party_instance_id="irc|other") == []
    assert await found(include_all_networks=True) == sorted([room, listed])
    both = await hanako.post("v3/publicRooms", {"include_all_networks": True, "third_party_instance_id": "irc|libera"})
    assert both.refusal == (400, "M_INVALID_PARAM")
    assert (await bridge.ask("PUT", path, {"visibility": "private"})).status == 200
    assert await found(third_party_instance_id="irc|libera") == []


async def test_only_a_service_publishes_in_its_list(bridge: Registered) -> None:
    hanako = await bridge.node.user("hanako")
    room = await hanako.creates_room()
    path = f"v3/directory/list/appservice/libera/{room}"
    assert (await hanako.put(path, {"visibility": "public"})).refusal == (403, "M_FORBIDDEN")
    with bridge.node.contract.tolerating("visibility is public or private"):
        assert (await bridge.ask("PUT", path, {"visibility": "open"})).refusal == (400, "M_INVALID_PARAM")
    nowhere = "v3/directory/list/appservice/libera/!none:sakura.example"
    assert (await bridge.ask("PUT", nowhere, {"visibility": "public"})).refusal == (404, "M_NOT_FOUND")


async def test_without_services_all_of_this_is_answered_honestly(node_alone: RunningNode) -> None:
    hanako = await node_alone.user("hanako")
    assert node_alone.inside.core.late.application_services is None
    assert (await hanako.get("v3/thirdparty/protocols")).body == {}
    assert (await hanako.get("v3/thirdparty/user/irc")).refusal == (404, "M_NOT_FOUND")
    assert (await hanako.post("v1/appservice/irc/ping")).refusal == (403, "M_FORBIDDEN")
    assert (await hanako.put("v3/directory/list/appservice/a/!b", {"visibility": "public"})).status == 403
    found = await hanako.post("v3/publicRooms", {"third_party_instance_id": "irc|libera"})
    assert found["chunk"] == []
    body = {"type": "m.login.application_service", "username": "_irc_taro"}
    with node_alone.contract.tolerating("there is no application service"):
        assert (await hanako.post("v3/register", body)).status == 400
        assert (await hanako.post("v3/login", body)).status == 400


async def test_protocols_are_asked_for_again_after_an_hour(make_node: MakeNode, service: AppService) -> None:
    clock = FakeClock()
    node = await make_node({"url": service.url}, clock=clock)
    hanako = await node.user("hanako")
    service.replies["thirdparty"] = answering(IRC)
    for _ in range(2):
        await hanako.get("v3/thirdparty/protocol/irc")
    assert len(service.asked) == 1
    await clock.advance(3601)
    await hanako.get("v3/thirdparty/protocol/irc")
    assert len(service.asked) == 2
