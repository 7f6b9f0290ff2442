"""POST to the outbox: when somebody has time (RFC 6638 section 5). Whoever has not allowed it is answered for exactly
like an address that belongs to nobody, so that nothing can be learnt of who lives here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from server.caldav.answers import escape, href, xml_text
from server.caldav.call import Call
from server.caldav.names import DECLARED
from server.caldav.paths import Place
from server.calendars.addresses import Addresses
from server.calendars.free_busy import reply
from server.calendars.invitations import OUTBOX
from server.calendars.model import Window
from server.calendars.reading import Part, read_calendar
from server.calendars.recurrence_rules import values_of
from server.calendars.refusals import Condition, refuse
from server.calendars.times import to_ms
from server.foundation.errors import Refused

_MOST_ATTENDEES: Final = 50
_LONGEST_MS: Final = 100 * 86_400_000
_UNKNOWN: Final = "3.7;Invalid calendar user"
_DONE: Final = "2.0;Success"


@dataclass(frozen=True, slots=True)
class _Request:
    """Who asks when whom has time."""

    organizer: str
    attendees: tuple[str, ...]
    uid: str
    window: Window


async def post(call: Call) -> web.Response:
    """Busy times of those who allow it."""
    target = call.require_place(Place.COLLECTION)
    if target.collection != OUTBOX:
        raise refuse(Condition.NONE, "POST is not possible here", status=405)
    await call.shelf()
    asked = _read(call)
    addresses = Addresses(call.settings.server_name)
    answers = [await _answer(call, asked, attendee, addresses) for attendee in asked.attendees]
    body = f'<?xml version="1.0" encoding="utf-8"?>\n<C:schedule-response {DECLARED}>{"".join(answers)}'
    return web.Response(body=f"{body}</C:schedule-response>".encode(), content_type="application/xml", charset="utf-8")


async def _answer(call: Call, asked: _Request, attendee: str, addresses: Addresses) -> str:
    user_id = addresses.user_of(attendee)
    busy = None
    if user_id is not None and (user_id == call.user_id or await call.calendars.shows_busy_times(user_id)):
        items = await call.calendars.busy_items(user_id, asked.window)
        busy = await call.calendars.worked_out(call.user_id, items, lambda found: reply(
            found, asked.window, call.calendars.now_ms, asked.uid, asked.organizer, attendee))
    status = _UNKNOWN if busy is None else _DONE
    data = "" if busy is None else f"<C:calendar-data>{xml_text(busy)}</C:calendar-data>"
    return (f"<C:response><C:recipient>{href(attendee)}</C:recipient>"
            f"<C:request-status>{escape(status)}</C:request-status>{data}</C:response>")


def _read(call: Call) -> _Request:
    try:
        calendar = read_calendar(call.body)
    except Refused as refusal:
        raise refuse(Condition.VALID_SCHEDULING, refusal.reason, status=400) from None
    parts: Sequence[Part] = [part for part in calendar.subcomponents if part.name == "VFREEBUSY"]
    if str(calendar.get("METHOD", "")).upper() != "REQUEST" or len(parts) != 1:
        raise refuse(Condition.VALID_SCHEDULING, "Only one VFREEBUSY with METHOD:REQUEST is taken here", status=400)
    part = parts[0]
    organizer = str(part.get("ORGANIZER", ""))
    if not Addresses(call.settings.server_name).is_of(organizer, call.user_id):
        raise refuse(Condition.VALID_ORGANIZER, "You may only ask in your own name")
    attendees = tuple(dict.fromkeys(str(item) for item in values_of(part, "ATTENDEE")))
    if not 0 < len(attendees) <= _MOST_ATTENDEES:
        raise refuse(Condition.VALID_SCHEDULING, f"Ask for 1 to {_MOST_ATTENDEES} people", status=400)
    return _Request(organizer, attendees, str(part.get("UID", ""))[:255], _window(part))


def _window(part: Part) -> Window:
    start: Any = getattr(part.get("DTSTART"), "dt", None)
    end: Any = getattr(part.get("DTEND"), "dt", None)
    if start is None or end is None:
        raise refuse(Condition.VALID_SCHEDULING, "DTSTART and DTEND are needed", status=400)
    window = Window(to_ms(start), to_ms(end))
    if not 0 < (window.end or 0) - (window.start or 0) <= _LONGEST_MS:
        raise refuse(Condition.VALID_SCHEDULING, "Ask for at most 100 days", status=400)
    return window
