"""Groups: asking, letting in, leaving, the folder; from pages and from clients."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.association.groups.model import Place
from server.foundation.errors import Forbidden, InvalidParam, NotFound
from server.media.pictures import Picture
from tests.association.neighbours import CHAIR, HANAKO, ICHIRO, MISAKI, OTHER_PHOTO, PHOTO, neighbours

PAPER = Picture("mxc://sakura.example/CCCC", "議事録.pdf", "application/pdf", 10)


async def test_who_asks_is_let_in_by_the_leader(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as here:
        go = await here.group("囲碁の会", HANAKO)
        hanako, ichiro = here.user(HANAKO), here.user(ICHIRO)
        (line,) = await here.groups.all(ichiro)
        assert (line.group.name, line.about, line.count, line.place, line.leads) == (
            "囲碁の会", "毎週土曜日", 1, Place.OUTSIDE, False)
        with pytest.raises(Forbidden):
            await here.groups.inside(ichiro, go)
        await here.groups.ask(ichiro, go, "はじめてです")
        await here.groups.ask(ichiro, go)
        assert [knock.user_id for knock in here.knocks] == [ichiro]
        inside = await here.groups.inside(hanako, go)
        assert [(item.person.name, item.words) for item in inside.asking] == [(ICHIRO, "はじめてです")]
        with pytest.raises(Forbidden):
            await here.groups.let_in(ichiro, go, here.street.person(ICHIRO).id)
        with pytest.raises(InvalidParam):
            await here.groups.let_in(hanako, go, here.street.person(MISAKI).id)
        await here.groups.let_in(hanako, go, here.street.person(ICHIRO).id)
        await here.groups.let_in(hanako, go, here.street.person(ICHIRO).id)
        assert [person.name for person in here.street.node.members.register.members_of_group(go)] == [HANAKO, ICHIRO]
        assert "入りました" in (await here.street.bodies(here.street.desk(ICHIRO)))[-1]
        assert (await here.groups.inside(ichiro, go)).asking == ()
    async with neighbours(tmp_path) as here:
        assert (await here.groups.line(here.user(HANAKO), go)).leads
        await here.groups.leave(here.user(ICHIRO), go)
        assert here.street.node.members.groups_of(here.street.person(ICHIRO).id) == []


async def test_a_leader_lets_in_by_any_client(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as here:
        go = await here.group("囲碁の会", HANAKO)
        room_id = here.street.node.members.group_room(go)
        assert room_id is not None
        membership, ichiro = here.street.node.membership, here.user(ICHIRO)
        await membership.knock(room_id, ichiro, "入りたいです")
        with pytest.raises(Forbidden):
            await here.groups.come_in(ichiro, go)
        await membership.invite(room_id, here.user(HANAKO), ichiro)
        assert (await here.groups.line(ichiro, go)).place is Place.LET_IN
        await here.groups.come_in(ichiro, go)
        assert (await here.groups.line(ichiro, go)).place is Place.INSIDE
        await membership.kick(room_id, here.user(HANAKO), ichiro)
        assert (await here.groups.line(ichiro, go)).place is Place.OUTSIDE


async def test_who_is_declined_is_told_and_officers_may_decide_from_outside(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as here:
        go = await here.group("囲碁の会", HANAKO)
        for name in (ICHIRO, MISAKI):
            await here.groups.ask(here.user(name), go)
        chair = here.user(CHAIR)
        await here.groups.decline(chair, go, here.street.person(ICHIRO).id)
        assert "いまは入れません" in (await here.street.bodies(here.street.desk(ICHIRO)))[-1]
        await here.groups.let_in(chair, go, here.street.person(MISAKI).id)
        await here.groups.set_about(chair, go, "毎週日曜日")
        assert (await here.groups.line(here.user(ICHIRO), go)).about == "毎週日曜日"
        with pytest.raises(Forbidden):
            await here.groups.set_about(here.user(MISAKI), go, "うそ")
        with pytest.raises(InvalidParam):
            await here.groups.set_about(chair, go, "あ" * 501)
        with pytest.raises(InvalidParam):
            await here.groups.decline(chair, go, here.street.person(ICHIRO).id)


async def test_a_leader_declines_also_an_officer_who_has_more_to_say_in_the_room(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as here:
        go, chair = await here.group("囲碁の会", HANAKO), here.user(CHAIR)
        await here.groups.ask(chair, go)
        await here.groups.decline(here.user(HANAKO), go, here.street.person(CHAIR).id)
        assert (await here.groups.line(chair, go)).place is Place.OUTSIDE


async def test_the_folder_is_for_members(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as here:
        go, hanako, ichiro = await here.group("囲碁の会", HANAKO), here.user(HANAKO), here.user(ICHIRO)
        await here.groups.add_files(hanako, go, [PAPER, PHOTO])
        room_id = here.street.node.members.group_room(go)
        assert room_id is not None
        assert [item["msgtype"] for item in await here.said(room_id)] == ["m.file", "m.image"]
        inside = await here.groups.inside(hanako, go)
        assert ([item.file for item in inside.papers], [item.file for item in inside.photos]) == ([PAPER], [PHOTO])
        paper = inside.papers[0].event_id
        for verb in (here.groups.add_files(ichiro, go, [PAPER]), here.groups.add_files(hanako, go, [])):
            with pytest.raises((Forbidden, InvalidParam)):
                await verb
        with pytest.raises(NotFound):
            await here.groups.file(ichiro, go, paper)
        await here.groups.ask(ichiro, go)
        await here.groups.let_in(hanako, go, here.street.person(ICHIRO).id)
        await here.street.send(ICHIRO, room_id, "m.room.message", OTHER_PHOTO.as_message())
        with pytest.raises(Forbidden):
            await here.groups.remove_file(ichiro, go, paper)
        photos = (await here.groups.inside(ichiro, go)).photos
        assert {item.file for item in photos} == {PHOTO, OTHER_PHOTO}
        for item in photos:
            await here.groups.remove_file(hanako, go, item.event_id)
        assert (await here.groups.inside(ichiro, go)).photos == []
        assert here.forgotten == [PHOTO.url]


async def test_only_officers_who_keep_the_roster_found_groups(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as here:
        with pytest.raises(Forbidden):
            await here.groups.found(here.user(HANAKO), "囲碁の会", "", "")
        with pytest.raises(NotFound):
            await here.groups.found(here.user(CHAIR), "囲碁の会", "nobody", "")
        assert here.street.node.members.groups() == []
        with pytest.raises(NotFound):
            await here.groups.line(here.user(HANAKO), "x")
        with pytest.raises(Forbidden):
            await here.groups.all("@nobody:sakura.example")
