"""The expand-property report (RFC 3253 section 3.8): hrefs together with properties of what they lead to."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from server.caldav.answers import multistatus, propstat, response
from server.caldav.call import Call
from server.caldav.names import CALDAV, DAV, tag
from server.caldav.paths import Place, Target
from server.caldav.prop_request import render
from server.caldav.subjects import Subject, subject_of
from server.caldav.xml_reading import Element, children
from server.foundation.errors import BadRequest

_MAX_DEPTH: Final = 3
_LEADS_TO: Final = {
    DAV + "current-user-principal": Place.PRINCIPAL,
    DAV + "principal-URL": Place.PRINCIPAL,
    DAV + "owner": Place.PRINCIPAL,
    CALDAV + "calendar-home-set": Place.HOME,
}


async def expand_property(call: Call, root: Element) -> web.Response:
    """The properties asked for; where they lead is answered for the caller's own principal and home."""
    subject = await subject_of(call, call.target)
    return multistatus([await _expanded(subject, root, 0)])


async def _expanded(subject: Subject, element: Element, depth: int) -> str:
    found, missing = [], []
    for item in children(element, DAV + "property"):
        name = _name(item)
        rendered = await _property(subject, item, name, depth)
        if rendered is None:
            missing.append(tag(name).empty)
        else:
            found.append(rendered)
    return response(subject.path, propstat(200, found) + propstat(404, missing))


async def _property(subject: Subject, item: Element, name: str, depth: int) -> str | None:
    rendered = render(subject, name)
    place = _LEADS_TO.get(name)
    nested = any(True for _ in children(item, DAV + "property"))
    if rendered is None or place is None or not nested or "<D:href>" not in rendered or depth >= _MAX_DEPTH:
        return rendered
    inner = await _expanded(await subject_of(subject.call, Target(place)), item, depth + 1)
    return f"{tag(name).open}{inner}{tag(name).close}"


def _name(item: Element) -> str:
    local = str(item.get("name", ""))
    if not local or not local.replace("-", "a").replace("_", "a").isalnum():
        raise BadRequest("A property has no name")
    return f"{{{item.get('namespace', 'DAV:')}}}{local}"
