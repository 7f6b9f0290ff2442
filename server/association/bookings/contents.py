"""The events of bookings (docs/events/jp.kairan.booking.md): facilities as state, bookings as a key in a message.

What is read here came through a room, so nothing about it is believed before it is checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from server.association.bookings.model import Booking, Facility, Hours, Kind, Rules, State, Wish
from server.association.bookings.rules import checked_facility, checked_wish
from server.association.bookings.words import body_of

FACILITY: Final = "jp.kairan.facility"
BOOKING: Final = "jp.kairan.booking"
ANSWER: Final = "jp.kairan.booking.answer"

Content = dict[str, Any]


def facility_content(facility: Facility) -> Content:
    """The state event of a facility; its state key is the facility's id."""
    rules = facility.rules
    return {
        "id": facility.id, "name": facility.name, "kind": facility.kind.value, "place": facility.place,
        "note": facility.note, "is_gone": facility.is_gone,
        "rules": {
            "hours": ["" if hours is None else str(hours) for hours in rules.hours], "step": rules.step,
            "longest": rules.longest, "ahead_days": rules.ahead_days, "notice_hours": rules.notice_hours,
            "most": rules.most, "at_once": rules.at_once, "asks": rules.asks, "shows_titles": rules.shows_titles,
            "closed": [day.isoformat() for day in rules.closed], "times": rules.times,
        },
    }


def read_facility(value: Mapping[str, Any]) -> Facility:
    """A facility of such a content; raises ``Refused``, ``KeyError``, ``TypeError``, ``ValueError``."""
    rules = value["rules"]
    numbers = {name: _whole(rules[name]) for name in ("step", "longest", "ahead_days", "notice_hours", "most",
                                                      "at_once")}
    facility = Facility(
        _text(value, "id"), _text(value, "name"), Kind(value["kind"]), _text(value, "place"), _text(value, "note"),
        Rules(
            hours=tuple(Hours.parse(item) for item in rules["hours"]), asks=bool(rules["asks"]),
            shows_titles=bool(rules["shows_titles"]),
            closed=tuple(date.fromisoformat(item) for item in rules["closed"]),
            times=_whole(rules.get("times", Rules().times)), **numbers,
        ),
        bool(value.get("is_gone", False)),
    )
    if not facility.id:
        raise ValueError("id")
    return checked_facility(facility)


def booking_content(facility: Facility, booking: Booking, reason: str = "", reply_to: str = "") -> Content:
    """The message that says how a booking stands."""
    content: Content = {
        "msgtype": "m.text", "body": body_of(facility, booking, reason), BOOKING: booking_json(booking),
    }
    if reply_to:
        content["m.relates_to"] = {"m.in_reply_to": {"event_id": reply_to}}
    return content


def booking_json(booking: Booking) -> Content:
    """The value of the key."""
    wish = booking.wish
    return {
        "id": booking.id, "facility": wish.facility_id, "start": wish.start.isoformat(),
        "end": wish.end.isoformat(), "title": wish.title, "note": wish.note, "state": booking.state.value,
        "person": booking.person, "by": booking.by, "name": booking.name, "uid": booking.uid,
        "sequence": booking.sequence,
        **({"rule": wish.rule, "except_for": [start.isoformat() for start in wish.except_for]} if wish.rule else {}),
    }


def read_booking(value: Mapping[str, Any]) -> Booking:
    """A booking without what only the event itself knows; raises like ``read_facility``."""
    wish = Wish(_text(value, "facility"), datetime.fromisoformat(value["start"]), datetime.fromisoformat(value["end"]),
                _text(value, "title"), _text(value, "note"), _text(value, "rule"), read_moments(value))
    booking_id, person, by, name, uid = names = [_text(value, key) for key in ("id", "person", "by", "name", "uid")]
    if not all(names) or wish.start.tzinfo is None or wish.end.tzinfo is None:
        raise ValueError("names")
    sequence = _whole(value.get("sequence", 0))
    return Booking(booking_id, checked_wish(wish), State(value["state"]), person, by, name, uid, sequence)


def read_moments(value: Mapping[str, Any]) -> tuple[datetime, ...]:
    """The starts that are left out of what repeats; raises like ``read_facility``."""
    moments = tuple(datetime.fromisoformat(item) for item in value.get("except_for", ()))
    if any(moment.tzinfo is None for moment in moments):
        raise ValueError("except_for")
    return moments


def answer_content(text: str, request: str) -> Content:
    """What the node says to a request that led to no booking."""
    return {
        "msgtype": "m.text", "body": text, ANSWER: {"request": request},
        "m.relates_to": {"m.in_reply_to": {"event_id": request}},
    }


def answered_request(content: Mapping[str, Any]) -> str:
    """The request in a 窓口 that a message of the node's answers; empty where it answers none."""
    try:
        return str(content["m.relates_to"]["m.in_reply_to"]["event_id"])
    except (KeyError, TypeError):
        return ""


def _text(value: Mapping[str, Any], key: str) -> str:
    text = value.get(key, "")
    if not isinstance(text, str):
        raise TypeError(key)
    return text


def _whole(value: object) -> int:
    if type(value) is not int:
        raise TypeError("number")
    return value
