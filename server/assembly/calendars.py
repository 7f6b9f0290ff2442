"""The calendar door of a node; loaded with the first request of a calendar app."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from server.accounts.accounts import Accounts
from server.assembly.app_passwords import app_passwords_of
from server.assembly.node import Node
from server.assembly.scheduling import scheduling_of
from server.assembly.shared_calendars import shared_calendars, shared_rights
from server.association.gatherings.calendar import GatheringCalendarPort
from server.caldav.app import make_caldav_app
from server.caldav.feeds import PREFIX, FeedDoor
from server.caldav.settings import CaldavSettings
from server.calendars.feeds import Feeds
from server.calendars.opening import open_calendars
from server.foundation.errors import Forbidden, Suspended
from server.http.late_door import Handler
from server.http.rate_limits import RateLimits


def open_caldav(node: Node, limits: RateLimits) -> Handler:
    """The handler of everything below ``/dav/`` and ``/feed/``."""
    core, association = node.core, node.association
    name = core.settings.association.name
    calendars = open_calendars(
        core.database, GatheringCalendarPort(association.gatherings), shared_rights(node), core.clock, name,
        shared_calendars(node), scheduling_of(node),
    )
    settings = CaldavSettings(server_name=core.settings.server_name, association=name)
    standing = partial(_require_standing, core.accounts)
    door = make_caldav_app(calendars, app_passwords_of(core), core.clock, settings, limits.address, standing)
    feeds = FeedDoor(calendars, Feeds(core.database, core.clock), core.clock, settings, limits.address, standing)

    async def handle(request: web.Request) -> web.StreamResponse:
        return await (feeds if request.path.startswith(PREFIX) else door).handle(request)

    return handle


async def _require_standing(accounts: Accounts, user_id: str, writes: bool) -> None:
    """A calendar app that is told 401 asks for the password again and again, so that a lock is a 403 here."""
    user = await accounts.users.get(user_id)
    if user.is_locked:
        raise Forbidden("This account is locked; please ask an officer")
    if writes and user.is_suspended:
        raise Suspended
