"""What calendars need from others, and what a kind of calendar has to offer (STYLE guideline 9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from server.calendars.model import Changes, Collection, Expected, Item, ItemHead, PutResult, Window

if TYPE_CHECKING:
    # Who implements a port need not load icalendar for it.
    from server.calendars.calendar_object import CalendarObject


class Rights(Protocol):
    """Who may do what with the association's calendars. ``collection`` is its key, such as ``gatherings``."""

    async def may_read(self, user_id: str, collection: str) -> bool: ...

    async def may_write(self, user_id: str, collection: str) -> bool: ...


class CalendarBackend(Protocol):
    """A kind of calendar. Rights have been asked before any of these is called."""

    async def collections(self, user_id: str) -> Sequence[Collection]:
        """All calendars that this backend has for a caller; called for nearly every request, so no SQL as a rule."""

    async def heads(self, collection: Collection) -> Sequence[ItemHead]:
        """Every item, in order of name."""

    async def items(self, collection: Collection, names: Sequence[str]) -> Sequence[Item]:
        """The items of these names, as far as they exist."""

    async def search(self, collection: Collection, window: Window) -> Sequence[Item]:
        """At least all items that overlap ``window``."""

    async def changes_since(self, collection: Collection, revision: int, limit: int) -> Changes:
        """What changed after ``revision`` (0: what there is), oldest change first, at most ``limit`` names."""

    async def put_item(
        self, user_id: str, collection: Collection, name: str, thing: CalendarObject, expected: Expected
    ) -> PutResult:
        """Write one item; ``expected`` is judged together with the write."""

    async def delete_item(self, user_id: str, collection: Collection, name: str, expected: Expected) -> None:
        """Remove one item; raises ``NotFound``."""


@dataclass(frozen=True, slots=True)
class GatheringDraft:
    """A gathering as an officer's calendar app describes it.

    ``start`` and ``end`` are both dates (all day; ``end`` is the day after the last) or both moments with a time
    zone. ``rule`` is the value of an RRULE that has passed our limits, or empty; ``except_for`` the starts left out.
    """

    uid: str
    title: str
    start: date | datetime
    end: date | datetime
    place: str = ""
    description: str = ""
    cancelled: bool = False
    rule: str = ""
    except_for: tuple[date | datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Gathering:
    """A gathering as the association knows it.

    ``name`` is its last path segment in the calendar (``<something>.ics``), the same for ever; ``revision`` the
    position of its last change in the association's sequence of changes of gatherings; ``sequence`` counts changes
    of time and place as RFC 5545 section 3.8.7.4 does. ``url`` may lead to its page.
    """

    name: str
    draft: GatheringDraft
    revision: int
    created_ms: int
    changed_ms: int
    sequence: int = 0
    url: str = ""


@dataclass(frozen=True, slots=True)
class GatheringChange:
    """``gathering`` is ``None`` where it is no longer shown."""

    name: str
    revision: int
    gathering: Gathering | None


@dataclass(frozen=True, slots=True)
class Invitation:
    """A gathering that asks its reader whether they come. ``partstat`` as RFC 5545 writes it; ``position`` of the last
    change of either; ``shown`` is false for what is no longer there for the reader, ``is_over`` true once nobody needs
    to be told of it any more.
    """

    gathering: Gathering
    partstat: str
    position: int
    shown: bool = True
    is_over: bool = False


class InvitationPort(Protocol):
    """What people are invited to, and their answers, which live as events in rooms."""

    async def position(self, user_id: str) -> int:
        """Position of the last change for somebody. Asked with every request: answer from memory."""

    async def place(self, user_id: str) -> str | None:
        """What somebody's invitations follow from beside gatherings (block, groups); where it changes, apps begin
        anew. ``None`` for who is not invited to anything here."""

    async def invitations(self, user_id: str) -> Sequence[Invitation]:
        """Everything that somebody is, or was, invited to."""

    async def answer(self, user_id: str, name: str, partstat: str) -> None:
        """Say it for them; raises ``Refused`` where that is too late."""

    def name_of(self, user_id: str) -> str:
        """How the reader is called in their own copy."""


class GatheringPort(Protocol):
    """The association's gatherings, which live as events in rooms; the calendar is one more view of them."""

    async def revision(self) -> int:
        """Position of the last change. Asked with every request: answer from memory."""

    async def changed_since(self, revision: int) -> Sequence[GatheringChange]:
        """The last change of every gathering that changed after ``revision`` (0: all), oldest first.

        Also of those that are no longer shown: apps that were away have to hear of them.
        """

    async def create(self, officer: str, name: str, draft: GatheringDraft) -> Gathering:
        """Announce a new gathering; ``name`` was chosen by the calendar app and must be kept.

        Raises a ``Refused`` with status 412 if there is one of that name.
        """

    async def update(self, officer: str, name: str, draft: GatheringDraft, expected_revision: int) -> Gathering:
        """Change it; raises a ``Refused`` with status 412 if it has moved on from ``expected_revision``."""

    async def cancel(self, officer: str, name: str, expected_revision: int) -> None:
        """Call it off; afterwards it is gone from the calendar. Same 412 as ``update``."""
