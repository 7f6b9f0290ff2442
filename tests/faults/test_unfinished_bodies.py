"""R12: whoever stops in the middle of a body is not waited for for ever, at any door."""

from __future__ import annotations

import asyncio

import pytest

from server.http import arriving
from tests.builders import RunningNode

_PATIENCE_S = 20
_FORM = "Content-Type: multipart/form-data; boundary=x"
_START = '--x\r\nContent-Disposition: form-data; name="user"\r\n\r\nhana'


@pytest.mark.parametrize(("line", "headers", "start"), [
    ("POST /_matrix/client/v3/login", "Content-Type: application/json", "{"),
    ("POST /_matrix/media/v3/upload", "Authorization: Bearer {token}", "abc"),
    ("PUT /dav/calendars/hanako/personal/a.ics", "Content-Type: text/calendar", "BEGIN:VCALENDAR"),
    ("POST /login", _FORM, _START),
    ("POST /login", "Content-Type: application/x-www-form-urlencoded", "user=hana"),
    ("POST /push/answer", "Content-Type: application/x-www-form-urlencoded", "token="),
])  # fmt: skip
async def test_a_body_that_stops_in_its_middle_is_given_up(
    node: RunningNode, monkeypatch: pytest.MonkeyPatch, line: str, headers: str, start: str
) -> None:
    hanako = await node.user("hanako")
    monkeypatch.setattr(arriving, "PATIENCE_S", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", node.client.port)
    head = f"{line} HTTP/1.1\r\nHost: here\r\nContent-Length: 5000\r\n{headers.format(token=hanako.token)}\r\n\r\n"
    with node.contract.tolerating("a request that never ends"):
        writer.write((head + start).encode())
        answer = await asyncio.wait_for(reader.readline(), _PATIENCE_S)
    writer.close()
    assert b" 4" in answer, answer


async def test_a_body_that_comes_slowly_but_comes_is_taken(node: RunningNode, monkeypatch: pytest.MonkeyPatch) -> None:
    hanako = await node.user("hanako")
    monkeypatch.setattr(arriving, "PATIENCE_S", 5.0)
    reader, writer = await asyncio.open_connection("127.0.0.1", node.client.port)
    head = f"POST /_matrix/client/v3/createRoom HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {hanako.token}\r\n"
    writer.write(f"{head}Content-Length: 20\r\n\r\n".encode())
    with node.contract.tolerating("a request in pieces, which the watch cannot read again"):
        answer = await _letter_by_letter(reader, writer)
    writer.close()
    assert b" 200 " in answer, answer


async def _letter_by_letter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    for letter in b'{"name":"\xe7\xac\xac\xe4\xb8\x80\xe7\x8f\xad"}':
        writer.write(bytes([letter]))
        await writer.drain()
        await asyncio.sleep(0.01)
    return await asyncio.wait_for(reader.readline(), _PATIENCE_S)
