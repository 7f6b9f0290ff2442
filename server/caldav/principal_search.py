"""Searching for principals (RFC 3744 sections 9.4 and 9.5). A neighbour's app finds its owner, and nobody else."""

from __future__ import annotations

from aiohttp import web

from server.caldav import names
from server.caldav.answers import multistatus
from server.caldav.call import Call
from server.caldav.names import DAV, DECLARED
from server.caldav.paths import Place, Target
from server.caldav.prop_request import answer, read_prop_request
from server.caldav.subjects import subject_of
from server.caldav.xml_reading import Element, child, children, text
from server.foundation.errors import BadRequest


async def principal_property_search(call: Call, root: Element) -> web.Response:
    """The caller's own principal if it matches; an empty answer otherwise, also for who exists."""
    searches = list(children(root, DAV + "property-search"))
    if not searches or any(not text(child(search, DAV + "match")) for search in searches):
        raise BadRequest("The search names nothing to look for")
    hits = [_hits(call, search) for search in searches]
    matched = any(hits) if root.get("test", "allof") == "anyof" else all(hits)
    if not matched:
        return multistatus([])
    asked = read_prop_request(root)
    return multistatus([answer(await subject_of(call, Target(Place.PRINCIPAL)), asked)])


async def principal_search_property_set(call: Call, _root: Element) -> web.Response:
    """Names can be searched."""
    body = (
        f'<?xml version="1.0" encoding="utf-8"?>\n<D:principal-search-property-set {DECLARED}>'
        "<D:principal-search-property><D:prop><D:displayname/></D:prop>"
        '<D:description xml:lang="en">Name</D:description></D:principal-search-property>'
        "</D:principal-search-property-set>"
    )
    return web.Response(body=body.encode(), content_type="application/xml", charset="utf-8")


def _hits(call: Call, search: Element) -> bool:
    looked_at = {str(prop.tag) for prop in children(child(search, DAV + "prop"))}
    return names.DISPLAY_NAME in looked_at and text(child(search, DAV + "match")).lower() in call.localpart.lower()
