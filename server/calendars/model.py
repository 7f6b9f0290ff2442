"""The words of this package: collections, items, ETags, sync positions, windows of time, conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from server.calendars.refusals import Condition, refuse
from server.foundation.errors import NotFound

COMPONENTS: Final = ("VEVENT", "VTODO", "VJOURNAL")
MAX_NAME_BYTES: Final = 200


class Kind(StrEnum):
    """Whose a collection is."""

    PERSONAL = "personal"
    """A resident's own: all is allowed to its owner, and nobody else knows that it exists."""
    SHARED = "shared"
    """The association's: who may read and write it is asked of ``ports.Rights``."""
    INVITED = "invited"
    """Copies of what its one reader is invited to: nothing is added, but answered and put away."""
    INBOX = "inbox"
    """Messages to its one reader, which may be put away."""
    OUTBOX = "outbox"
    """Always empty: requests for busy times are sent to it."""


OWN_KINDS: Final = frozenset({Kind.PERSONAL, Kind.INVITED, Kind.INBOX, Kind.OUTBOX})


@dataclass(frozen=True, slots=True)
class Collection:
    """One calendar as one caller sees it.

    ``key`` names it for ever (a calendar made anew under an old name has another key); ``name`` is its path segment;
    ``revision`` grows with every change of its items and is CTag and sync token in one; changes up to ``forgotten``
    can no longer be told. What ``names_people`` besides its reader is in no feed.
    """

    key: str
    name: str
    kind: Kind
    component: str
    display_name: str
    revision: int
    forgotten: int = 0
    owner: str = ""
    description: str = ""
    color: str = ""
    modified_ms: int = 0
    names_people: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """When an object takes place, first to last, in ms since 1970; ``None`` where there is no bound.

    ``exact`` says that the span alone decides whether a window of time is met (one VEVENT, no recurrence).
    """

    start: int | None
    end: int | None
    exact: bool = False


@dataclass(frozen=True, slots=True)
class ItemHead:
    """What a listing needs of an item. ``etag`` is bare; ``size`` counts bytes; ``revision`` of its last change."""

    name: str
    etag: str
    uid: str
    size: int
    modified_ms: int
    revision: int
    span: Span


@dataclass(frozen=True, slots=True)
class Item:
    """One calendar object resource with the bytes that clients get."""

    head: ItemHead
    data: bytes


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open stretch of time in ms since 1970; ``None`` is an open end (RFC 4791 section 9.9)."""

    start: int | None = None
    end: int | None = None

    def meets(self, start: int, end: int) -> bool:
        """Whether something from ``start`` to ``end`` overlaps (RFC 4791 section 9.9, VEVENT); moments count too."""
        if start == end:
            return (self.start is None or self.start <= start) and (self.end is None or start < self.end)
        return (self.start is None or self.start < end) and (self.end is None or start < self.end)

    def may_meet(self, span: Span) -> bool:
        """Whether something in ``span`` could overlap; rather yes than no."""
        starts_too_late = self.end is not None and span.start is not None and span.start > self.end
        ends_too_early = self.start is not None and span.end is not None and span.end < self.start
        return not (starts_too_late or ends_too_early)


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened in a collection: names that exist now and changed, names that are gone.

    ``revision`` is the position reached; ``more`` says that the limit cut the rest off (RFC 6578 section 3.6).
    """

    changed: tuple[ItemHead, ...]
    gone: tuple[str, ...]
    revision: int
    more: bool


@dataclass(frozen=True, slots=True)
class StateClause:
    """One condition of an ``If`` header: that the ETag is, or is not, this one; ``None`` is never any resource's."""

    etag: str | None
    wanted: bool = True

    def holds(self, etag: str | None) -> bool:
        """Whether it is so of a resource with ``etag`` (``None``: there is none)."""
        return (etag is not None and etag == self.etag) == self.wanted


@dataclass(frozen=True, slots=True)
class Expected:
    """What a writer believes of the item it writes.

    ``match`` and ``none_match`` are the ETags of If-Match and If-None-Match (``"*"`` is any); ``any_of`` the lists of
    an ``If`` header, one of which must hold.
    """

    match: frozenset[str] | None = None
    none_match: frozenset[str] | None = None
    any_of: tuple[tuple[StateClause, ...], ...] | None = None

    def require(self, etag: str | None) -> None:
        """Raise 412 unless the item (``None``: there is none) is as believed (RFC 9110 section 13.1)."""
        if self.match is not None and (etag is None or not self.match & {etag, "*"}):
            raise refuse(Condition.NONE, "The entry has changed since you read it", status=412)
        if self.none_match is not None and etag is not None and self.none_match & {etag, "*"}:
            raise refuse(Condition.NONE, "There is an entry of that name already", status=412)
        if self.any_of is not None and not any(all(item.holds(etag) for item in clauses) for clauses in self.any_of):
            raise refuse(Condition.NONE, "The entry is not as the If header says", status=412)


@dataclass(frozen=True, slots=True)
class PutResult:
    """``etag`` is ``None`` where the stored form differs from what was sent, so that the client reads it again."""

    created: bool
    etag: str | None


@dataclass(frozen=True, slots=True)
class NewCalendar:
    """What a resident asks for with MKCALENDAR. ``properties``: Clark name to serialised XML element."""

    name: str
    component: str
    properties: Mapping[str, str] = field(default_factory=dict)


def require_name(name: str) -> str:
    """``name`` if it can be a path segment of ours; raises ``NotFound``."""
    too_long = len(name.encode("utf-8", "replace")) > MAX_NAME_BYTES
    if not name or name in (".", "..") or too_long or not name.isprintable():
        raise NotFound("There is nothing of that name")
    return name
