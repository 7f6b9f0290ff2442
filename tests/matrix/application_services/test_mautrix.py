"""The framework on which the known bridges stand, unchanged, beside a node: mautrix-python's ``AppService``."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from mautrix.appservice import AppService, IntentAPI
from mautrix.appservice.state_store import FileASStateStore
from mautrix.errors import MatrixRequestError
from mautrix.types import EventType, Format, Membership, MessageType, PresenceState, RoomCreatePreset, UserID

from tests.builders import SERVER_NAME, RunningNode
from tests.matrix.application_services.conftest import MakeNode
from tests.matrix.application_services.service import AS_TOKEN, HS_TOKEN, ghost

_SECONDS = 60.0


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Bridge:
    """A bridge of the framework's, and what it has heard. ``start`` and ``stop`` it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self.heard: list[Any] = []
        self.asked: list[str] = []
        self.exists: set[str] = set()
        self._folder = folder
        self._changed = asyncio.Condition()
        self.service: AppService

    async def start(self, node_url: str) -> None:
        self.service = AppService(
            server=node_url, domain=SERVER_NAME, as_token=AS_TOKEN, hs_token=HS_TOKEN, bot_localpart="ircbot",
            id="irc", state_store=FileASStateStore(self._folder / "state.json", binary=False),
            query_user=self._knows_user, ephemeral_events=True, encryption_events=True,
        )
        self.service.to_device_handler = self._hear
        self.service.matrix_event_handler(self._hear)
        await self.service.start("127.0.0.1", self.port)

    async def stop(self) -> None:
        await self.service.stop()

    def ghost(self, name: str) -> IntentAPI:
        return self.service.intent.user(UserID(ghost(name)))

    @property
    def texts(self) -> list[str]:
        return [str(event.content.body) for event in self.heard if event.type == EventType.ROOM_MESSAGE]

    async def until(self, is_so: Callable[[], Any]) -> None:
        async with asyncio.timeout(_SECONDS), self._changed:
            await self._changed.wait_for(is_so)

    def of_type(self, kind: EventType) -> list[Any]:
        return [event for event in self.heard if event.type == kind]

    async def _hear(self, event: Any) -> None:
        async with self._changed:
            self.heard.append(event)
            self._changed.notify_all()

    async def _knows_user(self, user_id: Any) -> Any:
        self.asked.append(user_id)
        if user_id not in self.exists:
            return None
        await self.service.intent.user(user_id).ensure_registered()
        return {"made": True}  # the framework takes an empty answer for none


@pytest.fixture
def mautrix(tmp_path: Path) -> Bridge:
    return Bridge(tmp_path, free_port())


@pytest.fixture
async def node(make_node: MakeNode, mautrix: Bridge) -> AsyncIterator[RunningNode]:
    """A node and the bridge beside it, both running."""
    node = await make_node({
        "url": f"http://127.0.0.1:{mautrix.port}", "org.matrix.msc3202": True,
        "de.sorunome.msc2409.push_ephemeral": True,
        "namespaces": {"users": [
            {"regex": f"^@_irc_.*:{SERVER_NAME}$", "exclusive": True},
            {"regex": f"^@ircbot:{SERVER_NAME}$", "exclusive": True},
        ]},
    })
    await mautrix.start(node.url)
    yield node
    await mautrix.stop()


async def portal(mautrix: Bridge, *people: Any) -> str:
    """A room that a ghost has made, in which these people are."""
    taro = mautrix.ghost("taro")
    room = await taro.create_room(
        preset=RoomCreatePreset.PRIVATE, name="祭り", invitees=[UserID(person.user_id) for person in people]
    )
    for person in people:
        await person.joins(room)
    return str(room)


async def test_a_bridge_brings_ghosts_and_people_together(node: RunningNode, mautrix: Bridge) -> None:
    hanako = await node.user("hanako")
    await mautrix.service.intent.ensure_registered()
    room: Any = await portal(mautrix, hanako)
    taro = mautrix.ghost("taro")
    await taro.set_displayname("太郎")
    event_id = await taro.send_text(room, text="こんにちは", html="<b>こんにちは</b>")
    await hanako.says(room, "いらっしゃい")
    await mautrix.until(lambda: "いらっしゃい" in mautrix.texts)
    sync = await hanako.syncs()
    said = [event for event in sync.timeline(room) if event["type"] == "m.room.message"]
    assert [(event["event_id"], event["content"]["format"]) for event in said[:1]] == [(event_id, str(Format.HTML))]
    members = [event for event in sync.timeline(room) if event.get("state_key") == ghost("taro")]
    assert members[-1]["content"]["displayname"] == "太郎"
    answer = mautrix.of_type(EventType.ROOM_MESSAGE)[-1]
    assert (answer.room_id, answer.sender, answer.content.msgtype) == (room, hanako.user_id, MessageType.TEXT)


