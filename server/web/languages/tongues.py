"""Which languages there are, and which one a browser is answered in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Tongue:
    """A language: ``code`` in settings and file names, ``lang`` for HTML, ``name`` in its own words."""

    code: str
    lang: str
    name: str


JAPANESE: Final = Tongue("ja", "ja", "日本語")
EASY: Final = Tongue("ja-easy", "ja", "やさしい日本語")
TONGUES: Final[Mapping[str, Tongue]] = {
    tongue.code: tongue
    for tongue in (
        JAPANESE, EASY, Tongue("en", "en", "English"), Tongue("zh", "zh-Hans", "中文（简体）"),
        Tongue("vi", "vi", "Tiếng Việt"),
    )
}


def nearest(accepted: str) -> Tongue:
    """The language for an ``Accept-Language`` header: the first that we have in its order; Japanese without one."""
    for part in accepted[:200].split(","):
        code = part.partition(";")[0].strip().lower().partition("-")[0]
        if code in TONGUES:
            return TONGUES[code]
    return JAPANESE
