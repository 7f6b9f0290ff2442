"""One writer, group commit, callbacks after the commit: the same on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text, insert, select, text

from server.storage.connection import connected
from server.storage.database import Conflict, Database, Stale, Transaction, Writes
from server.storage.streams import StreamPositions

things = Table("things", MetaData(), Column("id", Integer, primary_key=True), Column("name", Text, nullable=False))
INSERT = insert(things)


@pytest.fixture
async def shelf(database: Database) -> Database:
    """A database with a table of things."""
    async with database.write() as tx:
        await tx.run_sql("CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
    return database


def thing(number: int, told: list[Any] | None = None, name: Any = "x") -> Writes:
    writes = Writes()
    writes.add(INSERT, {"id": number, "name": name})
    if told is not None:
        writes.after_commit.append(lambda: told.append(number))
        writes.on_failure.append(lambda: told.append(-number))
    return writes


async def ids(database: Database) -> list[int]:
    return [row[0] for row in await database.fetch_all(select(things.c.id).order_by(things.c.id))]


async def test_what_waits_together_is_committed_together(shelf: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    commit_rows = shelf._commit_rows

    async def counted(rows: Any) -> None:
        sizes.append(len(rows))
        await commit_rows(rows)

    monkeypatch.setattr(shelf, "_commit_rows", counted)
    await asyncio.gather(*(shelf.submit(thing(number)) for number in range(1, 101)))
    assert sum(sizes) == 100
    assert len(sizes) <= 3
    assert len(await ids(shelf)) == 100


async def test_the_answer_comes_after_the_commit_and_after_its_callbacks(shelf: Database) -> None:
    told: list[Any] = []
    await asyncio.gather(*(shelf.submit(thing(number, told)) for number in range(1, 6)))
    assert told == [1, 2, 3, 4, 5]
    assert await ids(shelf) == [1, 2, 3, 4, 5]


async def test_only_the_guilty_one_of_a_batch_is_refused(shelf: Database) -> None:
    await shelf.submit(thing(3))
    told: list[Any] = []
    pair = thing(6, told)
    pair.add(INSERT, {"id": 3, "name": "again"})
    waiting = [shelf.submit(thing(number, told)) for number in (1, 2, 3)]
    waiting += [shelf.submit(pair), shelf.submit(thing(4, told)), shelf.submit(thing(5, told, name=None))]
    waiting.append(shelf.submit(thing(7, told)))
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(item) for item in results] == [
        type(None), type(None), Conflict, Conflict, type(None), Conflict, type(None),
    ]
    assert told == [1, 2, -3, -6, 4, -5, 7]
    assert await ids(shelf) == [1, 2, 3, 4, 7]


async def test_what_was_decided_upon_something_that_failed_is_not_written(shelf: Database) -> None:
    await shelf.submit(thing(1))
    stands = True

    def fall() -> None:
        nonlocal stands
        stands = False

    guilty = thing(1)
    guilty.on_failure.append(fall)
    after = thing(2)
    after.holds.append(lambda: stands)
    results = await asyncio.gather(shelf.submit(guilty), shelf.submit(after), return_exceptions=True)
    assert [type(item) for item in results] == [Conflict, Stale]
    assert await ids(shelf) == [1]
    with pytest.raises(Stale):
        async with shelf.write() as tx:
            await tx.apply(after)
    assert await ids(shelf) == [1]


async def test_a_deaf_listener_takes_nothing_from_the_others(shelf: Database) -> None:
    told: list[Any] = []
    writes = thing(1)

    def stumbles() -> None:
        raise LookupError

    writes.after_commit += [lambda: told.append(1), stumbles, lambda: told.append(2)]
    await shelf.submit(writes)
    assert told == [1, 2]


async def test_a_block_that_raises_leaves_nothing(shelf: Database) -> None:
    told: list[Any] = []

    async def fails() -> None:
        async with shelf.write() as tx:
            await tx.execute(INSERT, {"id": 1, "name": "x"})
            await tx.apply(thing(2, told))
            raise LookupError

    with pytest.raises(LookupError):
        await fails()
    assert await ids(shelf) == []
    assert told == [-2]
    await shelf.submit(thing(1))
    assert await ids(shelf) == [1]


async def test_a_block_sees_its_own_writes_and_nobody_elses(shelf: Database) -> None:
    async with shelf.write() as tx:
        await tx.execute(INSERT, {"id": 1, "name": "x"})
        waiting = shelf.submit(thing(2))
        assert [row[0] for row in await tx.execute(select(things.c.id))] == [1]
        assert await ids(shelf) == []
        assert not waiting.done()
    await waiting
    assert await ids(shelf) == [1, 2]


async def test_blocks_and_batches_take_turns_in_the_order_of_asking(shelf: Database) -> None:
    order: list[str] = []

    async def block(number: int) -> None:
        async with shelf.write() as tx:
            order.append(f"block {number}")
            await tx.execute(INSERT, {"id": 100 + number, "name": "x"})

    async def batch(number: int) -> None:
        writes = thing(number)
        writes.after_commit.append(lambda: order.append(f"batch {number}"))
        await shelf.submit(writes)

    await asyncio.gather(block(1), batch(1), batch(2), block(2), batch(3))
    assert order == ["block 1", "batch 1", "batch 2", "block 2", "batch 3"]


async def test_a_caller_who_gives_up_while_waiting_holds_nobody_up(shelf: Database) -> None:
    entered = asyncio.Event()
    leave = asyncio.Event()

    async def long_block() -> None:
        async with shelf.write() as tx:
            entered.set()
            await leave.wait()
            await tx.execute(INSERT, {"id": 1, "name": "x"})

    async def never() -> None:
        async with shelf.write():
            raise AssertionError("this turn was given up")

    first = asyncio.ensure_future(long_block())
    await entered.wait()
    given_up = asyncio.ensure_future(never())
    await asyncio.sleep(0)
    given_up.cancel()
    unheard = shelf.submit(thing(2))
    unheard.cancel()
    leave.set()
    await first
    await shelf.submit(thing(3))
    assert await ids(shelf) == [1, 2, 3]


@pytest.mark.parametrize("turns", range(0, 60, 3))
async def test_a_caller_may_be_cancelled_at_any_moment(shelf: Database, turns: int) -> None:
    """Whatever it was doing: all of it is there or nothing, its callbacks agree, and the writer goes on."""
    told: list[Any] = []

    async def work() -> None:
        async with shelf.write() as tx:
            await tx.execute(INSERT, {"id": 1, "name": "x"})
            await tx.execute(select(things.c.id))
            await tx.apply(thing(2, told))

    task = asyncio.ensure_future(work())
    for _ in range(turns):
        await asyncio.sleep(0.0002 if turns % 2 else 0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.wait_for(shelf.submit(thing(9)), 20)
    found = await ids(shelf)
    assert found in ([9], [1, 2, 9])
    assert told in ([] if found == [9] else [[2]], [[-2]] if found == [9] else [2], [-2] if found == [9] else [2])


async def test_closing_writes_what_waits_and_takes_no_more(database_url: str) -> None:
    database = Database(database_url)
    await database.open()
    async with database.write() as tx:
        await tx.run_sql("CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
    waiting = [database.submit(thing(number)) for number in range(1, 30)]
    await database.close()
    assert all(future.done() and future.exception() is None for future in waiting)
    with pytest.raises(RuntimeError):
        database.submit(thing(99))
    with pytest.raises(RuntimeError):
        async with database.write():
            pass
    again = Database(database_url)
    await again.open()
    assert len(await ids(again)) == 29
    await again.close()


async def test_positions_never_run_ahead(shelf: Database) -> None:
    positions = StreamPositions(0)
    seen: list[int] = []

    def at(number: int) -> Writes:
        writes = thing(number)
        position = positions.allocate()
        writes.after_commit.append(lambda: positions.finish(position))
        writes.on_failure.append(lambda: positions.finish(position))
        return writes

    held = positions.allocate()
    waiting = [shelf.submit(at(number)) for number in (1, 2, 1, 3)]
    positions.when_reached(4, lambda: seen.append(4))
    await asyncio.gather(*waiting, return_exceptions=True)
    assert positions.current == 0
    assert seen == []
    positions.finish(held)
    assert positions.current == 5
    assert seen == [4]


async def test_a_failed_write_is_logged_without_what_it_was_to_write(
    shelf: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(Exception) as failed:
        await shelf.submit(thing(1, name={"no": "text of mine"}))
    assert not isinstance(failed.value, Conflict)
    with pytest.raises(Exception) as direct:
        async with shelf.write() as tx:
            await tx.execute(text("SELECT * FROM nothing WHERE a = :a"), {"a": "text of mine"})
    assert "a write failed" in caplog.text
    assert "text of mine" not in caplog.text
    assert "text of mine" not in str(direct.value)
    await shelf.submit(thing(1))


async def test_every_connection_to_sqlite_waits_for_the_disk(shelf: Database) -> None:
    if shelf.dialect != "sqlite":
        pytest.skip("a question for SQLite")
    settings = {"synchronous": 2, "journal_mode": "wal", "foreign_keys": 1}

    async def look(tx: Transaction | Any, name: str) -> Any:
        return (await tx.execute(text(f"PRAGMA {name}"))).scalar()

    async with shelf.write() as tx:
        assert {name: await look(tx, name) for name in settings} == settings
    async with connected(shelf._engine) as other:
        assert {name: await look(other, name) for name in settings} == settings
    row = await shelf.fetch_one(text("PRAGMA query_only"))
    assert row is not None
    assert row[0] == 1, "readers cannot write"


async def test_values_may_hold_every_character_a_text_can(shelf: Database) -> None:
    told = "あ😀\u2028\u202e'\";--"
    await shelf.submit(thing(1, name=told))
    assert (await shelf.fetch_one(select(things.c.name)))[0] == told  # type: ignore[index]
