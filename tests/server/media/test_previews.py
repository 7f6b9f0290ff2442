"""Looking at pages: what is told, what is kept, and who is never asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from sqlalchemy import text

from server.foundation.errors import LimitExceeded, NotFound, Refused
from server.foundation.outgoing import Outgoing
from server.foundation.worker_process import WorkerProcess
from server.media.files import MediaFiles
from server.media.media import Media
from server.media.model import Mxc
from server.media.preview_addresses import PreviewRules
from server.media.preview_fetching import PageFetcher
from server.media.preview_keeping import FRESH_MS, OWNER, forget_old
from server.media.previews import Previews
from server.storage.database import Database
from tests.fakes.clock import FakeClock
from tests.server.media.web_site import LOOPBACK, PHOTO, Names, WebSite, friendly

DAY_MS = 86_400_000


class House:
    """A node that looks at the pages of one web site."""

    def __init__(self, site: WebSite, database: Database, media: Media, clock: FakeClock) -> None:
        self.site = site
        self.database = database
        self.media = media
        self.clock = clock
        self.closing = AsyncExitStack()

    def previews(self, outgoing: Outgoing | None = None, **rules: tuple[str, ...]) -> Previews:
        fetcher = PageFetcher(outgoing or friendly(), PreviewRules((80, 443, self.site.port), **rules))
        made = Previews(self.database, self.media, fetcher, WorkerProcess(self.clock, "preview"), self.clock)
        self.closing.push_async_callback(made.close)
        return made


@pytest.fixture
async def site() -> AsyncIterator[WebSite]:
    opened = WebSite()
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def house(site: WebSite, database: Database, tmp_path: Path) -> AsyncIterator[House]:
    clock = FakeClock()
    media = Media(database, MediaFiles(tmp_path / "media"), clock, "sakura.example")
    await media.start()
    made = House(site, database, media, clock)
    yield made
    await made.closing.aclose()


async def refusal(previews: Previews, address: str) -> int:
    with pytest.raises(Refused) as refused:
        await previews.look(address)
    assert refused.value.reason == "This page cannot be previewed" or refused.value.status in (400, 403)
    return refused.value.status


async def test_a_page_is_shown_with_its_picture(house: House) -> None:
    told = await house.previews().look(house.site.url("/article"))
    uri = told.pop("og:image")
    assert told == {
        "og:title": "秋の清掃のお知らせ", "og:description": "十月五日、朝八時から", "og:site_name": "桜町",
        "og:type": "article", "og:image:type": "image/png", "og:image:width": 120, "og:image:height": 80,
        "matrix:image:size": len(PHOTO),
    }
    assert (await house.media.open(Mxc.parse(uri))).path.read_bytes() == PHOTO


async def test_a_page_is_asked_once_for_everybody_and_again_after_hours(house: House) -> None:
    previews, address = house.previews(), house.site.url("/article")
    answers = await asyncio.gather(*(previews.look(address + f"#{number}") for number in range(5)))
    assert all(answer == answers[0] for answer in answers)
    assert house.site.asked == {"/article": 1, "/photo.png": 1}
    assert await previews.known(address) == answers[0]
    await house.clock.advance(FRESH_MS / 1000 + 1)
    assert await previews.known(address) is None
    await previews.look(address)
    assert house.site.asked["/article"] == 2


async def test_what_was_asked_is_not_written_down(house: House) -> None:
    await house.previews().look(house.site.put("/secret-illness", "<title>x</title>"))
    stored = await house.database.fetch_all(text("SELECT * FROM previews"))
    assert len(stored) == 1
    assert "secret-illness" not in str(stored)
    assert "Cookie" not in str(house.site.heard)


async def test_a_picture_is_shown_as_itself(house: House) -> None:
    told = await house.previews().look(house.site.url("/photo.png"))
    assert (told["og:title"], told["og:image:width"], told["og:image:type"]) == ("photo.png", 120, "image/png")


@pytest.mark.parametrize(("content_type", "content", "told"), [
    ("application/pdf", b"%PDF-1.7", {"og:title": "file"}),
    ("audio/mpeg", b"ID3", {"og:title": "file"}),
    ("text/plain; charset=Shift_JIS", "ごみの日".encode("cp932"), {"og:title": "file", "og:description": "ごみの日"}),
    ("application/octet-stream", b"\x00\x01", {}),
    ("application/json", b"{}", {}),
    ("image/svg+xml", b"<svg><script/></svg>", {}),
    ("image/png", b"not a picture", {}),
    ("", "<title>誰も言わない</title>".encode(), {}),
    ("text/html", b"", {}),
])
async def test_other_files_are_called_by_their_name_or_not_shown(
    house: House, content_type: str, content: bytes, told: dict[str, str]
) -> None:
    assert await house.previews().look(house.site.put("/file", content, content_type)) == told


@pytest.mark.parametrize("picture", [
    "/none.png", "data:image/png;base64,AAAA", "http://user@127.0.0.1/", "file:///etc/passwd", "/article", "http://[",
    "http://example.org:22/x.png",
])
async def test_a_page_whose_picture_cannot_be_had_is_shown_without(house: House, picture: str) -> None:
    page = f'<title>T</title><meta property="og:image" content="{picture}"><meta property="og:image:width" content="5">'
    assert await house.previews().look(house.site.put("/page", page)) == {"og:title": "T"}


async def test_pictures_are_found_from_where_the_page_says(house: House) -> None:
    house.site.put("/deep/pic.png", PHOTO, "image/png")
    page = f'<base href="{house.site.url("/deep/")}"><meta property="og:image" content="pic.png">'
    assert (await house.previews().look(house.site.put("/page", page)))["og:image:width"] == 120


async def test_redirects_are_followed_five_times_and_not_six(house: House) -> None:
    house.site.send_on("/r1", "/article", 301)
    for number, status in zip(range(2, 7), (302, 303, 307, 308, 302), strict=True):
        house.site.send_on(f"/r{number}", house.site.url(f"/r{number - 1}"), status)
    previews = house.previews()
    assert (await previews.look(house.site.url("/r5")))["og:title"] == "秋の清掃のお知らせ"
    assert await refusal(previews, house.site.url("/r6")) == 404
    assert await refusal(previews, house.site.send_on("/round", "/round")) == 404


@pytest.mark.parametrize("onward", [
    "file:///etc/passwd", "ftp://example.org/", "http://localhost/", "http://2130706433/", "http://0x7f.1/",
    "http://a:b@example.org/", "http://bad.example/", "http://example.org:22/", "http://[", "mailto:a@b.c",
])
async def test_redirects_lead_only_where_one_could_have_gone_at_once(house: House, onward: str) -> None:
    previews = house.previews(blocked_hosts=("bad.example",))
    assert await refusal(previews, house.site.send_on("/away", onward)) == 404


@pytest.mark.parametrize("status", [204, 400, 403, 404, 410, 429, 500, 503])
async def test_a_page_that_is_not_given_is_not_shown(house: House, status: int) -> None:
    assert await refusal(house.previews(), house.site.put("/page", "<title>Error</title>", status=status)) == 404


async def test_a_failure_is_not_tried_again_at_once(house: House) -> None:
    previews, address = house.previews(), house.site.url("/nothing")
    for _ in range(3):
        assert await refusal(previews, address) == 404
    assert house.site.asked["/nothing"] == 1
    house.site.put("/nothing", "<title>now</title>")
    await house.clock.advance(301)
    assert await previews.look(address) == {"og:title": "now"}


# ---- one's own network ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0", "[::]"])
async def test_a_private_address_is_never_asked(house: House, host: str) -> None:
    assert await refusal(house.previews(Outgoing()), house.site.url("/article", host)) == 404
    assert not house.site.asked


@pytest.mark.parametrize("host", ["localhost", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "router.local"])
async def test_odd_ways_to_write_it_are_refused_at_once(house: House, host: str) -> None:
    assert await refusal(house.previews(friendly()), house.site.url("/article", host)) == 400
    assert not house.site.asked


async def test_a_name_that_leads_home_is_never_asked(house: House) -> None:
    stranger = house.previews(Outgoing(resolver=Names()))
    assert await refusal(stranger, house.site.url("/article", "rebind.example")) == 404
    assert not house.site.asked
    friend = house.previews(friendly())
    assert (await friend.look(house.site.url("/article", "other.example")))["og:title"] == "秋の清掃のお知らせ"


async def test_a_redirect_that_leads_home_is_not_followed(house: House) -> None:
    """Only the first address is allowed; the second is another one of the same machine."""
    outgoing = Outgoing([type(LOOPBACK)("127.0.0.1/32")])
    away = house.site.send_on("/away", house.site.url("/article", "127.0.0.2"))
    assert await refusal(house.previews(outgoing), away) == 404
    assert house.site.asked == {"/away": 1}


async def test_a_picture_at_home_is_not_fetched(house: House) -> None:
    outgoing = Outgoing([type(LOOPBACK)("127.0.0.1/32")])
    address = house.site.url("/photo.png", "127.0.0.2")
    page = f'<title>T</title><meta property="og:image" content="{address}">'
    assert await house.previews(outgoing).look(house.site.put("/page", page)) == {"og:title": "T"}
    assert house.site.asked == {"/page": 1}


# ---- too much ------------------------------------------------------------------------------------------------------


async def test_a_film_is_not_fetched_to_its_end(house: House) -> None:
    assert await house.previews().look(house.site.put("/film", bytes(6 * 2**20), "video/mp4")) == {}


async def test_a_large_page_is_read_by_its_beginning(house: House) -> None:
    page = "<title>T</title>" + "<!-- -->" * 300_000 + "<p>far away</p>"
    assert await house.previews().look(house.site.put("/page", page)) == {"og:title": "T"}


@pytest.mark.parametrize("size", [100 * 2**20])
async def test_a_bomb_is_not_unpacked(house: House, size: int) -> None:
    assert await house.previews().look(house.site.pack("/bomb", bytes(size))) == {}


async def test_a_page_that_drips_is_given_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.media.previews._TIME_S", 0.2)
    assert await refusal(house.previews(), house.site.url("/drip")) == 404


async def test_where_too_many_wait_the_next_one_is_sent_away_and_may_come_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    previews, address = house.previews(), house.site.put("/page", "<title>T</title>")
    monkeypatch.setattr("server.media.previews._MOST_WAITING", 0)
    with pytest.raises(LimitExceeded):
        await previews.look(address)
    monkeypatch.undo()
    assert await previews.look(address) == {"og:title": "T"}


async def test_a_page_of_many_nested_tags_is_shown(house: House) -> None:
    page = "<title>deep</title>" + "<div>" * 190_000
    assert await house.previews().look(house.site.put("/page", page)) == {"og:title": "deep"}


async def test_when_the_worker_dies_the_page_is_not_shown_and_the_next_one_is(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    previews = house.previews()
    run: Callable[..., object] = previews._worker.run
    monkeypatch.setattr(previews._worker, "run", lambda *_: run("tests.server.media.sample_jobs:crash", {}))
    assert await refusal(previews, house.site.url("/article")) == 404
    monkeypatch.undo()
    assert await previews.look(house.site.put("/next", "<title>next</title>")) == {"og:title": "next"}


# ---- keeping -------------------------------------------------------------------------------------------------------


async def test_old_previews_and_their_pictures_are_forgotten(house: House) -> None:
    previews = house.previews()
    old = (await previews.look(house.site.url("/article")))["og:image"]
    own = await house.media.keep("@hanako:sakura.example", "image/png", None, PHOTO)
    await house.clock.advance(6 * 86_400)
    young = (await previews.look(house.site.url("/photo.png")))["og:image"]
    await house.clock.advance(2 * 86_400)
    await forget_old(house.database, house.media, house.clock.now_ms(), keep_days=7)
    for uri, is_there in ((old, False), (young, True), (own, True)):
        if is_there:
            await house.media.open(Mxc.parse(uri))
        else:
            with pytest.raises(NotFound):
                await house.media.open(Mxc.parse(uri))
    assert await house.database.fetch_all(text("SELECT * FROM previews")) == []


async def test_files_that_are_lost_already_do_not_stop_the_forgetting(house: House) -> None:
    uri = (await house.previews().look(house.site.url("/photo.png")))["og:image"]
    (await house.media.open(Mxc.parse(uri))).path.unlink()
    assert await house.media.delete_before(OWNER, house.clock.now_ms() + 1) == 1
    assert await house.media.delete_before(OWNER, house.clock.now_ms() + 1) == 0
