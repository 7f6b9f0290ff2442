"""A notice of the city becomes a circular of the association, and follows the city's corrections."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from federation.broadcasts.model import Kind, Priority, Standing
from federation.links.model import Category
from server.association.circulars.model import Attachment, State
from server.foundation.errors import Forbidden, InvalidParam, Refused
from tests.federation.wide_area.places import Place, comes, link, message, until, wide_area


async def shows(place: Place, *texts: str) -> None:
    """Wait until a circular says all this."""

    async def said() -> bool:
        return any(all(text in item.title + item.text + item.reason for text in texts)
                   for item in await place.circulars())

    await until(said)


async def test_a_notice_becomes_a_circular_with_its_origin_corrections_and_end(tmp_path: Path) -> None:
    async with wide_area(tmp_path, city="city", sakura="association") as (city, sakura):
        await link(city, sakura, "17201/sakura")
        paper = Attachment("mxc://city.example/abc", "断水.pdf", "application/pdf", 10)
        sent = await city.verbs.sending.send(city.me, message(
            office="水道課", priority=Priority.IMPORTANT, category=Category.DISASTER, attachments=(paper,)))
        (circular,) = await comes(sakura)
        assert circular.title == "【重要】断水のお知らせ"
        assert circular.text.startswith("〔金沢市 水道課から・防災〕")
        assert (circular.upstream, circular.attachments) == (sent.key, (paper,))
        verdict = await sakura.verbs.desk.verify(circular.id)
        assert verdict.is_authentic, verdict.reason

        await sakura.verbs.desk.add_note(sakura.me, sent.key, "給水は集会所で。")
        await city.verbs.sending.correct(city.me, sent.key, message(text="あさって断水します。"), "日のまちがい")
        await shows(sakura, "あさって", "給水は集会所で。", "日のまちがい")
        assert (await sakura.verbs.desk.verify(circular.id)).is_authentic

        await city.verbs.sending.cancel(city.me, sent.key, "工事がなくなりました")

        async def is_gone() -> bool:
            return (await sakura.circulars())[0].state is State.WITHDRAWN

        await until(is_gone)
        assert len(await sakura.circulars()) == 1
        with pytest.raises(Refused, match="取り消し"):
            await city.verbs.sending.correct(city.me, sent.key, message())
        assert await sakura.reasons() == []


async def test_only_whom_it_concerns_gets_it(tmp_path: Path) -> None:
    async with wide_area(tmp_path, city="city", sakura="association", ume="association") as (city, sakura, ume):
        await link(city, sakura, "17201/mori/sakura", categories={Category.GARBAGE})
        await link(city, ume, "17201/mori/ume")
        send = city.verbs.sending.send
        await send(city.me, message("17201/mori/ume", title="梅町だけ"))
        await send(city.me, message("17201/mori", title="森の里の防災", category=Category.DISASTER))
        await send(city.me, message("17201", title="みんなのごみ", category=Category.GARBAGE))
        assert {item.title for item in await comes(ume, 3)} == {"梅町だけ", "森の里の防災", "みんなのごみ"}
        assert [item.title for item in await comes(sakura)] == ["みんなのごみ"]
        with pytest.raises(Refused, match="まだありません"):
            await send(city.me, message("17202"))


async def test_a_held_category_waits_for_an_officer_and_an_alert_does_not(tmp_path: Path) -> None:
    async with wide_area(tmp_path, city="city", sakura="association") as (city, sakura):
        await link(city, sakura, "17201/sakura")
        await sakura.verbs.book.hold(sakura.me, [Category.ADMINISTRATION])
        first = await city.verbs.sending.send(city.me, message(title="一つ目"))
        second = await city.verbs.sending.send(city.me, message(title="二つ目"))
        await city.verbs.sending.send(city.me, message(title="避難指示", priority=Priority.ALERT))
        (alert,) = await comes(sakura)
        assert alert.title == "【緊急】避難指示"

        async def both_wait() -> bool:
            return len(await sakura.verbs.desk.received(sakura.me, Standing.HELD)) == 2

        await until(both_wait)
        await city.verbs.sending.correct(city.me, first.key, message(title="一つ目（訂正）"))

        async def is_corrected() -> bool:
            return (await sakura.verbs.desk.one(sakura.me, first.key)).notice.revision == 2

        await until(is_corrected)
        await sakura.verbs.desk.approve(sakura.me, first.key, note="お読みください")
        await sakura.verbs.desk.decline(sakura.me, second.key, "町内に関係しない")
        assert {item.title for item in await sakura.circulars()} == {"【緊急】避難指示", "一つ目（訂正）"}
        for verb in (sakura.verbs.desk.approve, sakura.verbs.desk.decline):
            with pytest.raises(Refused, match="確認待ちではありません"):
                await verb(sakura.me, second.key)
        with pytest.raises(Forbidden):
            await sakura.verbs.desk.approve("@someone:elsewhere.example", first.key)


async def test_through_a_federation_it_comes_once_though_there_are_two_ways(tmp_path: Path) -> None:
    async with wide_area(
        tmp_path, city="city", federation="federation", sakura="association", ume="association"
    ) as (city, federation, sakura, ume):
        await link(city, federation, "17201/mori")
        await link(federation, sakura, "17201/mori/sakura")
        await link(federation, ume, "17201/mori/ume")
        await link(city, ume, "17201/mori/ume")
        sent = await city.verbs.sending.send(city.me, message("17201/mori"))
        for place in (federation, sakura, ume):
            (circular,) = await comes(place)
            verdict = await place.verbs.desk.verify(circular.id)
            assert (verdict.is_authentic, verdict.origin) == (True, city.server)
        await city.verbs.sending.correct(city.me, sent.key, message(text="訂正しました"))
        for place in (federation, sakura, ume):
            await shows(place, "訂正しました")
            assert len(await place.circulars()) == 1
            assert await place.reasons() == []
        own = await federation.verbs.sending.send(federation.me, message("17201/mori/ume", title="連合会から"))
        await comes(ume, 2)
        assert own.notice.from_kind.value == "federation"
        assert len(await sakura.circulars()) == 1


async def test_a_survey_and_a_safety_check_are_asked_and_closed_by_the_city(tmp_path: Path) -> None:
    async with wide_area(tmp_path, city="city", sakura="association") as (city, sakura):
        await link(city, sakura, "17201/sakura")
        members = sakura.node.inside.association
        block = await members.editor.add_block(sakura.me, "1班")
        home = await members.editor.add_household(sakura.me, block.id, "山田")
        await members.editor.add_person(sakura.me, home.id, "山田 花子")
        survey = await city.verbs.sending.send(city.me, message(
            title="公園のこと", kind=Kind.SURVEY, choices=("ひろく", "そのまま")))
        check = await city.verbs.sending.send(city.me, message(
            title="市の防災訓練", text="", kind=Kind.SAFETY_CHECK, drill=True))
        await shows(sakura, "公園のこと", "アンケートがあります")

        async def both_asked() -> bool:
            polls = await members.polls.results.polls(sakura.me)
            return len(polls) == 1 and len(await sakura.verbs.desk.received(sakura.me, Standing.SHOWN)) == 2

        await until(both_asked)
        for sent in (survey, check):
            await city.verbs.sending.close(city.me, sent.key)

        async def all_closed() -> bool:
            polls = await members.polls.results.polls(sakura.me)
            return not polls[0].is_open and (await sakura.verbs.desk.one(sakura.me, check.key)).notice.stage.is_over

        await until(all_closed)
        with pytest.raises(Refused, match="締め切れません"):
            await city.verbs.sending.close(city.me, (await city.verbs.sending.send(city.me, message())).key)


async def test_what_cannot_be_sent_is_refused_in_words(tmp_path: Path) -> None:
    wrong: list[dict[str, object]] = [
        {"title": ""}, {"text": ""}, {"areas": ("森の里",)}, {"text": "あ" * 4001}, {"expires_ts": 1}, {"deadline": 1},
        {"kind": Kind.SURVEY, "choices": ("一つ",)}, {"attachments": (Attachment("https://x.example/a", "a"),)},
    ]
    async with wide_area(tmp_path, city="city") as (city,):
        for part in wrong:
            with pytest.raises(InvalidParam):
                await city.verbs.sending.send(city.me, replace(message(), **part))  # type: ignore[arg-type]


async def test_a_node_that_was_away_and_one_that_was_stopped_get_everything_once(tmp_path: Path) -> None:
    async with wide_area(tmp_path, city="city", sakura="association") as (city, sakura):
        await link(city, sakura, "17201/sakura")
        await city.verbs.sending.send(city.me, message(title="一つ目"))
        await comes(sakura)
        await sakura.stop()
        await city.verbs.sending.send(city.me, message(title="るすの間"))
        await sakura.start()
        await comes(sakura, 2)
        await city.verbs.sending.send(city.me, message(title="二つ目"))
        await comes(sakura, 3)
        await city.stop()
        await city.start()
        await city.verbs.sending.send(city.me, message(title="三つ目"))
        assert [item.title for item in await comes(sakura, 4)] == ["三つ目", "二つ目", "るすの間", "一つ目"]
        assert await sakura.reasons() == []


async def test_who_is_linked_later_gets_what_still_concerns_them(tmp_path: Path) -> None:
    async with wide_area(tmp_path, city="city", sakura="association", ume="association") as (city, sakura, ume):
        await link(city, sakura, "17201/sakura")
        send = city.verbs.sending.send
        await send(city.me, message(title="きのうのお知らせ"))
        over = await send(city.me, message(title="おわった警報", priority=Priority.ALERT))
        await city.verbs.sending.cancel(city.me, over.key)
        await send(city.me, message("17202", "17201/sakura", title="よその警報", priority=Priority.ALERT))
        await send(city.me, message(title="断水中", priority=Priority.ALERT))
        await send(city.me, message(title="公園のこと", kind=Kind.SURVEY, choices=("ひろく", "そのまま")))
        await link(city, ume, "17201/ume")
        assert {item.title for item in await comes(ume, 2)} == {"【緊急】断水中", "公園のこと"}
        assert await ume.reasons() == []
