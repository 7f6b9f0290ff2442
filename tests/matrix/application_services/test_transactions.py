"""What a service is told, in order and without loss (spec, "Pushing events")."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.builders import SERVER_NAME
from tests.fakes.clock import FakeClock
from tests.matrix.application_services.conftest import MakeNode
from tests.matrix.application_services.service import AppService, Registered, ghost


async def test_a_service_hears_what_is_said_in_rooms_of_its_ghosts(bridge: Registered, service: AppService) -> None:
    hanako = await bridge.node.user("hanako")
    _taro, room = await bridge.portal(hanako)
    event_id = await hanako.says(room, "こんにちは")
    await service.until(lambda it: it.texts == ["こんにちは"])
    event = service.events[-1]
    assert (event["event_id"], event["room_id"], event["sender"]) == (event_id, room, hanako.user_id)
    assert len({txn for txn, _body in service.transactions}) == len(service.transactions)


async def test_it_is_known_when_a_service_last_took_something(bridge: Registered, service: AppService) -> None:
    hanako = await bridge.node.user("hanako")
    _taro, room = await bridge.portal(hanako)
    services = bridge.node.inside.core.late.application_services
    assert services is not None
    [health] = services.couriers.healths().values()
    await hanako.says(room, "こんにちは")
    await service.until(lambda it: it.texts == ["こんにちは"])
    await _until(lambda: health.done_ms is not None and health.failing_since_ms is None)
    service.status = 500
    await hanako.says(room, "もしもし")
    await _until(lambda: health.failing_since_ms is not None)


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not is_so():
            await asyncio.sleep(0.01)


async def test_a_service_hears_nothing_of_other_rooms(bridge: Registered, service: AppService) -> None:
    hanako = await bridge.node.user("hanako")
    _taro, room = await bridge.portal(hanako)
    other = await hanako.creates_room()
    await hanako.says(other, "内緒")
    await hanako.says(room, "みんなへ")
    await service.until(lambda it: "みんなへ" in it.texts)
    assert other not in {event["room_id"] for event in service.events}


async def test_a_service_hears_what_its_ghosts_say_and_what_is_done_to_them(
    bridge: Registered, service: AppService
) -> None:
    hanako = await bridge.node.user("hanako")
    [taro] = await bridge.ghosts("taro")
    room = await hanako.creates_room(name="祭り", invite=[taro])
    await service.until(lambda it: it.events)
    [invitation] = service.events
    assert (invitation["state_key"], invitation["content"]["membership"]) == (taro, "invite")
    shown = {event["type"]: event["content"] for event in invitation["unsigned"]["invite_room_state"]}
    assert shown["m.room.name"] == {"name": "祭り"}
    await bridge.joins(taro, room)
    await bridge.says(taro, room, "来ました", "1")
    await service.until(lambda it: it.texts == ["来ました"])


async def test_who_was_there_when_it_was_said_hears_it_also_after_leaving(make_node: MakeNode) -> None:
    async with AppService() as service:
        node = await make_node({"url": service.url})
        bridge, hanako = Registered(node), await node.user("hanako")
        taro, room = await bridge.portal(hanako)
        await service.until(lambda it: [e for e in it.events if e.get("state_key") == hanako.user_id])
        service.status = 500
        await hanako.says(room, "さようなら")
        await service.until(lambda it: it.refused)
        await bridge.ask("POST", f"v3/rooms/{room}/leave", {}, user_id=taro)
        await hanako.says(room, "もういない")
        await node.restart()
        service.status = 200
        await hanako.says(await hanako.creates_room(invite=[taro]), "別の部屋")
        await service.until(lambda it: [e for e in it.events if e["content"].get("membership") == "invite"])
        assert service.texts == ["さようなら"]


async def test_a_service_hears_of_rooms_with_names_of_its_own(make_node: MakeNode, service: AppService) -> None:
    node = await make_node({"url": service.url, "namespaces": {
        "users": [], "aliases": [{"regex": "#matsuri_.*"}], "rooms": [],
    }})
    hanako = await node.user("hanako")
    room = await hanako.creates_room(room_alias_name="matsuri_2026")
    await hanako.says(room, "太鼓")
    await hanako.says(await hanako.creates_room(), "内緒")
    await hanako.says(room, "笛")
    await service.until(lambda it: "笛" in it.texts)
    assert service.texts == ["太鼓", "笛"]


async def test_a_service_may_own_every_room(make_node: MakeNode, service: AppService) -> None:
    node = await make_node({"url": service.url, "namespaces": {"rooms": [{"regex": "!.*"}]}})
    hanako = await node.user("hanako")
    await hanako.says(await hanako.creates_room(), "ここ")
    await service.until(lambda it: it.texts == ["ここ"])


async def test_much_comes_in_order_a_hundred_at_a_time(bridge: Registered, service: AppService) -> None:
    hanako = await bridge.node.user("hanako")
    taro, room = await bridge.portal(hanako)
    service.status = 500
    await hanako.says(room, "0")
    await service.until(lambda it: it.refused)
    for number in range(1, 151):
        await bridge.says(taro, room, str(number), str(number))
    service.status = 200
    await service.until(lambda it: it.texts[-1:] == ["150"])
    assert service.texts == [str(number) for number in range(151)]
    assert max(len(body["events"]) for _txn, body in service.transactions) == 100


async def test_what_was_not_taken_is_told_again_under_the_same_id(make_node: MakeNode, service: AppService) -> None:
    clock = FakeClock()
    node = await make_node({"url": service.url}, clock=clock)
    bridge = Registered(node)
    service.status = 503
    taro, room = await bridge.portal()
    await service.until(lambda it: len(it.refused) == 1)
    await clock.advance(1.1)
    await service.until(lambda it: len(it.refused) == 2)
    await clock.advance(1.1)
    assert len(service.refused) == 2
    service.status = 200
    await clock.advance(1.0)
    await service.until(lambda it: it.transactions)
    assert len({txn for txn, _body in service.refused} | {service.transactions[0][0]}) == 1
    assert service.refused[0][1] == service.transactions[0][1]
    assert (taro, room) == (ghost("taro"), service.events[0]["room_id"])


async def test_after_a_restart_the_same_is_told_under_the_same_id(bridge: Registered, service: AppService) -> None:
    hanako = await bridge.node.user("hanako")
    _taro, room = await bridge.portal(hanako)
    await service.until(lambda it: [e for e in it.events if e.get("state_key") == hanako.user_id])
    service.status = 500
    await hanako.says(room, "一")
    await service.until(lambda it: it.refused)
    await hanako.says(room, "二")
    service.status = 200
    await bridge.node.restart()
    await service.until(lambda it: it.texts == ["一", "二"])
    assert service.refused[0][0] in {txn for txn, _body in service.transactions}


async def test_what_had_arrived_when_the_node_stopped_comes_again_under_the_same_id(
    bridge: Registered, service: AppService
) -> None:
    hanako = await bridge.node.user("hanako")
    _taro, room = await bridge.portal(hanako)
    await hanako.says(room, "前")
    await service.until(lambda it: it.texts == ["前"])
    service.is_quick.clear()
    await hanako.says(room, "その時")
    await service.until(lambda it: it.texts[-1:] == ["その時"])
    await hanako.says(room, "後")
    await bridge.node.restart()
    service.is_quick.set()
    await service.until(lambda it: it.texts[-1:] == ["後"])
    events = [event for body in dict(service.transactions).values() for event in body["events"]]
    said = [event["content"]["body"] for event in events if "body" in event["content"]]
    assert len(service.transactions) > len(dict(service.transactions))
    assert said == ["前", "その時", "後"]


async def test_nothing_is_told_twice_after_a_restart(bridge: Registered, service: AppService) -> None:
    hanako = await bridge.node.user("hanako")
    _taro, room = await bridge.portal(hanako)
    await hanako.says(room, "前")
    await service.until(lambda it: it.texts == ["前"])
    await bridge.node.restart()
    await hanako.says(room, "後")
    await service.until(lambda it: "後" in it.texts)
    assert service.texts == ["前", "後"]


async def test_a_service_that_is_away_finds_everything_when_it_is_back(make_node: MakeNode) -> None:
    service, clock = AppService(), FakeClock()
    async with service:
        node = await make_node({"url": service.url}, clock=clock)
    bridge, hanako = Registered(node), await node.user("hanako")
    _taro, room = await bridge.portal(hanako)
    for text in ("一", "二", "三"):
        await hanako.says(room, text)
    async with service:
        await clock.advance(2.1)
        assert (await bridge.ask("GET", "v3/account/whoami")).status == 200
        await service.until(lambda it: len(it.texts) == 3)
    assert service.texts == ["一", "二", "三"]


async def test_a_service_that_is_away_holds_up_no_other_one(make_node: MakeNode, service: AppService) -> None:
    users = {"users": [{"regex": "@_irc_.*"}]}
    node = await make_node(
        {"id": "dead", "as_token": "d", "hs_token": "d-hs", "sender_localpart": "dead", "namespaces": users,
         "url": "http://127.0.0.1:9"},
        {"url": service.url},
    )
    bridge, hanako = Registered(node), await node.user("hanako")
    _taro, room = await bridge.portal(hanako)
    await hanako.says(room, "届く")
    await service.until(lambda it: it.texts == ["届く"])


async def test_an_old_service_is_told_in_the_old_way(bridge: Registered, service: AppService) -> None:
    service.is_old = True
    hanako = await bridge.node.user("hanako")
    _taro, room = await bridge.portal(hanako)
    await hanako.says(room, "昔ながら")
    await service.until(lambda it: it.texts == ["昔ながら"])
    service.is_old = False
    await hanako.says(room, "新しく")
    await service.until(lambda it: it.texts == ["昔ながら", "新しく"])


async def test_a_new_service_hears_of_what_happens_from_now_on(make_node: MakeNode, service: AppService) -> None:
    node = await make_node({"url": service.url, "namespaces": {"rooms": [{"regex": "!.*"}]}})
    hanako = await node.user("hanako")
    await hanako.says(await hanako.creates_room(), "最初")
    await service.until(lambda it: it.texts == ["最初"])
    assert service.events[0]["type"] == "m.room.create"


async def test_without_a_url_nothing_is_sent_and_everything_else_works(make_node: MakeNode) -> None:
    node = await make_node({"url": None, "namespaces": {"users": [{"regex": f"@.*:{SERVER_NAME}"}]}})
    bridge, hanako = Registered(node), await node.user("hanako")
    room = await hanako.creates_room()
    assert (await bridge.says(hanako.user_id, room, "橋から", "1")).status == 200
    assert (await hanako.syncs()).texts(room) == ["橋から"]
