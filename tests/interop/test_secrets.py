"""Encrypted rooms: matrix-nio on both servers, with keys, device lists and messages to devices between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import nio
import pytest

from tests.builders import Person
from tests.federation.neighbours import asks_for_keys, devices_of, publishes_cross_signing, uploads
from tests.interop.sides import LONGEST_S, Ours, Side, Theirs, all_events, has_heard, joins, sees_member, until

SECRETS = ["留守の間の秘密", "こちらも秘密"]
LogIn = Callable[[Side, Person], Awaitable[nio.AsyncClient]]
ENCRYPTED = [{"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}]


@pytest.fixture
async def log_in(tmp_path: Path) -> AsyncIterator[LogIn]:
    """A client with keys of its own on a new device."""
    clients: list[nio.AsyncClient] = []

    async def start(side: Side, person: Person) -> nio.AsyncClient:
        store = tmp_path / f"store{len(clients)}"
        store.mkdir()
        config = nio.AsyncClientConfig(encryption_enabled=True, store_sync_tokens=True)
        client = nio.AsyncClient(side.url, person.user_id, store_path=str(store), config=config)
        clients.append(client)
        assert isinstance(await client.login(side.password), nio.LoginResponse)
        await _turn(client, 0)
        return client

    yield start
    for client in clients:
        await client.close()


async def _turn(client: nio.AsyncClient, timeout: int = 2000) -> None:
    """What a client does over and over: look for news, and keep up with keys."""
    assert isinstance(await client.sync(timeout=timeout), nio.SyncResponse)
    if client.should_upload_keys:
        assert isinstance(await client.keys_upload(), nio.KeysUploadResponse)
    if client.should_query_keys:
        assert isinstance(await client.keys_query(), nio.KeysQueryResponse)


async def _until(client: nio.AsyncClient, check: Callable[[], bool]) -> None:
    async with asyncio.timeout(LONGEST_S):
        await _turn(client, 0)
        while not check():
            await _turn(client)


async def _whisper(client: nio.AsyncClient, room: str, words: str) -> str:
    """The answer is the event's id."""
    content = {"msgtype": "m.text", "body": words}
    answer = await client.room_send(room, "m.room.message", content, ignore_unverified_devices=True)
    assert isinstance(answer, nio.RoomSendResponse), answer
    return str(answer.event_id)


def _listen(client: nio.AsyncClient) -> list[str]:
    heard: list[str] = []
    client.add_event_callback(lambda _room, event: heard.append(event.body), nio.RoomMessageText)
    return heard


def _devices(client: nio.AsyncClient, user_id: str) -> int:
    return len(list(client.device_store.active_user_devices(user_id)))


async def test_two_talk_encrypted_and_hear_of_each_other_s_new_devices(
    here: Side, there: Side, log_in: LogIn
) -> None:
    one, two = await here.user("hanako"), await there.user("taro")
    room = await one.creates_room(preset="public_chat", initial_state=ENCRYPTED)
    await joins(two, room, here)
    await sees_member(one, room, two, "join")
    hanako, taro = await log_in(here, one), await log_in(there, two)
    heard_here, heard_there = _listen(hanako), _listen(taro)
    await _until(hanako, lambda: _devices(hanako, two.user_id) == 1)
    await _until(taro, lambda: _devices(taro, one.user_id) == 1)

    # Keys and messages go separate ways; what comes before its key is not read. The second one finds the key there.
    await _meet(hanako, taro, room)
    await _whisper(hanako, room, "秘密")
    await _until(taro, lambda: "秘密" in heard_there)
    await _whisper(taro, room, "分かった")
    await _until(hanako, lambda: "分かった" in heard_here)

    telephone = await log_in(there, two)
    await _until(hanako, lambda: _devices(hanako, two.user_id) == 2)
    heard_on_telephone = _listen(telephone)
    hanako.invalidate_outbound_session(room)
    await _whisper(hanako, room, "新しい電話にも")
    await _until(telephone, lambda: _has_key_from(telephone, room, hanako))
    await _whisper(hanako, room, "届きましたか")
    await _until(telephone, lambda: "届きましたか" in heard_on_telephone)
    await telephone.logout()
    await _until(hanako, lambda: _devices(hanako, two.user_id) == 1)


def _has_key_from(client: nio.AsyncClient, room: str, sender: nio.AsyncClient) -> bool:
    assert client.olm is not None
    assert sender.olm is not None
    session = sender.olm.outbound_group_sessions.get(room)
    sender_key = sender.olm.account.identity_keys["curve25519"]
    return session is not None and client.olm.inbound_group_store.get(room, sender_key, session.id) is not None


