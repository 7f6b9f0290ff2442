"""Which properties a request asks for, and answering them for a resource."""

from __future__ import annotations

from dataclasses import dataclass

from server.caldav import names
from server.caldav.answers import propstat, response
from server.caldav.data_request import read_data_request
from server.caldav.names import DAV, tag
from server.caldav.properties import ALLPROP, LIVE
from server.caldav.subjects import Subject
from server.caldav.xml_reading import Element, child, children
from server.calendars.expansion import DataRequest
from server.foundation.errors import BadRequest

_ALL = DataRequest()


@dataclass(frozen=True, slots=True)
class PropRequest:
    """``wanted`` are Clark names; ``names_only`` is propname; ``with_own`` adds what the caller has set (allprop)."""

    wanted: tuple[str, ...]
    names_only: bool = False
    with_own: bool = False
    data: DataRequest = _ALL

    @property
    def needs_data(self) -> bool:
        """Whether entries have to be read whole."""
        return not self.names_only and (names.CALENDAR_DATA in self.wanted or names.SCHEDULE_TAG in self.wanted)


def read_prop_request(root: Element | None) -> PropRequest:
    """The ``D:prop``, ``D:allprop`` or ``D:propname`` inside ``root``; without a body it is allprop."""
    if root is None:
        return PropRequest(ALLPROP, with_own=True)
    if child(root, DAV + "propname") is not None:
        return PropRequest(tuple(LIVE), names_only=True, with_own=True)
    prop = child(root, DAV + "prop")
    if prop is not None:
        wanted = tuple(dict.fromkeys(str(item.tag) for item in children(prop)))
        return PropRequest(wanted, data=read_data_request(child(prop, names.CALENDAR_DATA)))
    if child(root, DAV + "allprop") is not None:
        included = tuple(str(item.tag) for item in children(child(root, DAV + "include")))
        return PropRequest(tuple(dict.fromkeys((*ALLPROP, *included))), with_own=True)
    raise BadRequest("The request names no properties")


def answer(subject: Subject, asked: PropRequest) -> str:
    """``D:response`` of one resource."""
    found, missing = [], []
    wanted = asked.wanted if not asked.with_own else tuple(dict.fromkeys((*asked.wanted, *subject.own)))
    for name in wanted:
        rendered = render(subject, name)
        if rendered is None:
            missing.append(tag(name).empty)
        else:
            found.append(rendered if not asked.names_only else tag(name).empty)
    quiet = not missing or asked.with_own or subject.call.minimal
    inner = propstat(200, found) + ("" if quiet else propstat(404, missing))
    return response(subject.path, inner or "<D:propstat><D:prop/><D:status>HTTP/1.1 200 OK</D:status></D:propstat>")


def render(subject: Subject, name: str) -> str | None:
    """One property as an element; ``None`` if the resource has none of that name."""
    if subject.own and (own := subject.own.get(name)) is not None:
        return own
    live = LIVE.get(name)
    inner = live(subject) if live is not None else None
    if inner is None:
        return None
    opening, closing, empty = tag(name)
    return f"{opening}{inner}{closing}" if inner else empty
