"""R12, R13, R15, R17: crowds. Slow ones, idle ones, ones that are cut off by a restart, and all of them coming back.

``KAIRAN_IDLE_ROUNDS`` says how often the idle ones wait for half a minute in vain before something is said.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
from collections.abc import Awaitable, Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from tests.faults.process import Client, NodeProcess
from tests.faults.sizes import IS_LONG, open_files, resident_mb, size, tell
from tests.faults.test_kill import GONE, Journal, all_after, write_until_gone

SLOW = size(100, 2_000)
IDLE = size(200, 10_000)
IDLE_ROUNDS = int(os.environ.get("KAIRAN_IDLE_ROUNDS", "0"))
POLLS, UPLOADS = size(40, 500), size(5, 50)
HERD = size(60, 1_000)
PATIENCE_S = 30.0
# A connection that has not asked yet is held for two minutes: longer than a reverse proxy keeps an idle one.
CLOSED_S = 130.0
# Nothing of what was said is left out of an answer of /sync.
MOST_TOLD = 1_000
WHOLE = f'{{"room":{{"timeline":{{"limit":{MOST_TOLD}}}}}}}'


class Line:
    """A connection of its own that asks and may not listen."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, port: int) -> Line:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    def get(self, path: str, token: str) -> None:
        """Ask; the answer comes when it comes."""
        self.writer.write(f"GET {path} HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {token}\r\n\r\n".encode())

    async def answer(self) -> tuple[int, Any]:
        """Status and JSON of the answer."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            int(line.partition(":")[2]) for line in head.split("\r\n") if line.lower().startswith("content-length:")
        )
        return int(head.split()[1]), json.loads(await self.reader.readexactly(length))

    async def is_closed(self) -> bool:
        """Whether the other side has had enough."""
        with suppress(OSError, asyncio.IncompleteReadError):
            while await self.reader.read(1000):
                pass
        return True


async def all_of(lines: Iterable[Awaitable[Any]], at_once: int = 200) -> list[Any]:
    """Their results, not too many at a time: a queue of connections is short."""
    turn = asyncio.Semaphore(at_once)

    async def one(line: Awaitable[Any]) -> Any:
        async with turn:
            return await line

    return await asyncio.gather(*(one(line) for line in lines))


def may_open(count: int) -> int:
    """As many connections as this process may hold."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(count, hard - 500)


