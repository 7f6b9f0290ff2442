"""Attacks on media that other servers have suffered: path traversal, script in files, floods (CVEs named below)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.foundation.errors import InvalidParam
from server.media.model import Mxc, clean_content_type, clean_filename, content_disposition
from tests.server.media.conftest import SERVER, Node

RTL = "\u202e"


@pytest.mark.parametrize("media_id", [
    "..%2f..%2fnode.db", "%2e%2e", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "a%00b", "C:%5Cwindows", "%5c..%5c..", "%ff%fe",
    "a" * 300, "con%0d%0aSet-Cookie:x", "%F0%9F%98%80",
])
@pytest.mark.parametrize("door", ["client/v1/media/download", "client/v1/media/thumbnail", "media/v3/download"])
async def test_no_media_id_leads_out_of_the_folder(node: Node, media_id: str, door: str) -> None:
    """CVE-2021-41281."""
    reader, writer = await asyncio.open_connection("127.0.0.1", node.client.port)
    writer.write(
        f"GET /_matrix/{door}/{SERVER}/{media_id}?width=32&height=32 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"Authorization: {node.headers['hanako']['Authorization']}\r\n\r\n".encode()
    )
    answer = await reader.read()
    writer.close()
    assert answer.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400")), answer[:200]
    assert b"M_NOT_FOUND" in answer or b"M_UNRECOGNIZED" in answer or b"400 Bad Request" in answer
    assert b"Set-Cookie" not in answer.partition(b"\r\n\r\n")[0]


@pytest.mark.parametrize(("given", "kept"), [
    ("../../etc/passwd", "passwd"),
    ("..\\..\\boot.ini", "boot.ini"),
    ("写真.jpg", "写真.jpg"),
    ("a\r\nSet-Cookie: x=1.txt", "aSet-Cookie: x=1.txt"),
    (f"harmless{RTL}gpj.exe", "harmlessgpj.exe"),
    ("nul\x00byte", "nulbyte"),
    ("..", None), ("", None), (None, None), ("/", None), ("  ", None),
    ("lone\ud800surrogate", "lonesurrogate"),
])
def test_a_file_name_is_made_harmless(given: str | None, kept: str | None) -> None:
    assert clean_filename(given) == kept


def test_a_long_name_keeps_its_extension() -> None:
    name = clean_filename("長" * 300 + ".pdf")
    assert name is not None
    assert len(name.encode()) <= 200
    assert name.endswith("長.pdf")


@pytest.mark.parametrize(("name", "header"), [
    ('a"b.txt', 'inline; filename="a\\"b.txt"'),
    ("a;b c.txt", 'inline; filename="a;b c.txt"'),
    ('q"; filename="evil.exe', 'inline; filename="q\\"; filename=\\"evil.exe"'),
    ("é.txt", "inline; filename*=utf-8''%C3%A9.txt"),
    (None, "inline"),
])
def test_the_disposition_is_well_formed(name: str | None, header: str) -> None:
    assert content_disposition("text/plain; charset=utf-8", name) == header


@pytest.mark.parametrize(("given", "kept"), [
    ("image/png", "image/png"), ("text/plain; charset=utf-8", "text/plain; charset=utf-8"),
    (None, "application/octet-stream"), ("text/html\r\nX-Evil: 1", "application/octet-stream"),
    ("nonsense", "application/octet-stream"),
    ("a/" + "b" * 500, "application/octet-stream"), ("ｔｅｘｔ/plain", "application/octet-stream"),
])
def test_a_content_type_is_one_or_it_is_not_kept(given: str | None, kept: str) -> None:
    assert clean_content_type(given) == kept


@pytest.mark.parametrize(
    "uri", ["", "mxc://", "mxc://a", "mxc://a/", "http://a/b", "mxc://a/b/c", "mxc://a/..", None, 3]
)
def test_what_is_no_content_uri_is_refused(uri: object) -> None:
    with pytest.raises(InvalidParam):
        Mxc.parse(uri)


@pytest.mark.parametrize("content_type", [
    "text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "application/pdf", "text/javascript",
    "application/octet-stream", "TEXT/HTML; charset=utf-8", "image/png/../svg",
])
async def test_a_file_runs_nothing_in_a_browser(node: Node, content_type: str) -> None:
    """CVE-2020-26891: pages among the uploads."""
    place = await node.uploaded(b"<script>alert(1)</script>", content_type, "page.html")
    answer = await node.download(place)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'; script-src 'none'")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    "content_type", ["image/png", "image/jpeg", "video/mp4", "audio/ogg", "text/plain; charset=utf-8"]
)
async def test_harmless_types_are_shown_in_place(node: Node, content_type: str) -> None:
    answer = await node.download(await node.uploaded(b"x", content_type, "a.bin"))
    assert answer.headers["Content-Disposition"] == 'inline; filename="a.bin"'
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")


async def test_a_stranger_has_no_word_in_the_headers(node: Node) -> None:
    place = await node.uploaded(b"x", "text/plain", "a\r\nX-Evil: 1")
    answer = await node.download(f"{place}/b%0d%0aX-Evil:%201")
    assert answer.status == 200
    assert "X-Evil" not in answer.headers


async def test_a_form_of_a_thousand_parts_is_one_file_and_not_parsed(node: Node) -> None:
    """CVE-2025-69228, CVE-2024-30251, CVE-2024-52805: whatever the type says, the body is bytes."""
    part = b"--b\r\nContent-Disposition: form-data; name=x\r\n\r\n" + bytes(1000) + b"\r\n"
    before = _forget_peak()
    for content_type in ("multipart/form-data; boundary=b", "multipart/mixed; boundary=b", "multipart/form-data"):
        place = await node.uploaded(part * 1000, content_type)
        assert len(await (await node.download(place)).read()) == len(part) * 1000
    assert _peak_mb() - before < 50


async def test_chunks_of_one_byte_cost_no_memory(node: Node) -> None:
    """CVE-2025-69229."""
    before = _forget_peak()
    reader, writer = await asyncio.open_connection("127.0.0.1", node.client.port)
    writer.write(
        "POST /_matrix/media/v3/upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        f"Authorization: {node.headers['hanako']['Authorization']}\r\n\r\n".encode()
    )
    for _ in range(50):
        writer.write(b"1\r\nx\r\n" * 2000)
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    assert (await asyncio.wait_for(reader.read(4096), 20)).startswith(b"HTTP/1.1 200")
    writer.close()
    assert _peak_mb() - before < 50


async def test_a_flood_over_the_limit_does_not_pass_through_the_memory(node: Node) -> None:
    before = _forget_peak()

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(640):
            yield bytes(2**16)

    assert (await node.upload(endless())).status == 413
    assert _peak_mb() - before < 50
    assert node.files() == []


def _forget_peak() -> int:
    """Begin a new measure of this process's peak; answers its memory now, in MB."""
    Path("/proc/self/clear_refs").write_text("5")
    return _peak_mb()


def _peak_mb() -> int:
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) // 1024
