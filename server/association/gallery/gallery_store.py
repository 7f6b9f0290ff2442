"""Tables ``gallery_albums``, ``gallery_photos`` and ``gallery_objections``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson
from sqlalchemy import BigInteger, Column, Table, Text, bindparam, delete, func, or_, select, text, update

from server.association.gallery.model import Album, Objection, Photo, State
from server.media.pictures import Picture
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

albums: Final = Table(
    "gallery_albums", metadata,
    Column("event_id", Text, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("author", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("gathering_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)
photos: Final = Table(
    "gallery_photos", metadata,
    Column("id", Text, primary_key=True),
    Column("album_id", Text, nullable=False),
    Column("event_id", Text, nullable=False, unique=True),
    Column("uploader", Text, nullable=False),
    Column("picture", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("closed_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("ts", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
)
objections: Final = Table(
    "gallery_objections", metadata,
    Column("id", Text, primary_key=True),
    Column("photo_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("ts", BigInteger, nullable=False),
    Column("decision", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("answer", Text, nullable=False),
)
_ADD_ALBUM: Final = text(
    "INSERT INTO gallery_albums (event_id, id, author, title, note, gathering_id, state, created_ms) "
    "VALUES (:event_id, :id, :author, :title, :note, :gathering_id, 'shown', :ts) ON CONFLICT DO NOTHING"
).bindparams(bindparam("ts", type_=BigInteger()))
# To which album a photo belongs follows from its thread. The same photo is shown again by the node alone, and only
# where the node has hidden it.
_ADD_PHOTO: Final = text(
    "INSERT INTO gallery_photos (id, album_id, event_id, uploader, picture, state, closed_by, reason, ts, position) "
    "SELECT :id, a.id, :event_id, :sender, :picture, 'shown', '', '', :ts, :position FROM gallery_albums a "
    "WHERE a.event_id = :root AND a.state = 'shown' ON CONFLICT DO NOTHING"
).bindparams(*[
    bindparam(name, type_=BigInteger() if name in ("ts", "position") else Text())
    for name in ("id", "event_id", "sender", "picture", "ts", "position", "root")
])
_SHOW_AGAIN: Final = text(
    "UPDATE gallery_photos SET state = 'shown', event_id = :event_id, closed_by = '', reason = '' "
    "WHERE id = :id AND state = 'hidden'"
)
_CLOSE_PHOTO: Final = text(
    "UPDATE gallery_photos SET state = :state, closed_by = :sender, reason = :reason "
    "WHERE event_id = :target AND state IN ('shown', 'hidden')"
)
_REMOVE_PHOTO: Final = (
    update(photos).where(photos.c.id == bindparam("which"), photos.c.state == "hidden")
    .values(state="removed", closed_by=bindparam("officer"), reason=bindparam("why"))
)
_CLOSE_ALBUM: Final = update(albums).where(albums.c.event_id == bindparam("target")).values(state="removed")
_ADD_OBJECTION: Final = upsert(objections, replace=())
_DECIDE: Final = (
    update(objections).where(objections.c.photo_id == bindparam("photo"), objections.c.decision == "")
    .values(decision=bindparam("new"), decided_by=bindparam("officer"), answer=bindparam("why"))
)
_DROP_OBJECTIONS_OF: Final = delete(objections).where(objections.c.user_id == bindparam("who"))


def add_album(writes: Writes, album: Album) -> None:
    """Store an album that is new."""
    writes.add(_ADD_ALBUM, {
        "event_id": album.event_id, "id": album.id, "author": album.author, "title": album.title, "note": album.note,
        "gathering_id": album.gathering_id, "ts": album.created_ms,
    })


def add_photo(writes: Writes, photo: Photo, root: str) -> None:
    """Store a photo in the album whose message is ``root``, if it is one."""
    writes.add(_ADD_PHOTO, {
        "id": photo.id, "event_id": photo.event_id, "sender": photo.uploader, "ts": photo.ts, "root": root,
        "picture": orjson.dumps(photo.picture.as_json()).decode(), "position": photo.position,
    })


def show_again(writes: Writes, photo_id: str, event_id: str) -> None:
    """Store that the node has put a hidden photo back."""
    writes.add(_SHOW_AGAIN, {"id": photo_id, "event_id": event_id})


def close_event(writes: Writes, target: str, state: State, sender: str, reason: str) -> None:
    """A message was removed: a photo, or the one that begins an album."""
    writes.add(_CLOSE_PHOTO, {"target": target, "state": state.value, "sender": sender, "reason": reason})
    writes.add(_CLOSE_ALBUM, {"target": target})


def remove_photo(writes: Writes, photo_id: str, officer: str, reason: str) -> None:
    """Officers have decided that a hidden photo goes."""
    writes.add(_REMOVE_PHOTO, {"which": photo_id, "officer": officer, "why": reason})


def add_objection(writes: Writes, objection: Objection) -> None:
    """Store that somebody does not want a photo to be shown."""
    writes.add(_ADD_OBJECTION, {
        "id": objection.id, "photo_id": objection.photo_id, "user_id": objection.user_id, "reason": objection.reason,
        "ts": objection.ts, "decision": "", "decided_by": "", "answer": "",
    })


def decide(writes: Writes, photo_id: str, decision: str, officer: str, answer: str) -> None:
    """Store what officers have decided about everything that was said against a photo."""
    writes.add(_DECIDE, {"photo": photo_id, "new": decision, "officer": officer, "why": answer})


def forget_objections_of(writes: Writes, user_id: str) -> None:
    """Somebody leaves the association."""
    writes.add(_DROP_OBJECTIONS_OF, {"who": user_id})


async def albums_before(database: Database, limit: int, before: tuple[int, str] | None = None) -> list[Album]:
    """Albums, newest first."""
    c = albums.c
    asked = select(albums).where(c.state == "shown").order_by(c.created_ms.desc(), c.id.desc()).limit(limit)
    if before is not None:
        asked = asked.where(or_(c.created_ms < before[0], (c.created_ms == before[0]) & (c.id < before[1])))
    return [_as_album(row) for row in await database.fetch_all(asked)]


async def albums_of_gathering(database: Database, gathering_id: str) -> list[Album]:
    """The albums of a gathering, newest first."""
    c = albums.c
    asked = select(albums).where(c.state == "shown", c.gathering_id == gathering_id).order_by(c.created_ms.desc())
    return [_as_album(row) for row in await database.fetch_all(asked)]


async def find_album(database: Database, album_id: str) -> Album | None:
    """One album."""
    row = await database.fetch_one(select(albums).where(albums.c.id == album_id))
    return None if row is None else _as_album(row)


async def covers(database: Database, album_ids: Sequence[str]) -> dict[str, tuple[int, Photo]]:
    """How many photos are shown in albums, and the first of each."""
    p = photos.c
    shown = p.album_id.in_(list(album_ids)) & (p.state == "shown")
    counted = (
        select(p.album_id, func.count().label("number"), func.min(p.position).label("first")).where(shown)
        .group_by(p.album_id).subquery()
    )
    asked = select(photos, counted.c.number).join(
        counted, (p.album_id == counted.c.album_id) & (p.position == counted.c.first)
    )
    return {row.album_id: (int(row.number), _as_photo(row)) for row in await database.fetch_all(asked)}


async def photos_of(database: Database, album_id: str, limit: int, after: int = -1) -> list[Photo]:
    """The photos that are shown, the first first, on from a position."""
    p = photos.c
    asked = select(photos).where(p.album_id == album_id, p.state == "shown", p.position > after)
    return [_as_photo(row) for row in await database.fetch_all(asked.order_by(p.position).limit(limit))]


async def find_photo(database: Database, photo_id: str) -> Photo | None:
    """One photo, also one that is not shown."""
    row = await database.fetch_one(select(photos).where(photos.c.id == photo_id))
    return None if row is None else _as_photo(row)


async def open_objections(database: Database) -> list[Objection]:
    """What officers have not decided about, the oldest first."""
    asked = select(objections).where(objections.c.decision == "").order_by(objections.c.ts, objections.c.id)
    return [Objection(**row._mapping) for row in await database.fetch_all(asked)]


async def decided_objections(database: Database, limit: int) -> list[Objection]:
    """What they have decided, the last first."""
    asked = select(objections).where(objections.c.decision != "").order_by(objections.c.ts.desc()).limit(limit)
    return [Objection(**row._mapping) for row in await database.fetch_all(asked)]


def _as_album(row: Any) -> Album:
    return Album(
        row.id, row.title, row.note, row.gathering_id, row.author, row.event_id, row.created_ms,
        row.state == "removed",
    )


def _as_photo(row: Any) -> Photo:
    return Photo(
        row.id, row.album_id, row.event_id, row.uploader, Picture.from_json(orjson.loads(row.picture)),
        State(row.state), row.closed_by, row.reason, row.ts, row.position,
    )
