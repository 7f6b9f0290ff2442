"""MKCALENDAR (RFC 4791 section 5.3.1) and extended MKCOL (RFC 5689)."""

from __future__ import annotations

from aiohttp import web

from server.caldav import names
from server.caldav.call import Call
from server.caldav.names import CALDAV, DAV
from server.caldav.paths import Place
from server.caldav.properties import LIVE, OWN, PERSONAL
from server.caldav.proppatch import stored_form
from server.caldav.xml_reading import Element, child, children, read_xml
from server.calendars.model import COMPONENTS, NewCalendar, require_name
from server.calendars.refusals import Condition, refuse
from server.foundation.errors import BadRequest


async def mkcalendar(call: Call) -> web.Response:
    """Make a calendar of the caller's own."""
    target = call.require_own()
    if target.place is not Place.COLLECTION:
        raise refuse(Condition.COLLECTION_LOCATION, "Calendars lie in your calendar home")
    wanted = _wanted(require_name(target.collection), call)
    await call.calendars.create(call.user_id, wanted)
    return web.Response(status=201)


def _wanted(name: str, call: Call) -> NewCalendar:
    props = _props(call)
    component = "VEVENT"
    properties: dict[str, str] = {}
    for prop in props:
        if prop.tag == names.COMPONENT_SET:
            component = _component(prop)
        elif prop.tag == names.RESOURCE_TYPE:
            _require_calendar(prop)
        elif prop.tag in PERSONAL or prop.tag in OWN or prop.tag not in LIVE:
            properties[str(prop.tag)] = stored_form(prop)
        else:
            raise refuse(Condition.PROTECTED, f"{names.split(prop.tag)[1]} cannot be set")
    if call.method == "MKCOL" and not any(prop.tag == names.RESOURCE_TYPE for prop in props):
        raise refuse(Condition.VALID_RESOURCETYPE, "Only calendars can be made here")
    return NewCalendar(name, component, properties)


def _props(call: Call) -> list[Element]:
    if not call.body.strip():
        return []
    root = read_xml(call.body)
    if root.tag not in (CALDAV + "mkcalendar", DAV + "mkcol"):
        raise BadRequest("The body must be a mkcalendar or a mkcol")
    return [prop for part in children(root, DAV + "set") for prop in children(child(part, DAV + "prop"))]


def _component(prop: Element) -> str:
    """One kind a calendar: an app that asks for several gets the first that we keep."""
    asked = [str(comp.get("name", "")).upper() for comp in children(prop, CALDAV + "comp")]
    for component in COMPONENTS:
        if component in asked:
            return component
    raise refuse(Condition.SUPPORTED_COMPONENT, "A calendar holds VEVENT, VTODO or VJOURNAL")


def _require_calendar(prop: Element) -> None:
    if child(prop, CALDAV + "calendar") is None:
        raise refuse(Condition.VALID_RESOURCETYPE, "Only calendars can be made here")
