"""Breaking Japanese text into lines: anywhere but before 。 and after 「 (kinsoku, JIS X 4051); words stay whole."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

_NOT_FIRST: Final = frozenset(
    "、。，．・：；？！゛゜ヽヾゝゞ々ー）］｝」』】〉》〕’”!),.:;?]}％℃…‥"
    "ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ"
)
_NOT_LAST: Final = frozenset("（［｛「『【〈《〔‘“([{￥＄")
_TOKENS: Final = re.compile(r"[!-~]+|\s|.", re.DOTALL)

Measure = Callable[[str], float]


def wrap(text: str, limit: float, measure: Measure) -> list[str]:
    """``text`` in lines of at most ``limit`` as ``measure`` counts; an empty line for each empty paragraph."""
    return [line for paragraph in text.split("\n") for line in _wrap_paragraph(paragraph, limit, measure)]


def _wrap_paragraph(paragraph: str, limit: float, measure: Measure) -> list[str]:
    lines: list[str] = []
    line: list[str] = []
    width = 0.0
    for token in _tokens(paragraph, limit, measure):
        if line and width + measure(token) > limit:
            carried = _carried(line, token)
            lines.append("".join(line).rstrip())
            line = carried
            width = sum(map(measure, line))
        if token.isspace() and not line and lines:
            continue
        line.append(token)
        width += measure(token)
    return [*lines, "".join(line).rstrip()]


def _tokens(paragraph: str, limit: float, measure: Measure) -> list[str]:
    """Letters and words; a word that is longer than a line (an address) falls into letters."""
    found = _TOKENS.findall(paragraph)
    return [part for token in found for part in (token if len(token) > 1 and measure(token) > limit else [token])]


def _carried(line: list[str], token: str) -> list[str]:
    """Take from the end of ``line`` what must stand on the next line together with ``token``."""
    carried: list[str] = []
    while len(line) > 1 and ((carried or [token])[0][0] in _NOT_FIRST or line[-1][-1] in _NOT_LAST):
        carried.insert(0, line.pop())
    return carried
