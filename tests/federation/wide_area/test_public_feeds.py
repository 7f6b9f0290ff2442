"""What everybody may read of a city without an account: the page, Atom, RSS, iCalendar; and what never gets there."""

from __future__ import annotations

import html
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import make_mocked_request
from yarl import URL

from federation.broadcasts.feed_door import Feed, FeedDoor
from federation.broadcasts.feed_texts import Publisher, atom, deadlines, rss
from federation.broadcasts.model import Kind, Message, Notice, Priority, Stage
from federation.broadcasts.public import Openness, PublicNotice, is_to_be_public
from federation.links.model import Category, NodeKind
from server.association.gatherings.model import Plan
from server.association.members.model import EVERYONE
from server.calendars.feed_text import feed_text
from server.calendars.reading import read_calendar
from server.foundation.clock import tokyo_time
from server.foundation.errors import Forbidden, NotFound, Refused
from server.http.limiter import Limiter
from tests.builders import RunningNode, settings_for
from tests.fakes.clock import FakeClock
from tests.federation.wide_area.desks import OFFICER, officer_at
from tests.federation.wide_area.places import link, message, wide_area

_NOW = 1_790_000_000_000
_CITY = Publisher(name="金沢市", server="matrix.city.example:8448", url="https://city.example")
_PDF = b"%PDF-1.7\n" + b"0" * 400
_ATOM = "{http://www.w3.org/2005/Atom}"
_EVIL = "<script>alert(1)</script> &amp; ]]> \"'\x00\x0b\ufffe<![CDATA["
_CLEAN = "<script>alert(1)</script> &amp; ]]> \"'<![CDATA["


def notice(stage: Stage = Stage.SENT, *, reason: str = "", ts: int = _NOW, **said: Any) -> PublicNotice:
    written = replace(message(), **said)
    return PublicNotice(
        notice=Notice(
            origin="city.example", id="abc", revision=1 if stage is Stage.SENT else 2, stage=stage, from_name="金沢市",
            from_kind=NodeKind.CITY, message=written, sent_ts=_NOW, changed_ts=ts, expires_ts=_NOW + 86_400_000,
            reason=reason,
        ),
        changed_ts=ts, areas=("桜町",),
    )


# ---- what becomes public -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("said", "wish", "public"), [
    ({}, Openness.BY_CATEGORY, True),
    ({"category": Category.DISASTER}, Openness.BY_CATEGORY, True),
    ({"category": Category.WELFARE}, Openness.BY_CATEGORY, False),
    ({"category": Category.WELFARE, "priority": Priority.ALERT}, Openness.BY_CATEGORY, True),
    ({"category": Category.WELFARE}, Openness.YES, True),
    ({"priority": Priority.ALERT}, Openness.NO, False),
    ({"for_officers": True}, Openness.BY_CATEGORY, False),
    ({"kind": Kind.SURVEY}, Openness.BY_CATEGORY, False),
    ({"kind": Kind.SAFETY_CHECK, "priority": Priority.ALERT}, Openness.BY_CATEGORY, False),
])  # fmt: skip
def test_who_sends_decides_and_categories_are_only_a_proposal(
    said: dict[str, Any], wish: Openness, *, public: bool
) -> None:
    assert is_to_be_public(replace(message(), **said), wish) is public


