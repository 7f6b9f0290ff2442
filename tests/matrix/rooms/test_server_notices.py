"""What the operator tells people: in a room of their own, in any client."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from server.assembly.notices import notices_of
from server.assembly.people import notice
from server.foundation.errors import BadRequest, NotFound, Refused
from server.foundation.settings import Address
from server.rooms import notice_room_store
from server.rooms.notice_rooms import MARK
from tests.builders import Person, RunningNode, settings_for

TEXT = "今夜十時からサーバーをとめます。"
NODE = "@kairan:sakura.example"
STAY = (403, "M_CANNOT_LEAVE_SERVER_NOTICE_ROOM")


async def told(node: RunningNode, person: Person, text: str = TEXT) -> str:
    """Tell somebody something; the answer is their room for it."""
    await notices_of(node.inside).send(person.user_id, text)
    sync = await person.syncs()
    rooms = {**sync.rooms("invite"), **sync.rooms()}
    found = [room_id for room_id, room in rooms.items() if _is_notice_room(room)]
    assert len(found) == 1
    return found[0]


def _is_notice_room(room: dict[str, Any]) -> bool:
    events = room.get("invite_state", room.get("state", {})).get("events", [])
    events = events + room.get("timeline", {}).get("events", [])
    return any(event["type"] == "m.room.create" and event["content"].get(MARK) for event in events)


async def test_a_notice_is_read_in_a_room_that_clients_know_by_its_tag(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await told(node, hanako)
    await hanako.joins(room)
    sync = await hanako.syncs()
    message = sync.timeline(room)[-2]
    assert (message["sender"], message["type"]) == (NODE, "m.room.message")
    assert message["content"] == {
        "msgtype": "m.server_notice", "server_notice_type": "jp.kairan.notice", "body": TEXT,
    }
    tags = [event for event in sync.room(room)["account_data"]["events"] if event["type"] == "m.tag"]
    assert tags[0]["content"] == {"tags": {"m.server_notice": {}}}


async def test_further_notices_come_into_the_same_room_accepted_or_not(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await told(node, hanako, "一")
    assert await told(node, hanako, "二") == room
    await hanako.joins(room)
    assert await told(node, hanako, "三") == room
    assert (await hanako.syncs()).texts(room) == ["一", "二", "三"]


async def test_everybody_has_a_room_of_their_own(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    hers, his = await told(node, hanako), await told(node, taro)
    assert hers != his
    assert (await taro.post(f"v3/join/{hers}")).refusal == (403, "M_FORBIDDEN")


async def test_many_notices_at_once_make_one_room(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    await asyncio.gather(*(notices_of(node.inside).send(hanako.user_id, str(number)) for number in range(8)))
    room = await told(node, hanako, "8")
    await hanako.joins(room)
    assert sorted((await hanako.syncs()).texts(room)) == [str(number) for number in range(9)]


async def test_the_reader_cannot_turn_it_down_and_cannot_leave(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await told(node, hanako)
    for _ in ("invited", "joined"):
        assert (await hanako.post(f"v3/rooms/{room}/leave")).refusal == STAY
        left = await hanako.sets(room, "m.room.member", {"membership": "leave"}, hanako.user_id)
        assert left.refusal == STAY
        await hanako.joins(room)
    assert (await hanako.post(f"v3/rooms/{room}/forget")).status == 400


async def test_the_reader_cannot_speak_nor_change_the_room(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await told(node, hanako)
    await hanako.joins(room)
    message = (await hanako.syncs()).timeline(room)[-2]["event_id"]
    for answer in (
        await hanako.sends(room, "m.room.message", {"msgtype": "m.text", "body": "x"}),
        await hanako.sends(room, "m.reaction", {
            "m.relates_to": {"rel_type": "m.annotation", "event_id": message, "key": "x"},
        }),
        await hanako.sets(room, "m.room.name", {"name": "x"}),
        await hanako.sets(room, "m.room.power_levels", {"users": {hanako.user_id: 100}}),
        await hanako.redacts(room, message),
        await hanako.post(f"v3/rooms/{room}/invite", {"user_id": taro.user_id}),
        await hanako.post(f"v3/rooms/{room}/kick", {"user_id": NODE}),
    ):
        assert answer.refusal == (403, "M_FORBIDDEN")
    assert (await hanako.reads(room, message)).status == 200


async def test_nobody_can_make_a_room_that_others_cannot_leave(node: RunningNode) -> None:
    taro, hanako = await node.users("taro", "hanako")
    trap = await taro.creates_room(creation_content={MARK: True}, preset="public_chat")
    await hanako.joins(trap)
    await hanako.leaves(trap)
    await taro.leaves(trap)


async def test_a_notice_finds_its_room_after_a_restart(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await told(node, hanako)
    await node.restart()
    assert await told(node, hanako, "noch einmal") == room
    assert (await hanako.post(f"v3/rooms/{room}/leave")).refusal == STAY


async def test_a_closed_account_leaves_the_room_and_is_told_nothing_more(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    await told(node, hanako)
    await node.inside.accounts.deactivate(hanako.user_id)
    with pytest.raises(NotFound):
        await notices_of(node.inside).send(hanako.user_id, TEXT)


@pytest.mark.parametrize("text", ["", "  \n", "あ" * 10_001])
async def test_an_empty_or_endless_notice_is_not_sent(node: RunningNode, text: str) -> None:
    hanako = await node.user("hanako")
    with pytest.raises(BadRequest):
        await notices_of(node.inside).send(hanako.user_id, text)
    assert (await hanako.syncs()).rooms("invite") == {}


@pytest.mark.parametrize("user_id", ["@nobody:sakura.example", "@hanako:elsewhere.example", NODE])
async def test_only_people_of_this_node_are_told(node: RunningNode, user_id: str) -> None:
    with pytest.raises(NotFound):
        await notices_of(node.inside).send(user_id, TEXT)


async def test_the_operator_tells_one_or_everybody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with RunningNode(settings_for(tmp_path)) as node:
        hanako, taro, gone = await node.users("hanako", "taro", "gone")
        await node.inside.accounts.deactivate(gone.user_id)
        here = Address("127.0.0.1", node.client.port or 0)
        settings = replace(node.settings, http=replace(node.settings.http, listen=here))
        await asyncio.to_thread(notice, settings, localpart="hanako", text="一人に")
        await asyncio.to_thread(notice, settings, localpart="", text="みんなに")
        assert capsys.readouterr().out.splitlines() == ["1 people are told.", "2 people are told."]
        for person, texts in ((hanako, ["一人に", "みんなに"]), (taro, ["みんなに"])):
            (room,) = (await person.syncs()).rooms("invite")
            await person.joins(room)
            assert (await person.syncs()).texts(room) == texts
        with pytest.raises(Refused):
            await asyncio.to_thread(notice, settings, localpart="nobody", text="x")


def test_the_operator_tells_people_on_a_resting_node(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert notice(settings_for(tmp_path), localpart="", text=TEXT) == 0
    assert capsys.readouterr().out == "0 people are told.\n"


async def test_nothing_is_kept_of_the_room_of_whoever_has_gone(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    for person in (hanako, taro):
        await told(node, person)
    await node.inside.accounts.deactivate(hanako.user_id, erase=True)
    database = node.inside.core.database
    assert await notice_room_store.find_room(database, hanako.user_id) is None
    assert await notice_room_store.find_room(database, taro.user_id) is not None
