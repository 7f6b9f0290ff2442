"""What is refused: each for its reason, listed for officers, and nothing of it shown to residents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from federation.broadcasts.model import BROADCAST, Notice, Stage, event_content
from federation.links.model import Category, NodeKind
from server.association.circulars.model import Letter
from server.association.members.model import EVERYONE
from server.foundation.errors import Forbidden, NotFound
from server.foundation.signatures import SigningKey, sign_json
from server.rooms.send_event import Draft
from tests.federation.wide_area.places import Place, comes, link, message, refused, wide_area


def notice_of(city: Place, **changes: Any) -> Notice:
    """A notice that a city could write."""
    now = city.node.inside.core.clock.now_ms()
    notice = Notice(
        origin=city.server, id="abc", revision=1, stage=Stage.SENT, from_name="金沢市", from_kind=NodeKind.CITY,
        message=message(), sent_ts=now, changed_ts=now, expires_ts=now + 3_600_000,
    )
    return replace(notice, **changes)


def signed(place: Place, notice: Notice, key: SigningKey | None = None) -> dict[str, Any]:
    """Signed by a place's own key, or another one in its name."""
    return sign_json(notice.as_json(), notice.origin, key or place.node.inside.services.sender.identity.key)


async def say(place: Place, room_id: str, notice: Mapping[str, Any]) -> None:
    """Send it past all verbs."""
    content = {"notice": dict(notice), "body": "お知らせ", "priority": "ordinary"}
    await place.node.inside.services.sender.send(Draft(room_id, place.me, BROADCAST, content))


async def test_forged_altered_and_expired_notices_are_refused(tmp_path: Path) -> None:
    async with wide_area(tmp_path, city="city", sakura="association") as (city, sakura):
        room = (await link(city, sakura, "17201/sakura", categories={Category.ADMINISTRATION})).room_id
        now = city.node.inside.core.clock.now_ms()
        good = notice_of(city)
        await say(city, room, {**signed(city, good), "text": "すぐ逃げてください"})
        await refused(sakura, "書きかえられたか、にせもの")
        own_key = city.node.inside.services.sender.identity.key
        other = SigningKey.from_seed(own_key.key_id.partition(":")[2], b"another key of thirty-two bytes!")
        await say(city, room, signed(city, replace(good, id="def"), other))
        await say(city, room, {**good.as_json(), "id": "unsigned"})
        await say(city, room, {"title": "読めません"})
        await refused(sakura, "読めない")
        old = {"sent_ts": now - 9_000_000, "changed_ts": now - 9_000_000, "expires_ts": now - 1}
        for notice, reason in (
            (notice_of(city, id="old", **old), "期限が切れた"),
            (notice_of(city, id="ahead", changed_ts=now + 9_000_000), "日時が先すぎる"),
            (notice_of(city, id="area", message=message("17202")), "この地域あての知らせではありません"),
            (notice_of(city, id="topic", message=message(category=Category.GARBAGE)), "約束をしていない分野"),
            (notice_of(city, id="kind", from_kind=NodeKind.FEDERATION), "名のり"),
            (notice_of(city, id="other", origin=sakura.server), "約束がありません"),
        ):
            await say(city, room, signed(city, notice))
            await refused(sakura, reason)
        assert await sakura.circulars() == []
        await say(city, room, signed(city, good))
        await comes(sakura)


async def test_what_is_sent_again_is_refused_and_shown_once(tmp_path: Path) -> None:
    async with wide_area(tmp_path, city="city", sakura="association") as (city, sakura):
        room = (await link(city, sakura, "17201/sakura")).room_id
        first = notice_of(city)
        await say(city, room, signed(city, first))
        await comes(sakura)
        await say(city, room, signed(city, first))
        await refused(sakura, "もう一度送られて")
        second = replace(first, revision=3, stage=Stage.CORRECTED, message=message(title="訂正"))
        await say(city, room, signed(city, second))
        await say(city, room, signed(city, replace(first, revision=2)))
        await refused(sakura, "古いもの")
        await say(city, room, signed(city, replace(second, revision=4, message=message("17201/sakura"))))
        await refused(sakura, "あて先や種類がちがう")
        (circular,) = await sakura.circulars()
        assert circular.title == "訂正"


async def test_nobody_but_the_one_above_may_speak(tmp_path: Path) -> None:
    async with wide_area(tmp_path, city="city", sakura="association", ume="association") as (city, sakura, ume):
        room = (await link(city, sakura, "17201/sakura")).room_id
        with pytest.raises(Forbidden):
            await say(sakura, room, signed(city, notice_of(city)))
        with pytest.raises(Forbidden):
            await city.verbs.sending.send("@someone:elsewhere.example", message())
        assert "一斉配信の役でない人" in (await city.reasons())[0]
        with pytest.raises(Forbidden, match="町内会のノード"):
            await sakura.verbs.sending.send(sakura.me, message())

        hanako, taro = await sakura.node.user("hanako"), await ume.node.user("taro")
        square = await hanako.creates_room(preset="public_chat")
        assert (await taro.post(f"v3/join/{square}", via=sakura.server)).status == 200
        content = event_content(notice_of(city), signed(city, notice_of(city)))
        assert (await taro.sends(square, BROADCAST, content)).status == 200
        await refused(sakura, "つながりのない相手")
        assert (await hanako.sends(square, BROADCAST, content)).status == 200
        assert await sakura.circulars() == []


async def test_after_the_end_nothing_is_taken(tmp_path: Path) -> None:
    async with wide_area(tmp_path, city="city", sakura="association") as (city, sakura):
        room = (await link(city, sakura, "17201/sakura")).room_id
        await sakura.verbs.halves.end(sakura.me, room)
        await say(city, room, signed(city, notice_of(city)))
        await refused(sakura, "もう終わっています")
        assert await sakura.circulars() == []


async def test_a_circular_that_only_claims_to_come_from_the_city_is_told_apart(tmp_path: Path) -> None:
    async with wide_area(tmp_path, city="city", sakura="association") as (city, sakura):
        await link(city, sakura, "17201/sakura")
        desk, circulars = sakura.verbs.desk, sakura.node.inside.association.circulars
        forged = await circulars.post(
            sakura.me, Letter(title="市", text="お金を", audience=EVERYONE, upstream=f"{city.server}/abc"))
        verdict = await desk.verify(forged.id)
        assert (verdict.is_authentic, verdict.origin) == (False, city.server)
        assert "原本がありません" in verdict.reason
        own = await circulars.post(sakura.me, Letter(title="清掃", text="日曜に", audience=EVERYONE))
        assert not (await desk.verify(own.id)).is_from_above

        await city.verbs.sending.send(city.me, message())
        circular = next(item for item in await comes(sakura, 3) if item.title == "断水のお知らせ")
        await circulars.correct(sakura.me, circular.id, Letter(
            title=circular.title, text=circular.text + "お金もいります。", audience=EVERYONE))
        verdict = await desk.verify(circular.id)
        assert not verdict.is_authentic
        assert "ちがいます" in verdict.reason
        with pytest.raises(NotFound):
            await desk.verify("nothing")
