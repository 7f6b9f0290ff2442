"""Tables ``calendars``, ``calendar_homes``, ``calendar_items`` and ``calendar_tombstones``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    null,
    or_,
    select,
    text,
    union_all,
    update,
)

from server.calendars.model import Item, ItemHead, Span, Window
from server.storage.database import Database, Transaction, metadata
from server.storage.upsert import upsert

calendars: Final = Table(
    "calendars", metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("component", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("forgotten", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
)
homes: Final = Table(
    "calendar_homes", metadata,
    Column("user_id", Text, primary_key=True),
    Column("created_ms", BigInteger, nullable=False),
)
items: Final = Table(
    "calendar_items", metadata,
    Column("calendar", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, primary_key=True),
    Column("uid", Text, nullable=False),
    Column("etag", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Column("first_ms", BigInteger),
    Column("last_ms", BigInteger),
    Column("exact", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
tombstones: Final = Table(
    "calendar_tombstones", metadata,
    Column("calendar", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, primary_key=True),
    Column("revision", BigInteger, nullable=False),
)

_HEAD: Final = (
    items.c.name, items.c.etag, items.c.uid, items.c.size, items.c.changed_ms, items.c.revision, items.c.first_ms,
    items.c.last_ms, items.c.exact,
)
_PUT_ITEM: Final = upsert(items)
_BURY: Final = upsert(tombstones)
_STANDING: Final = select(items.c.name, items.c.etag, items.c.uid).where(
    items.c.calendar == bindparam("number"), or_(items.c.name == bindparam("known"), items.c.uid == bindparam("uid_"))
)
_MOVE_ON: Final = (
    update(calendars).where(calendars.c.id == bindparam("number"))
    .values(revision=calendars.c.revision + 1, changed_ms=bindparam("now")).returning(calendars.c.revision)
)


async def calendars_of(database: Database, owner: str) -> Sequence[Any]:
    """``(id, name, component, revision, forgotten, changed_ms)`` of a resident's calendars, oldest first."""
    return await database.fetch_all(
        select(calendars.c.id, calendars.c.name, calendars.c.component, calendars.c.revision, calendars.c.forgotten,
               calendars.c.changed_ms)
        .where(calendars.c.owner == owner).order_by(calendars.c.created_ms, calendars.c.name)
    )


async def has_home(database: Database, user_id: str) -> bool:
    """Whether the resident's first calendars have been made."""
    return await database.fetch_one(select(homes.c.user_id).where(homes.c.user_id == user_id)) is not None


async def open_home(tx: Transaction, user_id: str, now_ms: int) -> bool:
    """Note that the first calendars are made; False if they were already."""
    if (await tx.execute(select(homes.c.user_id).where(homes.c.user_id == user_id))).first() is not None:
        return False
    await tx.execute(insert(homes), {"user_id": user_id, "created_ms": now_ms})
    return True


async def add_calendar(tx: Transaction, number: int, owner: str, name: str, component: str, now_ms: int) -> None:
    """A new, empty calendar. ``number`` is random, so that it never names another one again."""
    await tx.execute(insert(calendars), {
        "id": number, "owner": owner, "name": name, "component": component, "revision": 1, "forgotten": 0,
        "created_ms": now_ms, "changed_ms": now_ms,
    })


async def remove_calendar(tx: Transaction, number: int) -> None:
    """A calendar and all that is in it."""
    await tx.execute(delete(items).where(items.c.calendar == number))
    await tx.execute(delete(tombstones).where(tombstones.c.calendar == number))
    await tx.execute(delete(calendars).where(calendars.c.id == number))


async def remove_home(tx: Transaction, owner: str) -> None:
    """Delete all calendars of a resident, and that they ever had some."""
    mine = select(calendars.c.id).where(calendars.c.owner == owner)
    for table in (items, tombstones):
        await tx.execute(delete(table).where(table.c.calendar.in_(mine)))
    await tx.execute(delete(calendars).where(calendars.c.owner == owner))
    await tx.execute(delete(homes).where(homes.c.user_id == owner))


async def count_calendars(tx: Transaction, owner: str) -> int:
    """How many calendars a resident has."""
    return int((await tx.execute(select(func.count()).where(calendars.c.owner == owner))).scalar_one())


async def calendar_exists(tx: Transaction, owner: str, name: str) -> bool:
    """Whether the name is taken in the resident's home."""
    found = await tx.execute(select(calendars.c.id).where(calendars.c.owner == owner, calendars.c.name == name))
    return found.first() is not None


