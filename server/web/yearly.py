"""The year of an association (年度, from April) in figures, put together from what each feature counts."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Final

from server.association.circulars.ledger import CircularFigures
from server.association.gatherings.counting import figures_of_homes
from server.association.gatherings.model import Gathering
from server.association.gatherings.occurrences import to_ms
from server.association.inquiries.model import State as InquiryState
from server.association.members.came_by import CameBy
from server.association.members.model import Right
from server.association.polls.export import as_plain_cell
from server.association.polls.yearly import PollFigures
from server.foundation.clock import TOKYO, tokyo_time
from server.foundation.errors import InvalidParam
from server.web.visit import Visit

FIRST_MONTH: Final = 4
YEARS: Final = range(2015, 2100)


@dataclass(frozen=True, slots=True)
class GatheringFigures:
    """One gathering and how many said that they come."""

    gathering: Gathering
    coming: int


@dataclass(frozen=True, slots=True)
class Year:
    """A year from April on. ``registered`` have an account; ``active`` of them have read or answered something."""

    number: int
    households: int
    persons: int
    registered: int
    active: int
    circulars: Sequence[CircularFigures]
    polls: Sequence[PollFigures]
    gatherings: Sequence[GatheringFigures]
    questions: int
    questions_answered: int
    questions_on_paper: int

    @property
    def half_hours(self) -> float | None:
        """Half of the circulars had reached half of their households after so many hours."""
        return _middle([item.hours_to_half for item in self.circulars])

    @property
    def most_hours(self) -> float | None:
        """The same for 80 % of the households."""
        return _middle([item.hours_to_most for item in self.circulars])

    def answers_by(self, channel: CameBy) -> int:
        """Answers to polls by one way."""
        return sum(item.by_channel[channel] for item in self.polls)

    @property
    def acknowledged(self) -> int:
        """How often 「了解」 was pressed."""
        return sum(item.acknowledged for item in self.circulars)


def year_of(now_ms: int) -> int:
    """The year that runs at a time: until the end of March it is the one before."""
    moment = tokyo_time(now_ms)
    return moment.year if moment.month >= FIRST_MONTH else moment.year - 1


def chosen_year(visit: Visit) -> int:
    """The year of the address, or the running one; raises ``InvalidParam``."""
    text = visit.query("year")
    if not text:
        return year_of(visit.services.clock.now_ms())
    if not (text.isascii() and text.isdigit() and len(text) == 4 and int(text) in YEARS):
        raise InvalidParam("年度を えらびなおしてください。")
    return int(text)


async def figures_of(visit: Visit, number: int) -> Year:
    """Everything of a year; raises ``Forbidden`` for whoever is no officer of the whole association."""
    visit.require(Right.POST_CIRCULARS)
    services, officer = visit.services, visit.user_id
    first, last = (_first_ms(year) for year in (number, number + 1))
    ledger = await services.circulars.ledger.between(officer, first, last)
    polls = await services.polls_between(officer, first, last)
    persons = services.members.persons()
    registered = {person.id for person in persons if person.user_id is not None}
    asked = [item for item in services.inquiries.inbox(officer) if first <= item.opened_ts < last]
    return Year(
        number, len(services.members.households()), len(persons), len(registered),
        len((ledger.active | polls.active) & registered), ledger.figures, polls.figures,
        await _gatherings(visit, first, last), len(asked),
        sum(item.state is InquiryState.ANSWERED for item in asked),
        sum(item.channel is not CameBy.APP for item in asked),
    )


def as_csv(year: Year) -> bytes:
    """The same for a spreadsheet; no cell is taken for a formula."""
    rows: list[Sequence[object]] = [
        ("年度", year.number), ("世帯", year.households), ("人", year.persons), ("登録した人", year.registered),
        ("つかっている人", year.active), ("質問・相談", year.questions), ("うち 答えたもの", year.questions_answered),
        ("うち 紙・電話", year.questions_on_paper), (),
        ("回覧", "日", "世帯", "届いた世帯", "うち 紙", "うち 電話", "人", "見た人", "了解", "半分まで（時間）",
         "8割まで（時間）"),
        *(_circular_cells(item) for item in year.circulars), (),
        ("アンケート", "日", "全体", "回答", *(channel.label for channel in CameBy)),
        *((item.poll.question, _day(item.poll.created_ts), item.total, item.answered,
           *(item.by_channel[channel] for channel in CameBy)) for item in year.polls), (),
        ("行事", "日", "行きます"),
        *((item.gathering.plan.title, _day(to_ms(item.gathering.plan.start)), item.coming) for item in year.gatherings),
    ]
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([as_plain_cell(str(cell)) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


async def _gatherings(visit: Visit, first: int, last: int) -> list[GatheringFigures]:
    services = visit.services.gatherings
    found = [item for item in services.verbs.changed_since(0)
             if item.is_shown and first <= to_ms(item.plan.start) < last]
    found.sort(key=lambda item: (to_ms(item.plan.start), item.id))
    return [GatheringFigures(item, figures_of_homes(await services.attendance.homes(item)).people) for item in found]


def _circular_cells(item: CircularFigures) -> Sequence[object]:
    half, most = ("" if hours is None else hours for hours in (item.hours_to_half, item.hours_to_most))
    return (item.circular.title, _day(item.circular.created_ts), item.households, item.reached, item.paper, item.phone,
            item.persons, item.seen, item.acknowledged, half, most)


def _first_ms(year: int) -> int:
    return round(datetime(year, FIRST_MONTH, 1, tzinfo=TOKYO).timestamp()) * 1000


def _day(ms: int) -> str:
    return f"{tokyo_time(ms):%Y-%m-%d}"


def _middle(hours: Sequence[float | None]) -> float | None:
    known = [item for item in hours if item is not None]
    return round(median(known), 1) if known else None
