"""Japanese lines: nothing is lost, no line is too long, no 。 at the beginning of one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.association.members.paper_text import wrap


def _width(text: str) -> float:
    return sum(1.0 if char.isascii() else 2.0 for char in text)


@pytest.mark.parametrize(("text", "limit", "lines"), [
    ("あいうえお", 4, ["あい", "うえ", "お"]),
    ("あい。う", 4, ["あ", "い。", "う"]),
    ("あああ「い」う", 8, ["あああ", "「い」う"]),
    ("ああい」。う", 8, ["ああ", "い」。う"]),
    ("abc def ghi", 7, ["abc def", "ghi"]),
    ("一行目\n\n三行目", 20, ["一行目", "", "三行目"]),
    ("https://example.org/", 8, ["https://", "example.", "org/"]),
    ("", 8, [""]),
])
def test_lines_break_where_a_printer_would_break_them(text: str, limit: float, lines: list[str]) -> None:
    assert wrap(text, limit, _width) == lines


@given(st.text(alphabet="あいうえお漢字、。「」（）abc ー\n", max_size=200), st.integers(6, 40))
def test_nothing_is_lost_and_no_line_is_too_long(text: str, limit: int) -> None:
    lines = wrap(text, limit, _width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(_width(line) <= limit for line in lines)
