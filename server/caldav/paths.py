"""Where things are: ``/dav/principals/<user>/``, ``/dav/calendars/<user>/<collection>/<item>``.

A segment is decoded once and written in one canonical way, so ``%40`` and ``@`` are the same place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import quote, unquote, urlsplit

from server.calendars.model import require_name
from server.foundation.errors import NotFound

ROOT_HREF = "/dav/"
PRINCIPALS_HREF = "/dav/principals/"
HOMES_HREF = "/dav/calendars/"


_PLAIN = re.compile(r"[A-Za-z0-9@._~-]+")


class Place(Enum):
    """The kinds of resources."""

    ROOT = auto()
    PRINCIPALS = auto()
    PRINCIPAL = auto()
    HOMES = auto()
    HOME = auto()
    COLLECTION = auto()
    ITEM = auto()


@dataclass(frozen=True, slots=True)
class Target:
    """What a path names. ``user`` is as written in it: a localpart or a full user id."""

    place: Place
    user: str = ""
    collection: str = ""
    item: str = ""


def read_path(raw_path: str) -> Target:
    """Resolve a raw (percent-encoded) path; raises ``NotFound``. A missing or doubled last slash does not matter."""
    segments = [_decoded(part) for part in raw_path.split("/") if part]
    if segments and segments[0] == "dav":
        segments = segments[1:]
    elif segments:
        raise NotFound("There is nothing here")
    return _target(segments, raw_path.endswith("/"))


def _target(segments: list[str], slash: bool) -> Target:
    match segments:
        case []:
            return Target(Place.ROOT)
        case ["principals"]:
            return Target(Place.PRINCIPALS)
        case ["principals", user]:
            return Target(Place.PRINCIPAL, user)
        case ["calendars"]:
            return Target(Place.HOMES)
        case ["calendars", user]:
            return Target(Place.HOME, user)
        case ["calendars", user, collection]:
            return Target(Place.COLLECTION, user, collection)
        case ["calendars", user, collection, item] if not slash:
            return Target(Place.ITEM, user, collection, item)
    raise NotFound("There is nothing here")


def path_of_href(href: str) -> str:
    """The raw path of an href, which may be an absolute URL."""
    href = href.strip()
    return href if href.startswith("/") and not href.startswith("//") else urlsplit(href).path


def _decoded(part: str) -> str:
    try:
        return require_name(unquote(part, errors="strict"))
    except UnicodeDecodeError:
        raise NotFound("There is nothing here") from None


def segment(text: str) -> str:
    """One path segment, encoded."""
    return text if _PLAIN.fullmatch(text) else quote(text, safe="@")


def principal_href(localpart: str) -> str:
    """A user's principal."""
    return f"{PRINCIPALS_HREF}{segment(localpart)}/"


def home_href(localpart: str) -> str:
    """A user's calendar home."""
    return f"{HOMES_HREF}{segment(localpart)}/"


def collection_href(localpart: str, name: str) -> str:
    """One calendar of a user's home."""
    return f"{HOMES_HREF}{segment(localpart)}/{segment(name)}/"