async def test_keys_and_words_wait_for_a_server_that_is_away(ours: Ours, theirs: Theirs, log_in: LogIn) -> None:
    """Synapse is away while a device here logs in and speaks; then we are, while one there does."""
    one, two = await ours.user("hanako"), await theirs.user("taro")
    room = await one.creates_room(preset="public_chat", initial_state=ENCRYPTED)
    await joins(two, room, ours)
    await sees_member(one, room, two, "join")
    hanako, taro = await log_in(ours, one), await log_in(theirs, two)
    await _until(hanako, lambda: _devices(hanako, two.user_id) == 1)
    await _until(taro, lambda: _devices(taro, one.user_id) == 1)
    await _meet(hanako, taro, room)

    await theirs.stop()
    await log_in(ours, one)
    hanako.invalidate_outbound_session(room)
    await _whisper(hanako, room, SECRETS[0])
    await theirs.start()
    await _until(taro, lambda: _has_key_from(taro, room, hanako) and _devices(taro, one.user_id) == 2)

    # The new device's one-time keys cannot be got while we are away, so this is for the other one.
    await ours.stop()
    taro.invalidate_outbound_session(room)
    last = await _whisper(taro, room, SECRETS[1])
    await ours.start()
    await hanako.close()
    hanako.homeserver = ours.url
    await _until(hanako, lambda: _has_key_from(hanako, room, taro))
    one = ours.again(one)
    await has_heard(one, room, last)
    for client, person in ((hanako, one), (taro, two)):
        assert await _reads_all(client, person, room) == SECRETS


async def test_signatures_of_a_person_are_told(here: Side, there: Side) -> None:
    one, two = await here.user("hanako"), await there.user("taro")
    room = await one.creates_room(preset="public_chat", initial_state=ENCRYPTED)
    await joins(two, room, here)
    await sees_member(one, room, two, "join")
    await uploads(one)
    master, self_signing = await publishes_cross_signing(one, 20)

    async def signed() -> bool | None:
        told = await asks_for_keys(two, one.user_id)
        mine = [told.get(part, {}).get(one.user_id, {}).get("keys") for part in ("master_keys", "self_signing_keys")]
        return True if mine == [master["keys"], self_signing["keys"]] else None

    await until(two, signed)
    assert not (await asks_for_keys(two, one.user_id)).get("user_signing_keys")


async def test_a_message_to_a_device_arrives_once(here: Side, there: Side) -> None:
    one, two = await here.user("hanako"), await there.user("taro")
    for number in range(3):
        for _ in range(2):
            messages = {"messages": {two.user_id: {two.device_id: {"number": number}}}}
            assert (await one.put(f"v3/sendToDevice/jp.kairan.test/n{number}", messages)).status == 200
    heard: list[int] = []
    since = None
    async with asyncio.timeout(LONGEST_S):
        while len(heard) < 3:
            news = await two.syncs(since, timeout=2000 if since else 0)
            since = news.token
            events = news.body.get("to_device", {}).get("events", [])
            assert all(event["sender"] == one.user_id for event in events)
            heard += [event["content"]["number"] for event in events]
    assert heard == [0, 1, 2]


async def test_a_device_there_gets_another_name(ours: Ours, theirs: Theirs) -> None:
    """Only there: how our people call their devices is told to nobody."""
    one, two = await theirs.user("hanako"), await ours.user("taro")
    room = await one.creates_room(preset="public_chat", initial_state=ENCRYPTED)
    await joins(two, room, theirs)
    await sees_member(one, room, two, "join")
    for person in (one, two):
        await uploads(person)
        assert (await person.put(f"v3/devices/{person.device_id}", {"display_name": "玄関の板"})).status == 200

    async def named() -> bool | None:
        keys = (await devices_of(two, one.user_id)).get(one.device_id, {})
        return True if keys.get("unsigned", {}).get("device_display_name") == "玄関の板" else None

    await until(two, named)
    assert "玄関の板" not in str(await devices_of(one, two.user_id))


async def _reads_all(client: nio.AsyncClient, person: Person, room: str) -> list[str]:
    """What a client with all keys makes of the room's past, without greetings."""
    events = [nio.Event.parse_event(event) for event in reversed(await all_events(person, room))]
    for event in events:
        if isinstance(event, nio.MegolmEvent):
            event.room_id = room
    read = [client.decrypt_event(event) for event in events if isinstance(event, nio.MegolmEvent)]
    return [event.body for event in read if isinstance(event, nio.RoomMessageText) and event.body in SECRETS]


async def _meet(hanako: nio.AsyncClient, taro: nio.AsyncClient, room: str) -> None:
    """Each has sent the other a key, so both have sessions."""
    await _whisper(hanako, room, "もしもし")
    await _until(taro, lambda: _has_key_from(taro, room, hanako))
    await _whisper(taro, room, "はい")
    await _until(hanako, lambda: _has_key_from(hanako, room, taro))
