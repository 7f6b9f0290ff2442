"""Putting the calendars of a node together. Loads all of iCalendar: call it when the first calendar app comes."""

from __future__ import annotations

from collections.abc import Sequence

from server.calendars.actions import Calendars
from server.calendars.gatherings import GatheringCalendar
from server.calendars.overlaid import OverlaidCalendars, Overlays
from server.calendars.personal_properties import PersonalProperties
from server.calendars.ports import CalendarBackend, GatheringPort, Rights
from server.calendars.scheduling import Scheduling
from server.calendars.stored import StoredCalendars
from server.calendars.whole import WholeCalendars
from server.foundation.clock import Clock
from server.storage.database import Database


def open_calendars(
    database: Database, gatherings: GatheringPort, rights: Rights, clock: Clock, association: str = "",
    more: Sequence[CalendarBackend] = (), scheduling: Scheduling | None = None,
) -> Calendars:
    """The residents' own calendars and the association's gatherings; ``association`` is the name that people know.

    ``more``: further calendars that people share; ``scheduling``: invitations, and boxes for messages.
    """
    properties = PersonalProperties(database)
    own = StoredCalendars(database, properties, clock)
    everyone = GatheringCalendar(gatherings, f"{association}の行事" if association else "行事")
    overlays = Overlays(database)
    shared = [OverlaidCalendars(backend, overlays) for backend in (everyone, *more)]
    if scheduling is not None:
        copies = WholeCalendars(scheduling.copies, writer=scheduling.copies)
        shared.append(OverlaidCalendars(copies, overlays))
    return Calendars(database, own, shared, properties, rights, clock, scheduling)
