"""Lists of devices as another server tells them: in order, with gaps, late, wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.builders import Person, RunningNode
from tests.federation.neighbours import (
    CURVE,
    asks_for_keys,
    changed,
    cross_signing_keys,
    device_keys,
    devices_of,
    publishes_cross_signing,
    until,
    uploads,
)
from tests.federation.stranger import Asked, Said, Stranger, meeting
from tests.federation.stranger_room import StrangerRoom

Json = dict[str, Any]


class Devices:
    """The devices of somebody at a stranger's server."""

    def __init__(self, oni: Stranger, user_id: str) -> None:
        self.oni = oni
        self.user_id = user_id
        self.stream_id = 1
        self.keys: dict[str, Json] = {}
        self.more: Json = {}
        self.fetched = asyncio.Event()
        oni.tells["user"] = self.answer

    def answer(self, asked: Asked) -> Any:
        if asked.names[0] == "devices":
            self.fetched.set()
            return {"user_id": self.user_id, "stream_id": self.stream_id, "devices": [
                {"device_id": name, "keys": keys} for name, keys in self.keys.items()
            ], **self.more}
        return {"device_keys": {self.user_id: self.keys}}

    @property
    def fetches(self) -> int:
        return len([asked for asked in self.oni.asked_for("user") if asked.names[0] == "devices"])

    def add(self, name: str, seed: int = 3) -> Json:
        self.keys[name] = device_keys(self.user_id, name, seed)
        return self.keys[name]

    def update(self, name: str, previous: list[int], **more: Any) -> Json:
        content = {"user_id": self.user_id, "device_id": name, "stream_id": self.stream_id, "prev_id": previous}
        if name in self.keys:
            content["keys"] = self.keys[name]
        else:
            content["deleted"] = True
        return {"edu_type": "m.device_list_update", "content": {**content, **more}}


@asynccontextmanager
async def met(folder: Path) -> AsyncIterator[tuple[RunningNode, Stranger, Person, StrangerRoom, Devices]]:
    """Oni has come into hanako's room, with one device."""
    async with meeting(folder) as (node, oni):
        hanako = await node.user("hanako")
        room = await oni.joins(node, await hanako.creates_room(preset="public_chat"))
        devices = Devices(oni, oni.user("oni"))
        devices.add("ONE")
        yield node, oni, hanako, room, devices


async def test_a_list_is_fetched_once_and_kept(tmp_path: Path) -> None:
    async with met(tmp_path) as (_node, _oni, hanako, _room, devices):
        for _ in range(3):
            assert set(await devices_of(hanako, devices.user_id)) == {"ONE"}
        assert devices.fetches == 1


async def test_updates_in_order_need_no_further_question(tmp_path: Path) -> None:
    async with met(tmp_path) as (node, oni, hanako, _room, devices):
        await devices_of(hanako, devices.user_id)
        since = (await hanako.syncs()).token
        devices.add("TWO", 4)
        devices.stream_id = 2
        await oni.sends(node, edus=[devices.update("TWO", [1], device_display_name="板")])
        await until(hanako, changed(devices.user_id), since)
        found = await devices_of(hanako, devices.user_id)
        assert found == {"ONE": {**devices.keys["ONE"], "unsigned": {}},
                         "TWO": {**devices.keys["TWO"], "unsigned": {"device_display_name": "板"}}}
        del devices.keys["ONE"]
        devices.stream_id = 3
        await oni.sends(node, edus=[devices.update("ONE", [2])])
        await oni.sends(node, edus=[devices.update("ONE", [2])])  # once more
        assert set(await devices_of(hanako, devices.user_id)) == {"TWO"}
        assert devices.fetches == 1


async def test_where_an_update_is_missing_the_next_one_makes_us_ask_for_all(tmp_path: Path) -> None:
    async with met(tmp_path) as (node, oni, hanako, _room, devices):
        await devices_of(hanako, devices.user_id)
        since = (await hanako.syncs()).token
        devices.add("TWO", 4)
        devices.add("THREE", 5)
        devices.stream_id = 3
        devices.fetched.clear()
        await oni.sends(node, edus=[devices.update("THREE", [2])])
        await asyncio.wait_for(devices.fetched.wait(), 20)
        await until(hanako, changed(devices.user_id), since)
        assert set(await devices_of(hanako, devices.user_id)) == {"ONE", "TWO", "THREE"}
        assert devices.fetches == 2


async def test_an_update_of_a_list_that_nobody_has_asked_for_makes_us_ask(tmp_path: Path) -> None:
    async with met(tmp_path) as (node, oni, hanako, _room, devices):
        since = (await hanako.syncs()).token
        await oni.sends(node, edus=[devices.update("ONE", [])])
        await asyncio.wait_for(devices.fetched.wait(), 20)
        await until(hanako, changed(devices.user_id), since)
        assert set(await devices_of(hanako, devices.user_id)) == {"ONE"}
        assert devices.fetches == 1


