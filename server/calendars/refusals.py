"""Refusals that name the precondition of the RFC which was not met (RFC 4791 section 1.3, RFC 3253 section 1.6)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from server.foundation.errors import Refused

DAV: Final = "{DAV:}"
CALDAV: Final = "{urn:ietf:params:xml:ns:caldav}"
OURS: Final = "{https://kairan.jp/ns/dav}"


class Condition(StrEnum):
    """Preconditions by their XML name in Clark notation."""

    NONE = ""
    NEED_PRIVILEGES = DAV + "need-privileges"
    VALID_SYNC_TOKEN = DAV + "valid-sync-token"
    SYNC_TRAVERSAL = DAV + "sync-traversal-supported"
    WITHIN_LIMITS = DAV + "number-of-matches-within-limits"
    PROTECTED = DAV + "cannot-modify-protected-property"
    FINITE_DEPTH = DAV + "propfind-finite-depth"
    MUST_BE_NULL = DAV + "resource-must-be-null"
    SUPPORTED_REPORT = DAV + "supported-report"
    VALID_RESOURCETYPE = DAV + "valid-resourcetype"
    CALENDAR_DATA = CALDAV + "valid-calendar-data"
    CALENDAR_OBJECT = CALDAV + "valid-calendar-object-resource"
    SUPPORTED_DATA = CALDAV + "supported-calendar-data"
    SUPPORTED_COMPONENT = CALDAV + "supported-calendar-component"
    SUPPORTED_COLLATION = CALDAV + "supported-collation"
    SUPPORTED_FILTER = CALDAV + "supported-filter"
    VALID_FILTER = CALDAV + "valid-filter"
    UID_CONFLICT = CALDAV + "no-uid-conflict"
    COLLECTION_LOCATION = CALDAV + "calendar-collection-location-ok"
    MAX_SIZE = CALDAV + "max-resource-size"
    MAX_INSTANCES = CALDAV + "max-instances"
    ATTENDEE_CHANGE = CALDAV + "allowed-attendee-scheduling-object-change"
    VALID_SCHEDULING = CALDAV + "valid-scheduling-message"
    VALID_ORGANIZER = CALDAV + "valid-organizer"
    MIN_DATE = CALDAV + "min-date-time"
    MAX_DATE = CALDAV + "max-date-time"
    # No RFC has words for these two: somebody else has the hall then, or it is closed.
    BOOKED = OURS + "no-booking-conflict"
    BOOKING_RULES = OURS + "booking-rules"


class CalendarRefused(Refused):
    """A request that breaks a rule of WebDAV or CalDAV.

    ``condition`` is the element of the ``DAV:error`` body; ``names`` the items it is about, as path segments of the
    collection concerned.
    """

    def __init__(self, condition: Condition, reason: str, status: int, names: tuple[str, ...] = ()) -> None:
        super().__init__(reason, status=status, detail=str(condition))
        self.condition = condition
        self.names = names


def refuse(condition: Condition, reason: str, *, status: int = 403, names: tuple[str, ...] = ()) -> CalendarRefused:
    """The refusal to raise."""
    return CalendarRefused(condition, reason, status, names)


def refuse_rights() -> CalendarRefused:
    """The caller may see the thing, but not do this with it (RFC 3744 section 7.1.1)."""
    return refuse(Condition.NEED_PRIVILEGES, "Your role may not change this calendar")
