"""Hazard reports and facilities of the neighbours: seen, asked for, confirmed by the owner's officers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from federation.sharing.contents import merged
from federation.sharing.model import Opened, Subject
from federation.sharing.requests import AskedView
from federation.sharing.things_store import asked_by
from server.assembly.sharing_pages import open_sharing_pages
from server.association.bookings.model import Facility, State, Wish
from server.association.bookings.rules import free_times
from server.association.hazards.model import HazardKind, HazardState, Sight
from server.association.members.model import Purpose
from server.foundation.clock import tokyo_time
from server.foundation.errors import Forbidden, InvalidParam, NotFound, Refused
from tests.federation.sharing.neighbourhood import (
    has_facility,
    have_parted,
    neighbours,
    shares,
    tells,
    thing,
    turns_hostile,
)
from tests.federation.wide_area.places import Place, until
from tests.federation.wide_area.test_residents import resident


async def test_a_hazard_is_reported_seen_and_fixed_and_neighbours_see_it_without_a_name(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (sakura, ume):
        room = (await shares(sakura, ume, Subject.HAZARDS)).room_id
        hanako = await resident(sakura, "hanako")
        verbs = sakura.node.inside.association.daily_life.hazards
        hazard = await verbs.report(hanako.user_id, Sight(HazardKind.TREE, "桜公園の北", "枝が 折れています"))
        await until(lambda: _stands(ume, ["reported"]))
        await verbs.move(sakura.me, hazard.id, HazardState.SEEN, "業者を 呼びました")
        await until(lambda: _stands(ume, ["seen"]))
        (found,) = await ume.verbs.sharing.neighbours.hazards()
        assert (found.thing.place, found.thing.kind, found.share.name) == ("桜公園の北", HazardKind.TREE, "桜町町内会")
        live = await ume.node.inside.services.rooms.get(room)
        said = str([entry.event.content for entry in live.timeline])
        assert "hanako" not in said
        assert "【危険の知らせ】木・枝：桜公園の北（役員が 見ました）" in said
        with pytest.raises(Refused, match="できません"):
            await verbs.move(sakura.me, hazard.id, HazardState.REPORTED)
        await verbs.move(sakura.me, hazard.id, HazardState.FIXED)
        await until(lambda: _stands(ume, ["fixed"]))
        await verbs.move(hanako.user_id, hazard.id, HazardState.WITHDRAWN)
        await until(lambda: _stands(ume, []))
        assert await verbs.shown() == []


async def test_a_hazard_is_reported_by_any_client_and_deleted_with_its_message(tmp_path: Path) -> None:
    async with neighbours(tmp_path, "sakura") as (sakura,):
        hanako, taro = await resident(sakura, "hanako"), await sakura.node.user("taro")
        board = sakura.node.inside.association.members.hall_room(Purpose.BOARD)
        value = {"kind": "light", "place": "3班の 角", "text": "", "photo": ""}
        sent = await hanako.sends(
            board, "m.room.message", {"msgtype": "m.text", "body": "街灯が切れています", "jp.kairan.hazard": value})
        verbs = sakura.node.inside.association.daily_life.hazards
        (hazard,) = await verbs.shown()
        assert (hazard.sight.place, hazard.reporter) == ("3班の 角", hanako.user_id)
        for bad in ({"kind": "ghost", "place": "x"}, {"kind": "tree", "place": ""}, "nonsense", None):
            await hanako.sends(
                board, "m.room.message", {"msgtype": "m.text", "body": "?", "jp.kairan.hazard": bad})
        state = {"id": hazard.id, "state": "fixed", "note": ""}
        await hanako.sends(board, "m.room.message", {"msgtype": "m.text", "body": "?", "jp.kairan.hazard.state": state})
        assert [item.state for item in await verbs.shown()] == [HazardState.REPORTED]
        with pytest.raises(Forbidden):
            await verbs.report(taro.user_id, Sight(HazardKind.ROAD, "ここ"))
        with pytest.raises(Forbidden):
            await verbs.move(hanako.user_id, hazard.id, HazardState.FIXED)
        with pytest.raises(Forbidden):
            await verbs.get(taro.user_id, hazard.id)
        with pytest.raises(InvalidParam):
            await verbs.report(hanako.user_id, Sight(HazardKind.ROAD, " "))
        event_id = sent.body["event_id"]
        assert (await hanako.put(f"v3/rooms/{board}/redact/{event_id}/t1", {})).status == 200
        assert await verbs.shown() == []
        with pytest.raises(NotFound):
            await verbs.get(hanako.user_id, hazard.id)


async def test_nobody_reports_without_end(tmp_path: Path) -> None:
    async with neighbours(tmp_path, "sakura") as (sakura,):
        verbs = sakura.node.inside.association.daily_life.hazards
        hanako = await resident(sakura, "hanako")
        for number in range(20):
            await verbs.report(hanako.user_id, Sight(HazardKind.ROAD, f"{number}番地"))
        with pytest.raises(Refused, match="20件まで"):
            await verbs.report(hanako.user_id, Sight(HazardKind.ROAD, "21番地"))


async def test_a_neighbours_hall_is_asked_for_and_its_officers_confirm(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (sakura, ume):
        hall = await has_facility(sakura)
        taro = await resident(ume, "taro")
        await shares(sakura, ume, Subject.FACILITIES, opened=(Opened(hall.id, hall.name),))
        room = await _opened(ume, hall)
        bookings = sakura.node.inside.association.daily_life.bookings
        own = await resident(sakura, "hanako")
        await bookings.book(own.user_id, Wish(hall.id, _at(sakura, 9), _at(sakura, 10), "ひみつの会"))
        await until(lambda: _is_busy(ume, room, hall.id, 9))
        far = await ume.verbs.sharing.requests.facility(room, hall.id)
        assert far.facility.note == ""
        assert "ひみつ" not in str(far)
        with pytest.raises(Refused, match="もう予約があります"):
            await ume.verbs.sharing.requests.ask(taro.user_id, room, Wish(hall.id, _at(ume, 9), _at(ume, 11)))

        wish = Wish(hall.id, _at(ume, 13), _at(ume, 15), "合同の練習")
        await ume.verbs.sharing.requests.ask(taro.user_id, room, wish)
        await until(lambda: _has_answer(ume, taro.user_id, State.REQUESTED))
        (asked,) = bookings.schedule.asked(sakura.me)
        assert "梅町町内会" in asked.wish.title
        assert "合同の練習" in asked.wish.title
        assert "taro" not in str(asked)
        await bookings.confirm(sakura.me, asked.id)
        await until(lambda: _has_answer(ume, taro.user_id, State.CONFIRMED))

        (mine,) = await ume.verbs.sharing.requests.of(taro.user_id)
        with pytest.raises(NotFound):
            await ume.verbs.sharing.requests.take_back(own.user_id, mine.asked.id)
        await ume.verbs.sharing.requests.take_back(taro.user_id, mine.asked.id)

        async def is_free_again() -> bool:
            return bookings.schedule.get(sakura.me, asked.id).state is State.CANCELLED

        await until(is_free_again)
        live = await sakura.node.inside.services.rooms.get(room)
        assert "taro" not in str([entry.event.content for entry in live.timeline])


async def test_an_officer_says_no_and_what_is_impossible_is_declined_by_itself(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (sakura, ume):
        hall = await has_facility(sakura)
        taro = await resident(ume, "taro")
        await shares(sakura, ume, Subject.FACILITIES, opened=(Opened(hall.id, hall.name),))
        room, bookings = await _opened(ume, hall), sakura.node.inside.association.daily_life.bookings
        requests = ume.verbs.sharing.requests
        for wish, reason in (
            (Wish(hall.id, _at(ume, 22), _at(ume, 23)), "使えます"),
            (Wish("nothing", _at(ume, 9), _at(ume, 10)), "ありません"),
            (Wish(hall.id, _at(ume, 9) - timedelta(days=30), _at(ume, 10) - timedelta(days=30)), "過ぎた"),
        ):
            with pytest.raises(Refused, match=reason):
                await requests.ask(taro.user_id, room, wish)
        with pytest.raises(Forbidden):
            await requests.ask("@someone:elsewhere.example", room, Wish(hall.id, _at(ume, 9), _at(ume, 10)))
        # Two want the same at the same moment: the owner's node says to the second that it is taken.
        for _ in range(2):
            await requests.ask(taro.user_id, room, Wish(hall.id, _at(ume, 9), _at(ume, 10)))

        async def are_answered() -> bool:
            found = await requests.of(taro.user_id)
            return sorted(str(item.state) for item in found) == sorted(["declined", "requested"])

        await until(are_answered)
        declined = next(item for item in await requests.of(taro.user_id) if item.state is State.DECLINED)
        assert "もう予約があります" in declined.reason
        await bookings.decline(sakura.me, bookings.schedule.asked(sakura.me)[0].id)

        async def are_declined() -> bool:
            return {item.state for item in await requests.of(taro.user_id)} == {State.DECLINED}

        await until(are_declined)


async def test_what_was_asked_is_off_when_the_share_ends_and_what_was_promised_stays(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (sakura, ume):
        hall = await has_facility(sakura)
        taro = await resident(ume, "taro")
        await shares(sakura, ume, Subject.FACILITIES, opened=(Opened(hall.id, hall.name),))
        room, bookings = await _opened(ume, hall), sakura.node.inside.association.daily_life.bookings
        for hour in (9, 13):
            await ume.verbs.sharing.requests.ask(taro.user_id, room, Wish(hall.id, _at(ume, hour), _at(ume, hour + 1)))

        async def have_come() -> bool:
            return len(bookings.schedule.asked(sakura.me)) == 2

        await until(have_come)
        first, second = bookings.schedule.asked(sakura.me)
        await bookings.confirm(sakura.me, first.id)
        await sakura.verbs.sharing.halves.end(sakura.me, room)
        assert bookings.schedule.get(sakura.me, first.id).state is State.CONFIRMED
        assert bookings.schedule.get(sakura.me, second.id).state is State.CANCELLED

        async def is_gone() -> bool:
            return await ume.verbs.sharing.neighbours.facilities() == []

        await until(is_gone)
        with pytest.raises(NotFound):
            await ume.verbs.sharing.requests.ask(taro.user_id, room, Wish(hall.id, _at(ume, 16), _at(ume, 17)))
        await have_parted(sakura, ume, room)


async def _stands(place: Place, states: list[str]) -> bool:
    return [item.thing.state.value for item in await place.verbs.sharing.neighbours.hazards()] == states


async def _opened(place: Place, hall: Facility) -> str:
    """The room of the share, when the facility has come."""

    async def there() -> bool:
        found = await place.verbs.sharing.neighbours.facilities()
        return [item.thing.facility.name for item in found] == [hall.name]

    await until(there)
    return place.verbs.sharing.book.in_force()[0].room_id


async def _is_busy(place: Place, room_id: str, facility_id: str, hour: int) -> bool:
    far = await place.verbs.sharing.requests.facility(room_id, facility_id)
    start = _at(place, hour)
    return all(start >= end or start < begin for begin, end in free_times(far.facility, start.date(), far.held))


async def _has_answer(place: Place, user_id: str, state: State) -> bool:
    found: list[AskedView] = await place.verbs.sharing.requests.of(user_id)
    return [item.state for item in found] == [state]


def _at(place: Place, hour: int) -> datetime:
    """The day after tomorrow, at an hour."""
    now = tokyo_time(place.node.inside.core.clock.now_ms())
    return now.replace(hour=hour, minute=0, second=0, microsecond=0) + timedelta(days=2)


@pytest.mark.parametrize(("times", "at_once", "busy"), [
    ([(1, 3), (2, 4), (4, 5), (7, 8)], 1, ((1, 5), (7, 8))), ([(1, 3), (2, 4), (4, 5)], 2, ((2, 3),)),
    ([], 1, ()), ([(1, 2)], 2, ()),
])
def test_when_nothing_more_fits(times: list[tuple[int, int]], at_once: int, busy: tuple[tuple[int, int], ...]) -> None:
    assert merged(iter(times), at_once) == busy


async def test_whoever_leaves_asks_for_nothing_any_more(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (sakura, ume):
        hall, taro = await has_facility(sakura), await resident(ume, "taro")
        await shares(sakura, ume, Subject.FACILITIES, opened=(Opened(hall.id, hall.name),))
        room, bookings = await _opened(ume, hall), sakura.node.inside.association.daily_life.bookings
        asked = await ume.verbs.sharing.requests.ask(taro.user_id, room, Wish(hall.id, _at(ume, 9), _at(ume, 10)))

        async def has_come() -> bool:
            return len(bookings.schedule.asked(sakura.me)) == 1

        await until(has_come)
        async with ume.node.inside.association.editor.editing() as edit:
            edit.drop_person(asked.person)

        async def is_off() -> bool:
            return bookings.schedule.asked(sakura.me) == []

        await until(is_off)
        assert await asked_by(ume.node.inside.core.database, asked.person) == []


async def test_a_photo_of_a_hazard_comes_from_the_neighbour_and_from_nobody_else(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (sakura, ume):
        room = (await shares(sakura, ume, Subject.HAZARDS)).room_id
        hanako, taro = await resident(sakura, "hanako"), await resident(ume, "taro")
        picture = (Path(__file__).parents[3] / "server/web/static/icon-192.png").read_bytes()
        media = sakura.node.inside.media.media
        url = await media.keep(hanako.user_id, "image/png", "photo.png", _pieces(picture))
        hazards = sakura.node.inside.association.daily_life.hazards
        hazard = await hazards.report(hanako.user_id, Sight(HazardKind.ROAD, "坂の上", "", url), "image/png")
        await until(lambda: _stands(ume, ["reported"]))
        desk = await open_sharing_pages(ume.node.inside)
        (seen,) = await desk.hazards(taro.user_id)
        path, kind = await desk.photo(taro.user_id, seen.key, hazard.id)
        assert kind.startswith("image/")
        assert path.stat().st_size > 0
        with pytest.raises(NotFound):
            await desk.photo(taro.user_id, seen.key, "nothing")
        await turns_hostile(sakura)
        # A photo that is said to lie on a third server is not fetched.
        value = {"kind": "road", "place": "x", "text": "", "state": "reported", "photo": "mxc://evil.example/abc",
                 "reported_ts": 1, "changed_ts": 1}
        await tells(sakura, room, thing("hazard", "elsewhere", value))
        await until(lambda: _stands(ume, ["reported", "reported"]))
        with pytest.raises(NotFound):
            await desk.photo(taro.user_id, seen.key, "elsewhere")


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    yield data
