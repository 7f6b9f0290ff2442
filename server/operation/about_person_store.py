"""What a database holds about one person: the rows in which they stand, without what proves who they are.

Rows are told as they are; so what others said is told only in the person's own 窓口, and what an officer has done about
others is not told of the officer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from server.foundation.errors import Refused
from server.operation.tables_store import Tables

Json = dict[str, Any]

# What proves who somebody is, or lets others reach their telephone.
_SECRETS: Final = frozenset({
    "hash", "password", "password_mark", "token_hash", "code_hash", "refresh_hash", "token", "pushkey", "endpoint",
})
# Where somebody stands in a row, by their Matrix address or by their number on the roster.
_BY_USER: Final = (
    "user_id", "owner", "sender", "creator", "reporter", "state_key", "viewer", "created_by", "author", "asker",
    "uploader", "issuer", "arranged_by",
)
_BY_PERSON: Final = ("person_id", "person", "voice")
# Tables in which people stand and that are not told of, and why.
LEFT_OUT: Final[Mapping[str, str]] = {
    "access_tokens": "proves who somebody is", "refresh_tokens": "proves who somebody is",
    "web_sessions": "proves who somebody is", "current_state": "the same as in events",
    "state_deltas": "the same as in events", "user_directory": "the same as the profile",
    "to_device_messages": "passes between devices", "to_device_transactions": "passes between devices",
    "transactions": "which request made which event", "event_notices": "what is counted as unread",
    "device_list_changes": "numbers only", "duties": "the order of households",
    "association_rooms": "which room is whose", "relations": "the same as in events", "outbox": "the same as in events",
}
# Columns of these names that say who did something about somebody else.
_OFFICE: Final = frozenset({
    ("inquiries", "owner"), ("memberships", "sender"), ("links", "user_id"), ("shares", "user_id"),
})
# Where else rows are about them.
_OWN: Final = "SELECT household_id FROM persons WHERE id = :person"
_WHERE_ELSE: Final[Mapping[str, tuple[str, ...]]] = {
    "persons": ("id = :person",),
    "households": (f"id IN ({_OWN})",),
    "bookings": ("""content LIKE '%"person":"' || :person || '"%'""",),
    "calendar_items": ("calendar IN (SELECT id FROM calendars WHERE owner = :user)",),
    "events": (
        "room IN (SELECT nid FROM rooms JOIN association_rooms USING (room_id) WHERE key = 'desk:' || :person)",
    ),
    "inquiry_lines": ("inquiry_id IN (SELECT id FROM inquiries WHERE person_id = :person OR asker = :user)",),
    "planned_circulars": ("officer = :user",),
}


class Someone(NamedTuple):
    """Whom it is about: their Matrix address, their number on the roster; ``-`` where they have none."""

    user_id: str
    person_id: str


def someone_called(tables: Tables, who: str, server_name: str) -> Someone:
    """Whoever has this account (``hanako``, ``@hanako:sakura.example``), else whoever on the roster has this name: many
    who have none read on paper. Raises ``Refused`` where there is nobody, or more than one.
    """
    user_id = who if who.startswith("@") else f"@{who}:{server_name}"
    if tables.ask("SELECT 1 FROM users WHERE user_id = :user_id", user_id=user_id):
        rows = tables.ask("SELECT id FROM persons WHERE user_id = :user_id", user_id=user_id)
        return Someone(user_id, str(rows[0]["id"]) if rows else "-")
    rows = tables.ask("SELECT id, user_id FROM persons WHERE name = :who", who=who)
    if len(rows) == 1:
        return Someone(str(rows[0]["user_id"] or "-"), str(rows[0]["id"]))
    if rows:
        raise Refused(f"{len(rows)} people on the roster are called {who}; give the name of an account.")
    raise Refused(f"There is no account {user_id}, and nobody on the roster is called {who}.")


def rows_about(tables: Tables, names: list[str], someone: Someone) -> dict[str, list[Json]]:
    """By table what there is, tables without anything left out."""
    found = {table: list(_rows_in(tables, table, someone)) for table in names if table not in LEFT_OUT}
    return {table: rows for table, rows in found.items() if rows}


def _rows_in(tables: Tables, table: str, someone: Someone) -> Iterator[Json]:
    columns = tables.columns(table)
    where = [
        *(f'"{name}" = :user' for name in _BY_USER if name in columns and (table, name) not in _OFFICE),
        *(f'"{name}" = :person' for name in _BY_PERSON if name in columns),
        *_WHERE_ELSE.get(table, ()),
    ]
    if where:
        for row in tables.rows(table, " OR ".join(where), user=someone.user_id, person=someone.person_id):
            yield {name: value for name, value in row.items() if name not in _SECRETS}
