"""Bookings: one at a time, by the rules, with a waiting list; the table only follows what is said in 窓口."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from server.association.bookings.actions import Origin
from server.association.bookings.contents import BOOKING, FACILITY, booking_content
from server.association.bookings.model import Clash, Facility, Kind, Rules, State, Wish
from server.association.members.model import Purpose
from server.foundation.errors import Forbidden, InvalidParam, NotFound, Refused
from server.rooms.send_event import Draft
from tests.architecture.source import ROOT
from tests.association.bookings.booking import CHAIR, DAY, HANAKO, ICHIRO, MISAKI, hall, officer


def schema(name: str) -> Draft202012Validator:
    return Draft202012Validator(orjson.loads((ROOT / f"docs/events/{name}.schema.json").read_bytes()))


async def test_a_booking_is_a_readable_message_in_the_line_of_whoever_has_it(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        booking = await here.book(HANAKO, 10, 12, "子ども会の練習")
        (content,) = await here.said(HANAKO)
        assert content["body"] == (
            "【予約】集会所\n日時：2024年1月13日(土) 10:00〜12:00\n目的：子ども会の練習\n場所：桜町1-1\n"
            "予約できました。"
        )
        schema("jp.kairan.booking").validate(content[BOOKING])
        space = await here.street.room(here.street.node.members.hall_room(Purpose.SPACE))
        schema("jp.kairan.facility").validate(space.state[FACILITY, here.facility.id].content)
        assert await here.said(ICHIRO) == []
    async with hall(tmp_path) as here:
        assert here.bookings.schedule.get(here.street.user(HANAKO), booking.id) == booking
        assert here.bookings.schedule.facilities() == [here.facility]
        with pytest.raises(Clash):
            await here.book(ICHIRO, 11, 13)


async def test_a_clash_is_refused_with_what_is_free_and_nothing_is_written(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        await here.book(HANAKO, 10, 12)
        with pytest.raises(Clash) as refusal:
            await here.book(ICHIRO, 11.5, 12.5)
        assert refusal.value.reason == (
            "集会所は、2024年1月13日(土) 11:30〜12:30に、もう予約があります。"
            "この日に空いている時間：09:00〜10:00、12:00〜21:00"
        )
        assert await here.said(ICHIRO) == []
        await here.book(ICHIRO, 12, 13)
        await here.book(MISAKI, 9, 10)


async def test_of_many_at_the_same_moment_one_gets_it(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        wishes = [here.book(name, 10, 12) for name in (HANAKO, ICHIRO, MISAKI) * 10]
        outcomes = await asyncio.gather(*wishes, return_exceptions=True)
        assert sum(not isinstance(outcome, BaseException) for outcome in outcomes) == 1
        assert sum(isinstance(outcome, Clash) for outcome in outcomes) == 29


async def test_who_waits_moves_up_in_their_order_and_is_told(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        first = await here.book(HANAKO, 10, 12)
        with pytest.raises(Clash):
            await here.book(ICHIRO, 10, 12)
        second = await here.book(ICHIRO, 10, 12, origin=Origin(waits=True))
        third = await here.book(MISAKI, 11, 12, origin=Origin(waits=True))
        assert (second.state, third.state) == (State.WAITING, State.WAITING)
        await here.bookings.cancel(here.street.user(HANAKO), first.id)
        get = here.bookings.schedule.get
        assert get(here.street.user(ICHIRO), second.id).state is State.CONFIRMED
        assert get(here.street.user(MISAKI), third.id).state is State.WAITING
        assert "空いたので、予約に変わりました。" in (await here.said(ICHIRO))[-1]["body"]
        moved = replace(second.wish, start=second.wish.start - timedelta(hours=1),
                        end=second.wish.end - timedelta(hours=1))
        await here.bookings.change(here.street.user(ICHIRO), second.id, moved)
        assert get(here.street.user(MISAKI), third.id).state is State.CONFIRMED


async def test_an_officer_confirms_or_declines_where_it_is_asked(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        await here.rules(asks=True)
        asked = await here.book(HANAKO, 10, 12)
        assert asked.state is State.REQUESTED
        with pytest.raises(Clash):
            await here.book(ICHIRO, 10, 12)
        with pytest.raises(Forbidden):
            await here.bookings.confirm(here.street.user(HANAKO), asked.id)
        assert here.bookings.schedule.asked(here.street.user(CHAIR)) == [asked]
        assert (await here.bookings.confirm(here.street.user(CHAIR), asked.id)).state is State.CONFIRMED
        with pytest.raises(Refused):
            await here.bookings.confirm(here.street.user(CHAIR), asked.id)
        other = await here.book(ICHIRO, 13, 14)
        await here.bookings.decline(here.street.user(CHAIR), other.id, "清掃のため")
        assert (await here.said(ICHIRO))[-1]["body"].endswith("受けられませんでした。\n清掃のため")
        assert (await here.book(MISAKI, 13, 14)).state is State.REQUESTED
        assert (await here.book(CHAIR, 15, 16)).state is State.CONFIRMED


@pytest.mark.parametrize(("start", "end", "told"), [
    (8, 10, "09:00〜21:00"), (20, 22, "09:00〜21:00"), (10, 10, "おわりは"), (12, 10, "おわりは"),
    (10, 15, "4時間まで"), (10.25, 11.25, "30分きざみ"), (-24 * 14, -24 * 14 + 1, "09:00"),
])  # fmt: skip
async def test_what_the_rules_do_not_allow_is_refused(tmp_path: Path, start: float, end: float, told: str) -> None:
    async with hall(tmp_path) as here:
        with pytest.raises(InvalidParam, match=told):
            await here.book(HANAKO, start, end)


async def test_days_limits_and_notice_hold_for_residents_and_not_for_officers(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        await here.rules(ahead_days=30, notice_hours=24 * 5, most=2)
        for days, told in ((21, "30日先"), (-9, "120時間前"), (-14, "もう過ぎた")):
            with pytest.raises(InvalidParam, match=told):
                await here.bookings.book(here.street.user(HANAKO), here.wish(10, 11, days=days))
        await here.bookings.book(here.street.user(CHAIR), here.wish(10, 11, days=21))
        await here.book(HANAKO, 10, 11)
        await here.book(HANAKO, 11, 12)
        with pytest.raises(InvalidParam, match="2件まで"):
            await here.book(HANAKO, 12, 13)
        await here.rules(closed=(DAY.date(),))
        with pytest.raises(InvalidParam, match="休み"):
            await here.book(ICHIRO, 12, 13)


async def test_several_may_run_at_once_where_there_are_several(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        await here.rules(at_once=2)
        await here.book(HANAKO, 10, 12)
        await here.book(ICHIRO, 11, 13)
        with pytest.raises(Clash, match="09:00〜11:00、12:00〜21:00"):
            await here.book(MISAKI, 11, 12)
        await here.book(MISAKI, 12, 14)


async def test_who_waits_moves_up_when_there_is_one_more(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        await here.book(HANAKO, 10, 12)
        waiting = await here.book(ICHIRO, 10, 12, origin=Origin(waits=True))
        await here.rules(at_once=2)
        assert here.bookings.schedule.get(here.street.user(ICHIRO), waiting.id).state is State.CONFIRMED


async def test_two_bookings_at_once_do_not_go_over_what_one_may_have(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        await here.rules(most=1)
        came = await asyncio.gather(
            here.book(HANAKO, 10, 11), here.book(HANAKO, 13, 14), return_exceptions=True)
        assert sorted(type(item).__name__ for item in came) == ["Booking", "InvalidParam"]


@pytest.mark.parametrize(("start", "rule"), [
    ("9999-12-31T23:00:00+00:00", ""), ("0001-01-01T00:00:00+14:00", ""),
    ("9999-12-18T10:00:00+09:00", "FREQ=WEEKLY;COUNT=10"), ("9999-12-18T10:00:00+09:00", "FREQ=MONTHLY;COUNT=10"),
])
async def test_days_at_the_ends_of_the_calendar_are_refused(tmp_path: Path, start: str, rule: str) -> None:
    async with hall(tmp_path) as here:
        first = datetime.fromisoformat(start)
        wish = Wish(here.facility.id, first, first + timedelta(minutes=30), rule=rule)
        with pytest.raises(InvalidParam, match="その日は、予約できません"):
            await here.bookings.book(here.street.user(CHAIR), wish)


async def test_others_neither_see_nor_change_nor_forge_a_booking(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        booking = await here.book(HANAKO, 10, 12)
        ichiro = here.street.user(ICHIRO)
        bookings = here.bookings
        for attempt in (bookings.cancel(ichiro, booking.id), bookings.change(ichiro, booking.id, booking.wish)):
            with pytest.raises(NotFound):
                await attempt
        with pytest.raises(Forbidden):
            await here.book(ICHIRO, 13, 14, person_id=here.street.person(HANAKO).id)
        with pytest.raises(Forbidden):
            await here.bookings.put_facility(ichiro, Facility("", "池"))
        forged = replace(booking, state=State.CANCELLED)
        await here.street.node.sender.send(Draft(
            here.street.desk(ICHIRO), ichiro, "m.room.message", booking_content(here.facility, forged)))
        assert here.bookings.schedule.get(here.street.user(HANAKO), booking.id) == booking
        broken: list[Any] = [None, {}, {"id": 1}, {"start": "tomorrow"}]
        for value in broken:
            content = {"msgtype": "m.text", "body": "x", BOOKING: value}
            await here.street.node.sender.send(Draft(
                here.street.desk(ICHIRO), here.street.node.node, "m.room.message", content))
        assert len(here.bookings.schedule.of_facility(here.facility.id)) == 1


async def test_an_officer_books_for_somebody_without_a_telephone(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        old = await here.street.node.person("老人 太郎", account=False)
        booking = await here.book(CHAIR, 10, 12, person_id=old.id)
        assert booking.person == old.id
        assert len(await here.said(CHAIR)) == 1
        await officer(here, ICHIRO)
        assert here.bookings.schedule.get(here.street.user(ICHIRO), booking.id) == booking


async def test_two_officers_at_once_lose_nothing_in_silence(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        booking = await here.book(HANAKO, 10, 12)
        chair = here.street.user(CHAIR)
        later = replace(booking.wish, title="練習")
        await here.bookings.change(chair, booking.id, later, expected_revision=booking.revision)
        with pytest.raises(Refused) as refusal:
            await here.bookings.cancel(chair, booking.id, expected_revision=booking.revision)
        assert refusal.value.status == 412
        await here.bookings.cancel(chair, booking.id)
        with pytest.raises(Refused, match="もう取り消されて"):
            await here.bookings.cancel(chair, booking.id)


async def test_who_leaves_gives_everything_back(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        booking = await here.book(HANAKO, 10, 12, "誕生日")
        node = here.street.node
        async with node.editor.editing() as edit:
            edit.drop_person(here.street.person(HANAKO).id)
        given_back = here.bookings.schedule.get(here.street.user(CHAIR), booking.id)
        assert (given_back.state, given_back.wish.title) == (State.CANCELLED, "")
        await here.book(ICHIRO, 10, 12)


async def test_a_ride_says_from_where_to_where_to_nobody_else(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        chair, rules = here.street.user(CHAIR), Rules(step=15, shows_titles=False)
        ride = await here.bookings.put_facility(chair, Facility("", "おでかけ送迎", Kind.RIDE, rules=rules))
        wish = replace(here.wish(9, 9.5), facility_id=ride.id, note="1班 ごみ置き場 → 市民病院")
        await here.bookings.book(here.street.user(HANAKO), wish)
        assert "行き先：1班 ごみ置き場 → 市民病院" in (await here.said(HANAKO))[-1]["body"]
        with pytest.raises(InvalidParam):
            await here.bookings.put_facility(chair, Facility("", "おでかけ送迎"))
        await here.bookings.put_facility(chair, replace(ride, is_gone=True))
        assert here.bookings.schedule.facilities() == [here.facility]
        with pytest.raises(InvalidParam, match="いま予約できません"):
            await here.bookings.book(here.street.user(ICHIRO), replace(wish, start=wish.start, end=wish.end))
