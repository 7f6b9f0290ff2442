"""Returned slips before a real camera: Chromium's own, fed with a film of the printed PDF; and photos of it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import FormData
from PIL import Image
from playwright.async_api import FilePayload, Page, async_playwright, expect

from tests.association.polls.photographed import Look, as_photo, page_of, photographed
from tests.real import require_real
from tests.web.browser import Browser
from tests.web.conftest import LogIn
from tests.web.real_browser import PHONE
from tests.web.site import CHAIR, PASSWORD, Site
from tests.web.test_slip_pages import printed

pytestmark = pytest.mark.slow

_HAND = Look(turned=9, askew=0.05, light=0.7, shadow=0.3, noise=8, width=1280)


async def paper(here: Site, chair: Browser) -> tuple[Image.Image, set[str]]:
    """The first page of the slips as it is printed, and the codes of all of them."""
    poll, codes = await printed(here, chair)
    page = await chair.get(f"/desk/polls/{poll}")
    fields = page.form(f"/desk/polls/{poll}/slips").fields
    async with chair.http.post(f"{here.url}/desk/polls/{poll}/slips", data=fields) as answer:
        return page_of(await answer.read(), require_real("pdftoppm")), set(codes.values())


def slip_on(sheet: Image.Image, number: int) -> Image.Image:
    """One of the four, cut off."""
    return sheet.crop((0, sheet.height * number // 4, sheet.width, sheet.height * (number + 1) // 4))


def film_of(file: Path, *scenes: Image.Image) -> Path:
    """A film for Chromium's camera, which shows it again and again: a second of each scene."""
    data = b"".join(as_photo(scene.resize((1280, 960)), Look()) * 10 for scene in scenes)
    file.write_bytes(data)
    return file


@asynccontextmanager
async def before_camera(here: Site, film: Path | None) -> AsyncIterator[Page]:
    """An officer's telephone that sees the film; without one it has no camera."""
    eyes = [] if film is None else [
        "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]
    user = await here.set_password(CHAIR)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=str(require_real("chromium")), args=["--no-sandbox", "--disable-gpu", *eyes])
        context = await browser.new_context(base_url=here.url, viewport=PHONE, locale="ja-JP")  # type: ignore[arg-type]
        context.set_default_timeout(60_000)
        page = await context.new_page()
        await page.goto("/login")
        await page.fill("[name=user]", user)
        await page.fill("[name=password]", PASSWORD)
        await page.click("main button.button")
        await page.goto("/desk/scan")
        try:
            yield page
        finally:
            await browser.close()


async def test_slips_held_before_the_camera_are_entered_one_after_the_other(
    here: Site, chair: Browser, tmp_path: Path
) -> None:
    sheet, codes = await paper(here, chair)
    slips = [slip_on(sheet, number) for number in range(2)]
    table = Image.new("RGB", slips[0].size, "#6b5138")
    film = film_of(tmp_path / "film.mjpeg", table, *(photographed(slip, _HAND) for slip in slips))
    async with before_camera(here, film) as page:
        await page.click("#start-camera")
        seen = set()
        for _ in range(2):
            await page.wait_for_url("**/slips/*")
            seen.add(page.url.rpartition("/")[2])
            await page.get_by_role("button", name="はい", exact=True).click()
            await expect(page.get_by_text("書きました。").first).to_be_visible()
        await page.click("#stop-camera")
        await expect(page.locator("#start-camera")).to_be_visible()
    assert len(seen & codes) == 2


@pytest.mark.skipif(not os.environ.get("KAIRAN_BROWSER"), reason="KAIRAN_BROWSER=1 tries it")
async def test_without_a_camera_it_is_said_and_a_dark_photo_askew_is_read(here: Site, chair: Browser) -> None:
    sheet, codes = await paper(here, chair)
    look = Look(turned=-14, askew=0.1, light=0.35, shadow=0.4, noise=8, blur=1, quality=60, is_sideways=True)
    async with before_camera(here, None) as page:
        await page.click("#start-camera")
        await expect(page.get_by_text("カメラが 使えません。")).to_be_visible()
        photo = as_photo(photographed(slip_on(sheet, 0), look), look)
        await page.set_input_files("#f-photo", FilePayload(name="IMG.jpg", mimeType="image/jpeg", buffer=photo))
        await page.get_by_role("button", name="写真を 読む").click()
        await page.wait_for_url("**/slips/*")
        assert page.url.rpartition("/")[2] in codes


async def test_what_the_camera_sees_is_looked_at_for_officers_only(here: Site, chair: Browser, log_in: LogIn) -> None:
    sheet, codes = await paper(here, chair)
    photo, hanako = as_photo(slip_on(sheet, 0), Look()), await log_in("佐藤 花子")
    assert await _look(chair, photo) in [(200, f'{{"address": "/slips/{code}"}}') for code in codes]
    assert await _look(chair, b"no picture") == (200, '{"address": ""}')
    assert (await _look(hanako, photo))[0] == 403


async def _look(browser: Browser, photo: bytes) -> tuple[int, str]:
    form = FormData(default_to_multipart=True)
    for name, value in (await browser.get("/")).form("/logout").fields:
        form.add_field(name, value)
    form.add_field("photo", photo, filename="camera.jpg", content_type="image/jpeg")
    page = await browser.post("/desk/scan/look", form)
    return page.status, page.html
