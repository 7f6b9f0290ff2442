"""People of two nodes in one room, and waiting for what passes between them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from server.foundation.signatures import SigningKey, sign_json, unpadded_base64
from tests.builders import Person, Sync
from tests.federation.town import FarNode

T = TypeVar("T")
Json = dict[str, Any]

CURVE = "signed_curve25519"


class Neighbours(NamedTuple):
    """Two nodes that can go away and come back, hanako of one and taro of the other, and a room of both."""

    sakura: FarNode
    ume: FarNode
    hanako: Person
    taro: Person
    room: str


@asynccontextmanager
async def neighbours(folder: Path, **wishes: Any) -> AsyncIterator[Neighbours]:
    """Hanako's room, which taro has joined."""
    async with AsyncExitStack() as closing:
        found = []
        for name in ("sakura", "ume"):
            far = FarNode(folder / name)
            await far.start()
            closing.push_async_callback(far.stop)
            found.append(far)
        sakura, ume = found
        hanako, taro = await sakura.node.user("hanako"), await ume.node.user("taro")
        room = await hanako.creates_room(preset="public_chat", **wishes)
        assert (await taro.post(f"v3/join/{room}", via=sakura.name)).status == 200
        await until(hanako, lambda news: taro.user_id in str(news.body) or None)
        yield Neighbours(sakura, ume, hanako, taro, room)


async def until(person: Person, of: Callable[[Sync], T | None], since: str | None = None, **query: Any) -> T:
    """Sync until ``of`` finds something."""
    for _ in range(30):
        news = await person.syncs(since, timeout=1_000, **query)
        found = of(news)
        if found is not None:
            return found
        since = news.token
    raise AssertionError("it has not come")


def key_of(seed: int) -> SigningKey:
    """A key."""
    return SigningKey.from_seed("x", bytes([seed]) * 32)


def device_keys(user_id: str, device_id: str, seed: int = 9) -> Json:
    """Identity keys of a device."""
    return {
        "user_id": user_id, "device_id": device_id, "algorithms": ["m.megolm.v1.aes-sha2"],
        "keys": {f"ed25519:{device_id}": unpadded_base64(key_of(seed).public)}, "signatures": {},
    }


async def uploads(person: Person, seed: int = 9, *one_time: str) -> Json:
    """Publish identity keys, and one-time keys."""
    keys = device_keys(person.user_id, person.device_id, seed)
    more = {f"{CURVE}:{name}": {"key": name * 8, "signatures": {}} for name in one_time}
    answer = await person.post("v3/keys/upload", {"device_keys": keys, "one_time_keys": more})
    assert answer.status == 200, answer
    return keys


def cross_signing_keys(user_id: str, seed: int) -> tuple[Json, Json]:
    """A master key, and a self-signing key with its signature."""
    master, self_signing = key_of(seed), key_of(seed + 1)
    return _key(user_id, "master", master), _signed(_key(user_id, "self_signing", self_signing), user_id, master)


async def publishes_cross_signing(person: Person, seed: int) -> tuple[Json, Json]:
    """The first cross-signing keys of somebody."""
    master, self_signing = cross_signing_keys(person.user_id, seed)
    user_signing = _signed(_key(person.user_id, "user_signing", key_of(seed + 2)), person.user_id, key_of(seed))
    answer = await person.post("v3/keys/device_signing/upload", {
        "master_key": master, "self_signing_key": self_signing, "user_signing_key": user_signing,
    })
    assert answer.status == 200, answer
    return master, self_signing


async def asks_for_keys(person: Person, user_id: str, **more: Any) -> Json:
    """The answer of ``keys/query``."""
    answer = await person.post("v3/keys/query", {"device_keys": {user_id: []}, **more})
    assert answer.status == 200, answer
    return dict(answer.body)


async def devices_of(person: Person, user_id: str) -> Json:
    """The devices of somebody as ``person`` sees them."""
    return dict((await asks_for_keys(person, user_id))["device_keys"].get(user_id, {}))


def changed(user_id: str) -> Callable[[Sync], Sync | None]:
    """Finds that somebody's devices have changed."""
    return lambda news: news if user_id in news.body.get("device_lists", {}).get("changed", []) else None


def _key(user_id: str, usage: str, key: SigningKey) -> Json:
    public = unpadded_base64(key.public)
    return {"user_id": user_id, "usage": [usage], "keys": {f"ed25519:{public}": public}}


def _signed(value: Json, user_id: str, key: SigningKey) -> Json:
    public = unpadded_base64(key.public)
    return sign_json(value, user_id, SigningKey.from_seed(public, key.seed))
