"""Many entries as one .ics file for programs that only read. Pure, and made of text: nothing is parsed again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from server.calendars.gathering_ics import escaped, folded

MAX_BYTES: Final = 2 * 1024 * 1024
# Alarms are each reader's own, and names of people have no business with whom the feed was given to.
_NAMES: Final = ("ATTENDEE", "ORGANIZER", "CONTACT")


def feed_text(name: str, objects: Iterable[bytes]) -> bytes:
    """A VCALENDAR called ``name`` with the components of ``objects``, each time zone once, at most ``MAX_BYTES``."""
    zones: dict[str, str] = {}
    entries: list[str] = []
    size = 0
    for data in objects:
        parts = list(_components(data.decode("utf-8", "replace")))
        text = "".join(part for kind, part in parts if kind != "VTIMEZONE")
        size += len(text.encode())
        if size > MAX_BYTES:
            break
        zones.update((part, part) for kind, part in parts if kind == "VTIMEZONE")
        entries.append(text)
    head = (
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Kairan//Feed//JA", "CALSCALE:GREGORIAN", "METHOD:PUBLISH",
        f"NAME:{escaped(name)}", f"X-WR-CALNAME:{escaped(name)}", "X-WR-TIMEZONE:Asia/Tokyo", "COLOR:green",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H", "X-PUBLISHED-TTL:PT1H",
    )
    return "".join((*map(folded, head), *_once(zones), *entries, "END:VCALENDAR\r\n")).encode()


def _once(zones: Iterable[str]) -> Iterator[str]:
    """Each time zone by its name: the first description of it."""
    told: set[str] = set()
    for zone in zones:
        name = next((line for line in zone.split("\r\n") if line.startswith("TZID")), "")
        if name not in told:
            told.add(name)
            yield zone


def _components(text: str) -> Iterator[tuple[str, str]]:
    """Kind and lines of everything that stands directly in a VCALENDAR."""
    lines: list[str] = []
    ends: list[str] = []
    drops = False
    for line in text.replace("\r\n", "\n").split("\n"):
        word = line.upper()
        if word.startswith("BEGIN:") and word != "BEGIN:VCALENDAR":
            ends.append(word[6:].strip())
        if not ends or (word.startswith((" ", "\t")) and drops):
            continue
        drops = "VALARM" in ends or word.startswith(_NAMES)
        if not drops:
            lines.append(line + "\r\n")
        if word.startswith("END:") and word[4:].strip() == ends[-1]:
            kind = ends.pop()
            if not ends:
                yield kind, "".join(lines)
                lines = []
