"""What scheduling (RFC 6638) adds to calendars: copies of invitations, two boxes, and who shows when they have time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from server.calendars.invitations import INBOX, OUTBOX, InvitationCalendar, InvitationDesk, InvitationInbox, Outbox
from server.calendars.ports import CalendarBackend
from server.calendars.whole import WholeCalendars

ShowsBusyTimes = Callable[[str], Awaitable[bool]]
"""Whether somebody lets neighbours see when they have time; never for an account that does not exist."""


@dataclass(frozen=True, slots=True)
class Scheduling:
    """The parts; ``boxes`` are found by their names and listed nowhere."""

    copies: InvitationCalendar
    boxes: tuple[CalendarBackend, ...]
    shows_busy_times: ShowsBusyTimes
    names: tuple[str, ...] = (INBOX, OUTBOX)


def open_scheduling(desk: InvitationDesk, shows_busy_times: ShowsBusyTimes) -> Scheduling:
    """All of scheduling around one desk."""
    inbox = InvitationInbox(desk)
    return Scheduling(InvitationCalendar(desk), (WholeCalendars(inbox, writer=inbox), Outbox()), shows_busy_times)
