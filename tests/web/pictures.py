"""Photos as telephones take them."""

from __future__ import annotations

import io

from PIL import Image

PLACE = b"35.6895N 139.6917E"


def photo(color: str = "navy", *, turned: bool = False, size: tuple[int, int] = (400, 300)) -> bytes:
    """A JPEG with what a camera writes beside the picture: where it was, and which way up it is."""
    exif = Image.Exif()
    exif[0x010E] = PLACE.decode()
    if turned:
        exif[0x0112] = 6
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, "JPEG", exif=exif, comment=PLACE)
    return file.getvalue()