@pytest.mark.parametrize("said", [{"for_officers": True}, {"kind": Kind.SURVEY}, {"kind": Kind.SAFETY_CHECK}])
def test_what_is_not_for_everyone_cannot_be_made_public(said: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        is_to_be_public(replace(message(), **said), Openness.YES)


# ---- texts ---------------------------------------------------------------------------------------------------------


def test_what_people_write_never_becomes_markup() -> None:
    item = notice(title=_EVIL, text=_EVIL, office=_EVIL)
    entry = ElementTree.fromstring(atom(_CITY, [item])).find(f"{_ATOM}entry")
    assert entry is not None
    assert entry.findtext(f"{_ATOM}title") == _CLEAN
    content = entry.find(f"{_ATOM}content")
    assert content is not None
    assert content.get("type") == "text"
    assert (content.text or "").startswith(_CLEAN)
    channel = ElementTree.fromstring(rss(_CITY, [item])).find("channel/item")
    assert channel is not None
    shown = channel.findtext("description") or ""
    assert "<script" not in shown
    assert html.unescape(shown).startswith(_CLEAN)
    assert not set(channel.findtext("title") or "") & set("<>&")


def test_corrections_and_cancellations_are_seen_as_such() -> None:
    items = [
        notice(Stage.CORRECTED, reason="時間の まちがい", ts=_NOW + 60_000),
        notice(Stage.CANCELLED, reason="雨が やみました", ts=_NOW + 120_000, text="ひみつの 本文"),
    ]
    text = atom(_CITY, items).decode()
    root = ElementTree.fromstring(text)
    corrected, cancelled = root.findall(f"{_ATOM}entry")
    assert (corrected.findtext(f"{_ATOM}title") or "").startswith("【訂正】")
    assert corrected.findtext(f"{_ATOM}updated") != corrected.findtext(f"{_ATOM}published")
    assert "時間の まちがい" in (corrected.findtext(f"{_ATOM}content") or "")
    assert (cancelled.findtext(f"{_ATOM}title") or "").startswith("【取り消し】")
    assert "取り消されました" in (cancelled.findtext(f"{_ATOM}content") or "")
    assert "ひみつの 本文" not in text + rss(_CITY, items).decode()
    assert root.findtext(f"{_ATOM}updated") == cancelled.findtext(f"{_ATOM}updated")
    assert corrected.findtext(f"{_ATOM}id") == "tag:matrix.city.example,2026-09-21:notice/abc"


def test_a_deadline_is_a_day_in_the_calendar_until_it_is_cancelled() -> None:
    for stage, status, sequence in ((Stage.SENT, "CONFIRMED", 0), (Stage.CANCELLED, "CANCELLED", 1)):
        entries = deadlines(_CITY, [notice(stage, deadline=_NOW + 86_400_000, title="申込;\nX:1"), notice()])
        calendar = read_calendar(feed_text("金沢市", entries))
        day: Any
        (day,) = list(calendar.walk("VEVENT"))
        assert (day["STATUS"], day["SEQUENCE"]) == (status, sequence)
        assert day["DTSTART"].dt == tokyo_time(_NOW + 86_400_000).date()
        assert "申込;\nX:1" in day["SUMMARY"]


def test_no_notices_are_a_valid_feed() -> None:
    assert ElementTree.fromstring(atom(_CITY, [])).findall(f"{_ATOM}entry") == []
    assert ElementTree.fromstring(rss(_CITY, [])).findall("channel/item") == []
    assert read_calendar(feed_text("金沢市", [])).walk("VEVENT") == []


# ---- the door ------------------------------------------------------------------------------------------------------


class Asked:
    """A door with one feed, whose text is made of ``self.text``."""

    def __init__(self, burst: int = 0) -> None:
        self.clock = FakeClock(_NOW)
        self.text = "one"
        self.made = 0
        limiter = Limiter(self.clock, 1, burst)
        self.door = FeedDoor({"a.xml": Feed("application/xml", self._make)}, self.clock, lambda _: limiter.take("x"))

    async def _make(self) -> bytes:
        self.made += 1
        return self.text.encode()

    async def get(self, name: str = "a.xml", method: str = "GET", **headers: str) -> web.Response:
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        answer = await self.door.handle(make_mocked_request(method, f"/feeds/{name}", headers=named))
        assert isinstance(answer, web.Response)
        return answer


async def test_who_has_the_newest_text_is_not_sent_it_again() -> None:
    asked = Asked()
    first = await asked.get()
    assert (first.status, first.body) == (200, b"one")
    etag, modified = first.headers["ETag"], first.headers["Last-Modified"]
    assert (await asked.get(If_None_Match=etag)).status == 304
    assert (await asked.get(If_None_Match=f'"x", W/{etag}')).status == 304
    assert (await asked.get(If_Modified_Since=modified)).status == 304
    assert (await asked.get(If_None_Match='"x"', If_Modified_Since=modified)).status == 200
    for nonsense in ("", "yesterday", "Mon, 99 Foo 10000 00:00:00 GMT"):
        assert (await asked.get(If_Modified_Since=nonsense)).status == 200
    assert "max-age" in first.headers["Cache-Control"]
    assert "Set-Cookie" not in first.headers
    assert first.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_feed_is_made_at_most_every_five_seconds_and_a_change_is_seen() -> None:
    asked = Asked()
    first = await asked.get()
    asked.text = "two"
    assert (await asked.get()).body == b"one"
    assert asked.made == 1
    await asked.clock.advance(5)
    second = await asked.get(If_None_Match=first.headers["ETag"], If_Modified_Since=first.headers["Last-Modified"])
    assert (second.status, second.body) == (200, b"two")
    assert (await asked.get(If_Modified_Since=first.headers["Last-Modified"])).status == 200


async def test_other_names_methods_and_too_many_questions_are_refused() -> None:
    asked = Asked(burst=2)
    assert (await asked.get("b.xml")).status == 404
    assert (await asked.get("../a.xml")).status == 404
    assert (await asked.get(method="POST")).status == 405
    assert (await asked.get(method="HEAD")).status == 200
    assert (await asked.get()).status == 200
    refused = await asked.get()
    assert (refused.status, refused.headers["Retry-After"]) == (429, "1")
    assert asked.made == 1


# ---- a real city ---------------------------------------------------------------------------------------------------


async def read(url: str) -> tuple[int, str]:
    """What somebody without an account reads."""
    async with ClientSession() as http, http.get(url) as response:
        return response.status, await response.text()


async def test_the_desk_sends_and_strangers_read_until_it_is_taken_off(tmp_path: Path) -> None:
    async with (
        wide_area(tmp_path, city="city", sakura="association") as (city, sakura), officer_at(city) as desk,
    ):
        await link(city, sakura, "17201/sakura")
        for title, category, openness in (
            ("断水します", "administration", "by_category"), ("健診の日", "welfare", "by_category"),
            ("ないしょの話", "disaster", "no"), ("<b>祭り</b>です", "gathering", "yes"),
        ):
            await desk.get("/desk/notices/new")
            sure = await desk.submit("/desk/notices/new", {
                "kind": "notice", "title": title, "text": "本文です。", "area": ["17201"], "category": category,
                "priority": "ordinary", "openness": openness})
            is_public = title in ("断水します", "<b>祭り</b>です")
            assert ("ページに のせます" in sure.text) is is_public, sure.text
            page = await desk.submit("/desk/notices/send")
            assert ("のせるのを やめる" in page.text) is is_public
        page = await desk.submit(f"{page.url.split('?')[0]}/do", {"what": "private"})
        assert "だれでも 見られるように する" in page.text
        page = await desk.submit(f"{page.url.split('?')[0]}/do", {"what": "public"})
        for name in ("/notices.atom", "/notices.rss", ""):
            status, text = await read(f"{city.node.url}/feeds{name}")
            assert status == 200
            assert "断水します" in text
            assert "祭り" in text
            assert "<b>祭り" not in text
            assert not [word for word in ("健診", "ないしょ", OFFICER) if word in text], text
            assert (await read(f"{sakura.node.url}/feeds{name}"))[0] == 404
        assert (await read(f"{city.node.url}/feeds/other"))[0] == 404


async def test_the_papers_of_a_public_notice_are_for_everybody_as_long_as_it_is_public(tmp_path: Path) -> None:
    async with wide_area(tmp_path, city="city", sakura="association") as (city, sakura), officer_at(city) as desk:
        await link(city, sakura, "17201/sakura")
        await desk.get("/desk/notices/new")
        await desk.submit("/desk/notices/new", {
            "kind": "notice", "title": "断水します", "text": "", "area": ["17201"], "category": "administration",
            "priority": "ordinary", "openness": "yes"}, files=[("upload", "地図.pdf", "application/pdf", _PDF)])
        page = await desk.submit("/desk/notices/send")
        notice = page.url.split("?")[0]
        feed = ElementTree.fromstring((await read(f"{city.node.url}/feeds/notices.atom"))[1])
        enclosure = feed.find(f"{_ATOM}entry/{_ATOM}link[@rel='enclosure']")
        assert enclosure is not None
        assert (enclosure.get("title"), enclosure.get("length")) == ("地図.pdf", str(len(_PDF)))
        address = city.node.url + URL(enclosure.get("href") or "").path
        assert f'href="{URL(address).path}"' in (await read(f"{city.node.url}/feeds"))[1]
        assert await read(address) == (200, _PDF.decode())
        folder = address.removesuffix("0")
        for wrong in (f"{folder}9", address.replace("/public/", "/public/x"), f"{folder}-1", f"{folder}０"):
            assert (await read(wrong))[0] == 404
        assert (await read(f"{sakura.node.url}{URL(address).path}"))[0] == 404
        await desk.submit(f"{notice}/do", {"what": "private"})
        assert (await read(address))[0] == 404
        await desk.submit(f"{notice}/do", {"what": "public"})
        assert (await read(address))[0] == 200
        await desk.submit(f"{notice}/do", {"what": "cancel", "reason": "まちがい"})
        assert (await read(address))[0] == 404
        assert "断水" in (await read(f"{city.node.url}/feeds"))[1]


async def test_only_an_officer_of_the_node_that_wrote_it_decides(tmp_path: Path) -> None:
    async with wide_area(tmp_path, city="city", sakura="association") as (city, sakura):
        await link(city, sakura, "17201/sakura")
        sent = await city.verbs.sending.send(city.me, message(), Openness.YES)
        other = f"@stranger:{city.server}"
        with pytest.raises(Forbidden):
            await city.verbs.public.decide(other, sent.key, public=False)
        with pytest.raises(NotFound):
            await city.verbs.public.decide(city.me, "nobody/nothing", public=True)
        with pytest.raises(Forbidden):
            await sakura.verbs.public.decide(sakura.me, sent.key, public=True)
        survey = await city.verbs.sending.send(
            city.me, message(kind=Kind.SURVEY, choices=("はい", "いいえ")), Openness.BY_CATEGORY)
        with pytest.raises(Refused):
            await city.verbs.public.decide(city.me, survey.key, public=True)
        new = Message(title="なおした", text="本文", areas=())
        corrected = await city.verbs.sending.correct(city.me, sent.key, new)
        (item,) = await city.verbs.public.latest(10)
        assert (item.title, item.changed_ts) == ("【訂正】なおした", corrected.notice.changed_ts)
        await city.verbs.public.decide(city.me, sent.key, public=False)
        assert await city.verbs.public.latest(10) == []
        assert await sakura.verbs.public.latest(10) == []


@pytest.mark.parametrize(("more", "status"), [("", 200), ("\n[public_feed]\nenabled = false\n", 404)])
async def test_the_operator_can_switch_it_off(tmp_path: Path, more: str, status: int) -> None:
    settings = settings_for(tmp_path, more=f'[node]\nrole = "federation"\n{more}')
    async with RunningNode(settings) as node:
        for name in ("", "/notices.atom", "/notices.rss", "/dates.ics"):
            assert (await read(f"{node.url}/feeds{name}"))[0] == status, name


@pytest.mark.parametrize("shown", [True, False])
async def test_gatherings_are_public_only_where_the_operator_says_so(tmp_path: Path, *, shown: bool) -> None:
    more = f'[node]\nrole = "city"\n[public_feed]\ngatherings = {"true" if shown else "false"}\n'
    async with RunningNode(settings_for(tmp_path, more=more)) as node:
        inside = node.inside
        day = tokyo_time(inside.core.clock.now_ms()).date()
        me = inside.association.members.node_user_id
        plan = Plan("市民の日", day, day + timedelta(days=1), "市役所")
        gathering = await inside.association.gatherings.announce(me, plan, EVERYONE)
        await inside.association.gatherings.cancel(me, gathering.id)
        text = (await read(f"{node.url}/feeds/dates.ics"))[1]
        assert ("市民の日" in text, "STATUS:CANCELLED" in text) == (shown, shown)
