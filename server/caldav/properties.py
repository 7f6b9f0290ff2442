"""The live properties: one function each, which answers the inner XML, or ``None`` where there is no such property."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC
from email.utils import format_datetime
from typing import Final

from server.caldav import names
from server.caldav.answers import escape, href, xml_text
from server.caldav.names import APPLE, CALDAV, DAV, SERVER
from server.caldav.paths import PRINCIPALS_HREF, Place, collection_href
from server.caldav.privileges import privileges_xml, supported_privileges_xml
from server.caldav.subjects import Subject
from server.calendars.addresses import Addresses
from server.calendars.filters import COLLATIONS
from server.calendars.gathering_ics import TOKYO_ZONE
from server.calendars.invitation_ics import is_scheduled
from server.calendars.invitations import COPIES, INBOX, OUTBOX
from server.calendars.model import Kind
from server.calendars.occurrences import MAX_INSTANCES
from server.calendars.reading import MAX_BYTES
from server.calendars.sync_token import sync_token
from server.calendars.times import from_ms
from server.foundation.clock import FIRST_YEAR, LAST_YEAR

Render = Callable[[Subject], str | None]

_COLLECTION: Final = "<D:collection/>"
_COLLECTION_TYPES: Final = {Kind.INBOX: "<C:schedule-inbox/>", Kind.OUTBOX: "<C:schedule-outbox/>"}
_REPORTS: Final = {
    Place.COLLECTION: (
        "C:calendar-query", "C:calendar-multiget", "C:free-busy-query", "D:sync-collection", "D:expand-property",
    ),
}
_EVERY_REPORT: Final = ("D:expand-property", "D:principal-property-search", "D:principal-search-property-set")
_ZONE: Final = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Kairan//CalDAV//JA\r\n{TOKYO_ZONE}END:VCALENDAR\r\n"


def _resource_type(subject: Subject) -> str | None:
    if subject.place is Place.ITEM:
        return ""
    if subject.place is Place.COLLECTION:
        assert subject.shelf is not None
        return _COLLECTION + _COLLECTION_TYPES.get(subject.shelf.collection.kind, "<C:calendar/>")
    return _COLLECTION + ("<D:principal/>" if subject.place is Place.PRINCIPAL else "")


def _display_name(subject: Subject) -> str | None:
    if subject.shelf is not None:
        return escape(subject.shelf.collection.display_name) if subject.place is Place.COLLECTION else None
    if subject.place is Place.PRINCIPAL:
        return escape(subject.call.localpart)
    return escape(subject.call.settings.association) or None


def _current_user(subject: Subject) -> str | None:
    return href(subject.call.principal)


def _owner(subject: Subject) -> str | None:
    if subject.shelf is not None:
        # The association is not one of the principals that anybody may look at.
        return href(subject.call.principal) if subject.shelf.is_own else ""
    return href(subject.call.principal) if subject.place in (Place.HOME, Place.PRINCIPAL) else None


def _reports(subject: Subject) -> str | None:
    found = _REPORTS.get(subject.place, () if subject.place is Place.ITEM else _EVERY_REPORT)
    return "".join(f"<D:supported-report><D:report><{name}/></D:report></D:supported-report>" for name in found)


def _privileges(subject: Subject) -> str | None:
    return privileges_xml(subject.place, subject.shelf)


def _principal(inner: Callable[[Subject], str]) -> Render:
    return lambda subject: inner(subject) if subject.place is Place.PRINCIPAL else None


def _calendar(inner: Callable[[Subject], str | None]) -> Render:
    return lambda subject: inner(subject) if subject.place is Place.COLLECTION else None


def _item(inner: Callable[[Subject], str | None]) -> Render:
    return lambda subject: inner(subject) if subject.place is Place.ITEM else None


def _addresses(subject: Subject) -> str:
    return "".join(href(address) for address in Addresses(subject.call.settings.server_name).of(subject.call.user_id))


def _box(name: str) -> Render:
    return _principal(lambda subject: href(collection_href(subject.call.localpart, name)))


def _default_calendar(subject: Subject) -> str | None:
    """Where copies of invitations lie; asked of the inbox (RFC 6638 section 9.2)."""
    assert subject.shelf is not None
    is_inbox = subject.shelf.collection.kind is Kind.INBOX
    return href(collection_href(subject.call.localpart, COPIES)) if is_inbox else None


def _schedule_tag(subject: Subject) -> str | None:
    if subject.data is None or subject.head is None or not is_scheduled(subject.data):
        return None
    return f'"{subject.head.etag}"'


def _components(subject: Subject) -> str:
    assert subject.shelf is not None
    return f'<C:comp name="{subject.shelf.collection.component}"/>'


def _color(subject: Subject) -> str | None:
    assert subject.shelf is not None
    return escape(subject.shelf.collection.color) or None


def _description(subject: Subject) -> str | None:
    assert subject.shelf is not None
    return escape(subject.shelf.collection.description) or None


def _token(subject: Subject) -> str:
    assert subject.shelf is not None
    return sync_token(subject.shelf.collection)


def _etag(subject: Subject) -> str:
    assert subject.head is not None
    return f'"{subject.head.etag}"'


def _type(subject: Subject) -> str:
    assert subject.shelf is not None
    return f"text/calendar; charset=utf-8; component={subject.shelf.collection.component}"


def _modified(subject: Subject) -> str:
    assert subject.head is not None
    return format_datetime(from_ms(subject.head.modified_ms).astimezone(UTC), usegmt=True)


def _length(subject: Subject) -> str:
    assert subject.head is not None
    return str(subject.head.size)


def _data(subject: Subject) -> str | None:
    return None if subject.data is None else xml_text(subject.data)


LIVE: Final[Mapping[str, Render]] = {
    names.RESOURCE_TYPE: _resource_type,
    names.DISPLAY_NAME: _display_name,
    DAV + "current-user-principal": _current_user,
    DAV + "principal-collection-set": lambda subject: href(PRINCIPALS_HREF),
    DAV + "owner": _owner,
    DAV + "supported-report-set": _reports,
    DAV + "current-user-privilege-set": _privileges,
    DAV + "supported-privilege-set": lambda subject: supported_privileges_xml(),
    DAV + "principal-URL": _principal(lambda subject: href(subject.call.principal)),
    DAV + "alternate-URI-set": _principal(lambda subject: ""),
    DAV + "group-membership": _principal(lambda subject: ""),
    # Addresses by which an app knows its owner in an entry (RFC 6638 section 2.4.1). Nobody here has to have mail.
    CALDAV + "calendar-user-address-set": _principal(_addresses),
    CALDAV + "schedule-inbox-URL": _box(INBOX),
    CALDAV + "schedule-outbox-URL": _box(OUTBOX),
    CALDAV + "calendar-user-type": _principal(lambda subject: "INDIVIDUAL"),
    CALDAV + "schedule-default-calendar-URL": _calendar(_default_calendar),
    names.SCHEDULE_TAG: _item(_schedule_tag),
    CALDAV + "calendar-home-set": _principal(lambda subject: href(subject.call.home)),
    names.COMPONENT_SET: _calendar(_components),
    CALDAV + "supported-calendar-data": _calendar(
        lambda subject: '<C:calendar-data content-type="text/calendar" version="2.0"/>'),
    CALDAV + "supported-collation-set": _calendar(
        lambda subject: "".join(f"<C:supported-collation>{name}</C:supported-collation>" for name in COLLATIONS)),
    CALDAV + "max-resource-size": _calendar(lambda subject: str(MAX_BYTES)),
    CALDAV + "max-instances": _calendar(lambda subject: str(MAX_INSTANCES)),
    CALDAV + "min-date-time": _calendar(lambda subject: f"{FIRST_YEAR}0101T000000Z"),
    CALDAV + "max-date-time": _calendar(lambda subject: f"{LAST_YEAR}1231T235959Z"),
    names.DESCRIPTION: _calendar(_description),
    names.TIMEZONE: _calendar(lambda subject: xml_text(_ZONE.encode())),
    names.TIMEZONE_ID: _calendar(lambda subject: "Asia/Tokyo"),
    APPLE + "calendar-color": _calendar(_color),
    SERVER + "getctag": _calendar(_token),
    DAV + "sync-token": _calendar(_token),
    names.ETAG: _item(_etag),
    DAV + "getcontenttype": _item(_type),
    DAV + "getlastmodified": _item(_modified),
    DAV + "getcontentlength": _item(_length),
    names.CALENDAR_DATA: _item(_data),
}

# allprop tells of these (RFC 4918 section 9.1; RFC 4791 and 3744 ask to leave theirs out).
ALLPROP: Final = (
    names.RESOURCE_TYPE, names.DISPLAY_NAME, names.ETAG, DAV + "getcontenttype", DAV + "getlastmodified",
    DAV + "getcontentlength", SERVER + "getctag", DAV + "sync-token",
)

# What the caller may set, on any calendar: it is seen by nobody else.
PERSONAL: Final = frozenset({names.COLOR, names.ORDER})
# What may be set on a calendar of one's own.
OWN: Final = frozenset({names.DISPLAY_NAME, names.DESCRIPTION, names.TIMEZONE, names.TIMEZONE_ID})
