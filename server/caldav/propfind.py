"""PROPFIND (RFC 4918 section 9.1)."""

from __future__ import annotations

from aiohttp import web

from server.caldav.answers import multistatus
from server.caldav.call import Call
from server.caldav.names import DAV
from server.caldav.prop_request import answer, read_prop_request
from server.caldav.subjects import members_of, subject_of
from server.caldav.xml_reading import read_xml
from server.calendars.refusals import Condition, refuse
from server.foundation.errors import BadRequest


async def propfind(call: Call) -> web.Response:
    """Properties of a resource, and of what lies directly below it with ``Depth: 1``."""
    depth = call.depth("0")
    if depth == "infinity":
        raise refuse(Condition.FINITE_DEPTH, "Only Depth 0 and 1 are answered")
    root = read_xml(call.body) if call.body.strip() else None
    if root is not None and root.tag != DAV + "propfind":
        raise BadRequest("The body of PROPFIND must be a propfind")
    asked = read_prop_request(root)
    subject = await subject_of(call, call.target)
    subjects = [subject]
    if depth == "1":
        subjects += await members_of(subject, with_data=asked.needs_data)
    return multistatus([answer(item, asked) for item in subjects])
