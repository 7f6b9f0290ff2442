"""kill -9 at any moment: what was acknowledged is there, once, and clients go on where they were.

``KAIRAN_KILLS`` says how often; a hundred are promised, twenty are tried with all other tests.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from tests.faults.process import Client, NodeProcess

KILLS = int(os.environ.get("KAIRAN_KILLS", "20"))
WRITERS = 20
GONE = (aiohttp.ClientError, ConnectionError, asyncio.TimeoutError)


@dataclass
class Journal:
    """What writers have sent, and what was acknowledged."""

    acknowledged: dict[str, str] = field(default_factory=dict)
    # Sent without an answer: it may be there or not, but never twice.
    unanswered: list[str] = field(default_factory=list)
    first: asyncio.Event = field(default_factory=asyncio.Event)


async def write_until_gone(client: Client, room: str, writer: str, journal: Journal) -> None:
    for number in range(100_000):
        text = f"{writer}-{number}"
        try:
            answer = await client.ask("PUT", f"rooms/{room}/send/m.room.message/{text}", {"body": text})
        except GONE:
            journal.unanswered.append(text)
            return
        journal.acknowledged[text] = answer["event_id"]
        journal.first.set()


async def all_after(client: Client, room: str, since: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    position: str | None = since
    while position is not None:
        page = await client.ask("GET", f"rooms/{room}/messages", dir="f", limit="500", **{"from": position})
        found += page["chunk"]
        position = page.get("end")
    return found


@pytest.mark.slow
async def test_what_was_acknowledged_survives_every_kill(process: NodeProcess, client: Client) -> None:
    dice = random.Random(4)
    await process.start()
    await client.register("hanako")
    room = (await client.ask("POST", "createRoom", {}))["room_id"]
    token = (await client.ask("GET", "sync"))["next_batch"]
    total = doubted = 0
    for turn in range(KILLS):
        journal = Journal()
        writers = asyncio.gather(*(
            write_until_gone(client, room, f"{turn}-{number}", journal) for number in range(WRITERS)
        ))
        await journal.first.wait()
        await asyncio.sleep(dice.uniform(0, 0.15))
        await process.kill()
        await writers
        await process.start()
        # Clients ask again with the same transaction ids: one event each, and the same as before.
        again = dice.sample(sorted(journal.acknowledged), min(5, len(journal.acknowledged)))
        for text in (*again, *journal.unanswered):
            answer = await client.ask("PUT", f"rooms/{room}/send/m.room.message/{text}", {"body": text})
            assert journal.acknowledged.setdefault(text, answer["event_id"]) == answer["event_id"], (turn, text)
        stored = {event["event_id"]: event["content"].get("body") for event in await all_after(client, room, token)}
        lost = {text for text, event_id in journal.acknowledged.items() if stored.get(event_id) != text}
        assert not lost, f"round {turn}: {len(lost)} of {len(journal.acknowledged)} were lost"
        doubled = {text for text, count in Counter(stored.values()).items() if count > 1}
        assert not doubled, f"round {turn}: {doubled}"
        assert len(stored) == len(journal.acknowledged)
        total += len(journal.acknowledged)
        doubted += len(journal.unanswered)
        synced = await client.ask("GET", "sync", since=token, filter='{"room":{"timeline":{"limit":1}}}')
        assert room in synced["rooms"]["join"]
        token = synced["next_batch"]
    print(f"{KILLS} kills, {total} messages acknowledged, {doubted} unanswered, none lost, none doubled")


@pytest.mark.slow
async def test_who_waits_during_a_kill_misses_nothing(process: NodeProcess, client: Client) -> None:
    """A listener with a long poll, over several kills: every acknowledged message exactly once."""
    await process.start()
    await client.register("hanako")
    room = (await client.ask("POST", "createRoom", {}))["room_id"]
    token = (await client.ask("GET", "sync"))["next_batch"]
    heard: list[str] = []
    sent: set[str] = set()
    done = asyncio.Event()

    async def listen() -> None:
        nonlocal token
        while not (done.is_set() and sent <= set(heard)):
            try:
                answer = await client.ask("GET", "sync", since=token, timeout="1000")
            except GONE:
                await asyncio.sleep(0.01)
                continue
            token = answer["next_batch"]
            section = answer.get("rooms", {}).get("join", {}).get(room, {})
            assert not section.get("timeline", {}).get("limited")
            heard.extend(event["content"]["body"] for event in section.get("timeline", {}).get("events", []))

    listening = asyncio.ensure_future(listen())
    for turn in range(4):
        journal = Journal()
        await asyncio.gather(
            write_until_gone(client, room, f"w{turn}", journal), kill_soon(process, journal),
        )
        sent |= set(journal.acknowledged)
        await process.start()
    done.set()
    await asyncio.wait_for(listening, 30)
    assert max(Counter(heard).values()) == 1


async def kill_soon(process: NodeProcess, journal: Journal) -> None:
    await journal.first.wait()
    await asyncio.sleep(0.05)
    await process.kill()


@pytest.mark.slow
async def test_a_polite_end_answers_who_waits_and_is_quick(process: NodeProcess, client: Client) -> None:
    await process.start()
    await client.register("hanako")
    token = (await client.ask("GET", "sync"))["next_batch"]
    waiting = asyncio.ensure_future(client.ask("GET", "sync", since=token, timeout="60000"))
    await asyncio.sleep(0.3)  # only the process knows when it has the question
    assert await asyncio.wait_for(process.stop(), 60) == 0
    answer = await waiting
    # That hanako herself is there may be news to her; nothing else is.
    assert answer["next_batch"].partition("_")[0] == token.partition("_")[0]
    assert "rooms" not in answer
    await process.start()
    assert (await client.ask("GET", "sync", since=token)).get("rooms") is None
