"""Questions that are written out once: the same answers on both databases, and what was committed in the meantime."""

from __future__ import annotations

from sqlalchemy import Column, Integer, MetaData, Table, Text, bindparam, insert, null, select, text, union_all

from server.storage.database import Database
from server.storage.prepared import Prepared

things = Table("things", MetaData(), Column("id", Integer, primary_key=True), Column("name", Text))
NAMED = Prepared(select(things.c.id, things.c.name).where(things.c.name == bindparam("wanted"), things.c.id > 1))
FIRST = Prepared(
    union_all(select(things.c.id, things.c.name), select(things.c.id, null()).where(things.c.id == bindparam("also")))
    .order_by(text("id")).limit(bindparam("most"))
)


async def test_a_prepared_question_is_answered_with_tuples_of_what_is_committed(database: Database) -> None:
    async with database.write() as tx:
        await tx.run_sql("CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT)")
        await tx.execute(insert(things), [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}])
    assert await database.fetch_prepared(NAMED, {"wanted": "a"}) == []
    assert [tuple(row) for row in await database.fetch_prepared(NAMED, {"wanted": "b"})] == [(2, "b")]
    async with database.write() as tx:
        await tx.execute(insert(things), {"id": 3, "name": "b"})
    found = await database.fetch_prepared(NAMED, {"wanted": "b"})
    assert sorted(number for number, _ in found) == [2, 3]
    rows = await database.fetch_prepared(FIRST, {"also": 2, "most": 2})
    assert [number for number, _ in rows] == [1, 2]
