"""The calendar door of a node; loaded with the first request of a calendar app."""

from __future__ import annotations

from server.assembly.app_passwords import app_passwords_of
from server.assembly.node import Node
from server.association.gatherings.audience_calendars import AudienceCalendars
from server.association.gatherings.calendar import CalendarRights, GatheringCalendarPort
from server.caldav.app import make_caldav_app
from server.caldav.settings import CaldavSettings
from server.calendars.opening import open_calendars
from server.http.late_door import Handler
from server.http.rate_limits import RateLimits


def open_caldav(node: Node, limits: RateLimits) -> Handler:
    """The handler of everything below ``/dav/``."""
    core, association = node.core, node.association
    name = core.settings.association.name
    calendars = open_calendars(
        core.database, GatheringCalendarPort(association.gatherings), CalendarRights(association.members), core.clock,
        name, [AudienceCalendars(association.gatherings, association.members)],
    )
    settings = CaldavSettings(server_name=core.settings.server_name, association=name)
    return make_caldav_app(calendars, app_passwords_of(core), core.clock, settings, limits.address).handle
