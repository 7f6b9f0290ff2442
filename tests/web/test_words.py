"""Dates, addresses in texts, what forms carry: small functions by tables."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from server.foundation.clock import TOKYO
from server.foundation.errors import InvalidParam
from server.web.dates import day_from_input, end_of_day_ms, moment_from_input
from server.web.forms import Form
from server.web.languages.dates import Dates
from server.web.templating import linked, size_in_words


def ms(*at: int) -> int:
    year, month, day, hour = (*at, 0)[:4]
    return int(datetime(year, month, day, hour, tzinfo=TOKYO).timestamp() * 1000)


@pytest.mark.parametrize(("day", "text"), [
    (date(2026, 11, 23), "2026年（令和8年）11月23日（月）"),
    (date(2019, 5, 1), "2019年（令和1年）5月1日（水）"),
    (date(2019, 4, 30), "2019年4月30日（火）"),
])  # fmt: skip
def test_a_date_carries_the_era_and_the_weekday(day: date, text: str) -> None:
    assert Dates("ja").day(day) == text


def test_moments_are_those_of_a_clock_in_japan() -> None:
    assert Dates("ja").moment(0) == "1月1日（木） 09:00"


@pytest.mark.parametrize(("start", "end", "all_day", "text"), [
    (ms(2026, 8, 9, 10), ms(2026, 8, 9, 15), False, "10:00〜15:00"),
    (ms(2026, 8, 9, 10), ms(2026, 8, 9, 10), False, "10:00から"),
    (ms(2026, 8, 9, 22), ms(2026, 8, 10, 1), False, "22:00〜8月10日（月） 01:00"),
    (ms(2026, 8, 9), ms(2026, 8, 10), True, "一日"),
    (ms(2026, 8, 9), ms(2026, 8, 12), True, "8月11日（火）まで"),
])  # fmt: skip
def test_how_long_something_takes(start: int, end: int, all_day: bool, text: str) -> None:
    assert Dates("ja").span(start, end, is_all_day=all_day) == text


def test_a_deadline_includes_its_day() -> None:
    assert end_of_day_ms(date(2026, 11, 23)) == ms(2026, 11, 24) - 1


@pytest.mark.parametrize("text", ["", "2026-13-01", "令和8年", "2026/11/23", "9" * 400])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(InvalidParam, match="日にち"):
        day_from_input(text, "期限")


@pytest.mark.parametrize("text", ["", "24:00", "10", "10:00:00", "午前"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidParam, match="時刻"):
        moment_from_input("2026-11-23", text, "はじまり")


@pytest.mark.parametrize(("text", "html"), [
    ("a <b> & c", "a &lt;b&gt; &amp; c"),
    (
        "見る https://a.jp/?b=1&c=2。",
        '見る <a href="https://a.jp/?b=1&amp;c=2" rel="noopener noreferrer">https://a.jp/?b=1&amp;c=2</a>。',
    ),
    ("https://example.jp.", '<a href="https://example.jp" rel="noopener noreferrer">https://example.jp</a>.'),
    ("javascript:alert(1)", "javascript:alert(1)"),
    ('https://a.jp/"onclick=x', '<a href="https://a.jp/" rel="noopener noreferrer">https://a.jp/</a>&#34;onclick=x'),
    ("https://", "https://"),
])  # fmt: skip
def test_addresses_become_links_and_all_else_stays_text(text: str, html: str) -> None:
    assert str(linked(text)) == html


def test_a_form_gives_clean_lines() -> None:
    form = Form([("a", " x\r\ny\x00\u202e "), ("b", "1"), ("b", ""), ("b", "2"), ("n", "１２")])
    assert form.text("a") == "x\ny"
    assert form.line("a") == "x y"
    assert form.lines("b") == ["1", "2"]
    assert form.number("n", "数", least=0, most=20) == 12
    assert form.line("missing") == ""
    with pytest.raises(InvalidParam, match="数は、0から5"):
        form.number("n", "数", least=0, most=5)


def test_sizes_are_told_in_words() -> None:
    assert (size_in_words(10), size_in_words(2048), size_in_words(1_600_000)) == (
        "1キロバイト", "2キロバイト", "1.5メガバイト",
    )
