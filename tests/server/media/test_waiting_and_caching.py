"""Files that are announced and awaited, asked for in parts, and kept by caches."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import pytest

from server.media.model import Mxc
from tests.server.media.conftest import SERVER, Node
from tests.server.media.pictures import gif_of, picture, read

DOWNLOAD = "/_matrix/client/v1/media/download"
THUMBNAIL = "/_matrix/client/v1/media/thumbnail"


async def _announce(node: Node, who: str = "hanako") -> str:
    answer = await node.client.post("/_matrix/media/v1/create", headers=node.headers[who])
    assert answer.status == 200
    return str((await answer.json())["content_uri"]).removeprefix("mxc://")


async def _bring(node: Node, place: str, data: Any = b"later") -> int:
    headers = {**node.headers["hanako"], "Content-Type": "image/png"}
    return (await node.client.put(f"/_matrix/media/v3/upload/{place}", data=data, headers=headers)).status


async def _waiters(node: Node, count: int) -> None:
    """Until so many requests wait for a file."""
    waiting = node.services.media._arrivals._waiting
    for _ in range(2_000):
        if sum(len(marks) for marks in waiting.values()) == count:
            return
        await asyncio.sleep(0.005)
    raise AssertionError("nobody waits")


async def test_whoever_waits_for_an_announced_file_gets_it_when_it_comes(node: Node) -> None:
    place = await _announce(node)
    async with asyncio.TaskGroup() as group:
        first = group.create_task(node.get(f"{DOWNLOAD}/{place}?timeout_ms=50000"))
        second = group.create_task(node.get(f"{DOWNLOAD}/{place}"))
        small = group.create_task(node.get(f"{THUMBNAIL}/{place}?width=32&height=32&method=crop"))
        await _waiters(node, 3)
        assert await _bring(node, place, picture("PNG", 40, 40)) == 200
    assert [answer.result().status for answer in (first, second, small)] == [200, 200, 200]
    assert node.services.media._arrivals._waiting == {}


async def test_whoever_waits_long_enough_is_told_that_it_has_not_come(node: Node) -> None:
    place = await _announce(node)
    answer = await node.get(f"{DOWNLOAD}/{place}?timeout_ms=1")
    assert (answer.status, (await answer.json())["errcode"]) == (504, "M_NOT_YET_UPLOADED")


async def test_whoever_waits_when_the_node_stops_is_told_so_at_once(node: Node) -> None:
    places = [await _announce(node), await _announce(node)]
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(node.get(f"{DOWNLOAD}/{place}?timeout_ms=60000")) for place in places]
        await _waiters(node, 2)
        node.services.media.stop_waiting()
    assert [task.result().status for task in waiting] == [504, 504]


async def test_an_upload_that_was_refused_can_be_tried_again(node: Node) -> None:
    place = await _announce(node)
    limits = node.services.media.limits
    node.services.media.limits = dataclasses.replace(limits, upload_bytes=3)
    assert await _bring(node, place) == 413
    node.services.media.limits = limits
    assert await _bring(node, place) == 200


async def test_two_who_bring_the_same_file_at_once_do_not_mix(node: Node) -> None:
    place = await _announce(node)
    statuses = await asyncio.gather(*(_bring(node, place, bytes([number]) * 300_000) for number in range(4)))
    assert sorted(statuses) == [200, 409, 409, 409]
    content = await (await node.download(place)).read()
    assert len(content) == 300_000
    assert len(set(content)) == 1


async def test_an_announced_file_that_nobody_brought_in_time_is_not_found(node: Node) -> None:
    place = await _announce(node)
    media = node.services.media
    media.limits = dataclasses.replace(media.limits, pending_ms=-1)
    assert (await node.download(place)).status == 404
    assert await _bring(node, place) == 404


async def test_what_was_never_announced_cannot_be_brought(node: Node) -> None:
    assert await _bring(node, f"{SERVER}/AAAAAAAAAAAAAAAAAAAAAAAA") == 404
    assert await _bring(node, "elsewhere.example/AAAAAAAAAAAAAAAAAAAAAAAA") == 404


@pytest.mark.parametrize("query", ["timeout_ms=-1", "timeout_ms=soon", "allow_remote=yes", "allow_redirect=1"])
async def test_parameters_that_mean_nothing_are_refused(node: Node, query: str) -> None:
    place = await node.uploaded(picture("PNG", 10, 10), "image/png")
    for path in (f"{DOWNLOAD}/{place}?{query}", f"{THUMBNAIL}/{place}?width=32&height=32&{query}"):
        answer = await node.get(path)
        assert (answer.status, (await answer.json())["errcode"]) == (400, "M_INVALID_PARAM")


async def test_parameters_that_decide_nothing_here_are_taken(node: Node) -> None:
    place = await node.uploaded(b"x")
    for query in ("allow_remote=false", "allow_remote=true&allow_redirect=true", "timeout_ms=0", "timeout_ms=99999999"):
        assert (await node.get(f"{DOWNLOAD}/{place}?{query}")).status == 200


async def test_another_servers_file_is_not_fetched_where_the_caller_forbids_it(node: Node) -> None:
    assert (await node.get(f"{DOWNLOAD}/elsewhere.example/abc?allow_remote=false")).status == 404


@pytest.mark.parametrize(("asked", "status", "content"), [
    ("bytes=0-3", 206, b"0123"), ("bytes=7-", 206, b"789"), ("bytes=-2", 206, b"89"), ("bytes=8-99", 206, b"89"),
    ("bytes=10-", 416, None), ("bytes=5-2", 416, None),
])
async def test_parts_of_a_file(node: Node, asked: str, status: int, content: bytes | None) -> None:
    place = await node.uploaded(b"0123456789", "audio/ogg")
    answer = await node.download(place, Range=asked)
    assert answer.status == status
    if content is not None:
        assert await answer.read() == content
        assert answer.headers["Content-Length"] == str(len(content))
    else:
        assert answer.headers["Content-Range"] == "bytes */10"


async def test_a_cache_that_has_the_file_is_told_so_in_one_line(node: Node) -> None:
    place = await node.uploaded(b"0123456789", "text/plain")
    mark = (await node.download(place)).headers["ETag"]
    again = await node.download(place, **{"If-None-Match": mark})
    assert (again.status, await again.read()) == (304, b"")
    other = await node.download(place, **{"If-None-Match": '"another"'})
    assert (other.status, await other.read()) == (200, b"0123456789")


@pytest.mark.parametrize("below", ["/_matrix/client/v1/media", "/_matrix/media/v3"])
async def test_only_the_head_can_be_asked_for(node: Node, below: str) -> None:
    place = await node.uploaded(picture("PNG", 40, 40), "image/png", "a.png")
    for path in (f"{below}/download/{place}", f"{below}/download/{place}/b.png",
                 f"{below}/thumbnail/{place}?width=32&height=32"):
        answer = await node.client.head(path, headers=node.headers["hanako"])
        assert (answer.status, await answer.read()) == (200, b"")
        assert int(answer.headers["Content-Length"]) > 0
        assert answer.headers["Content-Disposition"].startswith("inline")
        refused = await node.client.head(path)
        assert refused.status in (401, 404)


async def test_a_file_without_a_type_or_a_wrong_one_is_bytes(node: Node) -> None:
    for headers in ({}, {"Content-Type": "nonsense"}, {"Content-Type": "text/html; x"}):
        answer = await node.client.post(
            "/_matrix/media/v3/upload", data=b"<script>alert(1)</script>", skip_auto_headers=["Content-Type"],
            headers={**node.headers["hanako"], **headers},
        )
        assert answer.status == 200
        place = str((await answer.json())["content_uri"]).removeprefix("mxc://")
        told = (await node.download(place)).headers
        assert told["Content-Type"] == "application/octet-stream"
        assert told["Content-Disposition"] == "attachment"
        assert "sandbox" in told["Content-Security-Policy"]
        assert told["X-Content-Type-Options"] == "nosniff"
        assert told["Cross-Origin-Resource-Policy"] == "cross-origin"


async def test_downloads_without_a_token_are_a_matter_of_the_settings(node: Node) -> None:
    place = await node.uploaded(picture("PNG", 40, 40), "image/png")
    media = node.services.media
    for open_until_ts, status in ((0, 404), (1 << 62, 200)):
        media.limits = dataclasses.replace(media.limits, open_until_ts=open_until_ts)
        assert (await node.get(f"/_matrix/media/v3/download/{place}", who=None)).status == status
        assert (await node.get(f"/_matrix/media/v3/thumbnail/{place}?width=9&height=9", who=None)).status == status
        assert (await node.get(f"{DOWNLOAD}/{place}", who=None)).status == 401


async def test_many_who_upload_and_download_at_once_get_their_own(node: Node) -> None:
    places = await asyncio.gather(*(node.uploaded(f"file {number}".encode()) for number in range(30)))
    answers = await asyncio.gather(*(node.download(place) for place in places))
    assert [await answer.read() for answer in answers] == [f"file {number}".encode() for number in range(30)]
    assert len(set(places)) == 30


@pytest.mark.parametrize("method", ["scale", "crop"])
async def test_a_moving_picture_moves_where_that_is_wished(node: Node, method: str) -> None:
    place = await node.uploaded(gif_of(5), "image/gif")
    asked = f"width=9&height=9&method={method}"
    moving = await node.thumbnail(place, f"{asked}&animated=true")
    assert moving.headers["Content-Type"] == "image/webp"
    assert getattr(read(await moving.read()), "n_frames", 1) > 1
    for query in (asked, f"{asked}&animated=false"):
        still = await node.thumbnail(place, query)
        assert still.headers["Content-Type"] in ("image/jpeg", "image/png")
        assert getattr(read(await still.read()), "n_frames", 1) == 1


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
async def test_a_still_picture_stays_still_whatever_is_wished(node: Node, kind: str) -> None:
    place = await node.uploaded(picture(kind, 60, 60), "image/gif")
    answer = await node.thumbnail(place, "width=32&height=32&method=crop&animated=true")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/jpeg")
    assert read(await answer.read()).size == (32, 32)


async def test_a_moving_picture_with_very_many_frames_stands_still(node: Node) -> None:
    place = await node.uploaded(gif_of(1000), "image/gif")
    answer = await node.thumbnail(place, "width=32&height=32&animated=true")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/jpeg")


async def test_a_node_that_lost_a_file_says_not_found(node: Node) -> None:
    place = await node.uploaded(b"x")
    node.services.media._files.content_path(Mxc.parse(f"mxc://{place}").media_id).unlink()
    assert (await node.download(place)).status == 404
