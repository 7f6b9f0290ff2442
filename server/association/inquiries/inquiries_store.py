"""Tables ``inquiries`` and ``inquiry_lines``."""

from __future__ import annotations

from typing import Any, Final

import orjson
from sqlalchemy import BigInteger, Column, Integer, Table, Text, bindparam, delete, select, update

from server.association.inquiries.book import InquiryBook
from server.association.inquiries.model import Inquiry, Line, Photo, Side, State
from server.association.members.came_by import CameBy
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

inquiries: Final = Table(
    "inquiries", metadata,
    Column("id", Text, primary_key=True),
    Column("person_id", Text, nullable=False),
    Column("asker", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("opened_ts", BigInteger, nullable=False),
    Column("asked_ts", BigInteger, nullable=False),
    Column("changed_ts", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("thread", Text, nullable=False),
)
lines: Final = Table(
    "inquiry_lines", metadata,
    Column("id", Text, primary_key=True),
    Column("inquiry_id", Text, nullable=False),
    Column("place", BigInteger, nullable=False),
    Column("side", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("ts", BigInteger, nullable=False),
    Column("room", Text, nullable=False),
    Column("photo", Text, nullable=False),
    Column("gone", Integer, nullable=False),
    Column("told", Text, nullable=False),
)
# Of a line that was taken back: its copy on the other side still stands there, or does not any more.
_GONE: Final = 1
_TAKEN_BACK: Final = 2
_PUT: Final = upsert(inquiries)
_ADD_LINE: Final = upsert(lines, replace=())
_TELL: Final = update(lines).where(lines.c.id == bindparam("line"), lines.c.told == "").values(told=bindparam("event"))
_DROP_WORDS: Final = (
    update(lines).where(lines.c.id == bindparam("line")).values(text="", photo="", gone=_GONE)
)
_CHANGE_WORDS: Final = (
    update(lines).where(lines.c.id == bindparam("line"), lines.c.author == bindparam("who"))
    .values(text=bindparam("new"))
)
_FINISH: Final = update(lines).where(lines.c.id == bindparam("line")).values(gone=_TAKEN_BACK)
_DROP_LINES: Final = delete(lines).where(lines.c.inquiry_id == bindparam("which"))
_DROP: Final = delete(inquiries).where(inquiries.c.id == bindparam("which"))

# Told to nobody, and that is right: said where nobody else has to hear of it.
NOBODY: Final = "-"


async def load_inquiries(database: Database, book: InquiryBook) -> None:
    """Enter everything into ``book``."""
    for row in await database.fetch_all(select(inquiries).order_by(inquiries.c.opened_ts, inquiries.c.id)):
        book.enter(Inquiry(
            row.id, row.person_id, row.asker, CameBy(row.channel), State(row.state), row.owner, row.opened_ts,
            row.asked_ts, row.changed_ts, row.revision, row.thread,
        ))


def put_inquiry(writes: Writes, inquiry: Inquiry) -> None:
    """Store an inquiry as it is now."""
    writes.add(_PUT, {
        "id": inquiry.id, "person_id": inquiry.person_id, "asker": inquiry.asker, "channel": inquiry.channel.value,
        "state": inquiry.state.value, "owner": inquiry.owner, "opened_ts": inquiry.opened_ts,
        "asked_ts": inquiry.asked_ts, "changed_ts": inquiry.changed_ts, "revision": inquiry.revision,
        "thread": inquiry.thread,
    })


def add_line(writes: Writes, line: Line, told: str = "") -> None:
    """Store what was said; ``told`` is the event that has brought it to the other side already."""
    photo = line.photo
    writes.add(_ADD_LINE, {
        "id": line.id, "inquiry_id": line.inquiry_id, "place": line.place, "side": line.side.value,
        "author": line.author, "text": line.text.replace("\0", ""), "ts": line.ts, "room": line.room, "gone": 0,
        "told": told,
        "photo": "" if photo is None else orjson.dumps([photo.url, photo.name, photo.mimetype]).decode(),
    })


def note_told(writes: Writes, line_id: str, event_id: str) -> None:
    """A line has come to the other side, by that event."""
    writes.add(_TELL, {"line": line_id, "event": event_id})


def drop_words(writes: Writes, event_id: str) -> None:
    """What was said was taken back, if it was a line."""
    writes.add(_DROP_WORDS, {"line": event_id})


def change_words(writes: Writes, event_id: str, author: str, text: str) -> None:
    """What was said was put otherwise by whoever had said it, if it was a line."""
    writes.add(_CHANGE_WORDS, {"line": event_id, "who": author, "new": text.replace("\0", "")})


def note_taken_back(writes: Writes, line_id: str) -> None:
    """The copy on the other side is taken back, too."""
    writes.add(_FINISH, {"line": line_id})


def drop_inquiry(writes: Writes, inquiry_id: str) -> None:
    """Forget an inquiry and everything that was said about it."""
    writes.add(_DROP_LINES, {"which": inquiry_id})
    writes.add(_DROP, {"which": inquiry_id})


async def lines_of(database: Database, inquiry_ids: list[str]) -> list[Line]:
    """What was said, in order; of several inquiries one after the other."""
    if not inquiry_ids:
        return []
    wanted = select(lines).where(lines.c.inquiry_id.in_(inquiry_ids))
    rows = await database.fetch_all(wanted.order_by(lines.c.ts, lines.c.inquiry_id, lines.c.place))
    return [_as_line(row) for row in rows]


async def first_lines(database: Database, inquiry_ids: list[str]) -> dict[str, Line]:
    """The first line of each inquiry that still says something."""
    found: dict[str, Line] = {}
    for line in await lines_of(database, inquiry_ids):
        if not line.is_gone:
            found.setdefault(line.inquiry_id, line)
    return found


async def find_line(database: Database, line_id: str) -> Line | None:
    """One line."""
    row = await database.fetch_one(select(lines).where(lines.c.id == line_id))
    return None if row is None else _as_line(row)


async def copies_to_take_back(database: Database) -> list[tuple[Line, str]]:
    """Lines that are gone, with the event that still says them on the other side."""
    wanted = select(lines).where(lines.c.gone == _GONE, lines.c.told != "", lines.c.told != NOBODY)
    return [(_as_line(row), str(row.told)) for row in await database.fetch_all(wanted.order_by(lines.c.id))]


async def untold(database: Database) -> list[Line]:
    """What the other side has not heard yet, in order."""
    rows = await database.fetch_all(
        select(lines).where(lines.c.told == "").order_by(lines.c.ts, lines.c.inquiry_id, lines.c.place))
    return [_as_line(row) for row in rows]


def _as_line(row: Any) -> Line:
    photo = Photo(*orjson.loads(row.photo)) if row.photo else None
    return Line(row.id, row.inquiry_id, row.place, Side(row.side), row.author, row.text, row.ts, row.room, photo,
                bool(row.gone))
