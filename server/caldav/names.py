"""XML names in Clark notation, and how they are written."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

DAV: Final = "{DAV:}"
CALDAV: Final = "{urn:ietf:params:xml:ns:caldav}"
SERVER: Final = "{http://calendarserver.org/ns/}"
APPLE: Final = "{http://apple.com/ns/ical/}"

NAMESPACES: Final = {
    "DAV:": "D",
    "urn:ietf:params:xml:ns:caldav": "C",
    "http://calendarserver.org/ns/": "CS",
    "http://apple.com/ns/ical/": "A",
}
DECLARED: Final = " ".join(f'xmlns:{prefix}="{uri}"' for uri, prefix in NAMESPACES.items())

DISPLAY_NAME: Final = DAV + "displayname"
RESOURCE_TYPE: Final = DAV + "resourcetype"
ETAG: Final = DAV + "getetag"
CALENDAR_DATA: Final = CALDAV + "calendar-data"
SCHEDULE_TAG: Final = CALDAV + "schedule-tag"
COMPONENT_SET: Final = CALDAV + "supported-calendar-component-set"
DESCRIPTION: Final = CALDAV + "calendar-description"
TIMEZONE: Final = CALDAV + "calendar-timezone"
TIMEZONE_ID: Final = CALDAV + "calendar-timezone-id"
COLOR: Final = APPLE + "calendar-color"
ORDER: Final = APPLE + "calendar-order"


class Tag(NamedTuple):
    """An element's tags as text."""

    open: str
    close: str
    empty: str


@lru_cache(maxsize=512)
def tag(name: str) -> Tag:
    """The tags of a Clark name; our four namespaces by their prefixes, others declared on the spot."""
    uri, local = split(name)
    prefix = NAMESPACES.get(uri)
    if prefix is not None:
        return Tag(f"<{prefix}:{local}>", f"</{prefix}:{local}>", f"<{prefix}:{local}/>")
    declared = f' xmlns="{escape(uri, {chr(34): "&quot;"})}"'
    return Tag(f"<{local}{declared}>", f"</{local}>", f"<{local}{declared}/>")


def split(name: str) -> tuple[str, str]:
    """Namespace and local name."""
    if name.startswith("{"):
        uri, _, local = name[1:].partition("}")
        return uri, local
    return "", name
