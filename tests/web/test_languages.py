"""Catalogues: complete for the pages, true to their messages; readings; dates; what is chosen is shown."""

from __future__ import annotations

import re
import warnings
from datetime import datetime
from pathlib import Path

import pytest

from server.foundation.clock import TOKYO
from server.web.languages.catalogues import HERE, Catalogue, catalogue_of, read_po
from server.web.languages.dates import Dates
from server.web.languages.furigana import easy, ruby
from server.web.languages.template_texts import messages_of, translated
from server.web.languages.tongues import TONGUES, nearest
from tests.web.browser import Browser
from tests.web.conftest import LogIn

_TEMPLATES = Path(__file__).parents[2] / "server/web/templates"
_KANJI = re.compile(r"[\u4e00-\u9fff々]")
_READ = re.compile(r"[\u4e00-\u9fff々〆ヶ]+《[^》]*》")
# Pages whose every text is told in all languages; write a page in here when its texts are in the catalogues.
PAGES = [_TEMPLATES / name for name in (HERE / "complete.txt").read_text("utf-8").split()]
_SOURCE = (
    '<p>これは <b>{{ name }}</b>さん</p>{{ parts.line("a", "名前") }}<img alt="絵">'
    "{# 注 #}{% if x %}まだ{% endif %}"
)
_IN_ENGLISH = (
    '<p><b>{{ name }}</b> it is</p>{{ parts.line("a", "the ”name”") }}<img alt="picture">'
    "{# 注 #}{% if x %}まだ{% endif %}"
)


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
def test_every_text_of_a_page_is_in_every_catalogue(file: Path) -> None:
    for code in ("en", "zh", "vi"):
        catalogue = catalogue_of(code)
        missing = [
            message for message in messages_of(file.read_text("utf-8"))
            if catalogue.find(message) is None and not _is_sign(message)
        ]
        assert missing == [], f"{code}: write them into server/web/languages/{code}.po"


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
def test_every_kanji_of_a_page_has_a_reading_in_easy_japanese(file: Path) -> None:
    catalogue = catalogue_of("ja-easy")
    for message in messages_of(file.read_text("utf-8")):
        said = catalogue.find(message) or ""
        assert not _KANJI.search(_READ.sub("", said)), f"{said}: write the word into readings.txt"


@pytest.mark.parametrize("code", ["en", "zh", "vi", "ja-easy"])
def test_a_translation_has_the_values_and_tags_of_its_message(code: str) -> None:
    for message, answer in read_po((HERE / f"{code}.po").read_text("utf-8")).items():
        assert sorted(re.findall(r"\{\d\}", message)) == sorted(re.findall(r"\{\d\}", answer)), message
        assert sorted(re.findall(r"<[^>]*>", message)) == sorted(re.findall(r"<[^>]*>", answer)), message
        assert set(re.findall(r"<[^>]*>", answer)) <= {"<b>", "</b>", "<br>"}, message
        assert "{{" not in answer and "{%" not in answer, message  # noqa: PT018


def test_messages_are_found_with_their_values() -> None:
    assert messages_of(_SOURCE) == ["これは <b>{0}</b>さん", "名前", "絵", "まだ"]
    catalogue = Catalogue("en", {"これは <b>{0}</b>さん": "<b>{0}</b> it is", "名前": 'the "name"', "絵": "picture"})
    assert translated(_SOURCE, catalogue) == _IN_ENGLISH


@pytest.mark.parametrize("code", ["en", "zh", "vi"])
def test_nearly_all_texts_of_all_pages_are_in_the_catalogue(code: str) -> None:
    messages = {text for file in _TEMPLATES.glob("*.html") for text in messages_of(file.read_text("utf-8"))}
    missing = sorted(text for text in messages if catalogue_of(code).find(text) is None and not _is_sign(text))
    if missing:
        warnings.warn(f"{code}: {missing}", stacklevel=1)
    assert len(missing) < len(messages) / 4


def test_readings_stand_above_words_and_everything_else_is_escaped() -> None:
    assert easy("回覧板を 読む") == "回覧板《かいらんばん》を 読《よ》む"
    assert easy("3人と 人") == "3人《にん》と 人《ひと》"
    assert str(ruby("回覧《かいらん》<b>")) == "<ruby>回覧<rt>かいらん</rt></ruby>&lt;b&gt;"