async def test_a_second_ghost_is_brought_in_by_the_bot(node: RunningNode, mautrix: Bridge) -> None:
    hanako = await node.user("hanako")
    bot = mautrix.service.intent
    room = await bot.create_room(preset=RoomCreatePreset.PRIVATE, invitees=[UserID(hanako.user_id)])
    await hanako.joins(str(room))
    await mautrix.ghost("jiro").send_text(room, text="次郎です")
    await mautrix.until(lambda: "次郎です" in mautrix.texts)
    assert (await hanako.syncs()).texts(str(room)) == ["次郎です"]


async def test_a_bridge_says_when_it_was_said(node: RunningNode, mautrix: Bridge) -> None:
    hanako = await node.user("hanako")
    room: Any = await portal(mautrix, hanako)
    await mautrix.ghost("taro").send_text(room, text="昔", timestamp=1_500_000_000_000)
    assert (await hanako.syncs()).timeline(room)[-1]["origin_server_ts"] == 1_500_000_000_000


async def test_a_bridge_hears_who_types_reads_and_is_there(node: RunningNode, mautrix: Bridge) -> None:
    hanako = await node.user("hanako")
    room: Any = await portal(mautrix, hanako)
    taro = mautrix.ghost("taro")
    event_id = await taro.send_text(room, text="読んで")
    await hanako.put(f"v3/rooms/{room}/typing/{hanako.user_id}", {"typing": True})
    await mautrix.until(lambda: mautrix.of_type(EventType.TYPING))
    assert mautrix.of_type(EventType.TYPING)[-1].content.user_ids == [hanako.user_id]
    await hanako.reads(room, str(event_id))
    await mautrix.until(lambda: mautrix.of_type(EventType.RECEIPT))
    assert list(mautrix.of_type(EventType.RECEIPT)[-1].content) == [event_id]
    await hanako.put(f"v3/presence/{hanako.user_id}/status", {"presence": "unavailable"})
    await mautrix.until(lambda: [
        each for each in mautrix.of_type(EventType.PRESENCE) if each.content.presence == PresenceState.UNAVAILABLE
    ])
    await taro.set_typing(room, timeout=5000)
    await taro.mark_read(room, event_id)
    await taro.set_presence(PresenceState.ONLINE)
    assert (await hanako.syncs()).ephemeral(room, "m.typing") is not None


async def test_inviting_a_ghost_asks_the_bridge(node: RunningNode, mautrix: Bridge) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    mautrix.exists.add(ghost("saburo"))
    invited = await hanako.post(f"v3/rooms/{room}/invite", {"user_id": ghost("saburo")})
    assert invited.status == 200
    assert mautrix.asked == [ghost("saburo")]
    await mautrix.until(lambda: [
        event for event in mautrix.of_type(EventType.ROOM_MEMBER)
        if (event.state_key, event.content.membership) == (ghost("saburo"), Membership.INVITE)
    ])
    await mautrix.ghost("saburo").ensure_joined(room)  # type: ignore[arg-type]
    assert (await hanako.post(f"v3/rooms/{room}/invite", {"user_id": ghost("nobody")})).status == 404


async def test_a_bridge_pings_itself_through_the_node(node: RunningNode, mautrix: Bridge) -> None:
    assert await mautrix.service.ping_self("meow") >= -1
    await mautrix.service.runner.cleanup()  # type: ignore[union-attr]
    with pytest.raises(MatrixRequestError) as refused:
        await mautrix.service.ping_self()
    assert (refused.value.http_status, refused.value.errcode) == (502, "M_CONNECTION_FAILED")


async def test_a_bridge_gets_what_is_sent_to_the_device_of_its_bot(node: RunningNode, mautrix: Bridge) -> None:
    hanako = await node.user("hanako")
    bot = mautrix.service.intent
    body = {"type": "m.login.application_service", "identifier": {"type": "m.id.user", "user": bot.mxid}}
    login = await node.ask("POST", "v3/login", {**body, "device_id": "BRIDGE"}, token=AS_TOKEN)
    assert login["device_id"] == "BRIDGE"
    content = {"algorithm": "m.olm.v1.curve25519-aes-sha2", "ciphertext": {}, "sender_key": "k"}
    await hanako.put("v3/sendToDevice/m.room.encrypted/1", {"messages": {bot.mxid: {"BRIDGE": content}}})
    await mautrix.until(lambda: [event for event in mautrix.heard if event.type == EventType.TO_DEVICE_ENCRYPTED])


async def test_neither_restart_loses_or_doubles_anything(node: RunningNode, mautrix: Bridge) -> None:
    hanako = await node.user("hanako")
    room: Any = await portal(mautrix, hanako)
    await hanako.says(room, "一")
    await mautrix.until(lambda: "一" in mautrix.texts)
    await mautrix.stop()
    await hanako.says(room, "二")
    await node.restart()
    await hanako.says(room, "三")
    await mautrix.start(node.url)
    await mautrix.service.ping_self()
    await mautrix.until(lambda: "三" in mautrix.texts)
    await node.restart()
    mautrix.service.intent.api.base_url = type(mautrix.service.intent.api.base_url)(node.url)
    await hanako.says(room, "四")
    await mautrix.until(lambda: "四" in mautrix.texts)
    assert mautrix.texts == ["一", "二", "三", "四"]
