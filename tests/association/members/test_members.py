"""Who belongs where, who may do what, and who is an audience."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.association.members.model import (
    EVERYONE,
    OFFICERS,
    Audience,
    Channel,
    Household,
    Person,
    Right,
    Role,
    effective_channel,
    rights_in_block,
    rights_of,
)
from server.foundation.errors import Forbidden, InvalidParam, NotFound, Refused
from tests.association.world import world

_IDS = st.lists(st.text("abcXYZ", min_size=1, max_size=5), min_size=1, max_size=5)


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        (Role.CHAIR, set(Right), set()),
        (Role.DIGITAL, {Right.POST_CIRCULARS, Right.EDIT_ROSTER, Right.SEE_ACCESS_LOG}, {Right.GIVE_ROLES}),
        (Role.OFFICER, {Right.POST_CIRCULARS, Right.RUN_SAFETY_CHECKS}, {Right.EDIT_ROSTER, Right.GIVE_ROLES}),
        (Role.BLOCK_LEADER, set(), set(Right)),
        (Role.HELPER, {Right.INVITE}, {Right.READ_DESK, Right.POST_CIRCULARS, Right.ENTER_ANSWERS}),
    ],
)
def test_what_a_role_allows(role: Role, may: set[Right], may_not: set[Right]) -> None:
    rights = rights_of([role])
    assert may <= rights
    assert rights.isdisjoint(may_not)


def test_a_block_leader_acts_in_the_own_block_only() -> None:
    assert Right.ENTER_ANSWERS in rights_in_block([Role.BLOCK_LEADER], is_own_block=True)
    assert rights_in_block([Role.BLOCK_LEADER], is_own_block=False) == frozenset()
    assert Right.EDIT_ROSTER not in rights_in_block([Role.BLOCK_LEADER], is_own_block=True)


@given(_IDS)
def test_an_audience_survives_text_and_event(ids: list[str]) -> None:
    for audience in (EVERYONE, OFFICERS, Audience.blocks(ids), Audience.groups(ids)):
        assert Audience.parse(str(audience)) == audience
        assert Audience.from_json(audience.as_json()) == audience


@pytest.mark.parametrize("text", ["", "nobody", "blocks", "blocks:", "everyone:a", "groups:a,,b", "officers:x"])
def test_a_wrong_audience_is_refused(text: str) -> None:
    with pytest.raises(InvalidParam):
        Audience.parse(text)


@pytest.mark.parametrize(
    "value", [None, [], "everyone", {}, {"kind": 1}, {"kind": "blocks", "ids": "a"}, {"kind": "blocks", "ids": [1]}]
)
def test_a_wrong_audience_of_an_event_is_refused(value: object) -> None:
    with pytest.raises(InvalidParam):
        Audience.from_json(value)


@given(st.sampled_from(Channel), st.lists(st.tuples(st.booleans(), st.booleans()), max_size=4))
def test_a_household_is_never_reached_in_neither_way(channel: Channel, people: list[tuple[bool, bool]]) -> None:
    persons = [
        Person(str(number), "h", "名", user_id="@a:b" if has_account else None, wants_paper=wants_paper)
        for number, (has_account, wants_paper) in enumerate(people)
    ]
    found = effective_channel(Household("h", "b", "家", channel=channel), persons)
    assert found.has_paper or any(person.user_id for person in persons)
    assert found.has_paper or not any(person.wants_paper for person in persons)


async def test_audiences_are_people_in_walking_order(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db", set_up=False) as node:
        roster = "班,氏名,役職,グループ\n1班,い,,防災部\n2班,ろ,班長,\n1班,は,会長,防災部\n2班,に,補助,\n"
        await node.exchange.take_in(node.node, roster.encode())
        members = node.members
        one, two = members.blocks()
        (group,) = members.groups()

        def names(audience: Audience) -> str:
            return "".join(person.name for person in members.audience(audience))

        assert names(EVERYONE) == "いはろに"
        assert names(Audience.blocks([two.id])) == "ろに"
        assert names(Audience.blocks([two.id, one.id])) == "いはろに"
        assert names(Audience.groups([group.id])) == "いは"
        assert names(OFFICERS) == "はろ"
        assert members.describe(Audience.blocks([two.id, one.id])) == "2班・1班"
        for audience in (Audience.blocks(["gone"]), Audience.groups([group.id, "gone"])):
            with pytest.raises(NotFound):
                members.audience(audience)


async def test_who_may_what_in_which_block(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db") as node:
        leader = await node.person("班長 一郎", "1班", [Role.BLOCK_LEADER])
        chair = await node.person("会長 太郎", "2班", [Role.CHAIR])
        own, other = node.members.blocks()
        may = node.members.may
        assert may(str(leader.user_id), Right.ENTER_ANSWERS, own.id)
        assert not may(str(leader.user_id), Right.ENTER_ANSWERS, other.id)
        assert not may(str(leader.user_id), Right.ENTER_ANSWERS)
        assert node.members.blocks_with(str(leader.user_id), Right.SEE_ROSTER) == [own]
        assert node.members.blocks_with(str(chair.user_id), Right.SEE_ROSTER) == [own, other]
        assert may(node.node, Right.GIVE_ROLES)
        assert not may("@kairan:elsewhere.example", Right.SEE_ROSTER)
        assert node.members.is_officer(str(leader.user_id))


async def test_changes_need_the_right_and_write_nothing_without_it(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db") as node:
        resident = await node.person("佐藤 花子")
        user_id, home = str(resident.user_id), resident.household_id
        block = node.members.block_of(resident.id)
        attempts = [
            node.editor.add_block(user_id, "9班"),
            node.editor.change_block(user_id, block.id, name="9班"),
            node.editor.remove_block(user_id, block.id),
            node.editor.add_household(user_id, block.id, "家"),
            node.editor.change_household(user_id, home, name="家"),
            node.editor.remove_household(user_id, home),
            node.editor.add_person(user_id, home, "次郎"),
            node.editor.change_person(user_id, resident.id, name="会長"),
            node.editor.add_group(user_id, "会"),
            node.editor.give_role(user_id, resident.id, Role.CHAIR),
        ]
        for attempt in attempts:
            with pytest.raises(Forbidden):
                await attempt
        assert node.members.blocks() == [block]
        assert node.members.persons() == [resident]
        assert node.members.roles_of(resident.id) == frozenset()


async def test_a_household_chooses_its_own_channel(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db") as node:
        resident, other = await node.person("佐藤 花子"), await node.person("鈴木 一郎")
        await node.editor.set_channel(str(resident.user_id), resident.household_id, Channel.DIGITAL)
        assert node.members.channel_of(resident.household_id) is Channel.DIGITAL
        with pytest.raises(Forbidden):
            await node.editor.set_channel(str(resident.user_id), other.household_id, Channel.PAPER)


async def test_what_is_in_use_is_not_removed_and_names_are_not_doubled(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db") as node:
        person = await node.person("佐藤 花子")
        block = node.members.block_of(person.id)
        with pytest.raises(Refused):
            await node.editor.remove_block(node.node, block.id)
        with pytest.raises(Refused):
            await node.editor.remove_household(node.node, person.household_id)
        with pytest.raises(Refused):
            await node.editor.add_block(node.node, "１ 班")
        with pytest.raises(Refused):
            await node.editor.add_person(node.node, person.household_id, "佐藤花子")
        for name in ("", " \n", "あ" * 61, "\u200b"):
            with pytest.raises(InvalidParam):
                await node.editor.add_block(node.node, name)
        empty = await node.editor.add_block(node.node, "2班")
        await node.editor.remove_block(node.node, empty.id)
        assert node.members.blocks() == [block]


@pytest.mark.slow
async def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db") as node:
        person = await node.person("佐藤 花子", roles=[Role.OFFICER, Role.BLOCK_LEADER])
        group = await node.editor.add_group(node.node, "防災部")
        await node.editor.set_in_group(node.node, group.id, person.id, inside=True)
        await node.editor.change_person(node.node, person.id, kana="さとう はなこ", phone="076-1", wants_paper=True)
        before = node.members.person(person.id)
    async with world(tmp_path / "node.db") as node:
        assert node.members.person(person.id) == before
        assert node.members.roles_of(person.id) == {Role.OFFICER, Role.BLOCK_LEADER}
        assert node.members.groups_of(person.id) == [group]
