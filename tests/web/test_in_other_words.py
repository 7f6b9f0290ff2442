"""A circular in another language, and read aloud."""

from __future__ import annotations

from pathlib import Path

from aiohttp import ClientSession, CookieJar
from playwright.async_api import Page, expect

from server.association.circulars.model import Letter
from server.association.members.model import EVERYONE, OFFICERS
from tests.association.circulars.test_translating import service_that_answers
from tests.web.browser import Browser
from tests.web.conftest import LogIn
from tests.web.real_browser import PHONE, chromium, window
from tests.web.site import CHAIR, PASSWORD, Site, site

_SPEECH = """() => {
  window.said = [];
  const speech = {
    cancel() { window.said.push("cancel"); },
    speak(item) { window.said.push(item.text); window.last = item; item.onstart(); },
    getVoices() { return window.voices || []; }, addEventListener() {},
  };
  Object.defineProperty(window, "speechSynthesis", { value: speech, configurable: true });
}"""
_READINGS = """() => {
  document.querySelector("h1[data-read]").innerHTML = "<ruby>清掃<rp>(</rp><rt>せいそう</rt><rp>)</rp></ruby>の日";
}"""
_NO_SPEECH = """() => {
  delete window.speechSynthesis;
  delete Window.prototype.speechSynthesis;
}"""


async def _posted(here: Site, **more: object) -> str:
    letter = Letter(**{"title": "清掃", "text": "朝8時です。\n公園に来てください。", "audience": EVERYONE, **more})  # type: ignore[arg-type]
    return (await here.node.association.circulars.post(here.user(CHAIR), letter)).id


async def test_without_a_service_there_is_nothing_to_choose(here: Site, log_in: LogIn) -> None:
    hanako = await log_in("佐藤 花子")
    page = await hanako.get(f"/circulars/{await _posted(here)}?in=en")
    assert page.status == 200
    assert "English" not in page.text
    assert "朝8時です" in page.text


async def test_a_translation_is_marked_and_the_original_is_one_tap_away(tmp_path: Path) -> None:
    answer = {"translatedText": ["Cleaning", "At eight <b>in</b> the morning.", "Come to the park."]}
    async with (
        service_that_answers(answer) as (url, asked),
        site(tmp_path, outgoing="127.0.0.0/8", translation=url) as here,
        ClientSession(cookie_jar=CookieJar(unsafe=True)) as http,
    ):
        hanako = Browser(here.url, http)
        await hanako.log_in(await here.set_password("佐藤 花子"), PASSWORD)
        circular, secret = await _posted(here), await _posted(here, audience=OFFICERS)
        page = await hanako.get(f"/circulars/{circular}")
        assert f"/circulars/{circular}?in=en" in page.links
        page = await hanako.get(f"/circulars/{circular}?in=en")
        assert "機械の 翻訳です" in page.text
        assert "Come to the park." in page.text
        assert "<b>in</b>" not in page.html
        assert 'lang="en"' in page.html
        assert f"/circulars/{circular}" in page.links
        await hanako.get(f"/circulars/{circular}?in=en")
        assert len(asked) == 1
        assert (await hanako.get(f"/circulars/{circular}?in=ja-easy")).status == 200
        assert (await hanako.get(f"/circulars/{circular}?in=xx")).status == 200
        assert (await hanako.get(f"/circulars/{secret}?in=en")).status == 404
        # What people write to the officers stays where it is.
        await hanako.get("/talk")
        await hanako.submit("/talk", {"text": "ひみつの 相談です"})
        await hanako.get("/talk?in=en")
        assert len(asked) == 1


async def test_a_service_that_does_not_answer_leaves_the_original(tmp_path: Path) -> None:
    async with (
        service_that_answers({}, 500) as (url, _asked),
        site(tmp_path, outgoing="127.0.0.0/8", translation=url) as here,
        ClientSession(cookie_jar=CookieJar(unsafe=True)) as http,
    ):
        hanako = Browser(here.url, http)
        await hanako.log_in(await here.set_password("佐藤 花子"), PASSWORD)
        page = await hanako.get(f"/circulars/{await _posted(here)}?in=vi")
        assert page.status == 200
        assert "いまは 翻訳できません" in page.text
        assert "朝8時です" in page.text


async def test_the_browser_reads_aloud_sentence_by_sentence_where_it_can(here: Site) -> None:
    circular, user = await _posted(here), await here.set_password("佐藤 花子")
    async with chromium() as browser, window(browser, here.url, PHONE) as page:
        await page.add_init_script(f"({_SPEECH})()")
        await page.goto("/login")
        await page.fill("[name=user]", user)
        await page.fill("[name=password]", PASSWORD)
        await page.click("main button.button")
        await page.goto(f"/circulars/{circular}")
        await page.evaluate(_READINGS)
        await page.click("#read-it")
        await page.evaluate("window.last.onend()")
        assert await _said(page) == ["清掃の日", "朝8時です。"]  # a reading above a word is not said again
        assert await page.evaluate("window.last.lang") == "ja-JP"
        await page.click("#pause-reading")
        assert await page.evaluate("window.said.at(-1)") == "cancel"
        await page.evaluate("window.last.onend()")  # what some browsers say of what was cancelled
        assert len(await _said(page)) == 2
        await page.click("#go-on-reading")
        assert (await _said(page))[2:] == ["朝8時です。"]
        await page.evaluate("window.last.onend()")
        assert (await _said(page))[3:] == ["公園に来てください。"]
        await page.click("#stop-reading")
        assert await page.is_visible("#read-it")
        await page.click("#read-it")
        assert (await _said(page))[4:] == ["清掃の日"]


async def test_a_browser_without_a_voice_says_so_and_one_without_speech_has_no_button(here: Site) -> None:
    circular, user = await _posted(here), await here.set_password("佐藤 花子")
    async with chromium() as browser, window(browser, here.url, PHONE) as page:
        await page.goto("/login")
        await page.fill("[name=user]", user)
        await page.fill("[name=password]", PASSWORD)
        await page.click("main button.button")
        await page.goto(f"/circulars/{circular}")
        # Nothing stands in for Chromium's own speech here: the machine has no voices.
        if not await page.evaluate("speechSynthesis.getVoices().length"):
            await page.click("#read-it")
            await expect(page.get_by_text("読み上げる 声が ありません")).to_be_visible()
            assert await page.is_visible("#read-it")
            assert not await page.is_visible("#pause-reading")
        await page.add_init_script(f"({_SPEECH})(); window.voices = [{{ lang: 'en-GB' }}];")
        await page.goto(f"/circulars/{circular}")
        await page.click("#read-it")
        await expect(page.get_by_text("読み上げる 声が ありません")).to_be_visible()
        assert await _said(page) == []
        await page.add_init_script(f"({_NO_SPEECH})()")
        await page.goto(f"/circulars/{circular}")
        assert not await page.is_visible("#read-aloud")


async def _said(page: Page) -> list[str]:
    return [text for text in await page.evaluate("window.said") if text != "cancel"]
