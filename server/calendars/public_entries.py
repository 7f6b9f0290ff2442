"""A file of many entries, as cities publish them, taken apart into objects of one entry each. Pure, for a thread.

The file is a stranger's. It is cut line by line before anything understands it, so that each entry is judged alone by
the same limits as what a resident stores (``read_object``), and one bad entry takes none of the others along. What
would ring at everybody, invite somebody or lead elsewhere (alarms, attendees, attachments) stays out.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from server.calendars.calendar_object import CalendarObject, etag_of, read_object
from server.calendars.occurrences import require_expandable, span_of
from server.calendars.refusals import CalendarRefused
from server.foundation.errors import InvalidParam

MAX_BYTES: Final = 2 * 1024 * 1024
MAX_ENTRIES: Final = 2_000
_MAX_LINES: Final = 120_000
_HEAD: Final = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Kairan//Public//JA\r\n"
_NAME: Final = re.compile(r"[A-Za-z0-9-]+")
_ZONE: Final = re.compile(r";TZID=\"?([^\":;\r\n]+)")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# DTSTAMP is the moment of asking in many feeds: every entry would be another one each time.
_LEFT_OUT: Final = frozenset({"ATTENDEE", "ORGANIZER", "ATTACH", "DTSTAMP", "CONFERENCE", "REQUEST-STATUS", "METHOD"})
_UNREADABLE: Final = (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)


@dataclass(slots=True)
class _Part:
    """One VEVENT or VTIMEZONE: what its properties are called, and its lines with their folding."""

    kind: str
    lines: list[str] = field(default_factory=list)
    uid: str = ""
    zone: str = ""
    changed: str = ""


def taken_apart(data: bytes) -> dict[str, bytes]:
    """Every entry of a file by UID, as an object of its own; raises ``InvalidParam`` where it is no calendar."""
    if len(data) > MAX_BYTES:
        raise InvalidParam("ファイルが大きすぎます")
    text = _CONTROL.sub("", _decoded(data))
    if not text.lstrip().upper().startswith("BEGIN:VCALENDAR") or text.count("\n") > _MAX_LINES:
        raise InvalidParam("カレンダーのファイル（.ics）として読めませんでした")
    zones: dict[str, str] = {}
    entries: dict[str, list[_Part]] = {}
    for part in _parts(text):
        if part.kind == "VTIMEZONE":
            zones.setdefault(part.zone, "".join(part.lines))
        else:
            entries.setdefault(part.uid or _made_up(part), []).append(part)
    if not entries or len(entries) > MAX_ENTRIES:
        raise InvalidParam(f"予定がないか、{MAX_ENTRIES}より多くあります")
    return {uid: _alone(uid, parts, zones) for uid, parts in entries.items()}


def read_changed(entries: Mapping[str, bytes], known: Mapping[str, str]) -> tuple[list[CalendarObject], set[str]]:
    """Of what ``taken_apart`` found the objects that are not ``known`` (UID to ETag), and the UIDs that make no sense;
    CPU-bound."""
    found, bad = [], set()
    for uid, data in entries.items():
        if known.get(uid) != etag_of(data):
            thing = _object(data)
            if thing is None or thing.uid != uid:
                bad.add(uid)
            else:
                found.append(thing)
    return found, bad


def _object(data: bytes) -> CalendarObject | None:
    try:
        thing = read_object(data)
        require_expandable(thing, span_of(thing))
    except (CalendarRefused, *_UNREADABLE):
        return None
    return thing


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Older programs of town halls.
        return data.decode("cp932", "replace")


def _parts(text: str) -> Iterator[_Part]:
    """The events and zones of a file, without what lies inside of events."""
    path: list[str] = []
    part: _Part | None = None
    for line in _logical_lines(text):
        name = line[0][:40].upper()
        if name.startswith("BEGIN:"):
            path.append(name[6:])
            if len(path) == 2 and path[1] in ("VEVENT", "VTIMEZONE"):
                part = _Part(path[1])
        if part is not None and (len(path) == 2 or part.kind == "VTIMEZONE"):
            _take(part, line)
        if name.startswith("END:") and path:
            if len(path) == 2 and part is not None:
                yield part
                part = None
            path.pop()


def _logical_lines(text: str) -> Iterator[list[str]]:
    """The physical lines of each line."""
    line: list[str] = []
    for piece in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if piece.startswith((" ", "\t")) and line:
            line.append(piece)
            continue
        if line:
            yield line
        line = [piece] if piece.strip() else []
    if line:
        yield line


def _take(part: _Part, line: list[str]) -> None:
    match = _NAME.match(line[0])
    name = match[0].upper() if match is not None else ""
    value = "".join([line[0], *(piece[1:] for piece in line[1:])]).partition(":")[2].strip()
    if name == "UID" and part.kind == "VEVENT":
        part.uid = part.uid or value
    elif name == "TZID":
        part.zone = value
    elif name == "LAST-MODIFIED":
        part.changed = value if re.fullmatch(r"\d{8}T\d{6}Z", value) else ""
    if part.kind == "VTIMEZONE" or name not in _LEFT_OUT:
        part.lines.append("\r\n".join(line) + "\r\n")


def _made_up(part: _Part) -> str:
    """A UID for an entry without one: it stays the same as long as the entry does."""
    uid = hashlib.sha256("".join(part.lines).encode()).hexdigest()[:32]
    part.lines.insert(1, f"UID:{uid}\r\n")
    return uid


def _alone(uid: str, parts: list[_Part], zones: Mapping[str, str]) -> bytes:
    for part in parts:
        part.lines.insert(1, f"DTSTAMP:{part.changed or '19700101T000000Z'}\r\n")
    text = "".join(line for part in parts for line in part.lines)
    wanted = dict.fromkeys(_ZONE.findall(text))
    return (_HEAD + "".join(zones.get(name, "") for name in wanted) + text + "END:VCALENDAR\r\n").encode()
