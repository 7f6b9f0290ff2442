"""A hostile neighbour floods nobody, speaks for nobody else, and gets nothing but what was agreed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from federation.sharing import taking
from federation.sharing.model import SHARING, Kind, Opened, Subject, Terms
from server.foundation.errors import Forbidden
from server.rooms.send_event import Draft
from tests.federation.sharing.neighbourhood import (
    announces,
    gathering_value,
    has_facility,
    have_parted,
    neighbours,
    sees,
    shares,
    tells,
    thing,
    titles,
    turns_hostile,
)
from tests.federation.wide_area.places import Place, refused, until


async def test_what_was_not_agreed_is_not_taken(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (sakura, ume):
        room = (await shares(sakura, ume, Subject.CALENDAR)).room_id
        await turns_hostile(ume)
        await tells(ume, room, thing("hazard", "h1", {"kind": "tree"}))
        await refused(sakura, "約束をしていないもの（危険の知らせ）")
        await tells(ume, room, thing("request", "r1", {"facility": "f"}))
        await refused(sakura, "約束をしていないもの（集会所など）")
        assert await sakura.verbs.sharing.neighbours.hazards() == []


async def test_what_cannot_be_read_is_refused(one_share: tuple[Place, Place, str]) -> None:
    sakura, ume, room = one_share
    wrong: list[dict[str, Any]] = [
        {"title": "ま" * 201}, {"title": "\u202e "}, {"title": 5}, {"place": None}, {"times": []},
        {"times": [[2, 1]]}, {"times": [[1, 2]] * 61}, {"times": [[1, 2**52]]}, {"times": [[1]]}, {"times": [1]},
    ]
    bad = [
        "nonsense", {}, thing("gathering", "", _festival()), thing("gathering", "x" * 65, _festival()),
        thing("weather", "w", _festival()), {**thing("gathering", "g", _festival()), "revision": True},
        thing("gathering", "g", []), thing("gathering", "g", {"title": "まつり"}),
        *(thing("gathering", "g", _festival(**changes)) for changes in wrong),
    ]
    for told in bad:
        await tells(ume, room, told)

    async def are_refused() -> bool:
        found = await sakura.verbs.book.refusals(sakura.me)
        return len(bad) == sum(item.times for item in found)

    await until(are_refused)
    assert await titles(sakura) == []


def _festival(**changes: Any) -> dict[str, Any]:
    return {"title": "まつり", "place": "", "all_day": False, "cancelled": False, "times": [[1, 2]], **changes}


async def test_a_neighbour_speaks_for_nobody_else(tmp_path: Path) -> None:
    async with neighbours(tmp_path, "sakura", "ume", "matsu") as (sakura, ume, matsu):
        room = (await shares(sakura, ume, Subject.CALENDAR)).room_id
        other = (await shares(sakura, matsu, Subject.CALENDAR)).room_id
        await turns_hostile(matsu)
        await announces(ume, "梅まつり")
        await sees(sakura, "梅まつり")
        (real,) = await sakura.verbs.sharing.neighbours.gatherings(0)
        # The same id, told by another neighbour: theirs, not instead of the first.
        false = gathering_value(matsu, "にせ", cancelled=True)
        await tells(matsu, other, thing("gathering", real.thing.id, false, 2**40))
        await sees(sakura, "梅まつり", "にせ")
        found = {item.share.name: item.thing.title for item in await sakura.verbs.sharing.neighbours.gatherings(0)}
        assert found == {"梅町町内会": "梅まつり", "matsu": "にせ"}
        # In the name of the other side, or as an officer of theirs.
        with pytest.raises(Forbidden):
            await matsu.node.inside.services.sender.send(
                Draft(other, matsu.me, SHARING, {"state": "ended"}, state_key=sakura.me))
        half = {"state": "in_force", "terms": {"subjects": ["calendar", "hazards"], "facilities": []},
                "party": matsu.verbs.book.us.party.as_json()}
        await matsu.node.inside.services.sender.send(Draft(other, matsu.me, SHARING, half, state_key=matsu.me))
        await refused(sakura, "より多くのこと")
        renamed = {"state": "in_force", "terms": {"subjects": ["calendar"], "facilities": []},
                   "party": {**matsu.verbs.book.us.party.as_json(), "name": "札幌市", "kind": "city"}}
        await matsu.node.inside.services.sender.send(Draft(other, matsu.me, SHARING, renamed, state_key=matsu.me))
        await announces(matsu, "松まつり")
        await matsu.verbs.sharing.giving.bring_all()
        # What their node did not mean to tell, it takes back.
        await sees(sakura, "梅まつり", "松まつり")
        names = {item.share.name for item in await sakura.verbs.sharing.neighbours.gatherings(0)}
        assert names == {"梅町町内会", "matsu"}
        assert sakura.verbs.sharing.book.find(room) is not None


async def test_people_in_other_rooms_share_nothing(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (sakura, ume):
        await shares(sakura, ume, Subject.CALENDAR)
        hanako, taro = await sakura.node.user("hanako"), await ume.node.user("taro")
        square = await hanako.creates_room(preset="public_chat")
        assert (await taro.post(f"v3/join/{square}", via=sakura.server)).status == 200
        told = thing("gathering", "g", gathering_value(ume))
        content = {"msgtype": "m.text", "body": "まつり", "jp.kairan.shared": told}
        assert (await taro.sends(square, "m.room.message", content)).status == 200
        await refused(sakura, "分け合っていない相手")
        assert await titles(sakura) == []


async def test_too_much_is_refused_and_what_was_before_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "_MOST_AN_HOUR", 12)
    monkeypatch.setattr(Kind, "most", property(lambda kind: 3))
    async with neighbours(tmp_path) as (sakura, ume):
        room = (await shares(sakura, ume, Subject.CALENDAR)).room_id
        await turns_hostile(ume)
        for number in range(5):
            await tells(ume, room, thing("gathering", f"g{number}", gathering_value(ume, f"まつり{number}")))
        await refused(sakura, "行事が多すぎます（3まで）")
        await sees(sakura, "まつり0", "まつり1", "まつり2")
        for number in range(10):
            await tells(ume, room, thing("gathering", "g0", gathering_value(ume, f"変更{number}"), 2 + number))
        await refused(sakura, "知らせが多すぎます")
        assert len(await titles(sakura)) == 3


async def test_what_is_older_never_replaces_what_is_newer(one_share: tuple[Place, Place, str]) -> None:
    sakura, ume, room = one_share
    await tells(ume, room, thing("gathering", "g", gathering_value(ume, "新しい"), 7))
    await tells(ume, room, thing("gathering", "g", gathering_value(ume, "古い"), 6))
    await tells(ume, room, thing("gathering", "end", gathering_value(ume, "おわり")))
    await sees(sakura, "新しい", "おわり")
    await tells(ume, room, thing("gathering", "g", None, 8))
    await tells(ume, room, thing("gathering", "g", gathering_value(ume, "よみがえる"), 7))
    await tells(ume, room, thing("gathering", "end", gathering_value(ume, "ほんとうに おわり"), 2))
    await sees(sakura, "ほんとうに おわり")


async def test_after_the_end_nothing_is_taken_and_nothing_is_told(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (sakura, ume):
        room = (await shares(sakura, ume, Subject.CALENDAR)).room_id
        await sakura.verbs.sharing.halves.end(sakura.me, room)
        await tells_if_it_can(ume, room, thing("gathering", "g", gathering_value(ume)))

        async def is_over() -> bool:
            return ume.verbs.sharing.book.in_force() == []

        await until(is_over)
        await announces(sakura, "ひみつの まつり")
        await sakura.verbs.sharing.giving.bring_all()
        assert await titles(sakura) == await titles(ume) == []
        await have_parted(sakura, ume, room)
        live = await ume.node.inside.services.rooms.get(room)
        assert "ひみつの" not in str([entry.event.content for entry in live.timeline])


async def tells_if_it_can(place: Place, room_id: str, told: Any) -> None:
    try:
        await tells(place, room_id, told)
    except Forbidden:
        return  # it has heard of the end already


async def test_only_opened_facilities_are_asked_for(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (sakura, ume):
        hall, store = await has_facility(sakura, "集会所"), await has_facility(sakura, "倉庫")
        opened = (Opened(hall.id, hall.name),)
        room = (await shares(sakura, ume, Subject.FACILITIES, opened=opened)).room_id
        await turns_hostile(ume)
        start = sakura.node.inside.core.clock.now_ms() + 86_400_000
        for facility_id, reason in ((store.id, "見せていない集会所"), ("nothing", "見せていない集会所")):
            value = {"facility": facility_id, "start": start, "end": start + 3_600_000, "title": "会議"}
            await tells(ume, room, thing("request", facility_id, value))
            await refused(sakura, reason)
        assert sakura.node.inside.association.daily_life.bookings.schedule.of_facility(store.id) == []
        # A facility that the neighbour never opened to us.
        await tells(sakura, room, thing("facility", store.id, {"facility": {}, "busy": []}))
        await refused(ume, "")
        found = await ume.verbs.sharing.neighbours.facilities()
        assert [item.thing.facility.name for item in found] in ([], ["集会所"])


async def test_who_agrees_to_more_than_was_offered_is_refused(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (sakura, ume):
        card = await sakura.verbs.sharing.offers.offer(sakura.me, "梅町", Terms(frozenset({Subject.CALENDAR})))
        secret = card.text.rpartition("/")[2]
        party, wide = ume.verbs.book.us.party, Terms(frozenset({Subject.CALENDAR, Subject.HAZARDS}))
        with pytest.raises(Forbidden):
            await sakura.verbs.sharing.offers.agree(ume.server, secret, party, wide)
        with pytest.raises(Forbidden):
            await sakura.verbs.sharing.offers.agree("evil.example", secret, party, card.record.terms)
        assert sakura.verbs.sharing.book.shares() == []
