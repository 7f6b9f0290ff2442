"""Letters of linked nodes: alerts first, each read, none in the way of the others."""

from __future__ import annotations

import asyncio
from pathlib import Path

from federation.links.inbox import Inbox, NotYet
from federation.links.inbox_store import Letter, add_letter, waiting_letters
from server.foundation.clock import SystemClock
from server.foundation.tasks import Tasks
from server.storage.database import Database, Writes
from tests.empty_database import empty_database
from tests.federation.wide_area.places import until


def letter(name: str, position: int, *, urgent: bool = False, ts: int = 1) -> Letter:
    return Letter(name, position, "!room", "kind", "@kairan:city.example", urgent, ts, {"name": name})


async def put(database: Database, *letters: Letter) -> None:
    writes = Writes()
    for item in letters:
        add_letter(writes, item)
    await database.submit(writes)


async def test_an_alert_that_comes_with_much_else_is_read_first_and_nothing_is_lost(tmp_path: Path) -> None:
    async with empty_database(tmp_path / "letters.db") as database:
        read, given_up = list[str](), list[str]()

        async def reader(item: Letter) -> None:
            if item.event_id == "unreadable":
                raise ZeroDivisionError
            if item.event_id == "early" and read.count("early") == 0:
                read.append("early")
                raise NotYet
            read.append(item.event_id)

        async def give_up(item: Letter) -> None:
            given_up.append(item.event_id)

        tasks = Tasks()
        inbox = Inbox(database, SystemClock(), tasks, {"kind": reader}, give_up)
        await put(database, letter("first", 1), letter("early", 2), letter("unreadable", 3))
        inbox.wake()
        await asyncio.sleep(0)
        await put(database, letter("alert", 4, urgent=True), letter("last", 5))

        async def is_read() -> bool:
            return len(read) == 4

        await until(is_read)
        assert read == ["alert", "first", "early", "last"]

        async def is_given_up() -> bool:
            await inbox.read_all()
            return given_up == ["unreadable"]

        await until(is_given_up)
        assert read[-1] == "early"
        assert await waiting_letters(database, 10) == []
        inbox.close()
        await tasks.stop()


async def test_more_than_fits_in_one_look_is_read_whole(tmp_path: Path) -> None:
    async with empty_database(tmp_path / "letters.db") as database:
        read = list[str]()

        async def reader(item: Letter) -> None:
            read.append(item.event_id)

        inbox = Inbox(database, SystemClock(), Tasks(), {"kind": reader}, reader)
        await put(database, *(letter(f"{number:03}", number) for number in range(230)))
        await inbox.read_all()
        assert read == [f"{number:03}" for number in range(230)]
