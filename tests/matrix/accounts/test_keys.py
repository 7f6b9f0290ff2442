"""End-to-end keys: devices, one-time and fallback keys, cross-signing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from server.accounts.device_keys import KeyUpload
from server.accounts.key_formats import parse_public_keys
from server.foundation.errors import UnknownToken
from server.foundation.signatures import SigningKey, sign_json, unpadded_base64
from tests.matrix.accounts.conftest import Node, Person, StartNode

CURVE = "signed_curve25519"


def key_of(seed: int) -> SigningKey:
    return SigningKey.from_seed("x", bytes([seed]) * 32)


def device_keys(person: Person, **more: Any) -> dict[str, Any]:
    return {
        "user_id": person.user_id, "device_id": person.device_id, "algorithms": ["m.megolm.v1.aes-sha2"],
        "keys": {f"ed25519:{person.device_id}": unpadded_base64(key_of(9).public)}, "signatures": {}, **more,
    }


def one_time_keys(*names: str) -> dict[str, Any]:
    return {f"{CURVE}:{name}": {"key": name * 8, "signatures": {}} for name in names}


async def claim(asker: Person, owner: Person, algorithm: str = CURVE) -> dict[str, Any]:
    wanted = {owner.user_id: {owner.device_id: algorithm}}
    _, answer = await asker.post("v3/keys/claim", {"one_time_keys": wanted})
    found: dict[str, Any] = answer["one_time_keys"].get(owner.user_id, {}).get(owner.device_id, {})
    return found


async def test_device_keys_are_published_and_found(node: Node) -> None:
    hana, taro = await node.person("hana"), await node.person("taro")
    await hana.put(f"v3/devices/{hana.device_id}", {"display_name": "携帯"})
    keys = device_keys(hana)
    status, answer = await hana.post("v3/keys/upload", {"device_keys": keys})
    assert (status, answer) == (200, {"one_time_key_counts": {CURVE: 0}})
    _, answer = await taro.post("v3/keys/query", {"device_keys": {hana.user_id: []}})
    assert answer["device_keys"][hana.user_id] == {
        hana.device_id: {**keys, "unsigned": {"device_display_name": "携帯"}},
    }
    assert answer["failures"] == {}
    _, answer = await taro.post("v3/keys/query", {"device_keys": {hana.user_id: ["OTHER"]}})
    assert answer["device_keys"] == {hana.user_id: {}}


async def test_a_user_without_keys_has_an_empty_object(node: Node) -> None:
    hana, taro = await node.person("hana"), await node.person("taro")
    with node.contract.tolerating("old clients write {} for all devices"):
        _, answer = await taro.post("v3/keys/query", {"device_keys": {hana.user_id: {}, "@nobody:test.example": []}})
    assert answer["device_keys"] == {hana.user_id: {}, "@nobody:test.example": {}}


async def test_servers_that_cannot_be_asked_are_named(node: Node) -> None:
    hana = await node.person("hana")
    _, answer = await hana.post("v3/keys/query", {"device_keys": {"@a:elsewhere.example": []}})
    assert answer["failures"] == {"elsewhere.example": {}}


async def test_only_changed_keys_are_a_change(node: Node) -> None:
    hana = await node.person("hana")
    await hana.post("v3/keys/upload", {"device_keys": device_keys(hana)})
    users, position = node.device_lists_heard[-1]
    assert users == (hana.user_id,)
    assert await node.accounts.device_changes_since(0, position) == [hana.user_id]
    assert await node.accounts.device_changes_since(position, position + 9) == []
    await hana.post("v3/keys/upload", {"device_keys": device_keys(hana)})
    assert node.device_lists_heard[-1][1] == position == node.positions.current


@pytest.mark.parametrize(
    "change",
    [
        {"user_id": "@other:test.example"}, {"device_id": "OTHER"}, {"algorithms": "m.x"}, {"algorithms": None},
        {"keys": []}, {"keys": {"a": 5}}, {"signatures": []}, {"signatures": {"@a:x": "y"}}, {"float": 1.5},
    ],
)
async def test_malformed_device_keys_are_refused(node: Node, change: dict[str, Any]) -> None:
    hana = await node.person("hana")
    body = {"device_keys": device_keys(hana, **change), "one_time_keys": one_time_keys("A")}
    status, answer = await hana.post("v3/keys/upload", body)
    assert (status, answer["errcode"]) == (400, "M_BAD_JSON")
    assert node.accounts.device_keys.counts(hana.user_id, hana.device_id) == {}
    assert node.positions.current == 0


@pytest.mark.parametrize(
    "keys", [{"nocolon": "x"}, {":id": "x"}, {"alg:": "x"}, {"alg:id": 5}, {"alg:id": {}}, {"alg:id": {"key": 5}},
             {"alg:id": {"key": "x", "signatures": "y"}}, {"alg:" + "x" * 255: "y"}],
)
async def test_malformed_one_time_keys_are_refused(node: Node, keys: dict[str, Any]) -> None:
    hana = await node.person("hana")
    assert (await hana.post("v3/keys/upload", {"one_time_keys": keys}))[0] == 400
    assert (await hana.post("v3/keys/upload", {"fallback_keys": keys}))[0] == 400


async def test_one_time_keys_are_issued_once_in_the_order_of_their_upload(node: Node) -> None:
    hana, taro = await node.person("hana"), await node.person("taro")
    await hana.post("v3/keys/upload", {"one_time_keys": one_time_keys("z", "b")})
    _, answer = await hana.post("v3/keys/upload", {"one_time_keys": one_time_keys("a")})
    assert answer["one_time_key_counts"] == {CURVE: 3}
    issued = [list(await claim(taro, hana)) for _ in range(4)]
    assert issued == [[f"{CURVE}:z"], [f"{CURVE}:b"], [f"{CURVE}:a"], []]
    assert (await node.accounts.key_counts(hana.user_id, hana.device_id))[0] == {CURVE: 0}


async def test_no_key_is_issued_twice_however_fast_they_are_asked_for(node: Node, start_node: StartNode) -> None:
    hana, taro = await node.person("hana"), await node.person("taro")
    await hana.post("v3/keys/upload", {"one_time_keys": one_time_keys(*"abcdef")})
    issued = await asyncio.gather(*(claim(taro, hana) for _ in range(8)))
    names = [name for keys in issued for name in keys]
    assert len(names) == len(set(names)) == 6
    assert (await start_node()).accounts.device_keys.counts(hana.user_id, hana.device_id) == {}


async def test_the_same_key_again_is_fine_and_another_under_its_id_is_not(node: Node) -> None:
    hana = await node.person("hana")
    await hana.post("v3/keys/upload", {"one_time_keys": one_time_keys("a")})
    _, answer = await hana.post("v3/keys/upload", {"one_time_keys": one_time_keys("a")})
    assert answer["one_time_key_counts"] == {CURVE: 1}
    other = {f"{CURVE}:a": {"key": "other", "signatures": {}}, f"{CURVE}:b": {"key": "b", "signatures": {}}}
    status, answer = await hana.post("v3/keys/upload", {"one_time_keys": other})
    assert (status, answer["errcode"]) == (400, "M_INVALID_PARAM")
    assert node.accounts.device_keys.counts(hana.user_id, hana.device_id) == {CURVE: 1}


async def test_the_fallback_key_helps_out_and_counts_as_used_then(node: Node, start_node: StartNode) -> None:
    hana, taro = await node.person("hana"), await node.person("taro")
    fallback = {f"{CURVE}:fall": {"key": "fall", "fallback": True, "signatures": {}}}
    await hana.post("v3/keys/upload", {"one_time_keys": one_time_keys("a"), "fallback_keys": fallback})
    assert await node.accounts.key_counts(hana.user_id, hana.device_id) == ({CURVE: 1}, [CURVE])
    assert list(await claim(taro, hana)) == [f"{CURVE}:a"]
    assert await claim(taro, hana) == await claim(taro, hana) == fallback
    assert (await node.accounts.key_counts(hana.user_id, hana.device_id))[1] == []
    assert (await start_node()).accounts.device_keys.unused_fallbacks(hana.user_id, hana.device_id) == []
    await hana.post("v3/keys/upload", {"fallback_keys": {f"{CURVE}:new": {**fallback[f"{CURVE}:fall"], "key": "new"}}})
    assert (await node.accounts.key_counts(hana.user_id, hana.device_id))[1] == [CURVE]


@pytest.mark.parametrize("body", [{}, {"one_time_keys": []}, {"one_time_keys": {"@a:x": []}},
                                  {"one_time_keys": {"@a:x": {"D": 5}}}])
async def test_a_malformed_claim_is_refused(node: Node, body: Any) -> None:
    assert (await (await node.person()).post("v3/keys/claim", body))[0] == 400


@pytest.mark.parametrize(
    "body", [{}, {"device_keys": []}, {"device_keys": {"@a:x": "D"}}, {"device_keys": {"@a:x": [5]}}]
)
async def test_a_malformed_query_is_refused(node: Node, body: Any) -> None:
    assert (await (await node.person()).post("v3/keys/query", body))[0] == 400


# ---- cross-signing --------------------------------------------------------------------------------------------------


def signer(seed: int) -> tuple[SigningKey, str]:
    """A key whose id is its own public part, as cross-signing wants it."""
    public = unpadded_base64(key_of(seed).public)
    return SigningKey.from_seed(public, bytes([seed]) * 32), public


def cross_keys(person: Person, master_seed: int = 1) -> dict[str, Any]:
    master, public = signer(master_seed)
    master_key = {"user_id": person.user_id, "usage": ["master"], "keys": {f"ed25519:{public}": public}}
    keys: dict[str, Any] = {"master_key": master_key}
    for number, usage in enumerate(("self_signing", "user_signing")):
        _, public = signer(master_seed + 1 + number)
        plain = {"user_id": person.user_id, "usage": [usage], "keys": {f"ed25519:{public}": public}}
        keys[f"{usage}_key"] = sign_json(plain, person.user_id, master)
    return keys


UPLOAD = "v3/keys/device_signing/upload"


async def test_the_first_cross_signing_keys_and_the_same_again_need_no_password(node: Node) -> None:
    hana, taro = await node.person("hana"), await node.person("taro")
    assert await hana.post(UPLOAD, cross_keys(hana)) == (200, {})
    assert await hana.post("unstable/keys/device_signing/upload", cross_keys(hana)) == (200, {})
    _, own = await hana.post("v3/keys/query", {"device_keys": {hana.user_id: []}})
    assert {name for name in own if own[name]} == {
        "device_keys", "master_keys", "self_signing_keys", "user_signing_keys",
    }
    _, others = await taro.post("v3/keys/query", {"device_keys": {hana.user_id: []}})
    assert others["master_keys"] == own["master_keys"]
    assert others["user_signing_keys"] == {}
    assert len(node.device_lists_heard) == 1


async def test_replacing_cross_signing_keys_needs_the_password(node: Node) -> None:
    hana = await node.person("hana")
    await hana.post(UPLOAD, cross_keys(hana))
    other = cross_keys(hana, 5)
    status, answer = await hana.post(UPLOAD, other)
    assert (status, answer["flows"]) == (401, [{"stages": ["m.login.password"]}, {"stages": ["m.login.sso"]}])
    status, answer = await hana.post(UPLOAD, {**other, "auth": hana.password_auth("wrong")})
    assert status == 401
    auth = hana.password_auth(session=answer["session"])
    assert await hana.post(UPLOAD, {**other, "auth": auth}) == (200, {})
    _, answer = await hana.post("v3/keys/query", {"device_keys": {hana.user_id: []}})
    assert answer["master_keys"][hana.user_id]["keys"] == other["master_key"]["keys"]


async def test_keys_that_the_master_has_not_signed_are_refused(node: Node) -> None:
    hana = await node.person("hana")
    keys = cross_keys(hana)
    status, answer = await hana.post(UPLOAD, {"self_signing_key": keys["self_signing_key"]})
    assert status == 400
    keys["self_signing_key"] = {**keys["self_signing_key"], "signatures": {}}
    status, answer = await hana.post(UPLOAD, keys)
    assert (status, answer["errcode"]) == (400, "M_INVALID_SIGNATURE")


@pytest.mark.parametrize(
    "change",
    [{"user_id": "@a:x"}, {"usage": ["other"]}, {"usage": "master"}, {"keys": {}}, {"keys": {"ed25519:a": "b"}},
     {"keys": {"ed25519:short": "short"}}, {"signatures": 5}],
)
async def test_a_malformed_master_key_is_refused(node: Node, change: dict[str, Any]) -> None:
    hana = await node.person("hana")
    master = {**cross_keys(hana)["master_key"], **change}
    assert (await hana.post(UPLOAD, {"master_key": master}))[0] == 400


async def test_a_device_is_signed_by_its_owner_and_everybody_sees_it(node: Node) -> None:
    hana, taro = await node.person("hana"), await node.person("taro")
    keys = device_keys(hana)
    await hana.post("v3/keys/upload", {"device_keys": keys})
    await hana.post(UPLOAD, cross_keys(hana))
    signed = sign_json(keys, hana.user_id, signer(2)[0])
    body = {hana.user_id: {hana.device_id: signed}}
    assert await hana.post("v3/keys/signatures/upload", body) == (200, {"failures": {}})
    _, answer = await taro.post("v3/keys/query", {"device_keys": {hana.user_id: []}})
    shown = answer["device_keys"][hana.user_id][hana.device_id]
    assert shown["signatures"] == signed["signatures"]


async def test_whom_somebody_has_verified_only_they_see(node: Node) -> None:
    hana, taro, third = await node.person("hana"), await node.person("taro"), await node.person("third")
    await hana.post(UPLOAD, cross_keys(hana, 1))
    await taro.post(UPLOAD, cross_keys(taro, 11))
    master = cross_keys(taro, 11)["master_key"]
    public = next(iter(master["keys"].values()))
    signed = sign_json(master, hana.user_id, signer(3)[0])
    body = {taro.user_id: {public: signed}}
    assert (await hana.post("v3/keys/signatures/upload", body))[1] == {"failures": {}}
    query: dict[str, Any] = {"device_keys": {taro.user_id: []}}
    _, own = await hana.post("v3/keys/query", query)
    assert hana.user_id in own["master_keys"][taro.user_id]["signatures"]
    _, others = await third.post("v3/keys/query", query)
    assert hana.user_id not in others["master_keys"][taro.user_id].get("signatures", {})


async def test_wrong_signatures_are_reported_one_by_one(node: Node) -> None:
    hana = await node.person("hana")
    keys = device_keys(hana)
    await hana.post("v3/keys/upload", {"device_keys": keys})
    await hana.post(UPLOAD, cross_keys(hana))
    forged = {**keys, "signatures": {hana.user_id: {f"ed25519:{signer(2)[1]}": "A" * 86}}}
    changed = sign_json({**keys, "algorithms": []}, hana.user_id, signer(2)[0])
    body = {hana.user_id: {hana.device_id: forged, "OTHER": keys}}
    _, answer = await hana.post("v3/keys/signatures/upload", body)
    failures = answer["failures"][hana.user_id]
    assert failures[hana.device_id]["errcode"] == "M_INVALID_SIGNATURE"
    assert failures["OTHER"]["errcode"] == "M_NOT_FOUND"
    _, answer = await hana.post("v3/keys/signatures/upload", {hana.user_id: {hana.device_id: changed}})
    assert answer["failures"][hana.user_id][hana.device_id]["errcode"] == "M_INVALID_PARAM"
    assert (await hana.post("v3/keys/signatures/upload", {hana.user_id: []}))[0] == 400


async def test_a_device_that_was_removed_meanwhile_publishes_nothing(node: Node) -> None:
    hana = await node.person("hana")
    upload = KeyUpload(device_keys(hana), parse_public_keys(one_time_keys("A"), "one_time_keys"), [])
    await node.accounts.sessions.drop(hana.user_id, [hana.device_id])
    with pytest.raises(UnknownToken):
        await node.accounts.device_keys.upload(hana.user_id, hana.device_id, upload)
    status, _ = await hana.post("v3/keys/upload", {"device_keys": device_keys(hana)})
    assert status == 401
    again = await node.person("hana")
    _, answer = await again.post("v3/keys/query", {"device_keys": {hana.user_id: []}})
    assert answer["device_keys"] == {hana.user_id: {}}


async def test_the_algorithms_of_unused_fallback_keys_are_told(node: Node) -> None:
    hana, taro = await node.person("hana"), await node.person("taro")
    keys = {f"{CURVE}:F": {"key": "f", "fallback": True, "signatures": {}}}
    await hana.post("v3/keys/upload", {"fallback_keys": keys})
    assert (await node.accounts.key_counts(hana.user_id, hana.device_id))[1] == [CURVE]
    assert list(await claim(taro, hana)) == list(await claim(taro, hana)) == [f"{CURVE}:F"]
    assert (await node.accounts.key_counts(hana.user_id, hana.device_id))[1] == []
