"""Printed slips as telephones see them: every code is found, however the photo was taken; what is too bad says so."""

from __future__ import annotations

import os
from typing import Any

import pytest
from PIL import Image

from server.association.polls.slip_reading import codes_in
from server.association.polls.slip_sheet import slips_pdf
from tests.association.polls.photographed import Look, as_photo, page_of, photographed
from tests.real import require_real

_CODES = [f"abcdefgh{number}xyz" for number in range(3)]
_ON_PAPER: dict[str, Any] = {
    "association": "桜町町内会", "address": "https://sakura.kairan.example.jp", "question": "手伝いが できますか",
    "choices": ["はい", "いいえ", "まだ わかりません"], "many": False, "until": "12月5日まで",
    "slips": [{"id": code, "block": "1班", "name": "佐藤"} for code in _CODES],
}


@pytest.fixture(name="page", scope="module")
def printed_page() -> Image.Image:
    """Three slips, not yet cut."""
    return page_of(slips_pdf(_ON_PAPER, b"")[1], require_real("pdftoppm"))


_LOOKS = {
    "small": Look(width=640), "all": Look(turned=17, askew=0.1, light=0.4, shadow=0.5, blur=1.2, is_sideways=True),
}
_MORE = {
    "turned": Look(turned=117, is_sideways=True), "upside down": Look(turned=181, askew=0.12),
    "dark": Look(light=0.15, noise=10), "shadow": Look(light=0.8, shadow=0.85, noise=8), "grainy": Look(noise=40),
    "moved": Look(blur=2.6),
} if os.environ.get("KAIRAN_BROWSER") else {}


@pytest.mark.parametrize("look", [*_LOOKS.values(), *_MORE.values()], ids=[*_LOOKS, *_MORE])
def test_every_slip_on_a_photo_is_found(page: Image.Image, look: Look) -> None:
    values, _ = codes_in({}, as_photo(photographed(page, look), look))
    assert sorted(values["texts"]) == [f"https://sakura.kairan.example.jp/slips/{code}" for code in _CODES]


@pytest.mark.parametrize("look", [Look(light=0.0, width=640), Look(width=120)], ids=["black", "tiny"])
def test_on_a_photo_that_shows_nothing_nothing_is_found(page: Image.Image, look: Look) -> None:
    assert codes_in({}, as_photo(photographed(page, look), look))[0] == {"texts": []}
