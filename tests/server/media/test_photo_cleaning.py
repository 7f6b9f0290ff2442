"""What a camera writes beside a picture is taken out, piece by piece, and the picture stays as it is."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from server.foundation.errors import InvalidParam
from server.media.photo_cleaning import clean_head, cleaned

SECRET = b"35.6895N 139.6917E"


def photo(turn: int = 1, kind: str = "JPEG") -> bytes:
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = SECRET.decode(), turn
    exif.get_ifd(0x8825)[1] = "N"
    file = io.BytesIO()
    more = {"comment": SECRET} if kind == "JPEG" else {}
    Image.effect_noise((64, 48), 50).save(file, kind, exif=exif, icc_profile=b"colours" * 10, **more)
    return file.getvalue()


async def through(data: bytes, size: int) -> bytes:
    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(data), size):
            yield data[start:start + size]

    return b"".join([piece async for piece in cleaned(pieces())])


@pytest.mark.parametrize("turn", [1, 3, 6, 8])
async def test_the_place_goes_and_the_picture_stays(turn: int) -> None:
    data = photo(turn)
    for size in (1, 7, 4096, len(data)):
        clean = await through(data, size)
        assert SECRET not in clean
        with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(clean)) as after:
            assert after.tobytes() == before.tobytes()
            assert after.getexif().get(0x0112, 1) == turn
            assert dict(after.getexif().get_ifd(0x8825)) == {}
            assert after.info["icc_profile"] == b"colours" * 10


async def test_what_is_no_jpeg_passes_as_it_is() -> None:
    for data in (photo(kind="PNG"), b"", b"\xff", b"x", b"\xff\xd8", b"\xff\xd8\xff\xe1\x00", b"%PDF-1.4"):
        assert await through(data, 3) == data


async def test_what_telephones_put_behind_the_picture_goes() -> None:
    data = photo()
    for size in (1, 5, 4096, 10**6):
        assert await through(data + SECRET + photo(), size) == await through(data, size)
    cut = (await through(data, 4096))[:-2]
    assert await through(cut, 3) == cut


async def test_a_head_without_an_end_is_refused() -> None:
    endless = b"\xff\xd8" + (b"\xff\xe0\xff\xff" + bytes(65_533)) * 260
    with pytest.raises(InvalidParam):
        await through(endless, 2**20)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_broken_heads_never_fail(tail: bytes) -> None:
    for data in (b"\xff\xd8" + tail, b"\xff\xd8\xff\xe1\x00\x40Exif\0\0" + tail):
        parts = clean_head(data)
        assert parts is None or parts[0].startswith(b"\xff\xd8")
