"""Linking: a code, what is shared, agreement, the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from federation.links.codes import as_text, new_secret, read_code
from federation.links.model import Category, LinkState, Told
from federation.links.offers import read_list
from server.foundation.errors import Forbidden, InvalidParam, Refused
from tests.federation.wide_area.places import code_for, is_in_force, link, terms, until, wide_area


async def test_an_association_is_linked_by_a_code_and_both_see_what_is_shared_before(tmp_path: Path) -> None:
    async with wide_area(tmp_path, city="city", sakura="association") as (city, sakura):
        code = await code_for(city, sakura, "17201/sakura")
        assert code.startswith("kairan-link:http")
        summary = await sakura.verbs.joining.summary(sakura.me, code)
        assert summary.party.name == "金沢市"
        assert any("17201/sakura" in line for line in summary.in_words())
        assert sakura.verbs.book.links() == []

        made = await sakura.verbs.joining.agree(sakura.me, code, told=[Told.REACH])
        assert (made.state, made.name, made.terms.told) == (LinkState.IN_FORCE, "金沢市", frozenset({Told.REACH}))
        await until(lambda: is_in_force(city, made.room_id))
        theirs = city.verbs.book.get(city.me, made.room_id)
        assert (theirs.name, theirs.server, theirs.terms.told) == ("桜町町内会", sakura.server, frozenset({Told.REACH}))
        assert (await city.verbs.offers.codes(city.me))[0].used_by == sakura.server


async def test_a_code_is_good_for_one_only(tmp_path: Path) -> None:
    async with wide_area(tmp_path, city="city", sakura="association", ume="association") as (city, sakura, ume):
        code = await code_for(city, sakura, "17201/sakura")
        await sakura.verbs.joining.agree(sakura.me, code)
        for verb in (ume.verbs.joining.summary, ume.verbs.joining.agree):
            with pytest.raises(Refused, match="もう使われています"):
                await verb(ume.me, code)
        with pytest.raises(Refused, match="もうつながっています"):
            await sakura.verbs.joining.agree(sakura.me, code)
        assert ume.verbs.book.links() == []
        refused = (await city.verbs.book.refusals(city.me))[0]
        assert (refused.server, refused.times) == (ume.server, 2)
        assert "もう使われています" in refused.reason


async def test_codes_that_are_made_up_withdrawn_or_old_are_refused(tmp_path: Path) -> None:
    async with wide_area(tmp_path, city="city", sakura="association") as (city, sakura):
        with pytest.raises(Refused, match="招待コードはありません"):
            await sakura.verbs.joining.agree(sakura.me, as_text("https://x.example", city.server, new_secret()))
        code = await code_for(city, sakura, "17201/sakura")
        await city.verbs.offers.withdraw(city.me, (await city.verbs.offers.codes(city.me))[0].hash)
        with pytest.raises(Refused, match="取り消されています"):
            await sakura.verbs.joining.agree(sakura.me, code)
        assert len(await city.verbs.book.refusals(city.me)) == 2


async def test_only_officers_link_and_only_those_above_invite(tmp_path: Path) -> None:
    async with wide_area(tmp_path, city="city", sakura="association") as (city, sakura):
        offers = city.verbs.offers
        with pytest.raises(Forbidden):
            await offers.invite("@someone:elsewhere.example", terms("association", "17201"))
        with pytest.raises(Forbidden):
            await sakura.verbs.joining.summary("@someone:elsewhere.example", await code_for(city, sakura, "17201"))
        with pytest.raises(Refused, match="招待できません"):
            await sakura.verbs.offers.invite(sakura.me, terms("association", "17201"))


@pytest.mark.parametrize("who", ["city", "sakura"])
async def test_either_side_ends_a_link(who: str, tmp_path: Path) -> None:
    async with wide_area(tmp_path, city="city", sakura="association") as (city, sakura):
        made = await link(city, sakura, "17201/sakura")
        one, other = (city, sakura) if who == "city" else (sakura, city)
        await one.verbs.halves.end(one.me, made.room_id, "合併のため")

        async def has_heard() -> bool:
            return other.verbs.book.get(other.me, made.room_id).state is LinkState.ENDED

        await until(has_heard)
        assert other.verbs.book.get(other.me, made.room_id).reason == "合併のため"
        with pytest.raises(Refused, match="もう終わって"):
            await one.verbs.halves.end(one.me, made.room_id)
        again = await link(city, sakura, "17201/sakura")
        assert again.room_id != made.room_id


async def test_a_federation_hears_whose_notices_it_passes_on(tmp_path: Path) -> None:
    async with wide_area(
        tmp_path, city="city", federation="federation", sakura="association"
    ) as (city, federation, sakura):
        below = await link(federation, sakura, "17201/mori/sakura")
        assert below.mandates == ()
        await link(city, federation, "17201/mori")

        async def knows_the_city() -> bool:
            found = sakura.verbs.book.get(sakura.me, below.room_id).mandates
            return [mandate["issuer"] for mandate in found] == [city.server]

        await until(knows_the_city)


async def test_who_takes_more_than_was_offered_is_refused(tmp_path: Path) -> None:
    async with wide_area(tmp_path, city="city", sakura="association") as (city, sakura):
        code = read_code(await code_for(city, sakura, "17201/sakura", categories=frozenset({Category.GARBAGE})))
        party = sakura.verbs.book.us.party
        for wider in (terms("association", "17201"), terms("association", "17201/sakura")):
            with pytest.raises(Forbidden):
                await city.verbs.offers.agree(sakura.server, code.secret, party, wider)
        with pytest.raises(Forbidden):
            await city.verbs.offers.agree("evil.example", code.secret, party, terms("association", "17201/sakura"))
        assert city.verbs.book.links() == []


async def test_240_codes_come_from_one_list(tmp_path: Path) -> None:
    async with wide_area(tmp_path, city="city") as (city,):
        lines = ["名前,種類,地域,地域の名前,分野"]
        lines += [f"第{number}町会,町内会,17201/mori/t{number},第{number}町会,行政;防災" for number in range(239)]
        lines.append("森の里連合会,連合会,17201/mori,森の里,")
        cards = await city.verbs.offers.invite_from_csv(city.me, "\ufeff" + "\n".join(lines))
        assert len({read_code(card.text).secret for card in cards}) == 240
        assert cards[0].record.terms.categories == {Category.ADMINISTRATION, Category.DISASTER}
        assert len(await city.verbs.offers.areas()) == 240


@pytest.mark.parametrize(("line", "reason"), [
    ("桜町,町内会,町,,", "2行目：地域のコード"), ("桜町,会社,17201,,", "2行目"),
    (",町内会,17201,,", "2行目：地域の名前"),
    ("桜町,町内会,,,", "2行目：地域を1つ"), ("桜町,町内会,17201,,天気", "2行目"),
])
def test_a_line_that_cannot_be_read_is_named(line: str, reason: str) -> None:
    with pytest.raises(InvalidParam, match=reason):
        read_list(f"名前,種類,地域,地域の名前,分野\n{line}", {})


def test_a_list_without_lines_is_refused() -> None:
    with pytest.raises(InvalidParam):
        read_list("", {})
