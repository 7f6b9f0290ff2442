"""Two real clients on two nodes talk so that neither node can read it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import nio

from tests.builders import PASSWORD
from tests.federation.neighbours import neighbours
from tests.federation.town import FarNode

ENCRYPTION = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}


class Client:
    """A client that keeps keys, and what it has read."""

    def __init__(self, client: nio.AsyncClient) -> None:
        self.client = client
        self.heard: list[str] = []
        client.add_event_callback(lambda _room, event: self.heard.append(event.body), nio.RoomMessageText)

    async def syncs(self, timeout: int = 0) -> None:
        answer = await self.client.sync(timeout=timeout)
        assert isinstance(answer, nio.SyncResponse), answer
        if self.client.should_upload_keys:
            assert isinstance(await self.client.keys_upload(), nio.KeysUploadResponse)
        if self.client.should_query_keys:
            assert isinstance(await self.client.keys_query(), nio.KeysQueryResponse)

    async def whispers(self, room: str, words: str) -> None:
        content = {"msgtype": "m.text", "body": words}
        answer = await self.client.room_send(room, "m.room.message", content, ignore_unverified_devices=True)
        assert isinstance(answer, nio.RoomSendResponse), answer

    async def hears(self, words: str) -> None:
        for _ in range(30):
            if words in self.heard:
                return
            await self.syncs(1_000)
        raise AssertionError(f"{words} has not come: {self.heard}")

    async def knows_devices_of(self, room: str, user_id: str) -> None:
        for _ in range(30):
            if room in self.client.rooms and user_id in self.client.rooms[room].users and list(
                self.client.device_store.active_user_devices(user_id)
            ):
                return
            await self.syncs(1_000)
        raise AssertionError("no devices")


@asynccontextmanager
async def logged_in(far: FarNode, name: str, folder: Path) -> AsyncIterator[Client]:
    folder.mkdir()
    config = nio.AsyncClientConfig(encryption_enabled=True, store_sync_tokens=True)
    client = nio.AsyncClient(far.node.url, f"@{name}:{far.name}", store_path=str(folder), config=config)
    try:
        assert isinstance(await client.login(PASSWORD, device_name="test"), nio.LoginResponse)
        yield Client(client)
    finally:
        await client.close()


async def test_two_clients_on_two_nodes_talk_encrypted(tmp_path: Path) -> None:
    async with (
        neighbours(tmp_path, initial_state=[ENCRYPTION]) as (sakura, ume, _, _taro, room),
        logged_in(sakura, "hanako", tmp_path / "a") as hanako, logged_in(ume, "taro", tmp_path / "b") as taro,
    ):
        for one in (hanako, taro):
            await one.syncs()
        await hanako.knows_devices_of(room, taro.client.user_id)
        await taro.knows_devices_of(room, hanako.client.user_id)
        assert hanako.client.rooms[room].encrypted

        await hanako.whispers(room, "秘密")
        await taro.hears("秘密")
        await taro.whispers(room, "分かった")
        await hanako.hears("分かった")
