"""Requests that no client makes: they are refused, and the next one is answered (two Host headers, smuggling …)."""

from __future__ import annotations

import asyncio

import pytest

from tests.builders import RunningNode

PATH = "/_matrix/client/versions"
HOST = "Host: localhost"


async def raw(node: RunningNode, request: bytes) -> bytes:
    """The first line of the answer to these very bytes; empty where there is none."""
    port = node.client.port
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
    try:
        writer.write(request)
        await writer.drain()
        return await asyncio.wait_for(reader.readline(), 5)
    except (ConnectionError, TimeoutError):
        return b""
    finally:
        writer.close()


def request(*headers: str, line: str = f"GET {PATH} HTTP/1.1", body: str = "") -> bytes:
    return ("\r\n".join([line, *headers]) + "\r\n\r\n" + body).encode("latin-1")


@pytest.mark.parametrize(
    "sent",
    [
        request(HOST, "Content-Length: 5", "Transfer-Encoding: chunked", body="0\r\n\r\n"),
        request(HOST, "Content-Length: 5", "Content-Length: 6", body="hello"),
        request(HOST, "Content-Length: +5", body="hello"),
        request(HOST, "Content-Length: 5x", body="hello"),
        request(HOST, "Transfer-Encoding: xchunked", line=f"POST {PATH} HTTP/1.1", body="0\r\n\r\n"),
        request(HOST, "X-Big: " + "x" * 1_000_000),
        request(HOST, *(f"X-{number}: x" for number in range(10_000))),
        request(HOST, "X-Folded: a", " b"),
        request(HOST, "X Space: a"),
        request(HOST, "X-Nul: a\0b"),
        request(HOST, line=f"GET {'/' + 'x' * 100_000} HTTP/1.1"),
        request(HOST, line="GET /\x01 HTTP/9.9"),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\r\n" * 1_000,
    ],
    ids=lambda sent: repr(sent[:60]),
)
async def test_a_request_that_no_client_makes_is_refused(node: RunningNode, sent: bytes) -> None:
    answer = await raw(node, sent)
    assert answer == b"" or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")), answer
    assert (await raw(node, request(HOST))).startswith(b"HTTP/1.1 200")


async def test_two_hosts_are_refused(node: RunningNode) -> None:
    assert b" 400 " in await raw(node, request(HOST, "Host: elsewhere"))


async def test_the_body_of_one_request_is_never_the_next_one(node: RunningNode) -> None:
    hidden = f"GET {PATH} HTTP/1.1\r\n{HOST}\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", node.client.port)
    length = f"Content-Length: {len(hidden)}"
    writer.write(request(HOST, length, "Connection: close", line=f"GET {PATH} HTTP/1.1", body=hidden))
    answers = await asyncio.wait_for(reader.read(), 60)
    writer.close()
    assert answers.count(b"HTTP/1.1 ") == 1
