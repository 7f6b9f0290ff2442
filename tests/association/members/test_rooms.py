"""The association's rooms, and who is in them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from server.association.members.model import EVERYONE, OFFICERS, Audience, Purpose, Role
from server.association.members.room_plans import RoomSpec, wanted_specs
from server.foundation.errors import Forbidden
from server.rooms.send_event import Draft
from tests.association.world import World, world


def _message(room_id: str, sender: str) -> Draft:
    return Draft(room_id, sender, "m.room.message", {"msgtype": "m.text", "body": "こんにちは"})


async def _joined(node: World, room_id: str | None) -> set[str]:
    return (await node.live(room_id)).joined - {node.node}


@pytest.mark.parametrize("version", ["10", "11", "12"])
async def test_the_first_start_makes_a_space_with_its_rooms(tmp_path: Path, version: str) -> None:
    async with world(tmp_path / "node.db", version=version) as node:
        space = await node.live(node.members.hall_room(Purpose.SPACE))
        assert space.room_type == "m.space"
        assert space.content("m.room.name") == {"name": "桜町町内会"}
        shown = {key for kind, key in space.state if kind == "m.space.child"}
        assert shown == {node.members.hall_room(purpose) for purpose in Purpose if purpose is not Purpose.SPACE}
        circulars = await node.live(node.members.hall_room(Purpose.CIRCULARS))
        assert circulars.content("m.room.name") == {"name": "回覧板"}
        assert circulars.version.name == version
        assert not circulars.is_encrypted


async def test_a_second_start_makes_nothing_new(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db") as node:
        await node.person("佐藤 花子")
        before = sorted(room.room_id for room in node.members.rooms.rooms())
    async with world(tmp_path / "node.db") as node:
        assert sorted(room.room_id for room in node.members.rooms.rooms()) == before
        position = (await node.live(node.members.hall_room(Purpose.SPACE))).timeline[-1].stream
        await node.association.open()
        assert (await node.live(node.members.hall_room(Purpose.SPACE))).timeline[-1].stream == position


async def test_a_resident_is_in_the_rooms_of_their_place_and_has_a_line_of_their_own(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db") as node:
        person = await node.person("佐藤 花子", "1班")
        other = await node.person("鈴木 一郎", "2班")
        both = {person.user_id, other.user_id}
        for purpose in (Purpose.SPACE, Purpose.CIRCULARS, Purpose.BOARD, Purpose.DISASTER):
            assert await _joined(node, node.members.hall_room(purpose)) == both
        assert await _joined(node, node.members.hall_room(Purpose.OFFICERS)) == set()
        assert await _joined(node, node.members.block_room(node.members.block_of(person.id).id)) == {person.user_id}
        desk = await node.live(node.members.desk_room_of(person.id))
        assert desk.joined == {person.user_id, node.node}
        assert desk.content("m.room.name") == {"name": "窓口"}
        assert node.members.person_of_desk_room(desk.room_id) == person
        direct = await node.accounts.account_data.get(str(person.user_id), "", "m.direct")
        assert direct == {node.node: [desk.room_id]}


async def test_somebody_without_an_account_has_no_rooms(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db") as node:
        person = await node.person("佐藤 花子", account=False)
        assert node.members.desk_room_of(person.id) is None
        assert await _joined(node, node.members.hall_room(Purpose.CIRCULARS)) == set()


async def test_only_officers_write_circulars_but_everybody_may_react(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db") as node:
        resident = await node.person("佐藤 花子")
        officer = await node.person("会長 太郎", roles=[Role.CHAIR])
        circulars = node.members.hall_room(Purpose.CIRCULARS)
        event = await node.sender.send(_message(circulars, str(officer.user_id)))
        with pytest.raises(Forbidden):
            await node.sender.send(_message(circulars, str(resident.user_id)))
        relation = {"rel_type": "m.annotation", "event_id": event.event_id, "key": "✅"}
        await node.sender.send(Draft(circulars, str(resident.user_id), "m.reaction", {"m.relates_to": relation}))
        await node.sender.send(_message(node.members.hall_room(Purpose.BOARD), str(resident.user_id)))


async def test_an_office_brings_its_rooms_and_its_end_takes_them(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db") as node:
        person = await node.person("佐藤 花子")
        await node.editor.give_role(node.node, person.id, Role.OFFICER)
        assert await _joined(node, node.members.hall_room(Purpose.OFFICERS)) == {person.user_id}
        assert await _joined(node, node.members.hall_room(Purpose.RECEPTION)) == {person.user_id}
        await node.sender.send(_message(node.members.hall_room(Purpose.CIRCULARS), str(person.user_id)))
        await node.editor.take_role(node.node, person.id, Role.OFFICER)
        assert await _joined(node, node.members.hall_room(Purpose.OFFICERS)) == set()
        assert await _joined(node, node.members.hall_room(Purpose.RECEPTION)) == set()
        with pytest.raises(Forbidden):
            await node.sender.send(_message(node.members.hall_room(Purpose.CIRCULARS), str(person.user_id)))


async def test_a_block_leader_meets_the_officers_but_not_the_reception(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db") as node:
        leader = await node.person("佐藤 花子", roles=[Role.BLOCK_LEADER])
        assert await _joined(node, node.members.hall_room(Purpose.OFFICERS)) == {leader.user_id}
        assert await _joined(node, node.members.hall_room(Purpose.RECEPTION)) == set()
        block_room = await node.live(node.members.block_room(node.members.block_of(leader.id).id))
        assert block_room.levels().of_user(str(leader.user_id)) == 50


async def test_whoever_moves_to_another_block_changes_its_room(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db") as node:
        person = await node.person("佐藤 花子", "1班")
        old = node.members.block_room(node.members.block_of(person.id).id)
        new = await node.editor.add_block(node.node, "2班")
        await node.editor.change_household(node.node, person.household_id, block_id=new.id)
        assert await _joined(node, old) == set()
        assert await _joined(node, node.members.block_room(new.id)) == {person.user_id}


async def test_whoever_left_the_board_is_not_dragged_back_but_circulars_are_for_all(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db") as node:
        person = await node.person("佐藤 花子")
        for purpose in (Purpose.BOARD, Purpose.CIRCULARS):
            await node.membership.leave(node.members.hall_room(purpose), str(person.user_id))
        await node.editor.change_person(node.node, person.id, kana="さとう はなこ")
        assert await _joined(node, node.members.hall_room(Purpose.BOARD)) == set()
        assert await _joined(node, node.members.hall_room(Purpose.CIRCULARS)) == {person.user_id}


async def test_a_banned_member_does_not_keep_others_out(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db") as node:
        person = await node.person("佐藤 花子")
        board = node.members.hall_room(Purpose.BOARD)
        await node.membership.ban(board, node.node, str(person.user_id))
        other = await node.person("鈴木 一郎")
        await node.editor.change_person(node.node, person.id, kana="さとう")
        assert await _joined(node, board) == {other.user_id}


async def test_a_group_has_a_room_and_is_who_is_in_it(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db") as node:
        person, other = await node.person("佐藤 花子"), await node.person("鈴木 一郎", "2班")
        group = await node.editor.add_group(node.node, "子ども会")
        await node.editor.set_in_group(node.node, group.id, person.id, inside=True)
        room_id = node.members.group_room(group.id)
        assert await _joined(node, room_id) == {person.user_id}
        await node.membership.knock(str(room_id), str(other.user_id))
        await node.membership.invite(str(room_id), node.node, str(other.user_id))
        await node.membership.join(str(room_id), str(other.user_id))
        assert [item.name for item in node.members.audience(Audience.groups([group.id]))] == ["佐藤 花子", "鈴木 一郎"]
        await node.membership.leave(str(room_id), str(person.user_id))
        assert node.members.groups_of(person.id) == []
        await node.editor.remove_group(node.node, group.id)
        assert node.members.group_room(group.id) is None
        assert await _joined(node, room_id) == set()
    async with world(tmp_path / "node.db") as node:
        assert node.members.groups() == []


async def test_a_renamed_block_is_renamed_in_every_client(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db") as node:
        block = await node.editor.add_block(node.node, "1班")
        room_id = node.members.block_room(block.id)
        await node.editor.change_block(node.node, block.id, name="さくら班")
        assert (await node.live(room_id)).content("m.room.name") == {"name": "さくら班"}


async def test_a_corrected_name_shows_in_the_rooms(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db") as node:
        person = await node.person("左藤 花子")
        await node.editor.change_person(node.node, person.id, name="佐藤 花子")
        room = await node.live(node.members.hall_room(Purpose.CIRCULARS))
        member = room.member(str(person.user_id))
        assert member is not None
        assert member.content["displayname"] == "佐藤 花子"


async def test_rooms_follow_at_the_next_start_if_the_node_stopped_before(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db") as node:
        person = await node.person("佐藤 花子", account=False)
        user_id = await node.accounts.create_user(None, None, "佐藤 花子")
        node.editor._listeners.clear()  # as if the node were killed right after the commit
        async with node.editor.editing() as edit:
            edit.account(person.id, user_id)
        assert node.members.desk_room_of(person.id) is None
    async with world(tmp_path / "node.db") as node:
        assert await _joined(node, node.members.hall_room(Purpose.CIRCULARS)) == {user_id}
        assert node.members.desk_room_of(person.id) is not None


async def test_a_room_that_the_space_does_not_show_yet_is_linked_at_the_next_start(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db", set_up=False) as node:
        await node.association._ensure_account()
        spec_space, spec_circulars = _first_specs(node)
        await node.association._make(spec_space)
        made = await node.association._make(spec_circulars)
    async with world(tmp_path / "node.db") as node:
        assert node.members.hall_room(Purpose.CIRCULARS) == made.room_id
        space = await node.live(node.members.hall_room(Purpose.SPACE))
        assert ("m.space.child", made.room_id) in space.state


def _first_specs(node: World) -> list[RoomSpec]:
    return wanted_specs("桜町町内会", node.members.register)[:2]


async def test_the_rooms_of_an_audience(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db") as node:
        person = await node.person("佐藤 花子", "1班")
        block = node.members.block_of(person.id)
        assert node.members.rooms_for(EVERYONE) == [node.members.hall_room(Purpose.CIRCULARS)]
        assert node.members.rooms_for(EVERYONE, Purpose.DISASTER) == [node.members.hall_room(Purpose.DISASTER)]
        assert node.members.rooms_for(OFFICERS) == [node.members.hall_room(Purpose.OFFICERS)]
        assert node.members.rooms_for(Audience.blocks([block.id])) == [node.members.block_room(block.id)]


@pytest.mark.slow
async def test_bringing_many_people_in_goes_on_where_a_stop_of_the_node_has_left_it(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db") as node:
        await node.exchange.take_in(node.node, ("班,氏名\n" + "".join(f"1班,人{n}\n" for n in range(60))).encode())
        persons = node.members.persons()
        users = [await node.accounts.create_user(None, None, person.name) for person in persons]

        async def bring_in() -> None:
            async with node.editor.editing() as edit:
                for person, user_id in zip(persons, users, strict=True):
                    edit.account(person.id, user_id)

        work = asyncio.create_task(bring_in())
        while len(node.members.rooms.rooms()) < 20:
            await asyncio.sleep(0)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        made = len(node.members.rooms.rooms())
        assert made < 60
    async with world(tmp_path / "node.db") as node:
        assert await _joined(node, node.members.hall_room(Purpose.CIRCULARS)) == set(users)
        desks = {node.members.desk_room_of(person.id) for person in persons}
        assert None not in desks
        assert len(desks) == 60
        for user_id in users:
            assert len(await node.membership.joined_rooms(user_id)) == 6  # four of all, the block's, the own one
