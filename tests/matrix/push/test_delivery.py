"""What push gateways hear, when, and what they can do to the node."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from tests.builders import Person, RunningNode
from tests.fakes.clock import FakeClock
from tests.matrix.push.gateway import Gateway, has_pusher, pushkeys

HOUR_S = 3_600


async def together(node: RunningNode, *names: str, **wishes: Any) -> tuple[Sequence[Person], str]:
    """People in one room, the first of whom has made it."""
    people = await node.users(*names)
    room = await people[0].creates_room(preset="public_chat", **wishes)
    for person in people[1:]:
        await person.joins(room)
    return people, room


async def passes(clock: FakeClock, seconds: float) -> None:
    """Let time pass when the node has come to wait for it."""
    await asyncio.sleep(0.05)
    await clock.advance(seconds)


async def test_a_message_is_pushed_with_all_that_an_app_shows(node: RunningNode, gateway: Gateway) -> None:
    (hanako, taro), room = await together(node, "hanako", "taro", name="回覧板")
    await hanako.put(f"v3/profile/{hanako.user_id}/displayname", {"displayname": "花子"})
    await has_pusher(taro, gateway, data={"own": 1})
    event_id = await hanako.says(room, "こんにちは")
    told = await gateway.next()
    [device] = told.pop("devices")
    assert told == {
        "event_id": event_id, "id": event_id, "room_id": room, "type": "m.room.message", "sender": hanako.user_id,
        "sender_display_name": "花子", "room_name": "回覧板", "prio": "high", "counts": {"unread": 1},
        "content": {"msgtype": "m.text", "body": "こんにちは"},
    }
    assert device == {
        "app_id": "org.example.app", "pushkey": "key", "pushkey_ts": 1_704_093_009, "data": {"own": 1},
        "tweaks": {"sound": "default"},
    }


async def test_invitations_are_pushed(node: RunningNode, gateway: Gateway) -> None:
    hanako, taro = await node.users("hanako", "taro")
    await has_pusher(taro, gateway)
    room = await hanako.creates_room(name="役員会")
    await hanako.invites(taro, room)
    told = await gateway.next()
    assert (told["type"], told["content"]["membership"], told["user_is_target"]) == ("m.room.member", "invite", True)
    assert (told["room_name"], told["counts"]) == ("役員会", {"unread": 1})
    [listed] = (await taro.get("v3/notifications"))["notifications"]
    assert listed["event"]["state_key"] == taro.user_id


async def test_a_room_without_a_name_is_called_by_its_alias(node: RunningNode, gateway: Gateway) -> None:
    (hanako, taro), room = await together(node, "hanako", "taro", room_alias_name="bosai")
    await has_pusher(taro, gateway)
    await hanako.says(room, "a")
    told = await gateway.next()
    assert told["room_name"] == told["room_alias"] == "#bosai:sakura.example"


async def test_in_a_room_of_many_everybody_but_the_sender_is_told(node: RunningNode, gateway: Gateway) -> None:
    people, room = await together(node, *[f"person{number}" for number in range(12)])
    for person in people:
        await has_pusher(person, gateway, pushkey=person.user_id)
    await people[3].says(room, "a", **{"m.mentions": {"user_ids": [people[5].user_id]}})
    told = [await gateway.next() for _ in range(11)]
    assert {item["devices"][0]["pushkey"] for item in told} == {one.user_id for one in people} - {people[3].user_id}
    loud = [item["devices"][0]["pushkey"] for item in told if item["devices"][0]["tweaks"].get("highlight")]
    assert loud == [people[5].user_id]
    assert {item["prio"] for item in told} == {"high", "low"}


async def test_muted_rooms_ignored_people_and_notices_are_not_pushed(node: RunningNode, gateway: Gateway) -> None:
    (hanako, taro, jiro), room = await together(node, "hanako", "taro", "jiro")
    muted = await hanako.creates_room(preset="public_chat")
    await taro.joins(muted)
    await has_pusher(taro, gateway)
    assert (await taro.put(f"v3/pushrules/global/room/{muted}", {"actions": []})).status == 200
    ignored: dict[str, Any] = {"ignored_users": {jiro.user_id: {}}}
    await taro.put(f"v3/user/{taro.user_id}/account_data/m.ignored_user_list", ignored)
    await hanako.says(muted, "muted")
    await jiro.says(room, "ignored")
    await taro.says(room, "own")
    await hanako.says(room, "notice", msgtype="m.notice")
    await hanako.says(room, "said")
    assert await gateway.texts(1) == ["said"]
    sync = await taro.syncs()
    assert sync.room(muted)["unread_notifications"]["notification_count"] == 0
    assert sync.room(room)["unread_notifications"]["notification_count"] == 1


async def test_an_app_that_wants_only_ids_gets_only_ids(node: RunningNode, gateway: Gateway) -> None:
    (hanako, taro), room = await together(node, "hanako", "taro")
    await has_pusher(taro, gateway, data={"format": "event_id_only", "default_payload": {"a": 1}})
    event_id = await hanako.says(room, "secret")
    told = await gateway.next()
    assert told.keys() == {"event_id", "room_id", "prio", "counts", "devices"}
    assert (told["event_id"], told["room_id"]) == (event_id, room)
    assert told["devices"][0]["data"] == {"format": "event_id_only", "default_payload": {"a": 1}}


async def test_the_number_goes_up_with_messages_and_down_with_reading(node: RunningNode, gateway: Gateway) -> None:
    (hanako, taro), room = await together(node, "hanako", "taro")
    other = await hanako.creates_room(preset="public_chat")
    await taro.joins(other)
    await has_pusher(taro, gateway)
    numbers = []
    for place in (room, other, room):
        last = await hanako.says(place, "a")
        numbers.append((await gateway.next())["counts"]["unread"])
    assert numbers == [1, 2, 3]
    await taro.reads(room, last)
    told = await gateway.next()
    assert told == {"counts": {"unread": 1}, "prio": "low", "devices": told["devices"]}
    last = await hanako.says(other, "b")
    assert (await gateway.next())["counts"] == {"unread": 2}
    await taro.reads(other, last)
    assert (await gateway.next())["counts"] == {}


async def test_what_a_gateway_did_not_take_is_told_again(
    node: RunningNode, gateway: Gateway, clock: FakeClock
) -> None:
    (hanako, taro), room = await together(node, "hanako", "taro")
    await has_pusher(taro, gateway)
    for _ in range(3):
        gateway.then(status=500)
    await hanako.says(room, "one")
    await hanako.says(room, "two")
    for seconds in (1, 2, 4):
        assert await gateway.texts(1) == ["one"]
        await passes(clock, seconds - 0.5)
        assert gateway.told.empty()
        await passes(clock, 0.5)
    assert await gateway.texts(2) == ["one", "two"]


async def test_a_gateway_that_was_away_hears_of_what_is_still_unread(
    node: RunningNode, gateway: Gateway, clock: FakeClock
) -> None:
    (hanako, taro), room = await together(node, "hanako", "taro")
    await has_pusher(taro, gateway)
    gateway.then(status=502)
    first = await hanako.says(room, "one")
    await gateway.next()
    await hanako.says(room, "two")
    await taro.reads(room, first)
    await passes(clock, 1)
    assert await gateway.texts(1) == ["two"]


async def test_what_nobody_could_be_told_for_a_day_is_no_news(
    node: RunningNode, gateway: Gateway, clock: FakeClock
) -> None:
    (hanako, taro), room = await together(node, "hanako", "taro")
    await has_pusher(taro, gateway)
    for _ in range(18):
        gateway.then(status=500)
    await hanako.says(room, "old")
    for doubling in range(18):
        assert await gateway.texts(1) == ["old"]
        await passes(clock, min(2 ** doubling, HOUR_S))
    clock._start_ms += 24 * HOUR_S * 1000
    gateway.told = asyncio.Queue()
    await passes(clock, HOUR_S)
    await hanako.says(room, "new")
    await passes(clock, HOUR_S)
    texts = await gateway.texts(1)
    assert texts == ["new"] or (texts == ["old"] and await gateway.texts(1) == ["new"])


async def test_a_restart_loses_nothing(node: RunningNode, gateway: Gateway) -> None:
    (hanako, taro), room = await together(node, "hanako", "taro")
    await has_pusher(taro, gateway)
    await hanako.says(room, "one")
    assert await gateway.texts(1) == ["one"]
    gateway.then(status=500)
    await hanako.says(room, "two")
    await gateway.next()
    await node.restart()
    assert await gateway.texts(1) == ["two"]
    await node.restart()
    await hanako.says(room, "three")
    assert await gateway.texts(1) == ["three"]


async def test_a_rejected_pushkey_is_never_used_again(node: RunningNode, gateway: Gateway) -> None:
    (hanako, taro), room = await together(node, "hanako", "taro")
    await has_pusher(taro, gateway)
    await has_pusher(taro, gateway, pushkey="other")
    gateway.then({"rejected": ["key", "other", "nobody's"]})
    await hanako.says(room, "one")
    await hanako.says(room, "two")
    told = [await gateway.next() for _ in range(3)]
    rejected = told[0]["devices"][0]["pushkey"]
    kept = {"key": "other", "other": "key"}[rejected]
    assert [item["devices"][0]["pushkey"] for item in told[1:]] == [kept, kept]
    async with asyncio.timeout(60):
        while await pushkeys(taro) != [kept]:
            await asyncio.sleep(0.01)


async def test_a_pusher_that_is_switched_off_is_silent(node: RunningNode, gateway: Gateway) -> None:
    (hanako, taro), room = await together(node, "hanako", "taro")
    await has_pusher(taro, gateway, **{"org.matrix.msc3881.enabled": False})
    await hanako.says(room, "one")
    await has_pusher(taro, gateway, **{"org.matrix.msc3881.enabled": True})
    await hanako.says(room, "two")
    assert await gateway.texts(1) == ["two"]


async def test_whoever_left_is_not_told_any_more(node: RunningNode, gateway: Gateway, clock: FakeClock) -> None:
    (hanako, taro), room = await together(node, "hanako", "taro")
    other = await hanako.creates_room(preset="public_chat")
    await taro.joins(other)
    await has_pusher(taro, gateway)
    gateway.then(status=500)
    await hanako.says(room, "left behind")
    await gateway.next()
    await taro.leaves(room)
    await hanako.says(other, "seen")
    await passes(clock, 1)
    assert await gateway.texts(1) == ["seen"]


async def test_one_silent_gateway_holds_up_nobody_else(node: RunningNode, gateway: Gateway) -> None:
    people, room = await together(node, *[f"person{number}" for number in range(10)])
    released = asyncio.Event()

    async def hang(_request: web.Request) -> web.StreamResponse:
        await released.wait()
        return web.json_response({})

    async with Gateway() as silent:
        silent.answers = [hang] * 100
        for person in people[1:9]:
            await has_pusher(person, silent, pushkey=person.user_id)
        await has_pusher(people[9], gateway)
        for number in range(3):
            await people[0].says(room, str(number))
        assert await gateway.texts(3) == ["0", "1", "2"]
        released.set()


async def test_huge_answers_and_nonsense_do_no_harm(
    node: RunningNode, gateway: Gateway, clock: FakeClock
) -> None:
    (hanako, taro), room = await together(node, "hanako", "taro")
    await has_pusher(taro, gateway)

    async def flood(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(64):
            await response.write(b" " * 16_384)
        return response

    gateway.answers.append(flood)
    gateway.then("nonsense")
    await hanako.says(room, "one")
    assert await gateway.texts(1) == ["one"]
    await passes(clock, 1)
    assert await gateway.texts(1) == ["one"]
    gateway.then({"rejected": "key"})
    await hanako.says(room, "two")
    assert await gateway.texts(1) == ["two"]
    assert await pushkeys(taro) == ["key"]


async def test_no_gateway_leads_the_node_elsewhere(node: RunningNode, gateway: Gateway, clock: FakeClock) -> None:
    (hanako, taro), room = await together(node, "hanako", "taro")
    async with Gateway() as elsewhere:
        await has_pusher(taro, gateway)
        gateway.then(status=307, headers={"Location": elsewhere.url})
        await hanako.says(room, "one")
        assert await gateway.texts(1) == ["one"]
        await passes(clock, 1)
        assert await gateway.texts(1) == ["one"]
        assert elsewhere.told.empty()


async def test_private_addresses_are_not_knocked_at_unless_they_are_allowed(
    node: RunningNode, gateway: Gateway
) -> None:
    (hanako, taro), room = await together(node, "hanako", "taro")
    await has_pusher(taro, gateway)
    url = "https://192.168.77.1/_matrix/push/v1/notify"
    await has_pusher(taro, gateway, pushkey="forbidden", data={"url": url})
    await hanako.says(room, "one")
    assert await gateway.texts(1) == ["one"]


async def test_nothing_runs_while_nobody_has_a_pusher(node: RunningNode) -> None:
    (hanako, taro), room = await together(node, "hanako", "taro")
    await taro.reads(room, await hanako.says(room, "one"))
    assert node.inside.services.pushers.users == set()
    assert "pushes" not in {task.get_name() for task in asyncio.all_tasks()}
