"""Small pictures: which size is given, what is decoded and what is not."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from server.foundation.errors import InvalidParam
from server.media.model import Mxc
from server.media.thumbnail_sizes import Method, ThumbnailSize, size_for
from tests.server.media.conftest import Node
from tests.server.media.pictures import gif_of, picture, png_claiming, read, real_bomb


@pytest.mark.parametrize(("asked", "given"), [
    ((1, 1, "crop"), (32, 32, "crop")), ((32, 32, "crop"), (32, 32, "crop")), ((33, 10, "crop"), (96, 96, "crop")),
    ((128, 128, "crop"), (320, 240, "scale")), ((1, 1, "scale"), (320, 240, "scale")),
    ((320, 241, "scale"), (640, 480, "scale")), ((800, 600, "scale"), (800, 600, "scale")),
    ((10**6, 10**6, "crop"), (800, 600, "scale")),
])
def test_the_smallest_size_that_is_large_enough_answers(
    asked: tuple[int, int, str], given: tuple[int, int, Method]
) -> None:
    assert size_for(*asked) == ThumbnailSize(*given)


@pytest.mark.parametrize("asked", [(0, 1, "crop"), (1, -1, "scale"), (1, 1, "stretch"), (2**40, 1, "scale")])
def test_a_size_that_cannot_be_is_refused(asked: tuple[int, int, str]) -> None:
    with pytest.raises(InvalidParam):
        size_for(*asked)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
async def test_the_four_kinds_of_pictures_are_made_small(node: Node, kind: str) -> None:
    place = await node.uploaded(picture(kind, 1000, 500), "application/octet-stream", "photo.bin")
    for query, size in (("width=96&height=96&method=crop", (96, 96)), ("width=300&height=200", (320, 160))):
        answer = await node.thumbnail(place, query)
        assert answer.status == 200, await answer.text()
        assert answer.headers["Content-Type"] == "image/jpeg"
        assert answer.headers["Content-Disposition"] == 'inline; filename="thumbnail-photo.jpg"'
        assert answer.headers["Content-Security-Policy"].startswith("sandbox")
        assert read(await answer.read()).size == size


async def test_what_is_see_through_stays_so(node: Node) -> None:
    place = await node.uploaded(picture("PNG", 200, 200, "RGBA", (1, 2, 3, 0)), "image/png")
    answer = await node.thumbnail(place)
    assert answer.headers["Content-Type"] == "image/png"
    assert read(await answer.read()).mode == "RGBA"


@pytest.mark.parametrize("mode", ["L", "CMYK", "1", "P", "LA", "I;16"])
async def test_unusual_colours_are_understood(node: Node, mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    out = io.BytesIO()
    Image.new(mode, (100, 60)).save(out, kind)
    assert (await node.thumbnail(await node.uploaded(out.getvalue()))).status == 200


async def test_a_small_picture_is_not_made_larger(node: Node) -> None:
    place = await node.uploaded(picture("PNG", 50, 20), "image/png")
    assert read(await (await node.thumbnail(place)).read()).size == (20, 20)
    assert read(await (await node.thumbnail(place, "width=640&height=480")).read()).size == (50, 20)


async def test_a_photo_taken_upright_stays_upright_and_does_not_tell_where(node: Node) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[2] = (35.0, 41.0, 22.0)
    exif[0x0110] = "SECRETCAMERA"
    data = picture("JPEG", 800, 400, exif=exif, comment=b"SECRETPLACE")
    small = await (await node.thumbnail(await node.uploaded(data), "width=320&height=240")).read()
    assert read(small).size == (120, 240)
    assert not read(small).getexif()
    assert b"SECRET" not in small


async def test_a_thumbnail_is_made_once(node: Node) -> None:
    place = await node.uploaded(picture("JPEG", 500, 500))
    first = await (await node.thumbnail(place)).read()
    kept = [path for path in node.files() if "thumbnails" in path.parts]
    assert [path.name for path in kept] == ["96x96-crop.jpg"]
    kept[0].write_bytes(b"kept")
    assert first != b"kept"
    assert await (await node.thumbnail(place)).read() == b"kept"


async def test_a_deleted_picture_takes_its_thumbnails_along(node: Node) -> None:
    place = await node.uploaded(picture("JPEG", 500, 500))
    await node.thumbnail(place)
    await node.services.media.delete(Mxc.parse(f"mxc://{place}"))
    assert node.files() == []
    assert (await node.thumbnail(place)).status == 404


@pytest.mark.parametrize("query", [
    "", "width=96", "width=x&height=96", "width=-1&height=96", "width=96&height=96&method=x", "width=96.5&height=96",
    "width=96&height=96&animated=maybe",
])
async def test_a_question_that_makes_no_sense_is_refused(node: Node, query: str) -> None:
    answer = await node.thumbnail(await node.uploaded(picture("PNG", 10, 10)), query)
    assert answer.status == 400
    assert (await answer.json())["errcode"] in ("M_MISSING_PARAM", "M_INVALID_PARAM")


def _other_formats() -> dict[str, bytes]:
    return {kind: picture(kind, 50, 50) for kind in ("TIFF", "BMP", "ICO", "PPM", "TGA", "EPS")}


@pytest.mark.parametrize("kind", sorted(_other_formats()))
async def test_other_formats_are_not_decoded_whatever_they_are_called(node: Node, kind: str) -> None:
    """CVE-2024-53863."""
    await _refused(node, _other_formats()[kind], "image/png")


@pytest.mark.parametrize(
    "name", ["empty", "text", "encrypted", "svg", "cut", "header only", "wrong inside", "polyglot"]
)
async def test_what_cannot_be_read_is_refused_in_peace(node: Node, name: str) -> None:
    whole = picture("PNG", 300, 300, "RGB", (9, 9, 9))
    await _refused(node, {
        "empty": b"",
        "text": b"hello",
        "encrypted": bytes(range(256)) * 10,
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "cut": whole[: len(whole) // 2],
        "header only": b"\x89PNG\r\n\x1a\n",
        "wrong inside": b"\xff\xd8\xff" + whole,
        "polyglot": b"GIF89a" + b"<script>alert(1)</script>" * 50,
    }[name], "image/png")


async def test_a_picture_that_claims_to_be_huge_is_refused(node: Node) -> None:
    await _refused(node, png_claiming(64_000, 64_000), "image/png", status=413, code="M_TOO_LARGE")


@pytest.mark.slow
async def test_a_bomb_of_a_picture_stays_below_the_memory_that_is_allowed(node: Node) -> None:
    """49 million points of four bytes, just below the limit of points; in a few hundred kilobytes."""
    place = await node.uploaded(real_bomb(7000), "image/png")
    answer = await node.thumbnail(place)
    assert answer.status in (200, 400)
    assert _peak_mb_of(node) < 300
    assert (await node.thumbnail(await node.uploaded(picture("PNG", 100, 100)))).status == 200


async def test_a_film_of_ten_thousand_frames_gives_its_first(node: Node) -> None:
    answer = await node.thumbnail(await node.uploaded(gif_of(10_000), "image/gif"))
    assert answer.status == 200
    assert getattr(read(await answer.read()), "n_frames", 1) == 1


async def test_a_picture_that_failed_is_not_tried_again(node: Node) -> None:
    place = await node.uploaded(picture("PNG", 300, 300)[:200], "image/png")
    worker = node.services.thumbnails._worker
    assert (await node.thumbnail(place)).status == 400
    await worker.close()
    assert (await node.thumbnail(place, "width=800&height=600")).status == 400
    assert worker.process_id is None


async def _refused(node: Node, data: bytes, content_type: str, status: int = 400, code: str = "M_UNKNOWN") -> None:
    answer = await node.thumbnail(await node.uploaded(data, content_type))
    assert (answer.status, (await answer.json())["errcode"]) == (status, code)


def _peak_mb_of(node: Node) -> int:
    process_id = node.services.thumbnails._worker.process_id
    if process_id is None:
        return 0  # it went over its limit and is gone
    status = Path(f"/proc/{process_id}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) // 1024
