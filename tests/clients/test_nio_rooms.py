"""What matrix-nio makes of this node's threads, spaces, upgrades, directory, rules and devices."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import nio
import pytest
from nio.api import PushRuleKind, ResizingMethod
from nio.responses import PublicRoomsResponse, RoomUpgradeResponse
from PIL import Image

from tests.builders import PASSWORD, RunningNode
from tests.clients.conftest import LogIn
from tests.clients.nio_people import TEXT, let_in, newest, say, shared_room, succeeded


async def test_threads_are_listed(log_in: LogIn) -> None:
    hanako, taro = await log_in("hanako"), await log_in("taro")
    room = await shared_room(hanako, taro)
    root = await say(hanako, room, "夏祭りについて")
    await say(hanako, room, "別の話")
    await say(taro, room, "屋台を出します", **{"m.relates_to": {"rel_type": "m.thread", "event_id": root}})
    roots = [event async for event in hanako.room_get_threads(room)]
    assert [event.event_id for event in roots] == [root]
    summary = roots[0].source["unsigned"]["m.relations"]["m.thread"]
    assert (summary["count"], summary["latest_event"]["sender"]) == (1, taro.user_id)


async def test_a_space_shows_its_rooms(log_in: LogIn) -> None:
    hanako, taro = await log_in("hanako"), await log_in("taro")
    space = succeeded(await hanako.room_create(space=True, name="桜町"), nio.RoomCreateResponse).room_id
    room = succeeded(await hanako.room_create(name="掲示板"), nio.RoomCreateResponse).room_id
    child = {"via": ["sakura.example"]}
    succeeded(await hanako.room_put_state(space, "m.space.child", child, room), nio.RoomPutStateResponse)
    hierarchy = succeeded(await hanako.space_get_hierarchy(space), nio.SpaceGetHierarchyResponse)
    assert [found["name"] for found in hierarchy.rooms] == ["桜町", "掲示板"]
    assert isinstance(await taro.space_get_hierarchy(space), nio.SpaceGetHierarchyError)


async def test_a_room_is_upgraded_to_version_12(log_in: LogIn) -> None:
    hanako, taro = await log_in("hanako"), await log_in("taro")
    old = await shared_room(hanako, taro, name="回覧板", room_version="11")
    await newest(hanako)
    made = await hanako.room_upgrade(old, "12")
    new = succeeded(made, RoomUpgradeResponse).room_id
    await newest(hanako)
    created = succeeded(await hanako.room_get_state_event(new, "m.room.create"), nio.RoomGetStateEventResponse)
    assert created.content["room_version"] == "12"
    assert created.content["predecessor"]["room_id"] == old
    assert hanako.rooms[new].name == "回覧板"
    stone = succeeded(await taro.room_get_state_event(old, "m.room.tombstone"), nio.RoomGetStateEventResponse)
    assert stone.content["replacement_room"] == new


async def test_one_knocks_and_is_let_in(log_in: LogIn) -> None:
    hanako, taro = await log_in("hanako"), await log_in("taro")
    room = await shared_room(hanako)
    assert isinstance(await taro.room_knock(room), nio.RoomKnockError)
    succeeded(await hanako.room_enable_knocking(room), nio.RoomPutStateResponse)
    succeeded(await taro.room_knock(room, "入れてください"), nio.RoomKnockResponse)
    await let_in(hanako, taro, room)
    members = succeeded(await hanako.joined_members(room), nio.JoinedMembersResponse).members
    assert {member.user_id for member in members} == {hanako.user_id, taro.user_id}


async def test_the_directory_lists_what_is_public(log_in: LogIn) -> None:
    hanako, taro = await log_in("hanako"), await log_in("taro")
    visible = await hanako.room_create(
        name="ひろば", alias="hiroba", visibility=nio.RoomVisibility.public, preset=nio.RoomPreset.public_chat
    )
    room = succeeded(visible, nio.RoomCreateResponse).room_id
    listed = succeeded(await taro.list_public_rooms(limit=5), PublicRoomsResponse)
    assert [found.room_id for found in listed.public_rooms] == [room]
    succeeded(await taro.join("#hiroba:sakura.example"), nio.JoinResponse)


async def test_a_muted_room_counts_nothing(log_in: LogIn) -> None:
    hanako, taro = await log_in("hanako"), await log_in("taro")
    room = await shared_room(hanako, taro)
    await say(hanako, room, "一")
    await newest(taro)
    assert taro.rooms[room].unread_notifications == 1
    await taro.room_read_markers(room, *[await say(hanako, room, "二")] * 2)
    succeeded(await taro.set_pushrule("global", PushRuleKind.room, room, actions=[]), nio.SetPushRuleResponse)
    await say(hanako, room, "三")
    await newest(taro)
    assert taro.rooms[room].unread_notifications == 0
    succeeded(await taro.delete_pushrule("global", PushRuleKind.room, room), nio.DeletePushRuleResponse)
    gone = await taro.delete_pushrule("global", PushRuleKind.room, room)
    assert isinstance(gone, nio.DeletePushRuleError)


async def test_a_lost_device_is_put_out_with_the_password(log_in: LogIn) -> None:
    hanako, lost = await log_in("hanako"), await log_in("hanako")
    asked = await hanako.delete_devices([lost.device_id])
    assert isinstance(asked, nio.DeleteDevicesAuthResponse)
    who = {"type": "m.id.user", "user": hanako.user_id}
    auth = {"type": "m.login.password", "session": asked.session, "identifier": who, "password": PASSWORD}
    succeeded(await hanako.delete_devices([lost.device_id], auth), nio.DeleteDevicesResponse)
    listed = succeeded(await hanako.devices(), nio.DevicesResponse)
    assert lost.device_id not in [device.id for device in listed.devices]
    assert isinstance(await lost.whoami(), nio.WhoamiError)


async def test_presence_profile_and_portrait(log_in: LogIn) -> None:
    hanako, taro = await log_in("hanako"), await log_in("taro")
    await shared_room(hanako, taro)
    file = io.BytesIO()
    Image.new("RGB", (400, 300), "red").save(file, "PNG")
    size = file.tell()
    file.seek(0)
    uploaded, _ = await hanako.upload(file, content_type="image/png", filename="花子.png", filesize=size)
    uri = succeeded(uploaded, nio.UploadResponse).content_uri
    succeeded(await hanako.set_avatar(uri), nio.ProfileSetAvatarResponse)
    succeeded(await hanako.set_displayname("山田花子"), nio.ProfileSetDisplayNameResponse)
    profile = succeeded(await taro.get_profile(hanako.user_id), nio.ProfileGetResponse)
    assert (profile.displayname, profile.avatar_url) == ("山田花子", uri)
    server_name, media_id = uri.removeprefix("mxc://").split("/")
    small = succeeded(await taro.thumbnail(server_name, media_id, 96, 96, ResizingMethod.crop), nio.ThumbnailResponse)
    assert Image.open(io.BytesIO(small.body)).size == (96, 96)
    succeeded(await hanako.set_presence("unavailable", "昼寝"), nio.PresenceSetResponse)
    presence = succeeded(await taro.get_presence(hanako.user_id), nio.PresenceGetResponse)
    assert (presence.presence, presence.status_msg) == ("unavailable", "昼寝")


async def test_an_account_is_made_and_left(node: RunningNode, tmp_path: Path) -> None:
    stranger = nio.AsyncClient(node.url, "jiro", store_path=str(tmp_path))
    registered: Any = await stranger.register("jiro", PASSWORD)
    assert isinstance(registered, nio.RegisterResponse), registered
    assert succeeded(await stranger.whoami(), nio.WhoamiResponse).user_id == "@jiro:sakura.example"
    assert isinstance(await stranger.get_openid_token(stranger.user_id), nio.GetOpenIDTokenResponse)
    token = stranger.access_token
    succeeded(await stranger.logout(), nio.LogoutResponse)
    stranger.access_token = token
    assert isinstance(await stranger.whoami(), nio.WhoamiError)
    await stranger.close()


@pytest.mark.slow
async def test_devices_compare_emoji_and_keys_are_carried_by_file(log_in: LogIn, tmp_path: Path) -> None:
    hanako, taro = await log_in("hanako", encrypted=True), await log_in("taro", encrypted=True)
    room = await shared_room(hanako, taro, initial_state=[
        {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}},
    ])
    for client in (hanako, taro, hanako, taro):
        await with_keys(client)
    device = hanako.device_store[taro.user_id][taro.device_id]
    succeeded(await hanako.start_key_verification(device), nio.ToDeviceResponse)
    await newest(taro)
    (number,) = taro.key_verifications
    succeeded(await taro.accept_key_verification(number), nio.ToDeviceResponse)
    for client in (hanako, taro, hanako):
        await newest(client)
        await client.send_to_device_messages()
    assert hanako.key_verifications[number].get_emoji() == taro.key_verifications[number].get_emoji()
    for client in (hanako, taro):
        succeeded(await client.confirm_short_auth_string(number), nio.ToDeviceResponse)
    for client in (hanako, taro):
        await newest(client)
    assert hanako.key_verifications[number].verified
    assert taro.key_verifications[number].verified
    assert hanako.device_store[taro.user_id][taro.device_id].verified
    await newest(hanako)
    spoken = await hanako.room_send(room, TEXT, {"msgtype": "m.text", "body": "内密に"})
    event_id = succeeded(spoken, nio.RoomSendResponse).event_id
    await newest(taro)
    await taro.export_keys(str(tmp_path / "keys.txt"), "a passphrase")
    later = await log_in("taro", encrypted=True)
    await with_keys(later)
    hidden = succeeded(await later.room_get_event(room, event_id), nio.RoomGetEventResponse).event
    assert isinstance(hidden, nio.MegolmEvent)
    await later.import_keys(str(tmp_path / "keys.txt"), "a passphrase")
    assert later.decrypt_event(hidden).body == "内密に"


async def with_keys(client: nio.AsyncClient) -> None:
    """One /sync, and what follows from it for the keys."""
    await newest(client)
    if client.should_upload_keys:
        succeeded(await client.keys_upload(), nio.KeysUploadResponse)
    if client.should_query_keys:
        succeeded(await client.keys_query(), nio.KeysQueryResponse)
