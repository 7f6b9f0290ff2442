"""Pages, calendars and feeds: joined to the node when the first request for them comes (docs/decisions/0008)."""

from __future__ import annotations

from types import ModuleType

from aiohttp import web

from server.assembly.node import Node
from server.http.keys import INTERACTIVE_AUTH, RATE_LIMITS
from server.http.late_door import Handler, LateDoor


def add_late_doors(app: web.Application, node: Node) -> None:
    """Give an application calendars and pages; after all other doors, since pages are everything that is left."""

    def pages(module: ModuleType) -> Handler:
        handler: Handler = module.open_pages(node, app[RATE_LIMITS], app[INTERACTIVE_AUTH])
        return handler

    def caldav(module: ModuleType) -> Handler:
        handler: Handler = module.open_caldav(node, app[RATE_LIMITS])
        return handler

    def public_feeds(module: ModuleType) -> Handler:
        handler: Handler = module.open_public_feeds(node, app[RATE_LIMITS])
        return handler

    def operator(module: ModuleType) -> Handler:
        handler: Handler = module.open_operator_door(node)
        return handler

    calendar_door = LateDoor("server.assembly.calendars", caldav).answer
    for path in ("/.well-known/caldav", "/dav", "/dav/{rest:.*}", "/feed/{rest:.*}"):
        app.router.add_route("*", path, calendar_door)
    if node.settings.node.role != "association" and node.settings.public_feed.enabled:
        app.router.add_route("*", "/feeds/{rest:.*}", LateDoor("server.assembly.public_feeds", public_feeds).answer)
    app.router.add_route("POST", "/_kairan/operator", LateDoor("server.assembly.operator", operator).answer)
    app.router.add_route("PROPFIND", "/", calendar_door)
    app.router.add_route("*", "/{rest:.*}", LateDoor("server.assembly.pages", pages).answer)
