"""The slip of paper with which it begins, as the node prints it."""

from __future__ import annotations

import io
import subprocess
from typing import Final

import zxingcpp
from PIL import Image

from server.association.members.invitations import Card
from server.association.members.qr_cards import cards_pdf
from tests.real import require_real
from tests.web.guides.camera import Box, Sight, Spot, in_few_colours

_DPI: Final = 170
_SHOWN_WIDTH: Final = 360
# The first of eight on a sheet: half of its width, a quarter of its height below the head.
_PLACE_MM: Final = (0, 13, 105, 83)


def photographed_slip(card: Card, association: str, address: str) -> tuple[Sight, bytes]:
    """A picture of somebody's slip; the spot on it is its code, found as a telephone's camera finds it."""
    assert card.person is not None
    values = {"block": "1班", "household": f"{card.person.name} 様", "url": card.link, "code": card.code, "note": ""}
    _, pdf = cards_pdf({"association": association, "node_url": address, "cards": [values]}, b"")
    left, top, right, bottom = (round(mm / 25.4 * _DPI) for mm in _PLACE_MM)
    image = _rendered(pdf).crop((left, top, right, bottom))
    scale = _SHOWN_WIDTH / image.width
    found = zxingcpp.read_barcodes(image)
    assert [code.text for code in found] == [card.link]
    at = found[0].position
    box = Box(
        at.top_left.x * scale, at.top_left.y * scale, (at.bottom_right.x - at.top_left.x) * scale,
        (at.bottom_right.y - at.top_left.y) * scale,
    )
    return Sight(_SHOWN_WIDTH, round(image.height * scale), (Spot(box, ""),)), in_few_colours(image)


def _rendered(pdf: bytes) -> Image.Image:
    command = [str(require_real("pdftoppm")), "-r", str(_DPI), "-png", "-singlefile", "-"]
    done = subprocess.run(command, input=pdf, capture_output=True, check=True)
    return Image.open(io.BytesIO(done.stdout))
