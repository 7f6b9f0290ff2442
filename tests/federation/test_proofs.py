"""Keys and signatures of others: what proves something, and for how long. Everything else proves nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from federation.identity.key_store import ServerKey, keys_of
from federation.identity.servers import path_of
from server import commands
from server.config import load_settings
from server.foundation.canonical_json import canonical_json
from server.foundation.clock import SystemClock
from server.foundation.signatures import SigningKey, old_keys, sign_json, unpadded_base64
from server.rooms.event import Event
from server.storage.database import Database
from tests.builders import RunningNode
from tests.federation.stranger import Said, Stranger, meeting
from tests.federation.test_transactions import a_room_of_both, everything_works, texts

Json = dict[str, Any]
DAY_MS = 86_400_000
VERSION = "/_matrix/federation/v1/query/profile?user_id=%40x%3Ay"


def now() -> int:
    """Milliseconds."""
    return SystemClock().now_ms()


def _of_another(oni: Stranger, momo: Stranger) -> Any:
    return momo.keys()


def _unsigned(oni: Stranger, momo: Stranger) -> Any:
    return {**oni.keys(), "signatures": {}}


def _signed_by_another(oni: Stranger, momo: Stranger) -> Any:
    value = {name: item for name, item in oni.keys().items() if name != "signatures"}
    return sign_json(value, momo.name, momo.key)


def _signed_wrongly(oni: Stranger, momo: Stranger) -> Any:
    return {**oni.keys(), "signatures": {oni.name: {oni.key.key_id: "A" * 86}}}


def _signed_for_one_of_two(oni: Stranger, momo: Stranger) -> Any:
    other = SigningKey.from_seed("other", bytes(32))
    both = {key.key_id: {"key": unpadded_base64(key.public)} for key in (oni.key, other)}
    return oni.keys(verify_keys=both)


def _ended(oni: Stranger, momo: Stranger) -> Any:
    return oni.keys(valid_until_ts=now() - 1)


def _endless(oni: Stranger, momo: Stranger) -> Any:
    return oni.keys(valid_until_ts="never")


def _short(oni: Stranger, momo: Stranger) -> Any:
    return oni.keys(verify_keys={oni.key.key_id: {"key": unpadded_base64(oni.key.public[:31])}})


def _only_old(oni: Stranger, momo: Stranger) -> Any:
    old = {oni.key.key_id: {"key": unpadded_base64(oni.key.public), "expired_ts": now() + DAY_MS}}
    return oni.keys(verify_keys={}, old_verify_keys=old)


LIES: list[Callable[[Stranger, Stranger], Any]] = [
    _of_another, _unsigned, _signed_by_another, _signed_wrongly, _signed_for_one_of_two, _ended, _endless, _short,
    _only_old, lambda oni, momo: Said(500), lambda oni, momo: [], lambda oni, momo: {"verify_keys": 5},
    lambda oni, momo: Said(200, b"[" * 100_000), lambda oni, momo: oni.keys(verify_keys={"": {}, "x": 5}),
]


async def test_keys_that_prove_nothing_are_not_believed(tmp_path: Path) -> None:
    async with meeting(tmp_path, strangers=2) as (node, oni, momo):
        hanako, room = await a_room_of_both(node, momo)
        room.trust(oni.name, oni.key)
        ring = (await node.inside.core.late.federation.open()).key_ring
        for lie in LIES:
            ring._asked.clear()
            oni.tells["server"] = lie(oni, momo)
            asked = await oni.asks(node, "GET", VERSION)
            assert asked.refusal == (401, "M_UNAUTHORIZED"), lie
            said = room.sealed(room.draft(oni.user("oni"), "m.room.message", {"body": "嘘"}))
            assert "error" in (await momo.sends(node, said))["pdus"].get(said.event_id, {"error": "not read"})
            ring._known.clear()
        assert "嘘" not in str(await texts(hanako, room))
        await everything_works(node, hanako, momo, room)
        del oni.tells["server"]
        ring._asked.clear()
        assert (await oni.asks(node, "GET", VERSION)).status == 400  # heard, and asked about somebody else's


async def test_what_was_learned_is_not_forgotten_over_an_older_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with meeting(tmp_path) as (node, oni):
        await node.user("taro")
        ring = (await node.inside.core.late.federation.open()).key_ring
        looks, learned = 0, asyncio.Event()

        async def slow_the_second_time(database: Database, server: str) -> dict[str, ServerKey]:
            nonlocal looks
            looks += 1
            is_second = looks == 2
            found = await keys_of(database, server)
            if is_second:
                await learned.wait()
            return found

        monkeypatch.setattr("federation.identity.key_ring.keys_of", slow_the_second_time)
        one, other = (asyncio.ensure_future(ring.for_request(oni.name, oni.key.key_id)) for _ in range(2))
        assert await one == oni.key.public
        learned.set()
        assert await other == oni.key.public
        assert await ring.for_request(oni.name, oni.key.key_id) == oni.key.public


async def test_keys_hold_for_a_week_at_most_whatever_they_say(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        oni.tells["server"] = oni.keys(valid_until_ts=now() + 1_000 * DAY_MS)
        hanako, room = await a_room_of_both(node, oni)
        soon = room.says(oni.user("oni"), "六日後", origin_server_ts=now() + 6 * DAY_MS)
        late = room.says(oni.user("oni"), "八日後", origin_server_ts=now() + 8 * DAY_MS)
        await oni.tells_of(node, soon)
        assert late.event_id not in (await oni.sends(node, late))["pdus"]
        assert await texts(hanako, room) == ["六日後"]


async def test_a_notary_that_lies_is_not_believed(tmp_path: Path) -> None:
    async with meeting(tmp_path, strangers=2) as (node, oni, momo):
        false = SigningKey.from_seed(oni.key.key_id.partition(":")[2], bytes(32))
        forged = sign_json({
            "server_name": oni.name, "valid_until_ts": now() + DAY_MS, "old_verify_keys": {},
            "verify_keys": {false.key_id: {"key": unpadded_base64(false.public)}},
        }, momo.name, momo.key)
        oni.tells["server"] = Said(500)
        ring = (await node.inside.core.late.federation.open()).key_ring
        ring._notaries = (momo.name,)
        momo.tells["query"] = {"server_keys": [forged]}
        assert await ring.for_request(oni.name, oni.key.key_id) is None
        # Handed on as it is, and signed by who hands it on: that is what a notary is for.
        ring._asked.clear()
        momo.tells["query"] = {"server_keys": [oni.keys()]}
        assert await ring.for_request(oni.name, oni.key.key_id) is None, "the notary has not signed it"
        ring._asked.clear()
        momo.tells["query"] = {"server_keys": [sign_json(oni.keys(), momo.name, momo.key)]}
        assert await ring.for_request(oni.name, oni.key.key_id) == oni.key.public


async def test_what_we_know_of_keys_is_not_lost_by_a_senseless_answer(tmp_path: Path) -> None:
    async with meeting(tmp_path, strangers=2) as (node, oni, _momo):
        until = now() + DAY_MS // 2
        oni.tells["server"] = oni.keys(valid_until_ts=until)
        first = await node.ask("GET", f"/_matrix/key/v2/query/{oni.name}")
        assert first["server_keys"][0]["valid_until_ts"] == until
        ring = (await node.inside.core.late.federation.open()).key_ring
        told: list[Any] = [{}, Said(500), _signed_wrongly(oni, oni)]
        told += [oni.keys(verify_keys={}), oni.keys(server_name="x")]
        for spurious in told:
            ring._asked.clear()
            oni.tells["server"] = spurious
            again = await node.ask("GET", f"/_matrix/key/v2/query/{oni.name}", minimum_valid_until_ts=str(until + 1))
            assert again["server_keys"][0]["verify_keys"] == first["server_keys"][0]["verify_keys"]


async def test_an_event_counts_while_its_key_did(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        old = SigningKey.from_seed("old", bytes(range(32)))
        retired = now() - DAY_MS
        oni.tells["server"] = oni.keys(old_verify_keys={
            old.key_id: {"key": unpadded_base64(old.public), "expired_ts": retired}})
        ring = (await node.inside.core.late.federation.open()).key_ring
        ring._asked.clear()

        def signed(text: str, ts: int) -> Event:
            room.signers[oni.name] = old
            said = room.says(oni.user("oni"), text, origin_server_ts=ts)
            room.signers[oni.name] = oni.key
            return said

        await oni.tells_of(node, signed("当時", retired - 1))
        late = signed("後から", retired + 1)
        assert late.event_id not in (await oni.sends(node, late))["pdus"]
        assert await texts(hanako, room) == ["当時"]
        assert (await oni.asks(node, "GET", VERSION, header=oni_header(node, oni, old))).status == 401


def oni_header(node: RunningNode, oni: Stranger, key: SigningKey) -> str:
    """A header for the question after a profile, signed with another key."""
    before, oni.key = oni.key, key
    try:
        return oni.authorization(node, "GET", VERSION)
    finally:
        oni.key = before


async def test_a_request_counts_only_as_it_was_signed(tmp_path: Path) -> None:
    async with meeting(tmp_path, strangers=2) as (node, oni, momo):
        hanako, room = await a_room_of_both(node, oni)
        path = "/_matrix/federation/v1/send/one"
        content = {"origin": oni.name, "origin_server_ts": 1, "pdus": [], "edus": []}
        right = oni.authorization(node, "PUT", path, content)

        async def status(method: str, uri: str, body: Any, *headers: str) -> int:
            data = canonical_json(body) if body is not None else None
            async with node.client.request(
                method, URL(uri, encoded=True), data=data, headers=[("Authorization", header) for header in headers]
            ) as answer:
                return int(answer.status)

        assert await status("PUT", path, content, right) == 200
        wrong = [
            await status("PUT", path, {**content, "pdus": [{}]}, right),
            await status("PUT", path.replace("one", "two"), content, right),
            await status("PUT", path + "?a=b", content, right),
            await status("PUT", path.replace("one", "%6Fne"), content, right),
            await status("PUT", path, None, right),
            await status("PUT", path, content),
            await status("PUT", path, content, "Bearer x"),
            await status("PUT", path, content, right, momo.authorization(node, "PUT", path, content)),
            await status("PUT", path, content, right.replace("X-Matrix ", f'X-Matrix origin="{momo.name}",')),
            await status("PUT", path, content, right.replace(oni.name, momo.name)),
            await status("PUT", path, content, right.replace(node.settings.server_name, momo.name)),
            await status("PUT", path, content, oni.authorization(node, "PUT", path, content, destination=momo.name)),
            await status("PUT", path, content, oni.authorization(node, "GET", path, content)),
            await status("PUT", path, content, oni.authorization(node, "PUT", path, content, origin=momo.name)),
            await status("PUT", path, content,
                         oni.authorization(node, "PUT", path, content, origin=node.settings.server_name)),
        ]
        assert wrong == [401] * len(wrong)
        read = path_of("/_matrix/federation/v1/state_ids", room.room_id)
        signed = oni.authorization(node, "GET", f"{read}?event_id=$a")
        assert await status("GET", f"{read}?event_id=$b", None, signed) == 401
        # Whoever has overheard a request can send it again, and nothing comes of it.
        said = room.says(oni.user("oni"), "一度だけ")
        content = {**content, "pdus": [said.pdu]}
        heard = oni.authorization(node, "PUT", path.replace("one", "again"), content)
        sent = [await status("PUT", path.replace("one", "again"), content, heard) for _ in range(3)]
        assert sent == [200] * 3
        assert await texts(hanako, room) == ["一度だけ"]


def test_every_node_has_a_key_of_its_own(tmp_path: Path) -> None:
    keys = []
    for name in ("sakura", "ume"):
        wishes = ["--server-name", f"{name}.example", "--name", "町内会"]
        assert commands.main(["init", str(tmp_path / name), *wishes]) == 0
        file = load_settings(tmp_path / name / "kairan.toml").signing_key_file
        assert file.stat().st_mode & 0o777 == 0o600
        keys.append(SigningKey.read(file.read_text()))
        assert len(keys[-1].seed) == 32
        assert not old_keys(file.read_text())
    assert keys[0].seed != keys[1].seed
    assert keys[0].public != keys[1].public


async def test_nobody_is_asked_for_keys_again_and_again(tmp_path: Path) -> None:
    """A thousand requests in the name of a server that says nothing do not become a thousand questions to it."""
    async with meeting(tmp_path, strangers=2) as (node, oni, momo):
        momo.tells["server"] = Said(500)
        header = oni.authorization(node, "GET", VERSION, origin=momo.name)
        answers = await asyncio.gather(*(oni.asks(node, "GET", VERSION, header=header) for _ in range(50)))
        assert {answer.status for answer in answers} == {401}
        assert len(momo.asked_for("server")) == 1
