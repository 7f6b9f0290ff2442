"""What an export shows to people: questions to the tables, and the headings under which the answers stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import orjson

from server.operation.tables_store import Tables

Json = dict[str, Any]

_ROSTER: Final = """
SELECT blocks.name AS block, households.number AS number, households.name AS household, persons.name AS name,
 persons.kana AS kana, persons.phone AS phone, households.channel AS channel, persons.user_id AS user_id,
 (SELECT group_concat(role, ' ') FROM roles WHERE person_id = persons.id) AS roles,
 (SELECT group_concat(member_groups.name, ' ') FROM group_members
  JOIN member_groups ON member_groups.id = group_id WHERE person_id = persons.id) AS groups
FROM persons JOIN households ON households.id = household_id JOIN blocks ON blocks.id = block_id
ORDER BY blocks.place, households.place, persons.place
"""
_CIRCULARS: Final = """
SELECT datetime(created_ts / 1000, 'unixepoch', '+9 hours') AS made, title, category, audience, issuer, state, text,
 (SELECT count(*) FROM circular_marks WHERE circular_id = circulars.id AND kind = 'acknowledged') AS acknowledged
FROM circulars ORDER BY created_ts
"""
_POLLS: Final = """
SELECT datetime(poll_answers.ts / 1000, 'unixepoch', '+9 hours') AS at, question, voice, unit, chosen, channel,
 entered_by FROM poll_answers JOIN polls ON polls.id = poll_id ORDER BY polls.created_ts, poll_answers.place
"""
_SAFETY: Final = """
SELECT datetime(safety_answers.ts / 1000, 'unixepoch', '+9 hours') AS at, safety_checks.title AS title,
 coalesce(persons.name, '') AS name, safety_answers.status AS status, comment, people, geo_uri, channel, entered_by
FROM safety_answers JOIN safety_checks ON safety_checks.id = check_id
LEFT JOIN persons ON persons.id = safety_answers.person_id ORDER BY safety_checks.started_ts, safety_answers.place
"""
_CONSENTS: Final = """
SELECT user_id, policy, version, datetime(accepted_ts / 1000, 'unixepoch', '+9 hours') AS accepted
FROM consents ORDER BY user_id, policy, accepted_ts
"""
_LOOKS: Final = """
SELECT datetime(ts / 1000, 'unixepoch', '+9 hours') AS at, viewer, what FROM access_log ORDER BY ts
"""


_EVENTS: Final = """
SELECT events.event_id AS event_id, rooms.room_id AS room_id, events.redacted_by AS redacted_by, stream, json
FROM events JOIN rooms ON rooms.nid = events.room WHERE :nid IS NULL OR events.room = :nid ORDER BY stream
"""


class Sheet(NamedTuple):
    """A file for a spreadsheet: its name, the question, and what stands above the columns."""

    name: str
    question: str
    headings: Mapping[str, str]


SHEETS: Final = (
    Sheet("名簿.csv", _ROSTER, {
        "block": "班", "number": "世帯番号", "household": "世帯", "name": "氏名", "kana": "ふりがな", "phone": "電話",
        "channel": "連絡方法", "roles": "役職", "groups": "グループ", "user_id": "アカウント",
    }),
    Sheet("回覧.csv", _CIRCULARS, {
        "made": "日時", "title": "題", "category": "種類", "audience": "宛先", "issuer": "出した人", "state": "状態",
        "acknowledged": "確認した人数", "text": "本文",
    }),
    Sheet("アンケート.csv", _POLLS, {
        "at": "日時", "question": "しつもん", "voice": "だれ", "unit": "数え方", "chosen": "こたえ", "channel": "方法",
        "entered_by": "書いた人",
    }),
    Sheet("安否確認.csv", _SAFETY, {
        "at": "日時", "title": "なに", "name": "氏名", "status": "こたえ", "comment": "ひとこと", "people": "人数",
        "geo_uri": "場所", "channel": "方法", "entered_by": "書いた人",
    }),
    Sheet("同意.csv", _CONSENTS, {"user_id": "アカウント", "policy": "文書", "version": "版", "accepted": "日時"}),
    Sheet("名簿を見た人.csv", _LOOKS, {"at": "日時", "viewer": "見た人", "what": "なに"}),
)


class RoomShown(NamedTuple):
    """A room as an export shows it."""

    nid: int
    room_id: str
    name: str


def rooms_of(tables: Tables) -> list[RoomShown]:
    """All rooms with their names."""
    rows = tables.ask(
        "SELECT rooms.nid AS nid, rooms.room_id AS room_id, events.json AS json FROM rooms"
        " LEFT JOIN current_state ON current_state.room = rooms.nid AND current_state.type = 'm.room.name'"
        " LEFT JOIN events ON events.event_id = current_state.event_id ORDER BY rooms.nid"
    )
    return [RoomShown(row["nid"], row["room_id"], _name_in(row["json"])) for row in rows]


def _name_in(raw: bytes | None) -> str:
    content = orjson.loads(raw).get("content", {}) if raw else {}
    name = content.get("name") if isinstance(content, dict) else None
    return name if isinstance(name, str) else ""


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


def person_of(tables: Tables, user_id: str) -> str:
    """The number on the roster of whoever has this account; empty where nobody has."""
    rows = tables.ask("SELECT id FROM persons WHERE user_id = :user_id", user_id=user_id)
    return str(rows[0]["id"]) if rows else ""
