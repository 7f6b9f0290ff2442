"""Several municipalities in one area (さっぽろ圏域): an association with links to two cities, also by federations.

Audiences go by area code, for each city its own; no notice is shown twice, and each city hears its own figures only.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from federation.broadcasts import notices_store
from federation.broadcasts.model import BROADCAST, Kind, event_content
from federation.links.model import Category, Told
from server.foundation.signatures import sign_json
from server.rooms.send_event import Draft
from tests.federation.wide_area.places import Place, comes, link, message, refused, until, wide_area
from tests.federation.wide_area.test_residents import resident

SAPPORO, EBETSU = "01100", "01217"


async def test_each_city_reaches_its_own_area_and_nothing_is_shown_twice(tmp_path: Path) -> None:
    async with wide_area(
        tmp_path, sapporo="city", ebetsu="city", sakura="association"
    ) as (sapporo, ebetsu, sakura):
        first = await link(sapporo, sakura, f"{SAPPORO}/atsubetsu/t1")
        second = await link(ebetsu, sakura, f"{EBETSU}/oasa/t1", categories={Category.DISASTER})
        assert first.room_id != second.room_id
        await sapporo.verbs.sending.send(sapporo.me, message(SAPPORO, title="札幌から"))
        await ebetsu.verbs.sending.send(
            ebetsu.me, message(f"{EBETSU}/oasa", title="江別から", category=Category.DISASTER))
        shown = await comes(sakura, 2)
        assert sorted(item.title for item in shown) == ["札幌から", "江別から"]
        origins = {record.notice.message.title: record.notice.origin
                   for record in await sakura.verbs.desk.received(sakura.me)}
        assert origins == {"札幌から": sapporo.server, "江別から": ebetsu.server}


async def test_a_city_does_not_speak_to_the_area_of_the_other(tmp_path: Path) -> None:
    async with wide_area(
        tmp_path, sapporo="city", ebetsu="city", sakura="association"
    ) as (sapporo, ebetsu, sakura):
        room = (await link(sapporo, sakura, f"{SAPPORO}/atsubetsu/t1")).room_id
        await link(ebetsu, sakura, f"{EBETSU}/oasa/t1")
        sent = await sapporo.verbs.sending.send(sapporo.me, message(SAPPORO, title="札幌から"))
        await comes(sakura)
        # Sapporo, past its desk, over its own link, for the area that only Ebetsu has been given.
        foreign = replace(sent.notice, id="foreign", message=message(f"{EBETSU}/oasa"))
        signed = sign_json(foreign.as_json(), sapporo.server, sapporo.node.inside.services.sender.identity.key)
        await sapporo.node.inside.services.sender.send(
            Draft(room, sapporo.me, BROADCAST, event_content(foreign, signed)))
        await refused(sakura, "この地域あての知らせではありません")
        assert len(await sakura.circulars()) == 1


async def test_one_notice_by_two_federations_counts_once_and_is_shown_once(tmp_path: Path) -> None:
    async with wide_area(
        tmp_path, sapporo="city", mori="federation", kawa="federation", sakura="association"
    ) as (sapporo, mori, kawa, sakura):
        await link(sapporo, mori, f"{SAPPORO}/mori")
        await link(sapporo, kawa, f"{SAPPORO}/kawa")
        links = [await link(mori, sakura, f"{SAPPORO}/mori/t1"), await link(kawa, sakura, f"{SAPPORO}/kawa/t1")]
        await until(lambda: _are_trusted(sakura, [item.room_id for item in links]))
        sent = await sapporo.verbs.sending.send(sapporo.me, message(SAPPORO, title="圏域の訓練"))

        async def has_come_twice() -> bool:
            ways = await notices_store.ways_of(sakura.node.inside.core.database, sent.key)
            return {way.room_id for way in ways} == {item.room_id for item in links}

        await until(has_come_twice)
        assert [item.title for item in await comes(sakura)] == ["圏域の訓練"]
        await sapporo.verbs.sending.correct(sapporo.me, sent.key, message(title="圏域の訓練（訂正）"), "時刻")

        async def is_corrected() -> bool:
            return [item.title for item in await sakura.circulars()] == ["圏域の訓練（訂正）"]

        await until(is_corrected)
        assert await sakura.reasons() == []


async def test_a_federation_over_two_cities_passes_each_on_to_its_area(tmp_path: Path) -> None:
    async with wide_area(
        tmp_path, sapporo="city", ebetsu="city", ken="federation", sakura="association", ume="association"
    ) as (sapporo, ebetsu, ken, sakura, ume):
        await link(sapporo, ken, SAPPORO)
        await link(ebetsu, ken, EBETSU)
        in_sapporo = await link(ken, sakura, f"{SAPPORO}/t1")
        in_ebetsu = await link(ken, ume, f"{EBETSU}/t1")
        await until(lambda: _are_trusted(sakura, [in_sapporo.room_id]))
        await until(lambda: _are_trusted(ume, [in_ebetsu.room_id]))
        await sapporo.verbs.sending.send(sapporo.me, message(SAPPORO, title="札幌から"))
        await ebetsu.verbs.sending.send(ebetsu.me, message(EBETSU, title="江別から"))
        await ken.verbs.sending.send(ken.me, message(SAPPORO, EBETSU, title="圏域から"))
        assert sorted(item.title for item in await comes(sakura, 2)) == ["圏域から", "札幌から"]
        assert sorted(item.title for item in await comes(ume, 2)) == ["圏域から", "江別から"]


async def test_each_city_hears_its_own_figures_only(tmp_path: Path) -> None:
    async with wide_area(
        tmp_path, sapporo="city", ebetsu="city", sakura="association"
    ) as (sapporo, ebetsu, sakura):
        await link(sapporo, sakura, f"{SAPPORO}/t1")
        await link(ebetsu, sakura, f"{EBETSU}/t1")
        await sakura.verbs.book.hide_below(sakura.me, 0)
        hanako = await resident(sakura, "hanako")
        mine = await sapporo.verbs.sending.send(sapporo.me, message(
            SAPPORO, title="公園", kind=Kind.SURVEY, choices=("ひろく", "そのまま")))
        await ebetsu.verbs.sending.send(ebetsu.me, message(EBETSU, title="江別から"))
        await comes(sakura, 2)
        polls = sakura.node.inside.association.polls

        async def is_asked() -> bool:
            return len(await polls.results.polls_for(hanako.user_id)) == 1

        await until(is_asked)
        poll = (await polls.results.polls_for(hanako.user_id))[0].poll
        await polls.answer(hanako.user_id, poll.id, [poll.choices[0].id])
        await sakura.verbs.figures.report_now()

        async def is_told() -> bool:
            return (await sapporo.verbs.figures.table(sapporo.me, mine.key)).total.get(Told.ANSWERS).get("c1") == 1

        await until(is_told)
        assert await ebetsu.reasons() == await sapporo.reasons() == []


async def _are_trusted(place: Place, rooms: list[str]) -> bool:
    """Whether the associations know whose notices come by these links."""
    found = [place.verbs.book.find(room_id) for room_id in rooms]
    return all(item is not None and item.mandates for item in found)
