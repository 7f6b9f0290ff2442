"""Files go in and come out as they were; what is refused leaves nothing behind."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import ClientResponse

from server.foundation.clock import SystemClock
from server.foundation.errors import NotFound
from server.media.model import Mxc
from tests.server.media.conftest import SERVER, UPLOAD_LIMIT, Node
from tests.server.media.pictures import picture


async def _pieces(total: int, size: int = 65536) -> AsyncIterator[bytes]:
    for start in range(0, total, size):
        yield bytes(min(size, total - start))


async def test_a_file_comes_back_as_it_was(node: Node) -> None:
    content = os.urandom(300_000)
    place = await node.uploaded(content, "application/pdf", "秋の清掃.pdf")
    answer = await node.download(place)
    assert answer.status == 200
    assert await answer.read() == content
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == (
        "attachment; filename*=utf-8''%E7%A7%8B%E3%81%AE%E6%B8%85%E6%8E%83.pdf"
    )


async def test_the_name_in_the_address_wins(node: Node) -> None:
    place = await node.uploaded(b"x", "image/png", "a.png")
    answer = await node.download(f"{place}/b.png")
    assert answer.headers["Content-Disposition"] == 'inline; filename="b.png"'


async def test_a_part_of_a_file_can_be_asked_for(node: Node) -> None:
    place = await node.uploaded(b"0123456789", "video/mp4")
    answer = await node.download(place, Range="bytes=2-5")
    assert (answer.status, await answer.read()) == (206, b"2345")
    assert answer.headers["Content-Range"] == "bytes 2-5/10"


async def test_an_empty_file_is_a_file(node: Node) -> None:
    assert await (await node.download(await node.uploaded(b""))).read() == b""


async def test_a_file_without_a_declared_length_is_kept(node: Node) -> None:
    place = await node.uploaded(_pieces(700_000))
    assert len(await (await node.download(place)).read()) == 700_000


async def test_both_addresses_tell_the_largest_size(node: Node) -> None:
    for path in ("/_matrix/client/v1/media/config", "/_matrix/media/v3/config"):
        assert await (await node.get(path)).json() == {"m.upload.size": UPLOAD_LIMIT}


async def test_without_a_token_nothing_is_taken_and_nothing_given(node: Node) -> None:
    place = await node.uploaded(b"x")
    refused = await node.client.post("/_matrix/media/v3/upload", data=b"x")
    assert (refused.status, (await refused.json())["errcode"]) == (401, "M_MISSING_TOKEN")
    for path, status in (
        (f"/_matrix/client/v1/media/download/{place}", 401),
        (f"/_matrix/client/v1/media/thumbnail/{place}?width=32&height=32", 401),
        ("/_matrix/client/v1/media/config", 401),
        (f"/_matrix/media/v3/download/{place}", 404),
        (f"/_matrix/media/v3/thumbnail/{place}?width=32&height=32", 404),
    ):
        answer = await node.get(path, who=None)
        assert answer.status == status, path
        assert (await answer.json())["errcode"] == {401: "M_MISSING_TOKEN", 404: "M_NOT_FOUND"}[status]


@pytest.mark.parametrize("version", ["v3", "r0", "v1"])
async def test_the_old_addresses_work_with_a_token(node: Node, version: str) -> None:
    place = await node.uploaded(b"hello", "text/plain")
    answer = await node.get(f"/_matrix/media/{version}/download/{place}/hello.txt")
    assert (answer.status, await answer.read()) == (200, b"hello")
    wrong = await node.client.get(
        f"/_matrix/media/{version}/download/{place}", headers={"Authorization": "Bearer nonsense"}
    )
    assert wrong.status == 401


async def test_only_files_from_before_the_freeze_are_open_at_the_old_address(node: Node) -> None:
    old = await node.uploaded(picture("PNG", 10, 10), "image/png")
    media = node.services.media
    media.limits = dataclasses.replace(media.limits, open_until_ts=SystemClock().now_ms() + 1)
    assert (await node.get(f"/_matrix/media/v3/download/{old}", who=None)).status == 200
    assert (await node.get(f"/_matrix/media/v3/thumbnail/{old}?width=32&height=32", who=None)).status == 200
    assert (await node.get(f"/_matrix/client/v1/media/download/{old}", who=None)).status == 401
    media.limits = dataclasses.replace(media.limits, open_until_ts=1)
    assert (await node.get(f"/_matrix/media/v3/download/{old}", who=None)).status == 404


async def test_other_servers_media_and_unknown_ids_are_not_found(node: Node) -> None:
    place = await node.uploaded(b"x")
    media_id = place.partition("/")[2]
    for strange in (f"elsewhere.example/{media_id}", f"{SERVER}/{'a' * 24}", f"{SERVER}/{'a' * 300}"):
        answer = await node.download(strange)
        assert (answer.status, (await answer.json())["errcode"]) == (404, "M_NOT_FOUND")


async def test_a_declared_length_over_the_limit_is_refused_before_anything_is_read(node: Node) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", node.client.port)
    head = (
        f"POST /_matrix/media/v3/upload HTTP/1.1\r\nHost: x\r\nAuthorization: {node.headers['hanako']['Authorization']}"
        f"\r\nContent-Length: {UPLOAD_LIMIT + 1}\r\n\r\n"
    )
    writer.write(head.encode())
    answer = await asyncio.wait_for(reader.read(4096), 20)  # not one byte of the body has been sent
    writer.close()
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"M_TOO_LARGE" in answer
    assert node.files() == []


async def test_a_stream_that_grows_over_the_limit_is_cut_off_and_leaves_nothing(node: Node) -> None:
    answer = await node.upload(_pieces(UPLOAD_LIMIT + 1))
    assert (answer.status, (await answer.json())["errcode"]) == (413, "M_TOO_LARGE")
    assert node.files() == []
    assert (await node.upload(_pieces(UPLOAD_LIMIT))).status == 200


async def test_an_upload_that_breaks_off_leaves_nothing(node: Node) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", node.client.port)
    head = (
        f"POST /_matrix/media/v3/upload HTTP/1.1\r\nHost: x\r\nAuthorization: {node.headers['hanako']['Authorization']}"
        "\r\nContent-Length: 100000\r\n\r\n"
    )
    writer.write(head.encode() + bytes(5000))
    await writer.drain()
    await _until(lambda: len(node.files()) == 1)
    writer.transport.abort()
    await _until(lambda: node.files() == [])


async def test_a_broken_encoding_is_refused(node: Node) -> None:
    answer = await node.client.post(
        "/_matrix/media/v3/upload", data=b"this is not gzip" * 100,
        headers={**node.headers["hanako"], "Content-Encoding": "gzip"},
    )
    assert answer.status == 400
    assert node.files() == []


async def test_what_a_person_keeps_is_counted(node: Node) -> None:
    for _ in range(2):
        assert (await node.upload(bytes(UPLOAD_LIMIT))).status == 200
    assert (await node.upload(bytes(UPLOAD_LIMIT - 10))).status == 200
    full = await node.upload(bytes(11))
    assert (full.status, (await full.json())["errcode"]) == (403, "M_FORBIDDEN")
    assert (await node.upload(_pieces(11))).status == 403
    assert (await node.upload(bytes(11), who="taro")).status == 200


async def test_many_uploads_at_once_do_not_slip_past_the_quota(node: Node) -> None:
    answers = await asyncio.gather(*(node.upload(_pieces(UPLOAD_LIMIT)) for _ in range(8)))
    assert sorted({answer.status for answer in answers}) == [200, 403]
    assert sum(answer.status == 200 for answer in answers) <= 3
    assert len(node.files()) == sum(answer.status == 200 for answer in answers)


async def test_a_deleted_file_is_gone_with_all_its_traces(node: Node) -> None:
    place = await node.uploaded(b"secret", "text/plain")
    mxc = Mxc.parse(f"mxc://{place}")
    await node.services.media.delete(mxc)
    assert (await node.download(place)).status == 404
    assert node.files() == []
    with pytest.raises(NotFound):
        await node.services.media.delete(mxc)


async def test_an_announced_file_can_be_brought_once_by_its_owner(node: Node) -> None:
    made = await (await node.client.post("/_matrix/media/v1/create", headers=node.headers["hanako"])).json()
    assert made["unused_expires_at"] > 0
    place = made["content_uri"].removeprefix("mxc://")
    early = await node.get(f"/_matrix/client/v1/media/download/{place}?timeout_ms=0")
    assert (early.status, (await early.json())["errcode"]) == (504, "M_NOT_YET_UPLOADED")
    assert (await _bring(node, place, "taro")).status == 403
    assert (await _bring(node, place, "hanako")).status == 200
    assert await (await node.download(place)).read() == b"later"
    again = await _bring(node, place, "hanako")
    assert (again.status, (await again.json())["errcode"]) == (409, "M_CANNOT_OVERWRITE_MEDIA")
    unknown = await _bring(node, f"{SERVER}/{'z' * 24}", "hanako")
    assert (unknown.status, (await unknown.json())["errcode"]) == (404, "M_NOT_FOUND")


async def test_only_so_many_files_can_be_announced(node: Node) -> None:
    for _ in range(node.services.media.limits.pending_per_owner):
        assert (await node.client.post("/_matrix/media/v1/create", headers=node.headers["hanako"])).status == 200
    refused = await node.client.post("/_matrix/media/v1/create", headers=node.headers["hanako"])
    assert (refused.status, (await refused.json())["errcode"]) == (429, "M_LIMIT_EXCEEDED")


async def _bring(node: Node, place: str, who: str) -> ClientResponse:
    return await node.client.put(f"/_matrix/media/v3/upload/{place}", data=b"later", headers=node.headers[who])


async def _until(condition: Callable[[], bool]) -> None:
    """Wait until ``condition`` holds, at most ten seconds."""
    for _ in range(1_000):
        if await asyncio.to_thread(condition):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to pass")
