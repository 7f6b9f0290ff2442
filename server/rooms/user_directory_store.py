"""Tables ``user_directory`` and ``user_directory_rooms``: in which words people are found, by room. Projections.

What the words of a person are follows from their member event, and whether strangers may find a room's members from
its join rules and its history visibility. Rows are written in the transaction of these events; nothing else costs
anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Column, Integer, Table, Text, bindparam, delete, exists, func, or_, select

from server.accounts.users_store import users
from server.foundation.canonical_json import parse_json
from server.rooms.event import Event
from server.rooms.event_store import events
from server.rooms.live_room import LiveRoom
from server.rooms.membership_store import memberships
from server.rooms.people_words import words_of_person
from server.rooms.state_store import current_state, rooms
from server.rooms.timeline import Entry, Moves, text_of
from server.storage.database import Database, Transaction, Writes, metadata
from server.storage.upsert import upsert

user_directory: Final = Table(
    "user_directory", metadata,
    Column("room_id", Text, primary_key=True),
    Column("user_id", Text, primary_key=True),
    Column("words", Text, nullable=False),
    Column("display_name", Text),
    Column("avatar_url", Text),
)
user_directory_rooms: Final = Table(
    "user_directory_rooms", metadata,
    Column("room_id", Text, primary_key=True),
    Column("open", Integer),
)

FOLLOWED: Final = ("m.room.member", "m.room.join_rules", "m.room.history_visibility", "m.room.redaction")
_MEMBER: Final = "m.room.member"
_RULES: Final = ("m.room.join_rules", "")
_VISIBILITY: Final = ("m.room.history_visibility", "")
_PUT: Final = upsert(user_directory)
_DROP: Final = delete(user_directory).where(
    user_directory.c.room_id == bindparam("where"), user_directory.c.user_id == bindparam("who")
)
_DROP_ALL: Final = delete(user_directory).where(user_directory.c.room_id == bindparam("where"))
_OPEN: Final = upsert(user_directory_rooms)
_STATE: Final = (
    select(rooms.c.room_id, current_state.c.type, current_state.c.state_key, events.c.json)
    .select_from(
        rooms.join(current_state, current_state.c.room == rooms.c.nid)
        .join(events, events.c.event_id == current_state.c.event_id)
    )
    .where(rooms.c.room_id.in_(bindparam("room_ids", expanding=True)), rooms.c.outside == 0)
    .where(current_state.c.type.in_([_MEMBER, "m.room.join_rules", "m.room.history_visibility"]))
)
_LONGEST: Final = 256

_mine: Final = memberships.alias("mine")
_theirs: Final = memberships.alias("theirs")
_IN_SIGHT: Final = or_(
    user_directory.c.room_id.in_(
        select(_mine.c.room_id).where(_mine.c.user_id == bindparam("asker"), _mine.c.membership == "join")
    ),
    user_directory.c.room_id.in_(select(user_directory_rooms.c.room_id).where(user_directory_rooms.c.open == 1)),
)
_SHARED: Final = (
    select(_mine.c.room_id)
    .select_from(_mine.join(_theirs, _mine.c.room_id == _theirs.c.room_id))
    .where(_mine.c.user_id == bindparam("one"), _theirs.c.user_id == bindparam("other"))
    .where(_mine.c.membership == "join", _theirs.c.membership == "join")
)


class Listed(NamedTuple):
    """A person as a room shows them, and the words that they are found by."""

    user_id: str
    words: str
    display_name: str | None
    avatar_url: str | None


def follow_people(room: LiveRoom, entry: Entry, writes: Writes) -> None:
    """A projection of ``FOLLOWED``: who can be found, in which words, and by whom."""
    if entry.event.type == "m.room.redaction":
        _follow_redaction(room, entry.event, writes)
    elif entry.moved is None:
        _follow_changes(room, entry.changes, writes)


def follow_people_in_forks(room: LiveRoom, entry: Entry, writes: Writes) -> None:
    """A projection: like ``follow_people`` where an event of whatever type has moved the state of a room.

    What another server tells of a room that none of us is in is not believed; when the first of us comes in, all is
    read anew.
    """
    if entry.moved is None or room.outside:
        return
    if room.joined_here:
        _follow_changes(room, entry.moved, writes)
    else:
        read_anew(writes, room.room_id)


def _follow_changes(room: LiveRoom, changes: Moves, writes: Writes) -> None:
    for (kind, state_key), (replaced, current) in changes.items():
        if kind == _MEMBER:
            _follow_member(room, state_key, replaced, current, writes)
    if _RULES in changes or _VISIBILITY in changes:
        contents = [changes[key][1] if key in changes else room.state.get(key) for key in (_RULES, _VISIBILITY)]
        _set_open(writes, room.room_id, is_open=any(event is not None and _opens(event.content) for event in contents))


def _follow_member(
    room: LiveRoom, user_id: str, replaced: Event | None, current: Event | None, writes: Writes
) -> None:
    room_id = room.room_id
    was_in = replaced is not None and replaced.content.get("membership") == "join"
    if current is not None and current.content.get("membership") == "join":
        if not was_in or replaced is None or not _looks_alike(current, replaced):
            writes.add(_PUT, _row(room_id, user_id, current.content))
    elif room.joined_here == {user_id}:
        writes.add(_DROP_ALL, {"where": room_id})  # what happens there now, nobody tells us any more
    elif was_in:
        writes.add(_DROP, {"where": room_id, "who": user_id})


def _looks_alike(event: Event, other: Event) -> bool:
    return all(event.content.get(name) == other.content.get(name) for name in ("displayname", "avatar_url"))


def _follow_redaction(room: LiveRoom, redaction: Event, writes: Writes) -> None:
    """A name that was taken back is not found any more. What a redaction may take is decided elsewhere: read anew."""
    target = redaction.redacts
    newest = room.find(target) if target is not None else None
    if newest is not None and newest.event.type != _MEMBER:
        return
    members = (room.member(user_id) for user_id in room.joined)
    if any(event is not None and event.event_id == target for event in members):
        read_anew(writes, room.room_id)


def _row(room_id: str, user_id: str, content: Mapping[str, Any]) -> dict[str, str | None]:
    name = _storable(text_of(content, "displayname")[:_LONGEST])
    return {
        "room_id": room_id, "user_id": user_id, "words": _storable(words_of_person(user_id, name)),
        "display_name": name or None, "avatar_url": _storable(text_of(content, "avatar_url")) or None,
    }


def _storable(text: str) -> str:
    """What strangers call themselves may hold what no database takes."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _set_open(writes: Writes, room_id: str, *, is_open: bool | None) -> None:
    writes.add(_OPEN, {"room_id": room_id, "open": None if is_open is None else int(is_open)})


