"""Tables ``calendars``, ``calendar_homes``, ``calendar_items`` and ``calendar_tombstones``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    Table,
    Text,
    and_,
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
from server.storage.database import Database, Transaction, Writes, metadata
from server.storage.prepared import Prepared
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
_WHOLE: Final = (*_HEAD, items.c.data)
_OF_CALENDAR: Final = items.c.calendar == bindparam("number")
_HEADS: Final = Prepared(select(*_HEAD).where(_OF_CALENDAR).order_by(items.c.name))
_ONE: Final = Prepared(select(*_WHOLE).where(_OF_CALENDAR, items.c.name == bindparam("known")))
_SO_MANY: Final = 100
_SOME: Final = Prepared(
    select(*_WHOLE).where(_OF_CALENDAR, items.c.name.in_([bindparam(f"n{place}") for place in range(_SO_MANY)]))
)
# Beyond all times and counts.
_EARLIEST: Final = -(1 << 62)
_LATEST: Final = 1 << 62
_NO_LIMIT: Final = 1 << 30
_BEGUN: Final = or_(items.c.first_ms.is_(None), items.c.first_ms <= bindparam("last"))
# Two halves, since with an "or" about the end the index by time is of no use.
_AROUND: Final = Prepared(union_all(
    select(*_WHOLE).where(_OF_CALENDAR, items.c.last_ms.is_(None), _BEGUN),
    select(*_WHOLE).where(_OF_CALENDAR, items.c.last_ms >= bindparam("first"), _BEGUN),
))
_GONE: Final = select(
    tombstones.c.name, null(), null(), null(), null(), tombstones.c.revision, null(), null(), null()
).where(tombstones.c.calendar == bindparam("number"), tombstones.c.revision > bindparam("since"))
_CHANGES: Final = Prepared(
    union_all(select(*_HEAD).where(_OF_CALENDAR, items.c.revision > bindparam("since")), _GONE)
    .order_by(text("revision")).limit(bindparam("most"))
)
_PUT_ITEM: Final = upsert(items)
_BURY: Final = upsert(tombstones)
_DIG_UP: Final = delete(tombstones).where(
    tombstones.c.calendar == bindparam("number"), tombstones.c.name == bindparam("known")
)
_REMOVE_ITEM: Final = delete(items).where(_OF_CALENDAR, items.c.name == bindparam("known"))
_AT_REVISION: Final = (
    update(calendars).where(calendars.c.id == bindparam("number"))
    .values(revision=bindparam("reached"), changed_ms=bindparam("now"))
)
_STANDING: Final = Prepared(
    select(calendars.c.revision, items.c.name, items.c.etag, items.c.uid)
    .outerjoin(items, and_(items.c.calendar == calendars.c.id, or_(
        items.c.name == bindparam("known"), items.c.uid == bindparam("uid_"))))
    .where(calendars.c.id == bindparam("number"))
)
_COUNT: Final = Prepared(select(func.count()).select_from(items).where(_OF_CALENDAR))


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


@dataclass(frozen=True, slots=True)
class Standing:
    """How a calendar stands before a change: its ``revision``, ETag and UID of what is under a name, and the other name
    under which a UID is kept."""

    revision: int
    old: tuple[str, str] | None
    other: str | None


async def standing(database: Database, number: int, name: str, uid: str = "") -> Standing | None:
    """In one question; ``None`` where the calendar is gone."""
    rows = await database.fetch_prepared(_STANDING, {"number": number, "known": name, "uid_": uid})
    if not rows:
        return None
    old = next(((etag, its_uid) for _, its_name, etag, its_uid in rows if its_name == name), None)
    other = next((its_name for _, its_name, _, its_uid in rows if its_uid == uid and its_name != name), None)
    return Standing(int(rows[0][0]), old, other)


async def count_items(database: Database, number: int) -> int:
    """How many items a calendar holds."""
    ((count,),) = await database.fetch_prepared(_COUNT, {"number": number})
    return int(count)


def put(writes: Writes, number: int, item: Item) -> None:
    """Store an item, over the old one of its name; its revision is the calendar's from now on."""
    head = item.head
    writes.add(_PUT_ITEM, {
        "calendar": number, "name": head.name, "uid": head.uid, "etag": head.etag, "size": head.size,
        "revision": head.revision, "changed_ms": head.modified_ms, "first_ms": head.span.start,
        "last_ms": head.span.end, "exact": int(head.span.exact), "data": item.data,
    })
    writes.add(_DIG_UP, {"number": number, "known": head.name})
    writes.add(_AT_REVISION, {"number": number, "reached": head.revision, "now": head.modified_ms})


def remove(writes: Writes, number: int, name: str, revision: int, now_ms: int) -> None:
    """Delete an item and remember that it was there; ``revision`` is the calendar's from now on."""
    writes.add(_REMOVE_ITEM, {"number": number, "known": name})
    writes.add(_BURY, {"calendar": number, "name": name, "revision": revision})
    writes.add(_AT_REVISION, {"number": number, "reached": revision, "now": now_ms})


async def heads(database: Database, number: int) -> list[ItemHead]:
    """All items without their data, by name."""
    return [_as_head(row) for row in await database.fetch_prepared(_HEADS, {"number": number})]


async def named(database: Database, number: int, names: Sequence[str]) -> list[Item]:
    """Those of ``names`` that exist."""
    if len(names) == 1:
        return [_as_item(row) for row in await database.fetch_prepared(_ONE, {"number": number, "known": names[0]})]
    found: list[Item] = []
    for start in range(0, len(names), _SO_MANY):
        some = names[start:start + _SO_MANY]
        # A list of any length would be written out anew each time.
        filled = {f"n{place}": some[min(place, len(some) - 1)] for place in range(_SO_MANY)}
        found += [_as_item(row) for row in await database.fetch_prepared(_SOME, {"number": number, **filled})]
    return found


async def around(database: Database, number: int, window: Window) -> list[Item]:
    """At least all items that could overlap ``window``, by name."""
    first = _EARLIEST if window.start is None else window.start
    last = _LATEST if window.end is None else window.end
    rows = await database.fetch_prepared(_AROUND, {"number": number, "first": first, "last": last})
    return sorted(map(_as_item, rows), key=lambda item: item.head.name)


async def changes_after(
    database: Database, number: int, since: int, limit: int | None = None
) -> list[tuple[int, ItemHead | str]]:
    """``(revision, head or the name of what is gone)`` of all that happened after ``since``, oldest first."""
    most = _NO_LIMIT if limit is None else limit
    rows = await database.fetch_prepared(_CHANGES, {"number": number, "since": since, "most": most})
    return [(row[5], row[0] if row[1] is None else _as_head(row)) for row in rows]


def _as_head(row: Sequence[Any]) -> ItemHead:
    name, etag, uid, size, changed_ms, revision, first_ms, last_ms, exact = row[:9]
    return ItemHead(name, etag, uid, size, changed_ms, revision, Span(first_ms, last_ms, exact == 1))


def _as_item(row: Sequence[Any]) -> Item:
    return Item(_as_head(row), row[9])
