"""What people write in their 窓口 is understood, answered once, and leads to the same booking as a page."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.association.bookings.asking import REQUEST, is_request
from server.association.bookings.bookings_store import open_requests
from server.association.bookings.contents import ANSWER, BOOKING, answer_content
from server.association.bookings.model import Facility, State
from server.association.bookings.requests import Meant, read_text
from server.foundation.clock import TOKYO
from server.foundation.errors import InvalidParam
from server.rooms.send_event import Draft
from tests.association.bookings.booking import DAY, HANAKO, ICHIRO, hall

TODAY = date(2026, 11, 23)
HALLS = (Facility("h", "集会所"), Facility("k", "集会所の和室"), Facility("t", "テント"))


@pytest.mark.parametrize(("text", "facility", "start", "end", "title"), [
    ("予約 集会所 12月5日 10時〜12時 会議", "h", (2026, 12, 5, 10, 0), (2026, 12, 5, 12, 0), "会議"),
    ("予約　集会所　１２／５（土）　１０：００−１２：３０", "h", (2026, 12, 5, 10, 0), (2026, 12, 5, 12, 30), ""),
    ("予約：集会所の和室を2月3日の午後1時半から3時まで、茶道", "k", (2027, 2, 3, 13, 30), (2027, 2, 3, 15, 0), "茶道"),
    ("予約 テント あした 9:00-17:00", "t", (2026, 11, 24, 9, 0), (2026, 11, 24, 17, 0), ""),
    ("よやく テント 2027/1/2 午前9時〜午後5時", "t", (2027, 1, 2, 9, 0), (2027, 1, 2, 17, 0), ""),
])
def test_a_wish_is_understood(
    text: str, facility: str, start: tuple[int, ...], end: tuple[int, ...], title: str
) -> None:
    assert is_request(text)
    wish = read_text(text, HALLS, TODAY).wish
    assert wish is not None
    assert (wish.facility_id, wish.title) == (facility, title)
    assert [f"{item:%Y %m %d %H %M}" for item in (wish.start, wish.end)] == [
        " ".join(f"{part:02}" for part in moment) for moment in (start, end)
    ]
    assert wish.start.tzinfo is TOKYO


@pytest.mark.parametrize(("text", "told"), [
    ("予約 会館 12月5日 10時〜12時", "どこ"), ("予約 集会所 10時〜12時", "何月何日"), ("予約 集会所 12月5日", "何時"),
    ("予約 集会所 2月30日 10時〜12時", "ありません"), ("予約 集会所 12月5日 25時〜26時", "ありません"),
    ("予約できますか", "どこ"),
])
def test_what_is_missing_is_said(text: str, told: str) -> None:
    with pytest.raises(InvalidParam, match=told):
        read_text(text, HALLS, TODAY)


@pytest.mark.parametrize(("text", "meant", "number"), [
    ("予約", Meant.LIST, None), ("予約一覧", Meant.LIST, None), ("予約 取り消し 2", Meant.CANCEL, 2),
    ("予約取消", Meant.CANCEL, None), ("予約のキャンセル１番", Meant.CANCEL, 1),
])
def test_a_list_and_a_cancellation(text: str, meant: Meant, number: int | None) -> None:
    read = read_text(text, HALLS, TODAY)
    assert (read.meant, read.number) == (meant, number)


def test_waiting_is_a_word() -> None:
    assert read_text("予約 空き待ち 集会所 12月5日 10時〜12時", HALLS, TODAY).waits


@given(st.text(max_size=60))
def test_nothing_that_is_written_breaks_the_reader(text: str) -> None:
    try:
        read = read_text("予約" + text, HALLS, TODAY)
    except InvalidParam:
        return
    assert read.meant is not Meant.BOOK or read.wish is not None


async def test_a_line_in_a_room_is_a_booking(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        text = await here.asks(HANAKO, "予約 集会所 1月13日 10時〜12時 練習")
        assert text.startswith("【予約】集会所\n日時：2024年1月13日(土) 10:00〜12:00\n目的：練習")
        content = (await here.said(HANAKO))[-1]
        assert content["m.relates_to"]["m.in_reply_to"]["event_id"].startswith("$")
        text = await here.asks(ICHIRO, "予約 集会所 1月13日 11時〜13時")
        assert "もう予約があります" in text
        assert "09:00〜10:00、12:00〜21:00" in text
        text = await here.asks(ICHIRO, "予約 空き待ち 集会所 1月13日 11時〜12時")
        assert text.startswith("【空き待ち】集会所")
        text = await here.asks(HANAKO, "予約")
        assert "・集会所（毎日 09:00〜21:00）" in text
        assert "1. 集会所 2024年1月13日(土) 10:00〜12:00（予約ずみ）" in text
        assert (await here.asks(HANAKO, "予約 取り消し 1")).startswith("【予約の取り消し】")
        person = here.street.person(ICHIRO)
        assert [item.state for item in here.bookings.schedule.of_person(person.id)] == [State.CONFIRMED]
        assert "わかりませんでした" in await here.asks(HANAKO, "予約 集会所")
        for words in ("9999年12月31日 10時〜24時", "9999年12月31日から毎週火曜日 10回 10時〜12時"):
            assert "その日は、予約できません" in await here.asks(HANAKO, f"予約 集会所 {words}")
        assert await open_requests(here.street.node.database) == []


async def test_what_is_written_elsewhere_or_by_others_is_no_request(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        node, board = here.street.node, here.street.node.members.rooms.find("board")
        assert board is not None
        await here.street.say(HANAKO, board, "予約 集会所 1月13日 10時〜12時")
        await here.street.say(HANAKO, here.street.desk(HANAKO), "会議の予約 集会所 1月13日 10時〜12時")
        assert await open_requests(node.database) == []


async def test_an_event_of_ours_does_the_same(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        start = DAY + timedelta(hours=10)
        end = start + timedelta(hours=1)
        wish = {"facility": here.facility.id, "start": start.isoformat(), "end": end.isoformat()}
        asked: list[dict[str, object]] = [
            {**wish}, {**wish}, {"facility": 1}, {"start": "tomorrow"}, {**wish, "end": "2024-01-13T12:00:00"},
        ]
        for content in asked:
            await here.street.send(HANAKO, here.street.desk(HANAKO), REQUEST, content)
        await here.desk.resume()
        said = await here.said(HANAKO)
        assert [BOOKING in item for item in said] == [True, False, False, False, False]
        assert all(ANSWER in item for item in said[1:])


async def test_a_node_that_was_stopped_answers_after_its_start_and_only_once(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        room_id = here.street.desk(HANAKO)
        await here.street.say(HANAKO, room_id, "予約 集会所 1月13日 10時〜12時")
        (request,) = await open_requests(here.street.node.database)
        draft = Draft(room_id, here.street.user(HANAKO), "m.reaction", {})
        await here.street.node.sender.send(draft)
    async with hall(tmp_path) as here:
        await here.desk.resume()
        assert len(await here.said(HANAKO)) == 1
        # As if the node had been killed between the booking and the note that it was answered.
        await here.desk.answer(request)
        assert len(await here.said(HANAKO)) == 1
        assert len(here.bookings.schedule.of_facility(here.facility.id)) == 1


@pytest.mark.parametrize("words", ["予約 取り消し 1", "予約 取り消し 1月13日"])
async def test_taking_back_ends_the_request_in_the_same_moment(tmp_path: Path, words: str) -> None:
    # Carried out a second time, after a stop, the first of one's bookings would be another one.
    async with hall(tmp_path) as here:
        hanako = here.street.user(HANAKO)
        first = await here.book(HANAKO, 10, 12)
        second = await here.bookings.book(hanako, here.wish(10, 12, days=1))
        await here.street.say(HANAKO, here.street.desk(HANAKO), words)
        (request,) = await open_requests(here.street.node.database)
        if "月" in words:
            await here.bookings.leave_out(hanako, first.id, DAY.date(), request=request.event_id)
        else:
            await here.bookings.cancel(hanako, first.id, request=request.event_id)
        assert await open_requests(here.street.node.database) == []
    async with hall(tmp_path) as here:
        await here.desk.resume()
        assert here.bookings.schedule.get(hanako, second.id).state is State.CONFIRMED


async def test_only_the_node_says_that_a_request_is_answered(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        room_id = here.street.desk(HANAKO)
        await here.street.say(HANAKO, room_id, "予約 集会所 1月13日 10時〜12時")
        (request,) = await open_requests(here.street.node.database)
        await here.street.node.sender.send(Draft(
            room_id, here.street.user(HANAKO), "m.room.message", answer_content("ことわり", request.event_id)))
        assert await open_requests(here.street.node.database) == [request]
