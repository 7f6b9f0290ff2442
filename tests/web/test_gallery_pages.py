"""The gallery on the pages: several photos at once, scaled and lazily loaded; withdrawing; not wanting to be seen."""

from __future__ import annotations

import io
from datetime import timedelta

from PIL import Image

from server.association.gatherings.model import Plan
from server.association.members.model import EVERYONE
from server.foundation.clock import tokyo_time
from tests.web.browser import Browser
from tests.web.conftest import LogIn
from tests.web.pictures import photo
from tests.web.site import Site


async def album_of(browser: Browser, count: int = 2, **more: str) -> str:
    await browser.get("/gallery/new")
    page = await browser.submit("/gallery/new", {"title": "夏まつり", "note": "8月9日", **more})
    address = page.url.partition("?")[0]
    files = [("photos", f"{number}.jpg", "image/jpeg", photo(size=(1600, 1200))) for number in range(count)]
    page = await browser.submit(address, {"consent": "1"}, files=files)
    assert "おくりました" in page.text, page.text
    return address


def photos_on(browser: Browser, address: str) -> list[str]:
    assert browser.page is not None
    found = [link for link in browser.page.links if link.startswith(f"{address}/")]
    return list(dict.fromkeys(found))


async def test_several_photos_come_at_once_and_are_shown_scaled(here: Site, log_in: LogIn) -> None:
    hanako, ichiro = await log_in("佐藤 花子"), await log_in("鈴木 一郎")
    address = await album_of(hanako, 3)
    page = await ichiro.get(address)
    first, _, last = photos_on(ichiro, address)
    assert page.html.count('loading="lazy"') == 3
    for size, most in (("?size=small", (320, 240)), ("", (800, 600))):
        answer = await ichiro.http.get(f"{here.url}{first}/file{size}")
        with Image.open(io.BytesIO(await answer.read())) as image:
            assert image.size == most
        mark = answer.headers["ETag"]
        again = await ichiro.http.get(f"{here.url}{first}/file{size}", headers={"If-None-Match": mark})
        assert (again.status, again.headers["Cache-Control"]) == (304, "private, no-cache")
    page = await ichiro.get(first)
    assert "つぎの写真" in page.text
    assert "つぎの写真" not in (await ichiro.get(last)).text
    assert "3枚" in (await ichiro.get("/gallery")).text


async def test_photos_without_consent_or_of_other_kinds_are_refused_and_kept_in_the_form(log_in: LogIn) -> None:
    hanako = await log_in("佐藤 花子")
    address = await album_of(hanako, 1)
    await hanako.get(address)
    page = await hanako.submit(address, files=[("photos", "a.jpg", "image/jpeg", photo())])
    assert page.status == 400
    assert "了解" in page.text
    page = await hanako.submit(address, {"consent": "1"}, files=[])
    assert "おくりました" in page.text
    assert len(photos_on(hanako, address)) == 2
    wrong = [("photos", "a.svg", "image/svg+xml", b"<svg/>")]
    assert (await hanako.submit(address, {"consent": "1"}, files=wrong)).status == 400
    await hanako.get("/gallery/new")
    assert (await hanako.submit("/gallery/new", {"title": ""})).status == 400


async def test_whoever_is_in_a_photo_has_it_hidden_and_the_desk_decides(
    here: Site, chair: Browser, log_in: LogIn
) -> None:
    hanako, ichiro, misaki = [await log_in(name) for name in ("佐藤 花子", "鈴木 一郎", "高橋 美咲")]
    address = await album_of(hanako)
    await misaki.get(address)
    first, second = photos_on(misaki, address)
    for path, reason in ((first, "写っています"), (second, "")):
        await misaki.get(path)
        page = await misaki.submit(f"{path}/object", {"reason": reason})
        assert "かくしました" in page.text
    for browser in (misaki, hanako, ichiro):
        assert (await browser.get(first)).status == 404
        assert (await browser.get(f"{first}/file")).status == 404
    page = await chair.get("/desk/board")
    assert "写っています" in page.text
    assert (await chair.get(f"{first}/file?size=small")).status == 200
    for path, step in ((first, "remove"), (second, "keep")):
        await chair.get("/desk/board")
        action = f"/desk/board/photos/{path.rpartition('/')[2]}"
        page = await chair.submit(action, {"step": step, "reason": "決めました"})
        assert "保存しました" in page.text
    assert (await chair.get(first)).status == 404
    assert (await ichiro.get(second)).status == 200
    assert "もとに もどした" in (await chair.get("/desk/board/decisions")).text
    await hanako.get(second)
    assert "けしました" in (await hanako.submit(f"{second}/withdraw")).text
    assert (await ichiro.get(f"{second}/file")).status == 404


async def test_an_album_belongs_to_a_gathering(here: Site, chair: Browser, log_in: LogIn) -> None:
    today = tokyo_time(here.node.core.clock.now_ms()).date()
    plan = Plan("夏まつり", today, today + timedelta(days=1), "中央公園")
    gathering = await here.node.association.gatherings.announce(here.user("町田 会長"), plan, EVERYONE)
    hanako = await log_in("佐藤 花子")
    page = await hanako.get(f"/gatherings/{gathering.id}")
    assert f"/gallery?gathering={gathering.id}" in page.links
    await hanako.get(f"/gallery?gathering={gathering.id}")
    address = await album_of(hanako, 1, gathering=gathering.id)
    assert f"/gatherings/{gathering.id}" in (await hanako.get(address)).links
    assert address in (await hanako.get(f"/gallery?gathering={gathering.id}")).links
    assert address not in (await hanako.get("/gallery?gathering=other")).links
    await chair.get(address)
    assert "けしました" in (await chair.submit(f"{address}/remove")).text
    assert (await hanako.get(address)).status == 404
