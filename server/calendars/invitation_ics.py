"""An invitation as iCalendar: a gathering with its organizer and the one attendee whose copy it is (RFC 6638, 3.2)."""

from __future__ import annotations

from typing import Any, Final

from server.calendars.addresses import Addresses
from server.calendars.calendar_object import CalendarObject
from server.calendars.gathering_ics import folded
from server.calendars.personal_parts import essence_but_answers
from server.calendars.reading import Part
from server.calendars.recurrence_rules import values_of
from server.calendars.refusals import Condition, refuse

NEEDS_ACTION: Final = "NEEDS-ACTION"
PARTSTATS: Final = (NEEDS_ACTION, "ACCEPTED", "DECLINED", "TENTATIVE")
# The answer could not be delivered, whoever was asked and whether or not there is such a neighbour (section 3.2.9).
_NOT_DELIVERED: Final = "5.3"
_END: Final = b"END:VEVENT\r\n"
_VERSION: Final = b"VERSION:2.0\r\n"


def invitation(data: bytes, organizer: tuple[str, str], attendee: tuple[str, str], partstat: str) -> bytes:
    """``data`` (one VEVENT of ours) as an attendee's copy; organizer and attendee are name and address."""
    rsvp = ";RSVP=TRUE" if partstat == NEEDS_ACTION else ""
    lines = folded(f"ORGANIZER;CN={_quoted(organizer[0])}:{organizer[1]}") + folded(
        f"ATTENDEE;CN={_quoted(attendee[0])};CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT={partstat}{rsvp}"
        f":{attendee[1]}"
    )
    before, end, after = data.rpartition(_END)
    return before + lines.encode() + end + after


def as_request(data: bytes) -> bytes:
    """The message that stands in an inbox (RFC 5546 section 3.2.2)."""
    return data.replace(_VERSION, _VERSION + b"METHOD:REQUEST\r\n", 1)


def answered(thing: CalendarObject, user_id: str, addresses: Addresses) -> str:
    """The PARTSTAT that an app has written for its owner; refuses an entry from which the owner is gone."""
    for attendee in values_of(thing.parts[0], "ATTENDEE"):
        if addresses.is_of(str(attendee), user_id):
            partstat = str(attendee.params.get("PARTSTAT", NEEDS_ACTION)).upper()
            if partstat in PARTSTATS:
                return partstat
    raise refuse(Condition.ATTENDEE_CHANGE, "Answer with accepted, declined or tentative")


def require_only_an_answer(thing: CalendarObject, old: CalendarObject) -> None:
    """Refuse what an attendee may not change (RFC 6638 section 3.2.2.1)."""
    if len(thing.parts) != 1 or essence_but_answers(thing.parts[0]) != essence_but_answers(old.parts[0]):
        raise refuse(Condition.ATTENDEE_CHANGE, "Only your own answer may be changed; the officers arrange the rest")


def undelivered(thing: CalendarObject, user_id: str, addresses: Addresses) -> bytes | None:
    """The object with the word that nobody was told, where its owner has invited somebody; else ``None``.

    Residents' own entries are not sent round. Saying so for everybody alike tells nothing of who lives here.
    """
    changed = False
    for part in thing.parts:
        if addresses.is_of(str(part.get("ORGANIZER", "")), user_id):
            changed = _mark_all(part, user_id, addresses) or changed
    out: bytes | None = thing.calendar.to_ical() if changed else None
    return out


def _mark_all(part: Part, user_id: str, addresses: Addresses) -> bool:
    changed = False
    for attendee in values_of(part, "ATTENDEE"):
        agent = str(attendee.params.get("SCHEDULE-AGENT", "SERVER")).upper()
        is_told = attendee.params.get("SCHEDULE-STATUS") == _NOT_DELIVERED
        if agent == "SERVER" and not is_told and not addresses.is_of(str(attendee), user_id):
            attendee.params["SCHEDULE-STATUS"] = _NOT_DELIVERED
            changed = True
    return changed


def is_scheduled(data: bytes) -> bool:
    """Whether an entry has an organizer, and so a schedule tag (section 3.2.10)."""
    return b"\nORGANIZER" in data


def _quoted(name: str) -> str:
    kept: Any = "".join(letter for letter in name if letter >= " " and letter != '"')
    return f'"{kept}"'
