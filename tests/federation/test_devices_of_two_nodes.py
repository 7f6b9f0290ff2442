"""Devices, keys and messages to devices between people of two nodes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.builders import Person, Sync
from tests.federation.neighbours import (
    CURVE,
    asks_for_keys,
    changed,
    devices_of,
    neighbours,
    publishes_cross_signing,
    until,
    uploads,
)


def letters(news: Sync) -> list[Any]:
    return [event for event in news.body.get("to_device", {}).get("events", []) if event["type"] == "test.letter"]


def letter(news: Sync) -> Any:
    return next(iter(letters(news)), None)


async def sends(person: Person, to: Person, text: str, device: str = "*", txn: str = "a") -> None:
    messages = {to.user_id: {device: {"text": text}}}
    answer = await person.put(f"v3/sendToDevice/test.letter/{txn}", {"messages": messages})
    assert answer.status == 200, answer


async def test_keys_of_other_servers_are_found(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (_, ume, hanako, taro, _room):
        keys = await uploads(taro)
        stranger = await ume.node.user("jiro")
        others = await uploads(stranger)
        assert await devices_of(hanako, taro.user_id) == {taro.device_id: {**keys, "unsigned": {}}}
        assert await devices_of(hanako, stranger.user_id) == {stranger.device_id: {**others, "unsigned": {}}}
        answer = await asks_for_keys(hanako, f"@nobody:{ume.name}")
        assert answer["failures"] == {}
        assert not answer["device_keys"].get(f"@nobody:{ume.name}")


async def test_a_change_of_devices_is_told(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (_, ume, hanako, taro, _room):
        since = (await hanako.syncs()).token
        await uploads(taro)
        since = (await until(hanako, changed(taro.user_id), since)).token
        assert set(await devices_of(hanako, taro.user_id)) == {taro.device_id}

        tablet = await ume.node.user("taro", "TABLET")
        await uploads(tablet, 5)
        news = await until(hanako, changed(taro.user_id), since)
        found = await devices_of(hanako, taro.user_id)
        while set(found) != {taro.device_id, "TABLET"}:  # the device is told before its keys
            news = await until(hanako, changed(taro.user_id), news.token)
            found = await devices_of(hanako, taro.user_id)

        assert (await tablet.post("v3/logout")).status == 200
        last = await until(hanako, changed(taro.user_id), news.token)
        assert set(await devices_of(hanako, taro.user_id)) == {taro.device_id}
        told = await hanako.get("v3/keys/changes", **{"from": since, "to": last.token})
        assert taro.user_id in told["changed"]


async def test_cross_signing_keys_are_told_and_the_user_signing_key_never(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (_, _ume, hanako, taro, _room):
        since = (await hanako.syncs()).token
        await uploads(taro)
        since = (await until(hanako, changed(taro.user_id), since)).token
        await devices_of(hanako, taro.user_id)
        master, self_signing = await publishes_cross_signing(taro, 20)
        await until(hanako, changed(taro.user_id), since)
        answer = await asks_for_keys(hanako, taro.user_id)
        assert answer["master_keys"] == {taro.user_id: master}
        assert answer["self_signing_keys"] == {taro.user_id: self_signing}
        assert answer["user_signing_keys"] == {}


async def test_one_time_keys_are_claimed_once(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (_, ume, hanako, taro, _room):
        await uploads(taro, 9, "A", "B")
        wanted = {"one_time_keys": {taro.user_id: {taro.device_id: CURVE}, f"@x:{ume.name}": {"Y": CURVE}}}
        given = [(await hanako.post("v3/keys/claim", wanted)).body for _ in range(3)]
        keys = [answer["one_time_keys"].get(taro.user_id, {}).get(taro.device_id, {}) for answer in given]
        assert [list(key) for key in keys] == [[f"{CURVE}:A"], [f"{CURVE}:B"], []]
        assert given[0]["failures"] == {}


async def test_a_message_reaches_all_devices_of_somebody_once(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (_, ume, hanako, taro, _room):
        tablet = await ume.node.user("taro", "TABLET")
        await sends(hanako, taro, "全部へ")
        await sends(hanako, taro, "全部へ")  # the same transaction again
        for device in (taro, tablet):
            told = await until(device, letter)
            assert told == {"type": "test.letter", "sender": hanako.user_id, "content": {"text": "全部へ"}}
        await sends(hanako, taro, "タブレットへ", "TABLET", "b")
        second = await until(tablet, lambda news: [item["content"]["text"] for item in letters(news)][-1:] or None)
        assert second in (["全部へ"], ["タブレットへ"])
        since = (await taro.syncs()).token
        await sends(hanako, taro, "携帯へ", taro.device_id, "c")
        assert (await until(taro, letter, since))["content"] == {"text": "携帯へ"}


async def test_nothing_is_lost_and_nothing_doubled_while_the_other_node_is_away(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (sakura, ume, hanako, taro, room):
        await uploads(taro)
        await uploads(hanako)
        await devices_of(taro, hanako.user_id)
        since = (await taro.syncs()).token
        await ume.stop()
        phone = await sakura.node.user("hanako", "PHONE")
        keys = await uploads(phone, 7)
        for number in range(5):
            await sends(hanako, taro, str(number), txn=f"n{number}")
        # What passes is not kept for anybody.
        assert (await hanako.put(f"v3/rooms/{room}/typing/{hanako.user_id}", {"typing": True})).status == 200
        await sakura.stop()
        await sakura.start()
        await ume.start()
        # Who speaks shows that they are back.
        await taro.says(room, "ただいま")

        found: list[str] = []

        def all_five(news: Sync) -> bool | None:
            found.extend(item["content"]["text"] for item in letters(news))
            return len(found) >= 5 or None

        await until(taro, all_five, since)
        assert found == ["0", "1", "2", "3", "4"]
        while "PHONE" not in (devices := await devices_of(taro, hanako.user_id)):
            await until(taro, changed(hanako.user_id), since)
        assert devices["PHONE"] == {**keys, "unsigned": {}}


async def test_what_is_known_stays_while_the_other_server_is_away(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (_, ume, hanako, taro, _room):
        keys = await uploads(taro)
        other = await ume.node.user("jiro")
        assert await devices_of(hanako, taro.user_id) == {taro.device_id: {**keys, "unsigned": {}}}
        await ume.stop()
        answer = await asks_for_keys(hanako, taro.user_id, timeout=2_000)
        assert answer["device_keys"] == {taro.user_id: {taro.device_id: {**keys, "unsigned": {}}}}
        assert answer["failures"] == {}
        answer = await asks_for_keys(hanako, other.user_id, timeout=2_000)
        assert set(answer["failures"]) == {ume.name}
        claimed = await hanako.post("v3/keys/claim", {"one_time_keys": {taro.user_id: {taro.device_id: CURVE}}})
        assert set(claimed["failures"]) == {ume.name}
        await ume.start()


async def test_who_has_left_tells_no_more_and_is_looked_up_again_after_coming_back(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (sakura, ume, hanako, taro, room):
        await uploads(taro)
        await devices_of(hanako, taro.user_id)
        since = (await hanako.syncs()).token
        await taro.leaves(room)
        gone = await until(hanako, lambda news: news if taro.user_id in news.body.get("device_lists", {}).get(
            "left", []) else None, since)
        tablet = await ume.node.user("taro", "TABLET")
        await uploads(tablet, 5)
        assert (await taro.post(f"v3/join/{room}", via=sakura.name)).status == 200
        await until(hanako, changed(taro.user_id), gone.token)
        assert set(await devices_of(hanako, taro.user_id)) == {taro.device_id, "TABLET"}
