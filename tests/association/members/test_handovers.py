"""役員交代: decided today, carried out at midnight in Japan; or refused, with everything as it was."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from server.association.members.handover import NEXT, Handover, State, offices_after
from server.association.members.handovers import Handovers
from server.association.members.handovers_store import count_of_stuck
from server.association.members.model import Person, Purpose, Role
from server.foundation.errors import Forbidden, InvalidParam, NotFound, Refused
from tests.association.world import World, world
from tests.fakes.clock import FakeClock

# 2 January 2024, 00:00 in Japan is eight hours (all but ten minutes and some seconds) after the clock's start.
TOMORROW = date(2024, 1, 2)
BEFORE_MIDNIGHT_S = 7 * 3600 + 49 * 60
TO_MIDNIGHT_S = BEFORE_MIDNIGHT_S + 60


def handovers(node: World, told: list[Handover] | None = None) -> Handovers:
    async def tell(handover: Handover) -> None:
        if told is not None:
            told.append(handover)

    return Handovers(node.database, node.clock, node.members, node.editor, tell)


def roles(node: World, person: Person) -> set[Role]:
    return set(node.members.roles_of(person.id))


async def levels(node: World, purpose: Purpose, person: Person) -> int | None:
    content = (await node.live(node.members.hall_room(purpose))).content("m.room.power_levels")
    assert content is not None
    users: Any = content["users"]
    found: int | None = users.get(person.user_id)
    return found


@pytest.mark.slow
async def test_all_rights_change_hands_at_midnight_also_after_a_restart(tmp_path: Path) -> None:
    clock = FakeClock()
    async with world(tmp_path / "node.db", clock=clock) as node:
        old = await node.person("前田 会長", roles=[Role.CHAIR])
        treasurer = await node.person("会計 花子", roles=[Role.OFFICER])
        new = await node.person("新田 一郎")
        other = await node.person("副田 次郎")
        verbs, chair = handovers(node), str(old.user_id)
        handover = await verbs.begin(chair, TOMORROW)
        await verbs.set_endings(chair, handover.id, [(old.id, Role.CHAIR)])
        await verbs.add(chair, handover.id, new.id, Role.CHAIR)
        await verbs.add(chair, handover.id, other.id, Role.CHAIR)
        assert (await verbs.decide(chair, handover.id)).state is State.DECIDED
        await clock.advance(BEFORE_MIDNIGHT_S)
        await verbs.carry_out_due()
        assert roles(node, old) == {Role.CHAIR}, "nothing happens before the day"
    async with world(tmp_path / "node.db", clock=clock) as node:
        await clock.advance(60)
        told: list[Handover] = []
        await handovers(node, told).carry_out_due()
        assert [item.state for item in told] == [State.DONE]
        assert (roles(node, old), roles(node, new), roles(node, other)) == (set(), {Role.CHAIR}, {Role.CHAIR})
        assert roles(node, treasurer) == {Role.OFFICER}
        officers = await node.live(node.members.hall_room(Purpose.OFFICERS))
        assert new.user_id in officers.joined
        assert old.user_id not in officers.joined
        for purpose in (Purpose.CIRCULARS, Purpose.DISASTER, Purpose.OFFICERS):
            assert await levels(node, purpose, new) == 50
            assert await levels(node, purpose, old) is None
        assert not node.members.is_officer(str(old.user_id))
        await handovers(node, told).carry_out_due()
        assert len(told) == 1, "once"
        (kept,) = await handovers(node).all(str(new.user_id))
        assert kept.state is State.DONE
        with pytest.raises(Forbidden):
            await handovers(node).all(str(old.user_id))


async def test_what_is_decided_for_today_happens_at_once(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db", set_up=False) as node:
        old, new = await node.person("前田 会長", roles=[Role.CHAIR]), await node.person("新田 一郎")
        verbs, chair = handovers(node), str(old.user_id)
        handover = await verbs.begin(chair, date(2024, 1, 1))
        await verbs.set_endings(chair, handover.id, [(old.id, Role.CHAIR)])
        await verbs.add(chair, handover.id, new.id, Role.CHAIR)
        assert (await verbs.decide(chair, handover.id)).state is State.DONE
        assert (roles(node, old), roles(node, new)) == (set(), {Role.CHAIR})


@pytest.mark.parametrize("next_chair", ["nobody", "without an account"])
async def test_nothing_is_decided_that_would_leave_nobody_in_charge(tmp_path: Path, next_chair: str) -> None:
    async with world(tmp_path / "node.db", set_up=False) as node:
        old = await node.person("前田 会長", roles=[Role.CHAIR])
        paper = await node.person("紙田 ハル", account=False)
        verbs, chair = handovers(node), str(old.user_id)
        handover = await verbs.begin(chair, TOMORROW)
        with pytest.raises(Refused, match="まだ だれも"):
            await verbs.decide(chair, handover.id)
        await verbs.set_endings(chair, handover.id, [(old.id, Role.CHAIR)])
        if next_chair == "without an account":
            await verbs.add(chair, handover.id, paper.id, Role.CHAIR)
        with pytest.raises(Refused, match="次の会長"):
            await verbs.decide(chair, handover.id)
        assert (await verbs.get(chair, handover.id)).state is State.DRAFTED


async def test_a_handover_whose_next_chair_has_left_changes_nothing_and_is_told(tmp_path: Path) -> None:
    clock = FakeClock()
    async with world(tmp_path / "node.db", clock=clock, set_up=False) as node:
        old, new = await node.person("前田 会長", roles=[Role.CHAIR]), await node.person("新田 一郎")
        told: list[Handover] = []
        verbs, chair = handovers(node, told), str(old.user_id)
        handover = await verbs.begin(chair, TOMORROW)
        await verbs.set_endings(chair, handover.id, [(old.id, Role.CHAIR)])
        await verbs.add(chair, handover.id, new.id, Role.CHAIR)
        await verbs.decide(chair, handover.id)
        async with node.editor.editing() as edit:
            edit.drop_person(new.id)
        await clock.advance(TO_MIDNIGHT_S)
        await verbs.carry_out_due()
        assert [item.state for item in told] == [State.STUCK]
        assert "会長がいなくなります" in told[0].trouble
        assert roles(node, old) == {Role.CHAIR}
        assert await count_of_stuck(node.database) == 1
        await verbs.set_day(chair, handover.id, date(2024, 1, 3))
        assert await count_of_stuck(node.database) == 0


async def test_only_who_gives_roles_hands_over_and_one_at_a_time(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db", set_up=False) as node:
        chair = str((await node.person("前田 会長", roles=[Role.CHAIR])).user_id)
        officer = str((await node.person("役員 花子", roles=[Role.OFFICER])).user_id)
        verbs = handovers(node)
        with pytest.raises(Forbidden):
            await verbs.begin(officer, TOMORROW)
        for day in (date(2023, 12, 31), date(2030, 1, 1)):
            with pytest.raises(InvalidParam):
                await verbs.begin(chair, day)
        handover = await verbs.begin(chair, TOMORROW)
        with pytest.raises(Refused) as twice:
            await verbs.begin(chair, TOMORROW)
        assert twice.value.status == 409
        with pytest.raises(NotFound):
            await verbs.add(chair, handover.id, "nobody", Role.OFFICER)
        with pytest.raises(NotFound):
            await verbs.get(chair, "another")
        await verbs.cancel(chair, handover.id)
        with pytest.raises(Refused):
            await verbs.cancel(chair, handover.id)
        assert (await verbs.begin(chair, TOMORROW)).state is State.DRAFTED


async def test_the_last_word_about_an_office_counts_and_can_be_taken_back(tmp_path: Path) -> None:
    async with world(tmp_path / "node.db", set_up=False) as node:
        old, new = await node.person("前田 会長", roles=[Role.CHAIR]), await node.person("新田 一郎")
        verbs, chair = handovers(node), str(old.user_id)
        handover = await verbs.begin(chair, TOMORROW)
        await verbs.add(chair, handover.id, new.id, Role.OFFICER)
        await verbs.add(chair, handover.id, new.id, Role.CHAIR)
        known = await verbs.set_endings(chair, handover.id, [(old.id, Role.CHAIR)])
        assert offices_after(node.members.register, known.changes) == {
            new.id: frozenset({Role.OFFICER, Role.CHAIR}),
        }
        await verbs.remove(chair, handover.id, new.id, Role.OFFICER)
        known = await verbs.set_endings(chair, handover.id, [])
        assert offices_after(node.members.register, known.changes) == {
            old.id: frozenset({Role.CHAIR}), new.id: frozenset({Role.CHAIR}),
        }


def test_what_is_over_stays_over() -> None:
    assert set(NEXT) == set(State)
    assert {state for state, following in NEXT.items() if not following} == {State.DONE, State.CANCELLED}
    assert not State.DONE.is_open