def test_an_attribute_after_one_with_a_value_is_in_the_other_language_too() -> None:
    source = '<p data-person="{{ person }}" data-safety="安否"></p>'
    assert messages_of(source) == ["安否"]
    assert translated(source, Catalogue("en", {"安否": "Safe?"})) == source.replace("安否", "Safe?")


def test_a_refusal_with_values_is_told_with_them() -> None:
    assert catalogue_of("en").say("題名を1字から100字で書いてください") == "Title: 1 to 100 letters"
    assert catalogue_of("en").say("こんな文は ありません") == "こんな文は ありません"
    assert catalogue_of("ja-easy").say("上田の予約は、ひとり2件までです").startswith("上田の予約《よやく》")


@pytest.mark.parametrize(("code", "day"), [
    ("ja", "2026年（令和8年）11月23日（月）"),
    ("ja-easy", "2026年《ねん》（令和《れいわ》8年《ねん》）11月《がつ》23日《にち》（月曜日《げつようび》）"),
    ("en", "Monday 23 November 2026 (Reiwa 8)"),
    ("zh", "2026年（令和8年）11月23日（星期一）"),
    ("vi", "Thứ Hai, 23/11/2026 (Reiwa 8)"),
])  # fmt: skip
def test_dates_carry_the_era_in_every_language(code: str, day: str) -> None:
    ms = int(datetime(2026, 11, 23, 10, tzinfo=TOKYO).timestamp() * 1000)
    dates = Dates(code)
    shown = re.sub(r"<ruby>(.*?)<rt>(.*?)</rt></ruby>", r"\1《\2》", str(dates.day(ms)))
    assert shown == day
    assert str(dates.span(ms, ms + 7_200_000, is_all_day=False)) == "10:00〜12:00"
    assert dates.span(ms, ms + 86_400_000, is_all_day=True)


@pytest.mark.parametrize(("header", "code"), [
    ("", "ja"), ("en-GB,en;q=0.9", "en"), ("de-DE,zh-CN;q=0.5", "zh"), ("vi", "vi"), ("fr", "ja"), ("x" * 5000, "ja"),
])  # fmt: skip
def test_the_browsers_language_is_taken_where_we_have_it(header: str, code: str) -> None:
    assert nearest(header).code == code


@pytest.mark.parametrize(("code", "word"), [
    ("en", "Circulars"), ("zh", "传阅板"), ("vi", "Bảng thông báo"), ("ja-easy", "<rt>かいらんばん</rt>"),
    ("ja", "回覧板"),
])  # fmt: skip
async def test_the_language_is_chosen_on_my_page(log_in: LogIn, code: str, word: str) -> None:
    browser = await log_in("佐藤 花子")
    await browser.get("/my")
    await browser.submit("/my/look", {"language": code, "letters": "3"})
    page = await browser.get("/")
    assert word in page.html
    assert f'lang="{TONGUES[code].lang}"' in page.html
    assert 'class="letters-3"' in page.html


async def test_a_stranger_chooses_before_the_login(stranger: Browser) -> None:
    await stranger.get("/")
    page = await stranger.submit("/language", {"language": "vi"})
    assert "Chào mừng" in page.text
    assert "Đăng nhập" in (await stranger.get("/login")).text
    assert "Không có trang này" in (await stranger.get("/unknown")).text


async def test_the_browser_says_which_language_it_wants(stranger: Browser) -> None:
    page = await stranger.get("/unknown", headers={"Accept-Language": "en-GB,en;q=0.8"})
    assert "no such page" in page.text


@pytest.mark.parametrize("code", ["../../etc/passwd", "", "xx", "ja-easy\r\nSet-Cookie: a=b"])
async def test_a_language_that_there_is_not_is_refused(stranger: Browser, code: str) -> None:
    await stranger.get("/")
    assert (await stranger.submit("/language", {"language": code})).status == 400
    assert (await stranger.get("/", headers={"Cookie": f"kairan_language={code!r}"})).status == 200


def _is_sign(message: str) -> bool:
    """Only signs and values: 「・ {0}」."""
    return not re.search(r"[\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff]", message)