async def test_a_server_that_cannot_be_asked_for_lists_is_asked_for_keys(tmp_path: Path) -> None:
    async with met(tmp_path) as (_node, oni, hanako, _room, devices):
        oni.tells["user"] = lambda asked: devices.answer(asked) if asked.names[0] == "keys" else Said(
            404, {"errcode": "M_UNRECOGNIZED", "error": "no such door"})
        answer = await asks_for_keys(hanako, devices.user_id)
        assert set(answer["device_keys"][devices.user_id]) == {"ONE"}
        assert answer["failures"] == {}


async def test_a_list_that_could_not_be_fetched_is_fetched_when_it_is_asked_for(tmp_path: Path) -> None:
    async with met(tmp_path) as (node, oni, hanako, _room, devices):
        await devices_of(hanako, devices.user_id)
        devices.add("TWO", 4)
        devices.stream_id = 9
        failed = asyncio.Event()

        def fail(_asked: Asked) -> Said:
            failed.set()
            return Said(500)

        oni.tells["user"] = fail
        await oni.sends(node, edus=[devices.update("TWO", [8])])
        await asyncio.wait_for(failed.wait(), 20)
        assert set(await devices_of(hanako, devices.user_id)) == {"ONE"}
        oni.tells["user"] = devices.answer
        assert set(await devices_of(hanako, devices.user_id)) == {"ONE", "TWO"}


async def test_a_list_that_is_outdated_at_a_restart_is_fetched_after_it(tmp_path: Path) -> None:
    async with met(tmp_path) as (node, oni, hanako, _room, devices):
        await devices_of(hanako, devices.user_id)
        failed = asyncio.Event()

        def fail(_asked: Asked) -> Said:
            failed.set()
            return Said(500)

        oni.tells["user"] = fail
        devices.add("TWO", 4)
        devices.stream_id = 9
        await oni.sends(node, edus=[devices.update("TWO", [8])])
        await asyncio.wait_for(failed.wait(), 20)
        oni.tells["user"] = devices.answer
        devices.fetched.clear()
        await node.restart()
        await oni.sends(node)
        await asyncio.wait_for(devices.fetched.wait(), 20)
        assert set(await devices_of(hanako, devices.user_id)) == {"ONE", "TWO"}


async def test_after_leaving_and_coming_back_the_list_is_asked_for_again(tmp_path: Path) -> None:
    async with met(tmp_path) as (node, oni, hanako, room, devices):
        await devices_of(hanako, devices.user_id)
        leave = room.put(devices.user_id, "m.room.member", {"membership": "leave"}, devices.user_id)
        await oni.tells_of(node, leave)
        devices.add("TWO", 4)
        await oni.joins(node, room.room_id)
        assert set(await devices_of(hanako, devices.user_id)) == {"ONE", "TWO"}
        assert devices.fetches == 2


async def test_cross_signing_keys_count_only_with_the_signature_of_the_master_key(tmp_path: Path) -> None:
    async with met(tmp_path) as (node, oni, hanako, _room, devices):
        master, self_signing = cross_signing_keys(devices.user_id, 20)
        devices.more = {"master_key": master, "self_signing_key": self_signing}
        answer = await asks_for_keys(hanako, devices.user_id)
        assert answer["master_keys"] == {devices.user_id: master}
        assert answer["self_signing_keys"] == {devices.user_id: self_signing}

        _, forged = cross_signing_keys(devices.user_id, 30)
        content = {"user_id": devices.user_id, "master_key": master, "self_signing_key": forged}
        await oni.sends(node, edus=[{"edu_type": "m.signing_key_update", "content": content}])
        answer = await asks_for_keys(hanako, devices.user_id)
        assert answer["self_signing_keys"] == {}

        master, self_signing = cross_signing_keys(devices.user_id, 40)
        content = {"user_id": devices.user_id, "master_key": master, "self_signing_key": self_signing}
        since = (await hanako.syncs()).token
        await oni.sends(node, edus=[{"edu_type": "org.matrix.signing_key_update", "content": content}])
        await until(hanako, changed(devices.user_id), since)
        answer = await asks_for_keys(hanako, devices.user_id)
        assert answer["master_keys"] == {devices.user_id: master}
        assert answer["self_signing_keys"] == {devices.user_id: self_signing}


