"""Searching for principals (RFC 3744 sections 9.4 and 9.5). A neighbour's app finds its owner, and nobody else."""

from __future__ import annotations

from aiohttp import web

from server.caldav import names
from server.caldav.answers import multistatus
from server.caldav.call import Call
from server.caldav.names import DAV, DECLARED
from server.caldav.paths import Place, Target
from server.caldav.prop_request import PropRequest, answer
from server.caldav.subjects import subject_of
from server.caldav.xml_reading import Element, child, children, text

_OWN_PARTS = frozenset({DAV + "prop", DAV + "property-search", DAV + "apply-to-principal-collection-set"})


async def principal_property_search(call: Call, root: Element) -> web.Response:
    """The caller's own principal if it matches (a search for nothing matches); nobody else, also who exists."""
    searches = list(children(root, DAV + "property-search"))
    hits = [_hits(call, search) for search in searches]
    matched = any(hits) if root.get("test", "allof") == "anyof" else all(hits)
    if not matched:
        return multistatus([])
    return multistatus([answer(await subject_of(call, Target(Place.PRINCIPAL)), _asked(root))])


def _asked(root: Element) -> PropRequest:
    # python-caldav writes the properties beside D:prop instead of into it.
    beside = tuple(str(item.tag) for item in children(root) if item.tag not in _OWN_PARTS)
    inside = tuple(str(item.tag) for item in children(child(root, DAV + "prop")))
    return PropRequest(tuple(dict.fromkeys((*inside, *beside))))


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
