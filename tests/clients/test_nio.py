"""What matrix-nio makes of this node: it checks every answer against schemas of its own."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import nio
import pytest
from nio.api import RelationshipType
from sqlalchemy import text

from tests.builders import RunningNode
from tests.clients.conftest import LogIn
from tests.clients.nio_people import TEXT, newest, say, shared_room

_EVENTS = text("SELECT json FROM events")


async def test_a_conversation(log_in: LogIn) -> None:
    hanako, taro = await log_in("hanako"), await log_in("taro")
    room = await shared_room(hanako, taro, name="回覧板", topic="お知らせ")
    heard: list[str] = []
    taro.add_event_callback(lambda _room, event: heard.append(event.body), nio.RoomMessageText)
    await newest(taro)
    await newest(hanako)
    waiting = asyncio.ensure_future(taro.sync(timeout=20_000))
    event_id = await say(hanako, room, "今晩は")
    await waiting
    assert heard == ["今晩は"]
    assert taro.rooms[room].name == "回覧板"
    assert set(taro.rooms[room].users) == {hanako.user_id, taro.user_id}
    assert isinstance(await taro.room_read_markers(room, event_id, event_id), nio.RoomReadMarkersResponse)
    assert isinstance(await taro.room_typing(room), nio.RoomTypingResponse)
    await newest(hanako)
    assert hanako.rooms[room].read_receipts[taro.user_id].event_id == event_id
    assert hanako.rooms[room].typing_users == [taro.user_id]
    await newest(taro)
    assert taro.rooms[room].fully_read_marker == event_id


async def test_reading_the_past_and_state(log_in: LogIn) -> None:
    hanako = await log_in("hanako")
    room = await shared_room(hanako, name="x")
    ids = [await say(hanako, room, str(number)) for number in range(25)]
    first = await newest(hanako)
    page = await hanako.room_messages(room, first.rooms.join[room].timeline.prev_batch, limit=50)
    assert isinstance(page, nio.RoomMessagesResponse), page
    assert [event.body for event in page.chunk if isinstance(event, nio.RoomMessageText)] == [
        str(number) for number in reversed(range(15))
    ]
    around = await hanako.room_context(room, ids[10], limit=4)
    assert isinstance(around, nio.RoomContextResponse), around
    assert around.event.event_id == ids[10]
    for question, kind in (
        (hanako.room_get_event(room, ids[0]), nio.RoomGetEventResponse),
        (hanako.room_get_state(room), nio.RoomGetStateResponse),
        (hanako.room_get_state_event(room, "m.room.name"), nio.RoomGetStateEventResponse),
        (hanako.joined_rooms(), nio.JoinedRoomsResponse),
        (hanako.joined_members(room), nio.JoinedMembersResponse),
        (hanako.room_redact(room, ids[3], "typo"), nio.RoomRedactResponse),
        (hanako.get_profile(), nio.ProfileGetResponse),
        (hanako.room_put_alias("#hall:sakura.example", room), nio.RoomPutAliasResponse),
        (hanako.room_resolve_alias("#hall:sakura.example"), nio.RoomResolveAliasResponse),
        (hanako.room_get_visibility(room), nio.RoomGetVisibilityResponse),
        (hanako.room_delete_alias("#hall:sakura.example"), nio.RoomDeleteAliasResponse),
    ):
        answer = await question
        assert isinstance(answer, kind), answer


async def test_coming_and_going(log_in: LogIn) -> None:
    hanako, taro = await log_in("hanako"), await log_in("taro")
    room = await shared_room(hanako, taro)
    assert isinstance(await hanako.room_kick(room, taro.user_id, "noise"), nio.RoomKickResponse)
    assert room in (await newest(taro)).rooms.leave
    assert isinstance(await hanako.room_ban(room, taro.user_id), nio.RoomBanResponse)
    assert isinstance(await taro.join(room), nio.JoinError)
    assert isinstance(await hanako.room_unban(room, taro.user_id), nio.RoomUnbanResponse)
    assert isinstance(await hanako.room_invite(room, taro.user_id), nio.RoomInviteResponse)
    assert isinstance(await taro.join(room), nio.JoinResponse)
    assert isinstance(await taro.room_leave(room), nio.RoomLeaveResponse)
    assert isinstance(await taro.room_forget(room), nio.RoomForgetResponse)


async def test_reactions_edits_and_polls(log_in: LogIn) -> None:
    hanako, taro = await log_in("hanako"), await log_in("taro")
    room = await shared_room(hanako, taro)
    event_id = await say(hanako, room, "first")
    edited = {"m.relates_to": {"rel_type": "m.replace", "event_id": event_id},
              "m.new_content": {"msgtype": "m.text", "body": "second"}}
    await say(hanako, room, "* second", **edited)
    relates = {"m.relates_to": {"rel_type": "m.annotation", "event_id": event_id, "key": "✅"}}
    assert isinstance(await taro.room_send(room, "m.reaction", relates), nio.RoomSendResponse)
    question = {"question": {"body": "来ますか"}, "answers": [{"id": "1"}, {"id": "2"}]}
    poll = await hanako.room_send(room, "org.matrix.msc3381.poll.start", {"org.matrix.msc3381.poll.start": question})
    assert isinstance(poll, nio.RoomSendResponse)
    vote = {"org.matrix.msc3381.poll.response": {"answers": ["1"]},
            "m.relates_to": {"rel_type": "m.reference", "event_id": poll.event_id}}
    assert isinstance(await taro.room_send(room, "org.matrix.msc3381.poll.response", vote), nio.RoomSendResponse)
    reactions: list[Any] = []
    hanako.add_event_callback(lambda _room, event: reactions.append(event), nio.ReactionEvent)
    await newest(hanako)
    assert [(event.sender, event.key, event.reacts_to) for event in reactions] == [(taro.user_id, "✅", event_id)]
    votes = [event async for event in hanako.room_get_event_relations(room, poll.event_id, RelationshipType.reference)]
    assert [event.sender for event in votes] == [taro.user_id]


async def test_files(log_in: LogIn) -> None:
    hanako, taro = await log_in("hanako"), await log_in("taro")
    data = "回覧 第1号".encode()
    uploaded, _ = await hanako.upload(io.BytesIO(data), content_type="text/plain", filename="a.txt", filesize=len(data))
    assert isinstance(uploaded, nio.UploadResponse), uploaded
    fetched = await taro.download(uploaded.content_uri)
    assert isinstance(fetched, nio.DownloadResponse), fetched
    assert fetched.body == data


@pytest.mark.slow
async def test_two_clients_talk_encrypted_and_the_node_cannot_read(node: RunningNode, log_in: LogIn) -> None:
    hanako, taro = await log_in("hanako", encrypted=True), await log_in("taro", encrypted=True)
    room = await shared_room(hanako, taro, initial_state=[
        {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}},
    ])
    heard: dict[str, list[str]] = {"hanako": [], "taro": []}
    hanako.add_event_callback(lambda _room, event: heard["hanako"].append(event.body), nio.RoomMessageText)
    taro.add_event_callback(lambda _room, event: heard["taro"].append(event.body), nio.RoomMessageText)
    for client in (hanako, taro, hanako, taro):
        await newest(client)
        if client.should_upload_keys:
            assert isinstance(await client.keys_upload(), nio.KeysUploadResponse)
        if client.should_query_keys:
            assert isinstance(await client.keys_query(), nio.KeysQueryResponse)
    assert hanako.rooms[room].encrypted

    async def whisper(client: nio.AsyncClient, words: str) -> None:
        content = {"msgtype": "m.text", "body": words}
        answer = await client.room_send(room, TEXT, content, ignore_unverified_devices=True)
        assert isinstance(answer, nio.RoomSendResponse), answer

    await whisper(hanako, "秘密")
    await newest(taro)
    await whisper(taro, "分かった")
    await newest(hanako)
    assert (heard["taro"][0], heard["hanako"][-1]) == ("秘密", "分かった")
    rows = await node.inside.core.database.fetch_all(_EVENTS)
    assert not [row for row in rows if "秘密".encode() in bytes(row[0])]