def read_anew(writes: Writes, room_id: str) -> None:
    """What is known of a room may be wrong: read it at the next search."""
    _set_open(writes, room_id, is_open=None)


def _opens(content: Mapping[str, object]) -> bool:
    """Whether join rules or a history visibility let strangers in."""
    return content.get("join_rule") == "public" or content.get("history_visibility") == "world_readable"


async def rooms_to_read(database: Database) -> list[str]:
    """Rooms whose rows are not written yet."""
    rows = await database.fetch_all(
        select(user_directory_rooms.c.room_id).where(user_directory_rooms.c.open.is_(None))
    )
    return [str(row[0]) for row in rows]


async def read_rooms(tx: Transaction, room_ids: Sequence[str]) -> None:
    """Write the rows of rooms from their state on disk; in a transaction, so that nothing changes in between."""
    people: list[dict[str, str | None]] = []
    found = dict.fromkeys(room_ids, False)
    for row in await tx.execute(_STATE, {"room_ids": list(room_ids)}):
        content = parse_json(row.json)["content"]
        if row.type == _MEMBER and content.get("membership") == "join":
            people.append(_row(row.room_id, row.state_key, content))
        elif row.type != _MEMBER and row.state_key == "" and _opens(content):
            found[row.room_id] = True
    await tx.execute(_DROP_ALL, [{"where": room_id} for room_id in room_ids])
    if people:
        await tx.execute(_PUT, people)
    await tx.execute(_OPEN, [{"room_id": room_id, "open": int(known)} for room_id, known in found.items()])


async def find_people(database: Database, asker: str, words: Iterable[str], most: int) -> list[Listed]:
    """Up to ``most`` people whom ``asker`` may find by all of ``words``, without closed accounts and the asker.

    Who looks different in two rooms stands in the answer twice.
    """
    same = users.c.user_id == user_directory.c.user_id
    closed = exists(select(users.c.user_id).where(same, users.c.deactivated == 1))
    columns = (
        user_directory.c.user_id, user_directory.c.words, user_directory.c.display_name, user_directory.c.avatar_url,
    )
    asked = select(*columns).distinct().where(_IN_SIGHT, user_directory.c.user_id != bindparam("asker"), ~closed)
    for word in words:
        asked = asked.where(user_directory.c.words.contains(word, autoescape=True))
    rows = await database.fetch_all(asked.order_by(user_directory.c.user_id).limit(most), {"asker": asker})
    return [Listed(*row) for row in rows]


async def rooms_shared(
    database: Database, one: str, other: str, after: str, limit: int
) -> tuple[Sequence[str], int]:
    """Up to ``limit`` rooms that two people are in, in the order of their ids ``after`` one, and how many in all."""
    pair = {"one": one, "other": other}
    page = _SHARED.where(_mine.c.room_id > after).order_by(_mine.c.room_id).limit(limit)
    rows = await database.fetch_all(page, pair)
    total = await database.fetch_one(select(func.count()).select_from(_SHARED.subquery()), pair)
    return [str(row[0]) for row in rows], 0 if total is None else int(total[0])