async def test_nobody_is_believed_about_users_of_others(tmp_path: Path) -> None:
    async with meeting(tmp_path, 2) as (node, oni, kitsune):
        hanako = await node.user("hanako")
        room = await hanako.creates_room(preset="public_chat")
        await oni.joins(node, room)
        await kitsune.joins(node, room, "kitsune")
        devices = Devices(oni, oni.user("oni"))
        devices.add("ONE")
        await uploads(hanako)
        await devices_of(hanako, devices.user_id)
        since = (await hanako.syncs()).token

        devices.stream_id = 2
        of_hanako = device_keys(hanako.user_id, "FALSE")
        wrong = [devices.update("ONE", [1], keys=device_keys(devices.user_id, "ONE", 66))]
        wrong += [{"edu_type": "m.device_list_update", "content": {
            "user_id": hanako.user_id, "device_id": "FALSE", "stream_id": 5, "prev_id": [], "keys": of_hanako}}]
        for user_id in (devices.user_id, hanako.user_id):
            master, self_signing = cross_signing_keys(user_id, 50)
            wrong.append({"edu_type": "m.signing_key_update", "content": {
                "user_id": user_id, "master_key": master, "self_signing_key": self_signing}})
            wrong.append({"edu_type": "m.direct_to_device", "content": {
                "sender": user_id, "type": "test", "message_id": f"m{user_id}"[:30],
                "messages": {hanako.user_id: {"*": {}}}}})
            wrong.append({"edu_type": "m.presence", "content": {
                "push": [{"user_id": user_id, "presence": "online", "status_msg": "嘘", "last_active_ago": 1}]}})
            wrong.append({"edu_type": "m.typing", "content": {"room_id": room, "user_id": user_id, "typing": True}})
        assert (await kitsune.sends(node, edus=wrong)).status == 200

        said = {"room_id": room, "user_id": kitsune.user("kitsune"), "typing": True}
        await kitsune.sends(node, edus=[{"edu_type": "m.typing", "content": said}])
        news = await until(hanako, lambda news: news if news.ephemeral(room, "m.typing") else None, since)
        assert news.ephemeral(room, "m.typing") == {"user_ids": [kitsune.user("kitsune")]}
        assert "嘘" not in str(news.body)
        assert not news.body.get("to_device", {}).get("events")
        found = await asks_for_keys(hanako, devices.user_id)
        assert found["device_keys"][devices.user_id]["ONE"]["keys"] == devices.keys["ONE"]["keys"]
        assert found["master_keys"] == {}
        assert set(await devices_of(hanako, hanako.user_id)) == {hanako.device_id}


async def test_receipts_of_others_and_of_strangers_to_the_room_are_not_taken(tmp_path: Path) -> None:
    async with met(tmp_path) as (node, oni, hanako, room, _devices):
        taro = await node.user("taro")
        await taro.joins(room.room_id)
        said = await hanako.says(room.room_id, "一")
        private = await hanako.creates_room()
        hidden = await hanako.says(private, "内緒")

        def receipt(room_id: str, user_id: str, event_id: str, kind: str = "m.read") -> Json:
            told = {kind: {user_id: {"event_ids": [event_id], "data": {"ts": 1_533_358_089_009}}}}
            return {"edu_type": "m.receipt", "content": {room_id: told}}

        own = oni.user("oni")
        assert (await oni.sends(node, edus=[
            receipt(room.room_id, taro.user_id, said), receipt(private, own, hidden),
            receipt(room.room_id, oni.user("never_came"), said), receipt("!nowhere:x", own, said),
            receipt(room.room_id, own, said, "m.read.private"), receipt(room.room_id, own, said),
        ])).status == 200
        news = await until(hanako, lambda news: news if news.ephemeral(room.room_id, "m.receipt") else None)
        assert news.ephemeral(room.room_id, "m.receipt") == {said: {"m.read": {own: {"ts": 1_533_358_089_009}}}}
        assert news.ephemeral(private, "m.receipt") is None


async def test_a_message_to_a_device_comes_once_whatever_transaction_brings_it(tmp_path: Path) -> None:
    async with met(tmp_path) as (node, oni, hanako, _room, _devices):
        content = {"sender": oni.user("oni"), "type": "test", "message_id": "m1",
                   "messages": {hanako.user_id: {"*": {"n": 1}}, "@other:elsewhere.example": {"*": {"n": 1}}}}
        for _ in range(3):
            assert (await oni.sends(node, edus=[{"edu_type": "m.direct_to_device", "content": content}])).status == 200
        await node.restart()
        await oni.sends(node, edus=[{"edu_type": "m.direct_to_device", "content": content}])
        news = await hanako.syncs()
        assert [event["content"] for event in news.body["to_device"]["events"]] == [{"n": 1}]


ODD: list[Any] = [
    None, [], "x", 5, -1, 2**60, 1.5, True, {}, {"a": None}, [None], "a" * 70_000, "a\0b", [[[]]], {"@": {"*": 5}},
]