@pytest.mark.slow
async def test_those_who_send_letter_by_letter_keep_nobody_waiting(process: NodeProcess, client: Client) -> None:
    """R12. Some never end their headers, some never their body, some never read the answer."""
    await process.start()
    await client.register("hanako")
    room = (await client.ask("POST", "createRoom", {}))["room_id"]
    large = await _uploaded(process, client)
    before, open_before = resident_mb(process.process_id), open_files(process.process_id)
    lines = await all_of(Line.open(process.port) for _ in range(may_open(SLOW)))
    slow, lazy = lines[: len(lines) * 2 // 3], lines[len(lines) * 2 // 3 :]
    for number, line in enumerate(slow):
        line.writer.write(b"GET /_matrix/client/ver" if number % 2 else (
            b"POST /_matrix/client/v3/login HTTP/1.1\r\nHost: here\r\nContent-Length: 5000\r\n\r\n{"
        ))
    for line in lazy:
        line.get(large, client.token)
    loop, waited = asyncio.get_running_loop(), []
    for number in range(size(30, 300)):
        began = loop.time()
        await client.ask("PUT", f"rooms/{room}/send/m.room.message/{number}", {"body": "はやい"})
        waited.append(loop.time() - began)
        for line in slow[number::30]:
            with suppress(OSError):
                line.writer.write(b"x")
    waited.sort()
    grown = resident_mb(process.process_id) - before
    assert grown < 200
    if IS_LONG:
        assert waited[int(len(waited) * 0.95)] < 1.0
        closing = [asyncio.ensure_future(line.is_closed()) for line in slow]
        done, _ = await asyncio.wait(closing, timeout=CLOSED_S)
        assert len(done) == len(closing), f"{len(closing) - len(done)} are held for ever"
        assert open_files(process.process_id) <= open_before + 5, "so are those who read nothing"
    for line in lines:
        line.writer.close()
    tell("R12", f"{len(lines)} slow connections: p95 of others {waited[int(len(waited) * 0.95)] * 1000:.0f} ms, "
                f"memory +{grown:.0f} MB")


async def _uploaded(process: NodeProcess, client: Client) -> str:
    """The path of a file that is larger than what systems keep on the way."""
    headers = {"Authorization": f"Bearer {client.token}"}
    async with (
        aiohttp.ClientSession(process.url, headers=headers) as http,
        http.post("/_matrix/media/v3/upload", data=os.urandom(10_000_000)) as answer,
    ):
        uri = str((await answer.json())["content_uri"])
    return f"/_matrix/client/v1/media/download/{uri.removeprefix('mxc://')}"


@pytest.mark.slow
async def test_many_wait_in_silence_and_hear_when_something_is_said(process: NodeProcess, client: Client) -> None:
    """R13."""
    await process.start()
    await client.register("hanako")
    room = (await client.ask("POST", "createRoom", {}))["room_id"]
    since = (await client.ask("GET", "sync"))["next_batch"]
    lines = await all_of(Line.open(process.port) for _ in range(may_open(IDLE)))
    for _ in range(IDLE_ROUNDS):
        await _wait_in_vain(lines, since, client.token)
    for line in lines:
        line.get(f"/_matrix/client/v3/sync?since={since}&timeout=120000", client.token)
    await asyncio.sleep(size(1, 20))
    held = resident_mb(process.process_id)
    loop = asyncio.get_running_loop()
    began = loop.time()
    told = await client.ask("PUT", f"rooms/{room}/send/m.room.message/1", {"body": "きこえますか"})
    times, answers = list[float](), list[tuple[int, Any]]()
    for answering in asyncio.as_completed([line.answer() for line in lines], timeout=PATIENCE_S):
        answers.append(await answering)
        times.append(loop.time() - began)
    for status, news in answers:
        assert status == 200
        events = news["rooms"]["join"][room]["timeline"]["events"]
        assert [event["event_id"] for event in events] == [told["event_id"]]
    assert held < 1024
    a_thousand_s = times[min(len(times), 1_000) - 1]
    if IS_LONG:
        assert a_thousand_s < 3.0
    for line in lines:
        line.writer.close()
    tell("R13", f"{len(lines)} connections that waited {IDLE_ROUNDS} times for half a minute in {held:.0f} MB; a "
                f"message reached a thousand of them after {a_thousand_s:.2f} s, all after {times[-1]:.2f} s")


async def _wait_in_vain(lines: list[Line], since: str, token: str) -> None:
    for line in lines:
        line.get(f"/_matrix/client/v3/sync?since={since}&timeout=30000", token)
    for status, news in await asyncio.gather(*(line.answer() for line in lines)):
        assert status == 200
        assert "rooms" not in news


@pytest.mark.slow
async def test_a_restart_ends_what_is_going_on_and_clients_go_on_where_they_were(
    process: NodeProcess, client: Client
) -> None:
    """R15: SIGTERM under long polls and uploads. Some polls are not even read by the node yet; all are answered."""
    await process.start()
    await client.register("hanako")
    room = (await client.ask("POST", "createRoom", {}))["room_id"]
    since = (await client.ask("GET", "sync"))["next_batch"]
    lines = await all_of(Line.open(process.port) for _ in range(POLLS + UPLOADS))
    polls, uploads = lines[:POLLS], lines[POLLS:]
    for line in polls:
        line.get(f"/_matrix/client/v3/sync?since={since}&timeout=60000&filter={quote(WHOLE)}", client.token)
    for line in uploads:
        line.writer.write((
            "POST /_matrix/media/v3/upload HTTP/1.1\r\nHost: here\r\nContent-Length: 100000\r\n"
            f"Authorization: Bearer {client.token}\r\n\r\nabc"
        ).encode())
    journal = Journal()
    writing = asyncio.ensure_future(write_until_gone(client, room, "during", journal))
    await journal.first.wait()
    loop = asyncio.get_running_loop()
    began = loop.time()
    status = await process.stop()
    took = loop.time() - began
    await writing
    assert status == 0
    assert took < PATIENCE_S
    answers = await asyncio.wait_for(asyncio.gather(*(line.answer() for line in polls)), PATIENCE_S)
    assert {code for code, _news in answers} == {200}
    for line in lines:
        line.writer.close()
    await process.start()
    stored = [event["content"]["body"] for event in await all_after(client, room, since)]
    assert journal.acknowledged.keys() <= set(stored)
    # What is longer is not told in one answer.
    for _status, news in answers[:: POLLS // 20] if len(stored) < MOST_TOLD else ():
        more = await client.ask("GET", "sync", since=news["next_batch"], filter=WHOLE)
        assert _said(news, room) + _said(more, room) == stored, "without a gap, and nothing twice"
    if IS_LONG:
        assert took < 10
    tell("R15", f"{POLLS} long polls and {UPLOADS} uploads: ended after {took:.1f} s, all polls answered, "
                f"{len(journal.acknowledged)} messages acknowledged, none lost")


def _said(news: dict[str, Any], room: str) -> list[str]:
    section = news.get("rooms", {}).get("join", {}).get(room, {})
    return [event["content"]["body"] for event in section.get("timeline", {}).get("events", [])]


@pytest.mark.slow
async def test_everybody_comes_back_at_once_after_a_restart(process: NodeProcess, client: Client) -> None:
    """R17."""
    await process.start()
    await client.register("hanako")
    room = (await client.ask("POST", "createRoom", {}))["room_id"]
    since = (await client.ask("GET", "sync"))["next_batch"]
    await client.ask("PUT", f"rooms/{room}/send/m.room.message/1", {"body": "まえ"})
    await process.kill()
    await process.start()
    loop = asyncio.get_running_loop()
    began = loop.time()
    tries = await asyncio.gather(*(_come_back(process.port, client.token, since) for _ in range(HERD)))
    took = loop.time() - began
    assert max(tries) <= 2, "nobody fails more than once"
    if IS_LONG:
        assert took < 120
    tell("R17", f"{HERD} clients back at once: all synced after {took:.1f} s, "
                f"{sum(count - 1 for count in tries)} had to ask twice")


async def _come_back(port: int, token: str, since: str) -> int:
    for attempt in range(1, 10):
        try:
            line = await Line.open(port)
            line.get(f"/_matrix/client/v3/sync?since={since}&timeout=0", token)
            status, news = await asyncio.wait_for(line.answer(), 120)
            line.writer.close()
        except (*GONE, OSError, asyncio.IncompleteReadError):
            continue
        if status == 200:
            assert news["rooms"]["join"]
            return attempt
    raise AssertionError("never came in")
