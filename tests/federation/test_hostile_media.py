"""Servers that answer with something else than the file that was asked for."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.identity.discovery import Discovery
from federation.identity.servers import OwnIdentity, Servers
from federation.outbound import far_media
from federation.outbound.far_media import HttpFarMedia
from federation.outbound.multipart import Parts, boundary_in
from server.foundation.clock import SystemClock
from server.foundation.errors import Refused
from server.foundation.outgoing import Outgoing
from server.foundation.signatures import SigningKey
from server.media.model import Mxc
from server.rooms.ports import PeerFailed
from tests.builders import RunningNode
from tests.federation.file_server import (
    BOUNDARY,
    SIGNED,
    FileServer,
    file_server,
    parts,
    says,
    says_for_ever,
    says_nothing_more,
)
from tests.federation.town import town

LIMIT = 200_000
LIMITS = f"[limits]\nenabled = false\nupload_bytes = {LIMIT}\n"
GOOD = parts(b"content")
_begun = parts(b"x").removesuffix(f"\r\n--{BOUNDARY}--\r\n".encode())


@pytest.fixture
async def oni() -> AsyncIterator[FileServer]:
    async with file_server() as server:
        yield server


@pytest.fixture
async def ume(tmp_path: Path) -> AsyncIterator[RunningNode]:
    async with town(tmp_path, "ume", more=LIMITS) as (node,):
        yield node


class Got:
    """What a resident was shown."""

    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body


async def _asks(node: RunningNode, oni: FileServer, media_id: str = "abc") -> Got:
    taro = await node.user("taro")
    path = f"/_matrix/client/v1/media/download/{oni.name}/{media_id}"
    async with node.client.get(path, headers={"Authorization": f"Bearer {taro.token}"}) as answer:
        return Got(answer.status, answer.headers, await answer.read())


def _nothing_is_kept(node: RunningNode) -> bool:
    return not [path for path in (node.settings.media_dir / "remote").rglob("*") if path.is_file()]


async def test_an_answer_as_it_should_be_is_shown(ume: RunningNode, oni: FileServer) -> None:
    oni.gives[SIGNED] = says(GOOD)
    got = await _asks(ume, oni)
    assert (got.status, got.body, got.headers["Content-Type"]) == (200, b"content", "image/png")


@pytest.mark.parametrize(("body", "content_type"), [
    (b"plain", "image/png"), (GOOD, "multipart/mixed"), (GOOD, f"multipart/mixed; boundary={'x' * 71}"),
    (GOOD, "multipart/mixed; boundary=other"), (GOOD, f"multipart/form-data; boundary={BOUNDARY}"),
    (GOOD[:-20], ""), (b"", ""), (b"x" * 100_000, ""), (f"--{BOUNDARY}--\r\n".encode(), ""),
    (f"--{BOUNDARY}\r\n\r\n{{}}\r\n--{BOUNDARY}--\r\n".encode(), ""), (GOOD.replace(b"{}", b"x" * 70_000), ""),
    (GOOD.replace(b"image/png", b"x" * 20_000), ""), (GOOD.replace(b"\r\n\r\n", b"\r\nA: b" * 5_000), ""),
])  # fmt: skip
async def test_what_is_no_file_in_parts_is_not_taken(
    ume: RunningNode, oni: FileServer, body: bytes, content_type: str
) -> None:
    oni.gives[SIGNED] = says(body, content_type or f"multipart/mixed; boundary={BOUNDARY}")
    assert (await _asks(ume, oni)).status == 404
    assert _nothing_is_kept(ume)


async def test_a_file_without_an_end_is_cut_off(ume: RunningNode, oni: FileServer) -> None:
    sent: list[int] = []
    oni.gives[SIGNED] = says_for_ever(oni, _begun, b"x" * 16_384, sent)
    got = await _asks(ume, oni)
    assert (got.status, b"M_TOO_LARGE" in got.body) == (502, True)
    assert _nothing_is_kept(ume)
    assert sum(sent) < 50 * LIMIT  # what the buffers of both sides hold


async def test_a_file_that_says_it_is_too_large_is_not_begun(ume: RunningNode, oni: FileServer) -> None:
    oni.gives[SIGNED] = says_for_ever(oni, _begun, b"x", [], length=10 * LIMIT)
    got = await _asks(ume, oni)
    assert (got.status, b"M_TOO_LARGE" in got.body) == (502, True)
    assert _nothing_is_kept(ume)


async def test_a_file_that_is_shorter_than_it_says_is_not_kept(ume: RunningNode, oni: FileServer) -> None:
    oni.gives[SIGNED] = says(_begun + b"rest")
    assert (await _asks(ume, oni)).status == 404
    assert _nothing_is_kept(ume)


async def test_whoever_falls_silent_is_not_waited_for(
    ume: RunningNode, oni: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(far_media, "_SILENCE_S", 0.2)
    oni.gives[SIGNED] = says_nothing_more(oni, _begun)
    assert (await _asks(ume, oni)).status == 404
    assert _nothing_is_kept(ume)


async def test_a_packed_answer_is_not_unpacked(ume: RunningNode, oni: FileServer) -> None:
    oni.gives[SIGNED] = says(gzip.compress(parts(bytes(50_000_000))), Content_Encoding="gzip")
    assert (await _asks(ume, oni)).status == 404
    assert oni.asked[-1].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(("told", "shown"), [
    ("text/html; charset=utf-8", "text/html; charset=utf-8"), ("nonsense", "application/octet-stream"),
    ("text/html\x0bX: y", "application/octet-stream"), ("a/" + "b" * 300, "application/octet-stream"),
    ("image/svg+xml", "image/svg+xml"),
])  # fmt: skip
async def test_a_page_or_program_is_never_shown_in_place(
    ume: RunningNode, oni: FileServer, told: str, shown: str
) -> None:
    oni.gives[SIGNED] = says(parts(b"<script>", told, Content_Disposition='inline; filename="../../node.db\u202e"'))
    got = await _asks(ume, oni)
    assert got.headers["Content-Type"] == shown
    assert got.headers["Content-Disposition"] == 'attachment; filename="node.db"'
    assert "sandbox" in got.headers["Content-Security-Policy"]


@pytest.mark.parametrize("told", [
    "inline; filename*=nothing''%ff", "inline; filename*=utf-8''%ff", 'inline; filename="', '"', "filename=;;=",
])  # fmt: skip
async def test_a_name_that_cannot_be_read_is_left_out(ume: RunningNode, oni: FileServer, told: str) -> None:
    oni.gives[SIGNED] = says(parts(b"content", Content_Disposition=told))
    got = await _asks(ume, oni)
    assert (got.status, got.headers["Content-Disposition"]) == (200, "inline")


async def test_the_file_may_lie_elsewhere(ume: RunningNode, oni: FileServer) -> None:
    oni.gives[SIGNED] = says(parts(b"", Location=f"https://{oni.name}/elsewhere/1"))
    oni.gives["/elsewhere/1"] = says(b"", status=302, Location="/elsewhere/2")
    oni.gives["/elsewhere/2"] = says(b"content", "text/plain")
    got = await _asks(ume, oni)
    assert (got.status, got.body, got.headers["Content-Type"]) == (200, b"content", "text/plain")
    assert oni.paths() == [f"{SIGNED}abc", "/elsewhere/1", "/elsewhere/2"]
    signed = ["Authorization" in request.headers for request in oni.asked if "elsewhere" in request.path]
    assert signed == [False, False]


@pytest.mark.parametrize("place", [
    "http://{name}/elsewhere", "/elsewhere", "file:///etc/passwd", "https://", "https://[::1", "gopher://x",
    "https://{name}/elsewhere" + "x" * 10_000, "https://{name}/round", "https://{name}/elsewhere/missing",
])  # fmt: skip
async def test_not_every_place_is_gone_to(ume: RunningNode, oni: FileServer, place: str) -> None:
    oni.gives[SIGNED] = says(parts(b"", Location=place.format(name=oni.name)))
    oni.gives["/elsewhere"] = says(b"content", "text/plain")
    oni.gives["/elsewhere/missing"] = says(b"", status=404)
    oni.gives["/round"] = says(b"", status=302, Location="/round")
    assert (await _asks(ume, oni)).status == 404
    assert len(oni.asked) < 8
    assert _nothing_is_kept(ume)


@pytest.mark.parametrize("host", ["127.0.0.2", "localhost", "[::ffff:127.0.0.2]", "10.0.0.1", "169.254.169.254"])
async def test_no_place_in_the_nodes_own_network_is_gone_to(oni: FileServer, host: str) -> None:
    """Only the server itself is allowed here; whatever it names is not."""
    outgoing = Outgoing([ip_network("127.0.0.1/32")] if host != "localhost" else [])
    servers = Servers(OwnIdentity("ume.example", SigningKey.generate()), _no_discovery(outgoing), outgoing, False)
    try:
        with pytest.raises(PeerFailed, match="does not go"):
            async with servers.stream_from(f"https://{host}:{oni.port}/elsewhere"):
                pass
        if host != "localhost":
            oni.gives[SIGNED] = says(parts(b"", Location=f"https://{host}:{oni.port}/elsewhere"))
            with pytest.raises(PeerFailed, match="does not go"):
                async with HttpFarMedia(servers).fetch(Mxc(oni.name, "abc"), wait_ms=0):
                    pass
            assert oni.paths() == [f"{SIGNED}abc"]
    finally:
        await outgoing.close()


def _no_discovery(outgoing: Outgoing) -> Discovery:
    class NoServices:
        async def find(self, name: str) -> list[tuple[str, int]]:
            return []

    return Discovery(outgoing, NoServices(), SystemClock(), False)


async def test_an_old_server_is_asked_at_its_open_door(ume: RunningNode, oni: FileServer) -> None:
    old = f"/_matrix/media/v3/download/{oni.name}/abc"
    oni.gives[old] = says(b"content", "text/plain", Content_Disposition="inline; filename=a.txt")
    got = await _asks(ume, oni)
    assert (got.status, got.body) == (200, b"content")
    assert oni.paths() == [f"{SIGNED}abc", old]
    assert oni.asked[-1].query == {"allow_remote": "false"}
    assert "Authorization" not in oni.asked[-1].headers


@pytest.mark.parametrize(("status", "code", "shown"), [
    (404, "M_NOT_FOUND", (404, b"M_NOT_FOUND")), (403, "M_FORBIDDEN", (404, b"M_UNKNOWN")),
    (500, "M_UNKNOWN", (404, b"M_UNKNOWN")), (401, "M_UNAUTHORIZED", (404, b"M_UNKNOWN")),
    (504, "M_NOT_YET_UPLOADED", (504, b"M_NOT_YET_UPLOADED")), (502, "M_TOO_LARGE", (502, b"M_TOO_LARGE")),
])  # fmt: skip
async def test_a_refusal_is_told_and_the_open_door_not_tried(
    ume: RunningNode, oni: FileServer, status: int, code: str, shown: tuple[int, bytes]
) -> None:
    oni.gives[SIGNED] = says(b'{"errcode":"%s","error":"no"}' % code.encode(), "application/json", status)
    got = await _asks(ume, oni)
    assert (got.status, shown[1] in got.body) == (shown[0], True), got.body
    assert oni.paths() == [f"{SIGNED}abc"]


async def test_a_broken_file_is_not_fetched_again_at_once_but_another_is(ume: RunningNode, oni: FileServer) -> None:
    oni.gives[SIGNED] = says(b"nonsense")
    assert [(await _asks(ume, oni)).status for _ in range(3)] == [404, 404, 404]
    assert len(oni.paths()) == 1
    oni.gives[SIGNED] = says(GOOD)
    assert (await _asks(ume, oni, "other")).status == 200


@given(st.binary(max_size=300), st.lists(st.integers(1, 40), min_size=1, max_size=20))
async def test_it_does_not_matter_how_an_answer_is_cut(content: bytes, cuts: list[int]) -> None:
    if f"\r\n--{BOUNDARY}".encode() in content or content.startswith(f"--{BOUNDARY}".encode()):
        return

    async def pieces() -> AsyncIterator[bytes]:
        body, number = parts(content), 0
        while body:
            size = cuts[number % len(cuts)]
            yield body[:size]
            body, number = body[size:], number + 1

    read = Parts(pieces(), BOUNDARY)
    await read.begin()
    assert await read.whole(100) == b"{}"
    assert (await read.begin())["content-type"] == "image/png"
    assert b"".join([chunk async for chunk in read.chunks()]) == content


@given(st.binary(max_size=2_000))
async def test_noise_is_refused_or_read(noise: bytes) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield noise

    async def read_all() -> None:
        read = Parts(pieces(), "b")
        while True:
            await read.begin()
            await read.whole(10_000)

    with pytest.raises(Refused):
        await read_all()


@pytest.mark.parametrize(("header", "found"), [
    ("multipart/mixed; boundary=abc", "abc"), ('multipart/mixed; boundary="a b:c"', "a b:c"),
    ("Multipart/Mixed;Boundary=abc", "abc"), ("multipart/mixed; charset=utf-8; boundary=abc; x=y", "abc"),
    ("multipart/mixed", None), ("multipart/mixed; boundary=", None), ('multipart/mixed; boundary="abc ', None),
    ("text/plain; boundary=abc", None), ("multipart/mixed; boundary=é", None),
])  # fmt: skip
def test_the_boundary_is_read_from_its_header(header: str, found: str | None) -> None:
    assert boundary_in(header) == found