async def next_revision(tx: Transaction, number: int, now_ms: int) -> int | None:
    """Move the calendar on by one change; ``None`` if it is gone."""
    row = (await tx.execute(_MOVE_ON, {"number": number, "now": now_ms})).first()
    return None if row is None else int(row[0])


async def etag_and_uid(tx: Transaction, number: int, name: str) -> tuple[str, str] | None:
    """What stands under a name now."""
    found = await tx.execute(select(items.c.etag, items.c.uid).where(items.c.calendar == number, items.c.name == name))
    row = found.first()
    return None if row is None else (str(row.etag), str(row.uid))


async def standing(tx: Transaction, number: int, name: str, uid: str) -> tuple[tuple[str, str] | None, str | None]:
    """ETag and UID of what stands under a name, and the other name under which ``uid`` is kept, in one question."""
    rows = (await tx.execute(_STANDING, {"number": number, "known": name, "uid_": uid})).all()
    old = next(((str(row.etag), str(row.uid)) for row in rows if row.name == name), None)
    return old, next((str(row.name) for row in rows if row.uid == uid and row.name != name), None)


async def count_items(tx: Transaction, number: int) -> int:
    """How many items a calendar holds."""
    return int((await tx.execute(select(func.count()).where(items.c.calendar == number))).scalar_one())


async def put(tx: Transaction, number: int, item: Item) -> None:
    """Store an item, over the old one of its name."""
    head = item.head
    await tx.execute(_PUT_ITEM, {
        "calendar": number, "name": head.name, "uid": head.uid, "etag": head.etag, "size": head.size,
        "revision": head.revision, "changed_ms": head.modified_ms, "first_ms": head.span.start,
        "last_ms": head.span.end, "exact": int(head.span.exact), "data": item.data,
    })
    await tx.execute(delete(tombstones).where(tombstones.c.calendar == number, tombstones.c.name == head.name))


async def remove(tx: Transaction, number: int, name: str, revision: int) -> None:
    """Delete an item and remember that it was there."""
    await tx.execute(delete(items).where(items.c.calendar == number, items.c.name == name))
    await tx.execute(_BURY, {"calendar": number, "name": name, "revision": revision})


async def heads(database: Database, number: int) -> list[ItemHead]:
    """All items without their data, by name."""
    rows = await database.fetch_all(select(*_HEAD).where(items.c.calendar == number).order_by(items.c.name))
    return [_as_head(row) for row in rows]


async def named(database: Database, number: int, names: Sequence[str]) -> list[Item]:
    """Those of ``names`` that exist."""
    # A list is written out anew for every statement, which costs more than reading one item.
    wanted = items.c.name == names[0] if len(names) == 1 else items.c.name.in_(names)
    rows = await database.fetch_all(select(*_HEAD, items.c.data).where(items.c.calendar == number, wanted))
    return [Item(_as_head(row), bytes(row.data)) for row in rows]


async def item_in(tx: Transaction, number: int, name: str) -> Item | None:
    """One item as it stands now."""
    query = select(*_HEAD, items.c.data).where(items.c.calendar == number, items.c.name == name)
    row = (await tx.execute(query)).first()
    return None if row is None else Item(_as_head(row), bytes(row.data))


async def around(database: Database, number: int, window: Window) -> list[Item]:
    """At least all items that could overlap ``window``, by name."""
    query = select(*_HEAD, items.c.data).where(items.c.calendar == number)
    if window.start is not None:
        query = query.where(or_(items.c.last_ms.is_(None), items.c.last_ms >= window.start))
    if window.end is not None:
        query = query.where(or_(items.c.first_ms.is_(None), items.c.first_ms <= window.end))
    return [Item(_as_head(row), bytes(row.data)) for row in await database.fetch_all(query.order_by(items.c.name))]


async def changes_after(
    database: Database, number: int, since: int, limit: int | None = None
) -> list[tuple[int, ItemHead | str]]:
    """``(revision, head or the name of what is gone)`` of all that happened after ``since``, oldest first."""
    changed = select(*_HEAD).where(items.c.calendar == number, items.c.revision > since)
    gone = select(
        tombstones.c.name, null(), null(), null(), null(), tombstones.c.revision, null(), null(), null()
    ).where(tombstones.c.calendar == number, tombstones.c.revision > since)
    rows = await database.fetch_all(union_all(changed, gone).order_by(text("revision")).limit(limit))
    return [(int(row.revision), str(row.name) if row.etag is None else _as_head(row)) for row in rows]


def _as_head(row: Any) -> ItemHead:
    return ItemHead(
        row.name, row.etag, row.uid, row.size, row.changed_ms, row.revision,
        Span(row.first_ms, row.last_ms, bool(row.exact)),
    )
