"""The ledger: when each household was reached, by whichever way, and how soon half and 80 % of them were."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from server.association.circulars import circulars_store as store
from server.association.circulars.ledger import CircularLedger, Ledger, hours_to
from server.foundation.errors import Forbidden
from server.rooms.receipts import READ, READ_PRIVATE
from tests.association.circulars.going_round import CHAIR, GoingRound, going_round

HOUR_S = 3_600


@asynccontextmanager
async def with_ledger(file: Path) -> AsyncIterator[GoingRound]:
    async with going_round(file) as found:
        found.street.receipts.project(found.circulars._projection.seen)
        yield found


async def ledger_of(found: GoingRound) -> Ledger:
    made = CircularLedger(found.street.node.database, found.street.node.members)
    return await made.between(found.chair, 0, found.clock.now_ms() + 1)


@pytest.mark.parametrize(("percent", "hours", "total", "expected"), [
    (50, [1, 2], 4, 2.0), (50, [1], 4, None), (50, [1, 2], 3, 2.0), (80, [1, 2, 3, 4], 5, 4.0),
    (80, [1, 2, 3], 5, None), (50, [], 0, None), (80, [7], 1, 7.0),
])  # fmt: skip
def test_so_many_hours_until_so_many_were_reached(
    percent: int, hours: list[int], total: int, expected: float | None
) -> None:
    assert hours_to(percent, [hour * 3_600_000 for hour in hours], total) == expected


async def test_app_paper_and_telephone_stand_in_the_same_ledger(tmp_path: Path) -> None:
    async with with_ledger(tmp_path / "node.db") as found:
        members = found.street.node.members
        circular = await found.post()
        event = await found.message(circular)
        await found.clock.advance(HOUR_S)
        await found.street.read("青木 一", found.hall, event)
        await found.clock.advance(HOUR_S)
        home = found.street.person("井上 二").household_id
        await found.circulars.enter_paper(found.chair, circular.id, home)
        await found.clock.advance(HOUR_S)
        await found.circulars.enter_paper(
            found.chair, circular.id, found.street.person("上田 三").household_id, by_phone=True)
        (figures,) = (await ledger_of(found)).figures
        assert figures.households == len(members.households()) == 4
        assert (figures.reached, figures.paper, figures.phone, figures.seen) == (3, 1, 1, 1)
        assert (figures.hours_to_half, figures.hours_to_most) == (2.0, None)
        await found.clock.advance(HOUR_S)
        await found.street.react(CHAIR, found.hall, event, "✅")
        ledger = await ledger_of(found)
        assert ledger.figures[0].hours_to_most == 4.0
        assert ledger.figures[0].acknowledged == 1
        assert ledger.active == {found.street.person(name).id for name in ("青木 一", CHAIR)}
        assert await found.progress(circular) == {
            "青木 一": "seen", "井上 二": "paper", "上田 三": "paper", CHAIR: "acknowledged"}


async def test_the_first_reading_counts_also_after_a_restart(tmp_path: Path) -> None:
    async with with_ledger(tmp_path / "node.db") as found:
        first = await found.post("一つめ")
        await found.clock.advance(HOUR_S)
        await found.street.read("青木 一", found.hall, await found.message(first))
        start = found.clock.now_ms()
    async with with_ledger(tmp_path / "node.db") as found:
        await found.clock.advance(start / 1000 - found.clock.now_ms() / 1000 + 5 * HOUR_S)
        second = await found.post("二つめ")
        await found.clock.advance(HOUR_S)
        await found.street.read("青木 一", found.hall, await found.message(second))
        marks = await store.marks_of_circulars(found.street.node.database, 0, found.clock.now_ms() + 1)
        (old,) = marks[first.id]
        (new,) = marks[second.id]
        assert old.ts - first.created_ts == HOUR_S * 1000
        assert new.ts - second.created_ts == HOUR_S * 1000


async def test_who_reads_in_private_or_elsewhere_stands_in_no_ledger(tmp_path: Path) -> None:
    async with with_ledger(tmp_path / "node.db") as found:
        circular = await found.post()
        await found.street.read("青木 一", found.hall, await found.message(circular), READ_PRIVATE)
        desk = found.street.desk("井上 二")
        said = await found.street.say("井上 二", desk, "こんにちは")
        await found.street.read("井上 二", desk, said, READ)
        (figures,) = (await ledger_of(found)).figures
        assert figures.reached == figures.seen == 0


async def test_withdrawn_ones_are_left_out_and_residents_may_not_look(tmp_path: Path) -> None:
    async with with_ledger(tmp_path / "node.db") as found:
        circular = await found.post()
        await found.circulars.withdraw(found.chair, circular.id)
        assert (await ledger_of(found)).figures == []
        made = CircularLedger(found.street.node.database, found.street.node.members)
        with pytest.raises(Forbidden):
            await made.between(found.street.user("青木 一"), 0, 1)


async def test_a_call_that_was_a_mistake_is_taken_back(tmp_path: Path) -> None:
    async with with_ledger(tmp_path / "node.db") as found:
        circular = await found.post()
        home = found.street.person("井上 二").household_id
        await found.circulars.enter_paper(found.chair, circular.id, home, by_phone=True)
        await found.circulars.take_paper_back(found.chair, circular.id, home)
        assert (await ledger_of(found)).figures[0].phone == 0
