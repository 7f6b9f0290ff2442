"""What an export shows to people: rooms with their names, what was said there, calendars, files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import orjson

from server.operation.tables_store import Tables

Json = dict[str, Any]

_MOST_NAMES: Final = 5
_EVENTS: Final = """
SELECT events.event_id AS event_id, rooms.room_id AS room_id, events.redacted_by AS redacted_by, stream, json
FROM events JOIN rooms ON rooms.nid = events.room WHERE :nid IS NULL OR events.room = :nid ORDER BY stream
"""


class RoomShown(NamedTuple):
    """A room as an export shows it."""

    nid: int
    room_id: str
    name: str


_ROOMS: Final = """
SELECT rooms.nid AS nid, rooms.room_id AS room_id, events.json AS json, persons.name AS person,
 (SELECT group_concat(user_id, ' ') FROM memberships
  WHERE memberships.room_id = rooms.room_id AND membership = 'join') AS members
FROM rooms LEFT JOIN current_state ON current_state.room = rooms.nid AND current_state.type = 'm.room.name'
LEFT JOIN events ON events.event_id = current_state.event_id
LEFT JOIN association_rooms ON association_rooms.room_id = rooms.room_id
LEFT JOIN persons ON association_rooms.key = 'desk:' || persons.id ORDER BY rooms.nid
"""


def rooms_of(tables: Tables, names: Mapping[str, str]) -> list[RoomShown]:
    """All rooms: by their names, each 窓口 by whose it is, those without a name by who is in them."""
    return [RoomShown(row["nid"], row["room_id"], _shown_name(dict(row), names)) for row in tables.ask(_ROOMS)]


def _shown_name(row: Mapping[str, Any], names: Mapping[str, str]) -> str:
    content = orjson.loads(row["json"]).get("content", {}) if row["json"] else {}
    name = content.get("name") if isinstance(content, dict) else None
    if isinstance(name, str) and name:
        return f"{name}：{row['person']}" if row["person"] else name
    people = [names.get(user_id, user_id) for user_id in (row["members"] or "").split()]
    return "、".join(people[:_MOST_NAMES]) or "だれもいない部屋"


def names_of(tables: Tables) -> dict[str, str]:
    """What people are called, by Matrix address."""
    rows = tables.ask("SELECT user_id, value FROM profile_fields WHERE name = 'displayname'")
    found = {row["user_id"]: orjson.loads(row["value"]) for row in rows}
    return {user_id: name for user_id, name in found.items() if isinstance(name, str)}


def events_in(tables: Tables, room: RoomShown | None = None) -> Iterator[Json]:
    """Events as JSON objects, oldest first; with their room, position and id beside them."""
    for row in tables.each(_EVENTS, nid=room.nid if room else None):
        yield {
            "event_id": row["event_id"], "room_id": row["room_id"], "position": row["stream"],
            "redacted_by": row["redacted_by"], "event": orjson.loads(row["json"]),
        }


def calendars_of(tables: Tables) -> Iterator[tuple[str, str, list[bytes]]]:
    """Owner, name and items of each calendar of a resident."""
    for row in tables.ask("SELECT id, owner, name FROM calendars ORDER BY owner, name"):
        items = tables.ask("SELECT data FROM calendar_items WHERE calendar = :id ORDER BY name", id=row["id"])
        yield row["owner"], row["name"], [item["data"] for item in items]


def media_of(tables: Tables) -> Iterator[tuple[str, str, str]]:
    """Id, file name and kind of every uploaded file."""
    for row in tables.ask("SELECT media_id, filename, content_type FROM media WHERE size IS NOT NULL"):
        yield row["media_id"], row["filename"] or "", row["content_type"]
