"""Neighbours share their public gatherings and a board, by consent of both, and either ends it."""

from __future__ import annotations

from pathlib import Path

import pytest

from federation.links.codes import new_secret
from federation.sharing.codes import as_text
from federation.sharing.model import SHARING, ShareState, Subject, Terms
from server.association.members.model import Audience, AudienceKind, Purpose, Role
from server.foundation.errors import Forbidden, InvalidParam, NotFound, Refused
from tests.federation.sharing.neighbourhood import (
    announces,
    ends,
    have_parted,
    is_sharing,
    neighbours,
    sees,
    shares,
    titles,
)
from tests.federation.wide_area.places import Place, until
from tests.federation.wide_area.test_residents import resident

CALENDAR = Terms(frozenset({Subject.CALENDAR}))


async def test_nothing_is_shared_before_both_agree_and_both_see_what(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (sakura, ume):
        await announces(sakura, "夏まつり")
        card = await sakura.verbs.sharing.offers.offer(sakura.me, "梅町", CALENDAR)
        assert card.text.startswith("kairan-share:http")
        offer = await ume.verbs.sharing.joining.summary(ume.me, card.text)
        assert offer.party.name == "桜町町内会"
        assert any("行事の 名前・日時・場所" in line for line in offer.in_words())
        assert sakura.verbs.sharing.book.shares() == ume.verbs.sharing.book.shares() == []
        assert await titles(ume) == []
        made = await ume.verbs.sharing.joining.agree(ume.me, card.text, CALENDAR)
        assert (made.state, made.name) == (ShareState.IN_FORCE, "桜町町内会")
        await sees(ume, "夏まつり")
        assert (await sakura.verbs.sharing.offers.codes(sakura.me))[0].used_by == ume.server


async def test_gatherings_come_change_and_go_and_only_public_ones(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (sakura, ume):
        await shares(sakura, ume, Subject.CALENDAR)
        verbs = sakura.node.inside.association.gatherings
        await resident(sakura, "jiro", Role.CHAIR)
        await announces(sakura, "役員会", Audience(AudienceKind.OFFICERS))
        festival = await announces(sakura, "夏まつり")
        weekly = await announces(ume, "ラジオ体操", rule="FREQ=WEEKLY;COUNT=4")
        await sees(ume, "夏まつり")
        await sees(sakura, "ラジオ体操")
        (found,) = await sakura.verbs.sharing.neighbours.gatherings(0)
        assert (len(found.thing.times), found.thing.place, found.share.name) == (4, "桜公園", "梅町町内会")
        await verbs.cancel(sakura.me, festival.id, "雨")

        async def is_cancelled() -> bool:
            return [item.thing.is_cancelled for item in await ume.verbs.sharing.neighbours.gatherings(0)] == [True]

        await until(is_cancelled)
        await verbs.withdraw(sakura.me, festival.id)
        await sees(ume)
        await ume.node.inside.association.gatherings.withdraw(ume.me, weekly.id)
        await sees(sakura)
        assert await sakura.reasons() == await ume.reasons() == []


async def test_no_name_and_no_description_leaves_the_association(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (sakura, ume):
        share = await shares(sakura, ume, Subject.CALENDAR)
        await announces(sakura, "夏まつり")
        await sees(ume, "夏まつり")
        room = await ume.node.inside.services.rooms.get(share.room_id)
        said = str([entry.event.content for entry in room.timeline] + [event.content for event in room.state.values()])
        assert "佐藤" not in said
        assert "090-1234" not in said
        assert "夏まつり" in said
        bodies = [entry.event.content.get("body", "") for entry in room.timeline]
        assert any(str(body).startswith("【行事】夏まつり") for body in bodies), bodies


@pytest.mark.parametrize("who", ["sakura", "ume"])
async def test_either_side_ends_it_and_what_was_shared_is_gone(who: str, tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (sakura, ume):
        share = await shares(sakura, ume, Subject.CALENDAR)
        await announces(sakura, "夏まつり")
        await announces(ume, "もちつき")
        await sees(ume, "夏まつり")
        await sees(sakura, "もちつき")
        one, other = (sakura, ume) if who == "sakura" else (ume, sakura)
        await ends(one, other, share.room_id, "ためしでした")
        assert await titles(one) == await titles(other) == []
        ended = other.verbs.sharing.book.get(other.me, share.room_id)
        assert (ended.state, ended.reason) == (ShareState.ENDED, "ためしでした")
        await announces(one, "つぎの まつり")
        with pytest.raises(Refused, match="もうおわって"):
            await one.verbs.sharing.halves.end(one.me, share.room_id)
        again = await shares(other, one, Subject.CALENDAR)
        assert again.room_id != share.room_id
        await sees(other, "つぎの まつり", "夏まつり" if who == "sakura" else "もちつき")


async def test_what_happens_while_a_neighbour_is_away_comes_once(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (sakura, ume):
        share = await shares(sakura, ume, Subject.CALENDAR)
        await ume.stop()
        await announces(sakura, "夏まつり")
        await ume.start()
        assert await is_sharing(ume, share.room_id)
        await sees(ume, "夏まつり")
        await sakura.stop()
        await sakura.start()
        await announces(sakura, "秋まつり")
        await sees(ume, "夏まつり", "秋まつり")


async def test_codes_are_good_for_one_neighbour_and_only_officers_use_them(tmp_path: Path) -> None:
    async with neighbours(tmp_path, "sakura", "ume", "matsu") as (sakura, ume, matsu):
        offers, stranger = sakura.verbs.sharing.offers, "@someone:elsewhere.example"
        card = await offers.offer(sakura.me, "梅町", CALENDAR)
        with pytest.raises(Forbidden):
            await offers.offer(stranger, "梅町", CALENDAR)
        with pytest.raises(Forbidden):
            await ume.verbs.sharing.joining.summary(stranger, card.text)
        with pytest.raises(Refused, match="えらんでいない"):
            await ume.verbs.sharing.joining.agree(
                ume.me, card.text, Terms(frozenset({Subject.CALENDAR, Subject.HAZARDS})))
        await ume.verbs.sharing.joining.agree(ume.me, card.text, CALENDAR)
        with pytest.raises(Refused, match="もう使われて"):
            await matsu.verbs.sharing.joining.agree(matsu.me, card.text, CALENDAR)
        with pytest.raises(Refused, match="もう分け合って"):
            await ume.verbs.sharing.joining.agree(ume.me, card.text, CALENDAR)
        made_up = as_text("https://x.example", sakura.server, new_secret())
        with pytest.raises(Refused, match="そのコードはありません"):
            await matsu.verbs.sharing.joining.agree(matsu.me, made_up, CALENDAR)
        other = await offers.offer(sakura.me, "松町", CALENDAR)
        await offers.withdraw(sakura.me, other.record.hash)
        with pytest.raises(Refused, match="取り消されて"):
            await matsu.verbs.sharing.joining.summary(matsu.me, other.text)
        with pytest.raises(InvalidParam, match="市や連合会"):
            await matsu.verbs.sharing.joining.summary(
                matsu.me, other.text.replace("kairan-share:", "kairan-link:"))
        assert len(await sakura.reasons()) == 3


async def test_a_common_board_is_entered_by_residents_of_both_and_closed_in_the_end(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (sakura, ume):
        hanako, taro = await resident(sakura, "hanako"), await resident(ume, "taro")
        share = await shares(sakura, ume, Subject.BOARD)

        async def is_ready() -> bool:
            found = [place.verbs.sharing.book.find(share.room_id) for place in (sakura, ume)]
            return all([
                item is not None and await _is_in(place, item.board_id, place.me)
                and await _is_shown(place, item.board_id)
                for place, item in zip((sakura, ume), found, strict=True)
            ])

        await until(is_ready)
        board = sakura.verbs.sharing.book.get(sakura.me, share.room_id).board_id
        # Taro by any Matrix client, Hanako by the page.
        await taro.joins(board)
        assert await hanako_enters(sakura, hanako.user_id, share.room_id) == board
        await taro.says(board, "祭りのテント、貸してください")

        async def is_heard() -> bool:
            room = await sakura.node.inside.services.rooms.get(board)
            return any(entry.event.content.get("body") == "祭りのテント、貸してください" for entry in room.timeline)

        await until(is_heard)
        stranger = await ume.node.user("stranger")
        assert (await stranger.post(f"v3/join/{board}")).status in (400, 403)
        with pytest.raises(Forbidden):
            await sakura.verbs.sharing.boards.enter("@someone:elsewhere.example", share.room_id)
        await ume.verbs.sharing.halves.end(ume.me, share.room_id)
        assert not await _is_in(ume, board, taro.user_id)

        async def is_empty() -> bool:
            return not await _is_in(sakura, board, hanako.user_id) and not await _is_shown(sakura, board)

        await until(is_empty)
        with pytest.raises(NotFound):
            await sakura.verbs.sharing.boards.enter(hanako.user_id, share.room_id)
        await have_parted(ume, sakura, share.room_id)


async def test_nobody_but_the_two_nodes_speaks_in_the_room_of_a_share(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (sakura, ume):
        share = await shares(sakura, ume, Subject.CALENDAR)
        room = await ume.node.inside.services.rooms.get(share.room_id)
        assert sorted(room.joined) == sorted([sakura.me, ume.me])
        assert room.join_rule == "invite"
        assert {key[1] for key in room.state if key[0] == SHARING} == {sakura.me, ume.me}
        hanako = await ume.node.user("hanako")
        assert (await hanako.post(f"v3/join/{share.room_id}")).status == 403
        with pytest.raises(Forbidden):
            await ume.node.inside.services.membership.invite(share.room_id, ume.me, hanako.user_id)


async def hanako_enters(place: Place, user_id: str, room_id: str) -> str:
    return await place.verbs.sharing.boards.enter(user_id, room_id)


async def _is_in(place: Place, room_id: str, user_id: str) -> bool:
    if not room_id:
        return False
    found = await place.node.inside.services.rooms.find(room_id)
    return found is not None and found.membership(user_id) == "join"


async def _is_shown(place: Place, room_id: str) -> bool:
    space_id = place.node.inside.association.members.hall_room(Purpose.SPACE)
    return bool((await place.node.inside.services.rooms.get(space_id)).content("m.space.child", room_id))