@pytest.mark.parametrize("kind", [
    "m.typing", "m.receipt", "m.presence", "m.direct_to_device", "m.device_list_update", "m.signing_key_update",
])
async def test_odd_messages_harm_nobody(kind: str, tmp_path: Path) -> None:
    async with met(tmp_path) as (node, oni, hanako, room, devices):
        own = devices.user_id
        good: Json = {
            "room_id": room.room_id, "user_id": own, "typing": True, "sender": own, "type": "test",
            "message_id": "odd", "messages": {hanako.user_id: {"*": {}}}, "device_id": "X", "stream_id": 5,
            "prev_id": [1], "keys": device_keys(own, "X"), "push": [{"user_id": own, "presence": "online"}],
            "master_key": {}, "self_signing_key": {},
            room.room_id: {"m.read": {own: {"event_ids": ["$x"], "data": {}}}},
        }
        edus: list[Json] = [{"edu_type": kind, "content": {**good, name: odd}} for name in good for odd in ODD[:13]]
        edus += [{"edu_type": kind, "content": {room.room_id: {"m.read": {own: odd}}}} for odd in ODD]
        edus += [{"edu_type": kind, "content": {**good, "push": [{"user_id": own, "presence": odd, "status_msg": odd,
                                                                  "last_active_ago": odd}]}} for odd in ODD]
        edus += [{"edu_type": kind, "content": odd} for odd in ODD]
        for start in range(0, len(edus), 40):
            answer = await oni.sends(node, edus=edus[start:start + 40])
            assert answer.status in (200, 400), answer
        letter = {"sender": own, "type": "test.last", "message_id": "last", "messages": {hanako.user_id: {"*": {}}}}
        assert (await oni.sends(node, edus=[{"edu_type": "m.direct_to_device", "content": letter}])).status == 200
        await until(hanako, lambda news: "test.last" in str(news.body.get("to_device")) or None)


async def test_what_other_servers_are_told_of_our_devices(tmp_path: Path) -> None:
    async with met(tmp_path) as (node, oni, hanako, _room, _devices):
        await hanako.put(f"v3/devices/{hanako.device_id}", {"display_name": "花子の携帯"})
        keys = await uploads(hanako, 9, "A")
        master, self_signing = await publishes_cross_signing(hanako, 20)
        told = (await oni.asks(node, "GET", f"v1/user/devices/{hanako.user_id}")).body
        assert told["devices"] == [{"device_id": hanako.device_id, "keys": keys}]
        assert (told["master_key"], told["self_signing_key"]) == (master, self_signing)
        asked: Json = {"device_keys": {hanako.user_id: [], oni.user("oni"): [], "@x:elsewhere.example": []}}
        answer = (await oni.asks(node, "POST", "v1/user/keys/query", asked)).body
        assert answer == {"device_keys": {hanako.user_id: {hanako.device_id: keys}},
                          "master_keys": {hanako.user_id: master}, "self_signing_keys": {hanako.user_id: self_signing}}
        asked = {"one_time_keys": {hanako.user_id: {hanako.device_id: CURVE}}}
        given = [(await oni.asks(node, "POST", "v1/user/keys/claim", asked)).body for _ in range(2)]
        assert list(given[0]["one_time_keys"][hanako.user_id][hanako.device_id]) == [f"{CURVE}:A"]
        assert given[1] == {"one_time_keys": {}}
        assert (await oni.asks(node, "GET", f"v1/user/devices/@nobody:{node.settings.server_name}")).status == 404


@pytest.mark.parametrize(("door", "body"), [
    ("query", {}), ("query", {"device_keys": []}), ("query", {"device_keys": {"@a:b": 5}}),
    ("query", {"device_keys": {"@a:b": [5]}}), ("claim", {"one_time_keys": {"@a:b": []}}),
    ("claim", {"one_time_keys": {"@a:b": {"X": 5}}}), ("claim", {"one_time_keys": {"@a:b": {"X\0": "y"}}}),
])
async def test_odd_questions_are_refused(door: str, body: Json, tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        assert (await oni.asks(node, "POST", f"v1/user/keys/{door}", body)).status == 400


async def test_updates_of_ours_name_the_one_before_them(tmp_path: Path) -> None:
    async with met(tmp_path) as (node, oni, hanako, room, _devices):
        def told() -> list[Json]:
            return [edu["content"] for asked in oni.asked_for("send") for edu in asked.content["edus"]
                    if edu["edu_type"] == "m.device_list_update"]

        keys = await uploads(hanako)
        await hanako.says(room.room_id, "一")
        while not told():
            await hanako.syncs((await hanako.syncs()).token, timeout=50)
        assert told()[-1]["keys"] == keys
        number = told()[-1]["stream_id"]
        assert number <= (await oni.asks(node, "GET", f"v1/user/devices/{hanako.user_id}"))["stream_id"]
        phone = await node.user("hanako", "PHONE")
        await uploads(phone, 4)
        while told()[-1]["device_id"] != "PHONE":
            await hanako.syncs((await hanako.syncs()).token, timeout=50)
        assert told()[-1]["prev_id"] == [number]
