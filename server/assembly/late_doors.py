"""Pages and calendars: joined to the node when the first request for them comes."""

from __future__ import annotations

from types import ModuleType

from aiohttp import web

from server.accounts.web_sessions import WebSessions
from server.assembly.node import Node
from server.http.keys import RATE_LIMITS
from server.http.late_door import Handler, LateDoor
from server.web.services import NodeServices, RosterServices, SafetyServices, WebServices


def add_late_doors(app: web.Application, node: Node) -> None:
    """Give an application the pages; after all other doors, since pages are everything that is left."""
    services = _web_services(app, node)

    def pages(module: ModuleType) -> Handler:
        handler: Handler = module.make_pages(services)
        return handler

    app.router.add_route("*", "/{rest:.*}", LateDoor("server.web.app", pages).answer)


def _web_services(app: web.Application, node: Node) -> WebServices:
    core, association = node.core, node.association
    roster = association.roster
    return WebServices(
        node=NodeServices(
            settings=core.settings, clock=core.clock, limits=app[RATE_LIMITS], accounts=core.accounts,
            sessions=WebSessions(core.database, core.clock, core.accounts.users), rooms=core.services.rooms,
            receipts=core.services.receipts, media=node.media, app_passwords=association.app_passwords,
        ),
        roster=RosterServices(
            members=roster.members, editor=roster.editor, exchange=roster.exchange, invitations=roster.invitations,
            papers=association.papers,
        ),
        safety=SafetyServices(checks=association.safety_checks, desk=association.safety_desk),
        polls=association.polls,
    )
