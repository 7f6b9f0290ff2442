"""PROPPATCH (RFC 4918 section 9.2).

What is set is seen by the caller only, so it is allowed on read-only calendars too: macOS gives up on a calendar where
its own settings are refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aiohttp import web

from server.caldav import names
from server.caldav.answers import multistatus, propstat, response
from server.caldav.call import Call
from server.caldav.names import DAV, tag
from server.caldav.paths import Place
from server.caldav.properties import LIVE, OWN, PERSONAL
from server.caldav.subjects import HOME_KEY, PRINCIPAL_KEY, Subject, subject_of
from server.caldav.xml_reading import Element, child, children, read_xml, serialised, text
from server.calendars.reading import read_calendar
from server.calendars.refusals import Condition, refuse
from server.foundation.errors import BadRequest

_KEYS = {Place.HOME: HOME_KEY, Place.PRINCIPAL: PRINCIPAL_KEY}


async def proppatch(call: Call) -> web.Response:
    """Set and remove properties: all of them, or none."""
    root = read_xml(call.body)
    if root.tag != DAV + "propertyupdate":
        raise BadRequest("The body of PROPPATCH must be a propertyupdate")
    changes = _changes(root)
    subject = await subject_of(call, call.target)
    refused = [name for name in changes if not _may_set(subject, name)]
    if refused:
        return multistatus([response(subject.path, _refusal(changes, refused))])
    await call.calendars.change_properties(call.user_id, _key(subject), changes)
    return multistatus([response(subject.path, propstat(200, (tag(name).empty for name in changes)))])


def _changes(root: Element) -> dict[str, str | None]:
    """In document order; the last word on a property counts."""
    changes: dict[str, str | None] = {}
    for action in children(root):
        for prop in children(child(action, DAV + "prop")):
            if action.tag == DAV + "set":
                changes[str(prop.tag)] = stored_form(prop)
            elif action.tag == DAV + "remove":
                changes[str(prop.tag)] = None
    if not changes:
        raise BadRequest("The request changes nothing")
    return changes


def stored_form(prop: Element) -> str:
    """A property as it is kept; checks those that apps rely on."""
    if prop.tag == names.TIMEZONE and "BEGIN:VTIMEZONE" not in text(prop).upper():
        raise refuse(Condition.CALENDAR_DATA, "The time zone is not a VTIMEZONE")
    if prop.tag == names.TIMEZONE:
        read_calendar(text(prop).encode())
    return serialised(prop)


def _may_set(subject: Subject, name: str) -> bool:
    if subject.place is Place.COLLECTION:
        assert subject.shelf is not None
        return name in PERSONAL or name not in LIVE or (name in OWN and subject.shelf.is_own)
    return subject.place in _KEYS and name not in LIVE


def _key(subject: Subject) -> str:
    return subject.shelf.collection.key if subject.shelf is not None else _KEYS[subject.place]


def _refusal(changes: Mapping[str, str | None], refused: Iterable[str]) -> str:
    guilty = set(refused)
    error = f"<D:error>{tag(Condition.PROTECTED).empty}</D:error>"
    forbidden = propstat(403, (tag(name).empty for name in changes if name in guilty))
    return (forbidden.replace("</D:propstat>", f"{error}</D:propstat>")
            + propstat(424, (tag(name).empty for name in changes if name not in guilty)))
