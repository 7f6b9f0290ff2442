"""Importing and exporting the roster: nobody is doubled, and all good lines are one transaction."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.association.members.model import Channel, Role
from server.association.members.roster_exchange import ImportReport
from server.foundation.errors import Forbidden
from tests.association.world import World, world

ROSTER = """班,世帯番号,世帯,氏名,連絡方法,役職,グループ
1班,1,佐藤家,佐藤 太郎,紙,会長,
1班,1,佐藤家,佐藤 花子,,,子ども会
1班,2,鈴木家,鈴木 一郎,デジタル,班長,
2班,1,佐藤家,佐藤 太郎,両方,,子ども会
"""


def _names(node: World) -> list[tuple[str, str, str]]:
    return [
        (node.members.block_of(person.id).name, node.members.household(person.household_id).key, person.name)
        for person in node.members.persons()
    ]


async def _import(node: World, text: str, *, trial: bool = False) -> ImportReport:
    return await node.exchange.take_in(node.node, text.encode(), trial=trial)


async def test_a_roster_becomes_blocks_households_and_persons_in_walking_order(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db", set_up=False) as node:
        report = await _import(node, ROSTER)
        assert (report.added, report.changed, report.unchanged, report.bad) == (4, 0, 0, [])
        assert (report.new_blocks, report.new_groups) == (["1班", "2班"], ["子ども会"])
    async with world(tmp_path / "node.db") as node:
        assert _names(node) == [
            ("1班", "1", "佐藤 太郎"), ("1班", "1", "佐藤 花子"), ("1班", "2", "鈴木 一郎"), ("2班", "1", "佐藤 太郎"),
        ]
        chair, child, leader, _ = node.members.persons()
        assert node.members.roles_of(chair.id) == {Role.CHAIR}
        assert node.members.roles_of(leader.id) == {Role.BLOCK_LEADER}
        assert [group.name for group in node.members.groups_of(child.id)] == ["子ども会"]
        assert [home.channel for home in node.members.households()] == [Channel.PAPER, Channel.DIGITAL, Channel.BOTH]


async def test_the_same_file_again_changes_nothing(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db", set_up=False) as node:
        await _import(node, ROSTER)
        before = (_names(node), [person.id for person in node.members.persons()])
        report = await _import(node, ROSTER.replace("佐藤 太郎", "佐藤　太郎"))
        assert (report.added, report.changed, report.unchanged) == (0, 0, 4)
        assert (_names(node), [person.id for person in node.members.persons()]) == before


async def test_a_trial_writes_nothing(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db", set_up=False) as node:
        report = await _import(node, ROSTER, trial=True)
        assert (report.is_trial, report.added) == (True, 4)
        assert node.members.persons() == []
        assert node.members.blocks() == []
    async with world(tmp_path / "node.db", set_up=False) as node:
        assert node.members.blocks() == []


async def test_good_lines_are_taken_and_bad_ones_reported(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db", set_up=False) as node:
        report = await _import(node, "班,氏名\n1班,佐藤\n,鈴木\n1班,佐藤\n2班,田中\n")
        assert [(bad.number, bad.reason) for bad in report.bad] == [
            (3, "班が空です"), (4, "2行目と同じ人です。別の人なら世帯番号で区別してください"),
        ]
        assert [name for _, _, name in _names(node)] == ["佐藤", "田中"]


async def test_namesakes_are_told_apart_by_their_households(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db", set_up=False) as node:
        report = await _import(node, "班,世帯番号,氏名\n1班,1,佐藤 太郎\n1班,2,佐藤 太郎\n")
        assert (report.added, report.bad) == (2, [])
        report = await _import(node, "班,氏名,電話\n1班,佐藤 太郎,076-000-0000\n")
        assert [bad.reason for bad in report.bad] == ["同じ班に同じ名前の人が何人かいます。世帯番号を書いてください"]


async def test_households_may_be_told_later(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db", set_up=False) as node:
        await _import(node, "班,氏名\n1班,佐藤 太郎\n1班,佐藤 花子\n")
        ids = {person.name: person.id for person in node.members.persons()}
        report = await _import(node, "班,世帯番号,氏名\n1班,7,佐藤 太郎\n1班,7,佐藤 花子\n")
        assert (report.added, report.changed) == (0, 2)
        assert _names(node) == [("1班", "7", "佐藤 太郎"), ("1班", "7", "佐藤 花子")]
        assert {person.name: person.id for person in node.members.persons()} == ids
        assert len(node.members.households()) == 1


async def test_a_household_that_gets_a_number_stays_the_same(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db", set_up=False) as node:
        await _import(node, "班,世帯,氏名\n1班,佐藤家,佐藤 太郎\n1班,佐藤家,佐藤 花子\n")
        (home,) = node.members.households()
        report = await _import(node, "班,世帯番号,世帯,氏名\n1班,7,佐藤家,佐藤 太郎\n1班,7,佐藤家,佐藤 次郎\n")
        assert (report.added, report.changed, report.unchanged) == (1, 1, 0)
        assert [(item.id, item.number) for item in node.members.households()] == [(home.id, "7")]
        assert len(node.members.persons()) == 3


async def test_an_exported_file_corrects_names_by_its_ids(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db", set_up=False) as node:
        await _import(node, ROSTER)
        exported = (await node.exchange.give_out(node.node)).decode("utf-8-sig")
        corrected = exported.replace("鈴木 一郎", "鈴木 市郎")
        report = await _import(node, corrected)
        assert (report.added, report.changed, report.unchanged) == (0, 1, 3)
        assert "鈴木 市郎" in [person.name for person in node.members.persons()]


async def test_an_export_is_logged_and_only_for_officers(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db") as node:
        resident = await node.person("佐藤 花子")
        officer = await node.person("会長 太郎", roles=[Role.CHAIR])
        for verb in (node.exchange.give_out(str(resident.user_id)), node.exchange.take_in(str(resident.user_id), b"")):
            with pytest.raises(Forbidden):
                await verb
        assert await node.members.looks(node.node) == []
        await node.exchange.give_out(str(officer.user_id))
        (look,) = await node.members.looks(str(resident.user_id))
        assert (look.viewer, look.what) == (officer.user_id, "名簿のファイル")


async def test_only_the_chair_gives_roles_by_a_file(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db") as node:
        digital = await node.person("担当 一郎", roles=[Role.DIGITAL])
        report = await node.exchange.take_in(str(digital.user_id), ROSTER.encode())
        assert [bad.number for bad in report.bad] == [2, 4]
        assert report.added == 2


async def test_residents_with_accounts_follow_an_import_into_the_rooms(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db") as node:
        person = await node.person("佐藤 花子", "1班")
        await _import(node, f"ID,班,氏名,役職,グループ\n{person.id},2班,佐藤 花子,役員,防災部\n")
        assert node.members.block_of(person.id).name == "2班"
        group = node.members.groups()[0]
        room = await node.live(node.members.group_room(group.id))
        assert person.user_id in room.joined
        block_room = await node.live(node.members.block_room(node.members.block_of(person.id).id))
        assert person.user_id in block_room.joined


_CELL = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(_CELL, _CELL, _CELL, _CELL), min_size=1, max_size=8))
async def test_an_export_comes_back_as_it_was(rows: list[tuple[str, str, str, str]]) -> None:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([("班", "世帯番号", "氏名", "グループ"), *rows])
    with tempfile.TemporaryDirectory() as folder:
        async with world(Path(folder) / "node.db", set_up=False) as node:
            first = await _import(node, out.getvalue())
            before = (_names(node), [group.name for group in node.members.groups()])
            exported = await node.exchange.give_out(node.node)
            for row in csv.reader(io.StringIO(exported.decode("utf-8-sig"), newline="")):
                assert not any(cell.startswith(("=", "+", "-", "@", "＝", "\t", "\r")) for cell in row)
            again = await node.exchange.take_in(node.node, exported)
            assert (again.added, again.changed, again.unchanged, again.bad) == (0, 0, first.added, [])
            assert (_names(node), [group.name for group in node.members.groups()]) == before
