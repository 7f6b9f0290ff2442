"""Files of one server for the people of the other."""

from __future__ import annotations

import io

import aiohttp
from PIL import Image

from tests.builders import Person
from tests.interop.sides import Side


async def _get(person: Person, side: Side, path: str) -> tuple[int, bytes, str]:
    headers = {"Authorization": f"Bearer {person.token}"}
    async with aiohttp.ClientSession() as session, session.get(side.url + path, headers=headers) as answer:
        return answer.status, await answer.read(), answer.content_type


async def _upload(person: Person, side: Side, data: bytes, kind: str) -> str:
    headers = {"Authorization": f"Bearer {person.token}", "Content-Type": kind}
    url = f"{side.url}/_matrix/media/v3/upload?filename=kairan"
    async with aiohttp.ClientSession() as session, session.post(url, data=data, headers=headers) as answer:
        assert answer.status == 200
        return str((await answer.json())["content_uri"]).removeprefix("mxc://")


async def test_a_file_is_read_on_the_other_server(here: Side, there: Side) -> None:
    hanako, taro = await here.user("hanako"), await there.user("taro")
    place = await _upload(hanako, here, "回覧です\n".encode() * 10_000, "text/plain")
    for _ in range(2):
        status, data, kind = await _get(taro, there, f"/_matrix/client/v1/media/download/{place}")
        assert (status, data, kind) == (200, "回覧です\n".encode() * 10_000, "text/plain")


async def test_a_picture_is_shown_small_on_the_other_server(here: Side, there: Side) -> None:
    hanako, taro = await here.user("hanako"), await there.user("taro")
    file = io.BytesIO()
    Image.new("RGB", (640, 480), "green").save(file, "png")
    place = await _upload(hanako, here, file.getvalue(), "image/png")
    status, data, _ = await _get(
        taro, there, f"/_matrix/client/v1/media/thumbnail/{place}?width=96&height=96&method=scale"
    )
    assert status == 200
    assert max(Image.open(io.BytesIO(data)).size) <= 320


async def test_a_file_that_is_not_there(here: Side, there: Side) -> None:
    taro = await there.user("taro")
    status, _, _ = await _get(taro, there, f"/_matrix/client/v1/media/download/{here.name}/nothingofthekind")
    assert status == 404
