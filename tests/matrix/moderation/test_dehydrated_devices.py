"""Devices that wait at the node (MSC3814)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import Person, RunningNode

PATH = "unstable/org.matrix.msc3814.v1/dehydrated_device"
DATA = {"algorithm": "org.matrix.msc3814.v2", "device_pickle": "abc", "nonce": "def"}


def device(owner: Person, name: str = "ASLEEP", **more: Any) -> dict[str, Any]:
    keys = {
        "user_id": owner.user_id, "device_id": name, "algorithms": ["m.olm.v1"], "dehydrated": True,
        "keys": {f"ed25519:{name}": "x"}, "signatures": {},
    }
    one_time = {"signed_curve25519:AAAA": {"key": "k", "signatures": {}}}
    return {
        "device_id": name, "device_data": DATA, "initial_device_display_name": "asleep", "device_keys": keys,
        "one_time_keys": one_time, **more,
    }


async def keys_of(reader: Person, owner: Person) -> dict[str, Any]:
    answer = await reader.post("v3/keys/query", {"device_keys": {owner.user_id: []}})
    found: dict[str, Any] = answer["device_keys"][owner.user_id]
    return found


async def test_a_device_is_left_and_found_again_by_the_next_login(node: RunningNode) -> None:
    hana = await node.user("hana")
    assert (await hana.put(PATH, device(hana))).body == {"device_id": "ASLEEP"}
    again = await node.user("hana")
    assert (await again.get(PATH)).body == {"device_id": "ASLEEP", "device_data": DATA}
    jiro = await node.user("jiro")
    assert (await keys_of(jiro, hana))["ASLEEP"]["dehydrated"] is True
    claimed = await jiro.post("v3/keys/claim", {"one_time_keys": {hana.user_id: {"ASLEEP": "signed_curve25519"}}})
    assert "signed_curve25519:AAAA" in claimed["one_time_keys"][hana.user_id]["ASLEEP"]


async def test_what_arrives_is_read_page_by_page_and_again(node: RunningNode) -> None:
    hana, jiro = await node.users("hana", "jiro")
    await hana.put(PATH, device(hana))
    for number in range(130):
        body = {"messages": {hana.user_id: {"ASLEEP": {"number": number}}}}
        await jiro.put(f"v3/sendToDevice/jp.key/t{number}", body)
    found: list[int] = []
    next_batch: dict[str, str] = {}
    while True:
        page = await hana.post(f"{PATH}/ASLEEP/events", next_batch)
        if not page["events"]:
            break
        found += [event["content"]["number"] for event in page["events"]]
        next_batch = {"next_batch": page["next_batch"]}
    assert found == list(range(130))
    assert len((await hana.post(f"{PATH}/ASLEEP/events", {}))["events"]) == 100
    assert await read_by_get(hana) == list(range(130))


async def read_by_get(hana: Person) -> list[int]:
    """As matrix-js-sdk 43 does it: on and on, until an answer names no place to go on from."""
    found: list[int] = []
    query: dict[str, str] = {}
    while True:
        page = await hana.get(f"{PATH}/ASLEEP/events", **query)
        found += [event["content"]["number"] for event in page["events"]]
        if "next_batch" not in page.body:
            return found
        query = {"from": page["next_batch"]}


async def test_a_new_one_replaces_the_old_one(node: RunningNode) -> None:
    hana = await node.user("hana")
    await hana.put(PATH, device(hana))
    await hana.put(PATH, device(hana, "NEWER"))
    assert (await hana.get(PATH))["device_id"] == "NEWER"
    assert set(await keys_of(hana, hana)) == {"NEWER"}
    names = [item["device_id"] for item in (await hana.get("v3/devices"))["devices"]]
    assert sorted(names) == sorted([hana.device_id, "NEWER"])


async def test_it_goes_when_it_is_removed_either_way(node: RunningNode) -> None:
    hana = await node.user("hana")
    await hana.put(PATH, device(hana))
    assert (await hana.delete(PATH)).body == {"device_id": "ASLEEP"}
    await hana.put(PATH, device(hana))
    await node.inside.accounts.sessions.drop(hana.user_id, ["ASLEEP"])
    for answer in (await hana.get(PATH), await hana.delete(PATH), await hana.post(f"{PATH}/ASLEEP/events", {})):
        assert answer.refusal == (404, "M_NOT_FOUND")
    assert await keys_of(hana, hana) == {}


@pytest.mark.parametrize(("change", "code"), [
    ({"device_id": "OTHER"}, "M_BAD_JSON"),
    ({"device_id": None}, "M_MISSING_PARAM"),
    ({"device_data": {"nonce": "x"}}, "M_MISSING_PARAM"),
    ({"device_data": "x"}, "M_BAD_JSON"),
    ({"device_keys": None}, "M_MISSING_PARAM"),
    ({"one_time_keys": {"nothing": "x"}}, "M_BAD_JSON"),
    ({"one_time_keys": {f"a:{number}": "x" for number in range(2001)}}, "M_INVALID_PARAM"),
])  # fmt: skip
async def test_a_refused_device_changes_nothing(node: RunningNode, change: dict[str, Any], code: str) -> None:
    hana = await node.user("hana")
    await hana.put(PATH, device(hana))
    before = await keys_of(hana, hana)
    assert (await hana.put(PATH, {**device(hana), **change})).refusal == (400, code)
    assert await keys_of(hana, hana) == before
    assert (await hana.get(PATH))["device_data"] == DATA


async def test_a_device_in_use_cannot_be_put_to_sleep(node: RunningNode) -> None:
    hana = await node.user("hana")
    assert (await hana.put(PATH, device(hana, hana.device_id))).refusal == (400, "M_INVALID_PARAM")
    assert (await hana.get("v3/account/whoami")).status == 200


@pytest.mark.parametrize("text", ["x", "-1", "9" * 30])
async def test_a_wrong_place_to_go_on_is_refused(node: RunningNode, text: str) -> None:
    hana = await node.user("hana")
    await hana.put(PATH, device(hana))
    answer = await hana.post(f"{PATH}/ASLEEP/events", {"next_batch": text})
    assert answer.refusal == (400, "M_INVALID_PARAM")
    assert (await hana.get(f"{PATH}/ASLEEP/events", **{"from": text})).refusal == (400, "M_INVALID_PARAM")


async def test_nobody_gets_at_the_device_of_somebody_else(node: RunningNode) -> None:
    hana, jiro = await node.users("hana", "jiro")
    await hana.put(PATH, device(hana))
    for answer in (await jiro.get(PATH), await jiro.delete(PATH), await jiro.post(f"{PATH}/ASLEEP/events", {})):
        assert answer.status == 404
    assert (await jiro.get(f"{PATH}/ASLEEP/events")).refusal == (404, "M_NOT_FOUND")
    assert (await node.ask("GET", PATH)).refusal == (401, "M_MISSING_TOKEN")
