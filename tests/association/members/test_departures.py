"""Whoever leaves is erased: tables, account, and the name in the rooms."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.association.members.departures import Beside, Departures
from server.association.members.model import Purpose, Role
from server.association.members.traces import Stay, Traces
from server.foundation.errors import Forbidden, NotFound, Refused
from server.rooms.membership_store import memberships_of
from tests.association.world import World, world

_NAME = "伊集院 花子"


def _departures(node: World, emptied: list[int] | None = None) -> Departures:
    async def forget(user_id: str) -> None:
        assert not await node.accounts.user_exists(user_id)

    async def stays(user_id: str) -> list[Stay]:
        rooms = [await node.live(place.room_id) for place in await memberships_of(node.database, user_id)]
        return [Stay(room.room_id, user_id in room.joined, room.joined == {user_id}) for room in rooms]

    async def forget_picture(url: str) -> None:
        raise AssertionError("nobody here has a picture")

    async def empty_log() -> None:
        if emptied is not None:
            emptied.append(len(node.members.persons()))

    traces = Traces(node.members, node.sender, node.history, stays)
    beside = Beside(forget_picture, forget, lambda _writes, _person_id: None, empty_log)
    return Departures(node.members, node.editor, node.accounts, node.sender, node.membership, traces, beside)


@pytest.mark.slow
async def test_an_erased_person_is_nowhere_any_more(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db") as node:
        person = await node.person("左藤 花子")
        other = await node.person("鈴木 一郎")
        await node.editor.change_person(node.node, person.id, name=_NAME, phone="076-000-0000")
        circulars = node.members.hall_room(Purpose.CIRCULARS)
        desk = str(node.members.desk_room_of(person.id))
        emptied: list[int] = []
        await _departures(node, emptied).erase(node.node, person.id)
        assert emptied == [1], "once, when they are gone from all tables"
        with pytest.raises(NotFound):
            node.members.person(person.id)
        assert node.members.person_of_user(str(person.user_id)) is None
        assert node.members.person_of_desk_room(desk) is None
        assert [item.name for item in node.members.persons()] == ["鈴木 一郎"]
        assert len(node.members.households()) == 1
        assert not await node.accounts.user_exists(str(person.user_id))
        for room_id in (circulars, desk):
            room = await node.live(room_id)
            assert str(person.user_id) not in room.joined
            shown = b"".join(entry.sync_bytes() for entry in room.timeline).decode()
            assert _NAME not in shown
            assert "左藤" not in shown
        assert other.user_id in (await node.live(circulars)).joined


async def test_the_last_chair_cannot_be_erased_and_residents_erase_nobody(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db") as node:
        chair = await node.person("会長 太郎", roles=[Role.CHAIR])
        resident = await node.person("佐藤 花子")
        with pytest.raises(Refused):
            await _departures(node).erase(str(chair.user_id), chair.id)
        with pytest.raises(Refused):
            await node.editor.take_role(str(chair.user_id), chair.id, Role.CHAIR)
        with pytest.raises(Forbidden):
            await _departures(node).erase(str(resident.user_id), chair.id)
        assert len(node.members.persons()) == 2


async def test_a_resident_may_leave_and_the_household_stays_for_the_others(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db") as node:
        leaving = await node.person("佐藤 花子")
        staying = await node.editor.add_person(node.node, leaving.household_id, "佐藤 一郎")
        await _departures(node).erase(str(leaving.user_id), leaving.id)
        assert node.members.persons() == [staying]
        assert await node.members.looks(node.node) == []
        await _departures(node).erase(node.node, staying.id)
        assert node.members.households() == []
        assert len(await node.members.looks(node.node)) == 1
