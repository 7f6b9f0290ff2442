"""What associations tell of themselves, on both databases."""

from __future__ import annotations

from dataclasses import replace

from federation.figures import progress_store
from federation.figures.progress import COLUMNS, Progress
from server.accounts.sessions_store import users_seen_since
from server.accounts.web_sessions_store import WebSession, add_web_session, web_users_seen_since
from server.storage.database import Database, Writes
from server.storage.schema_version import migrate

TOLD = Progress(
    server="sakura.example", name="桜町町内会", areas=("17201/sakura",), to=("city.example",), ts=5, is_shared=True,
    figures=dict.fromkeys(COLUMNS, 7),
)


async def put(database: Database, progress: Progress) -> None:
    writes = Writes()
    progress_store.put(writes, progress, {**progress.as_json(), "signatures": {}}, "!a")
    await database.submit(writes)


async def test_the_newest_holds_and_an_old_one_does_not_come_back(database: Database) -> None:
    await migrate(database)
    await put(database, TOLD)
    await put(database, replace(TOLD, server="ume.example"))
    off = replace(TOLD, ts=6, is_shared=False, figures={})
    await put(database, off)
    await put(database, TOLD)
    assert [kept.progress for kept in await progress_store.every(database)] == [
        off, replace(TOLD, server="ume.example")]
    found = await progress_store.find(database, "sakura.example")
    assert found is not None
    assert found.progress.says_the_same(off)
    assert await progress_store.find(database, "elsewhere.example") is None


async def test_who_was_there_lately(database: Database) -> None:
    await migrate(database)
    writes = Writes()
    for number, (user, seen) in enumerate((("@a:x", 10), ("@a:x", 20), ("@b:x", 9))):
        add_web_session(writes, WebSession(bytes([number]), user, b"m", 1, seen))
    await database.submit(writes)
    assert await web_users_seen_since(database, 10) == {"@a:x"}
    assert await web_users_seen_since(database, 1) == {"@a:x", "@b:x"}
    assert await users_seen_since(database, 0) == set()
