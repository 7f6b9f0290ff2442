"""What neighbours tell each other is what docs/protocol.md and its schemas say."""

from __future__ import annotations

from pathlib import Path

from federation.sharing.contents import Answer, Request
from federation.sharing.joining import offer_as_json
from federation.sharing.model import SHARED, SHARING, Opened, Subject, Terms
from server.association.bookings.model import State, Wish
from server.association.hazards.model import HazardKind, HazardState, Sight
from server.association.members.model import Purpose
from server.foundation.clock import tokyo_time
from tests.federation.sharing.neighbourhood import announces, has_facility, neighbours, sees, shares
from tests.federation.wide_area.places import until
from tests.federation.wide_area.test_protocol import is_as_documented
from tests.federation.wide_area.test_residents import resident


async def test_everything_between_neighbours_is_as_documented(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (sakura, ume):
        hall = await has_facility(sakura)
        everything = Terms(frozenset(Subject), (Opened(hall.id, hall.name),))
        card = await sakura.verbs.sharing.offers.offer(sakura.me, "梅町", everything)
        offer = await ume.verbs.sharing.joining.summary(ume.me, card.text)
        is_as_documented("jp.kairan.share.summary", offer_as_json(offer))
        is_as_documented("jp.kairan.share.agree", {
            "code": card.text.rpartition("/")[2], "party": ume.verbs.book.us.party.as_json(),
            "terms": offer.terms.as_json()})
        share = await shares(sakura, ume, *Subject, opened=everything.facilities)
        hanako = await resident(sakura, "hanako")
        hazards = sakura.node.inside.association.daily_life.hazards
        hazard = await hazards.report(hanako.user_id, Sight(HazardKind.LIGHT, "3班の 角"))
        await hazards.move(sakura.me, hazard.id, HazardState.SEEN, "見ました")
        festival = await announces(sakura, "夏まつり")
        await sees(ume, "夏まつり")
        await sakura.node.inside.association.gatherings.withdraw(sakura.me, festival.id)
        await sees(ume)
        now = tokyo_time(sakura.node.inside.core.clock.now_ms())
        is_as_documented("jp.kairan.shared", {"kind": "request", "id": "r", "revision": 1, "thing": Request(
            "r", Wish("f", now, now, "会議")).as_json()})
        is_as_documented("jp.kairan.shared", {"kind": "answer", "id": "r", "revision": 1, "thing": Answer(
            "r", State.DECLINED, "だめ").as_json()})

        async def has_everything() -> bool:
            found, known = ume.verbs.sharing.neighbours, ume.verbs.sharing.book.in_force()[0]
            is_inside = await ume.verbs.sharing.boards.is_inside(ume.me, known)
            return is_inside and bool(await found.hazards()) and bool(await found.facilities())

        await until(has_everything)
        room = await ume.node.inside.services.rooms.get(share.room_id)
        told = [entry.event.content[SHARED] for entry in room.timeline if SHARED in entry.event.content]
        for value in told:
            is_as_documented("jp.kairan.shared", value)
        assert {value["kind"] for value in told} == {"gathering", "facility", "hazard"}
        halves = [event.content for key, event in room.state.items() if key[0] == SHARING]
        assert len(halves) == 2
        for half in halves:
            is_as_documented("jp.kairan.sharing", half)
        board = await sakura.node.inside.services.rooms.get(
            sakura.node.inside.association.members.hall_room(Purpose.BOARD))
        for entry in board.timeline:
            for name in ("jp.kairan.hazard", "jp.kairan.hazard.state"):
                if name in entry.event.content:
                    is_as_documented(name, entry.event.content[name])
