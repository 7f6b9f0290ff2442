"""What the pages need of sharing with neighbours: the officers' side, and what residents find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

from server.association.bookings.model import Facility, Wish

# A value and the word that people read.
Words = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareView:
    """With whom is shared; ``key`` names it in addresses."""

    key: str
    name: str
    kind: str
    server: str
    state: str
    is_over: bool
    subjects: Sequence[str]
    shown: Sequence[str]
    seen: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareCodeView:
    """A code that was given out."""

    hash: str
    number: str
    name: str
    state: str
    is_open: bool
    expires_ts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareOfferView:
    """What a neighbour offers (``words``), and which of the subjects can be taken."""

    words: Sequence[str]
    subjects: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareCardView:
    """A fresh code, shown once."""

    code: str
    name: str
    words: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighbourView:
    """A neighbour as residents see it. ``board``: "" (there is none), "open" or "inside"."""

    key: str
    name: str
    board: str
    board_room: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FarGatheringView:
    """One time of a neighbour's gathering."""

    neighbour: str
    title: str
    place: str
    start_ms: int
    end_ms: int
    is_all_day: bool
    is_cancelled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FarHazardView:
    """A neighbour's hazard report."""

    key: str
    id: str
    neighbour: str
    kind: str
    place: str
    text: str
    state: str
    is_fixed: bool
    has_photo: bool
    reported_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FarFacilityView:
    """A neighbour's facility."""

    key: str
    neighbour: str
    facility: Facility


@dataclass(frozen=True, slots=True, kw_only=True)
class FarAskedView:
    """What one has asked of a neighbour."""

    id: str
    neighbour: str
    facility: str
    day: date
    start: str
    end: str
    state: str
    is_confirmed: bool
    reason: str


class SharingDesk(Protocol):
    """Verbs. All raise ``Refused`` in plain words; ``user_id`` is who asks."""

    @property
    def subjects(self) -> Words:
        """What can be shared, with what exactly is shown."""

    def facilities(self) -> Words:
        """What may be opened to a neighbour."""

    def shown_now(self) -> Sequence[str]:
        """The titles of the gatherings that a neighbour would see now."""

    async def shares(self, user_id: str) -> Sequence[ShareView]:
        """All, those in force first; for officers."""

    async def codes(self, user_id: str) -> Sequence[ShareCodeView]:
        """The codes that were made, the newest first."""

    async def offer(
        self, user_id: str, name: str, subjects: Sequence[str], facilities: Sequence[str]
    ) -> ShareCardView:
        """A code for one neighbour."""

    async def withdraw(self, user_id: str, code_hash: str) -> None:
        """Nobody may use this code any more."""

    async def look(self, user_id: str, code: str) -> ShareOfferView:
        """What a code offers; nothing is agreed by looking."""

    async def agree(self, user_id: str, code: str, subjects: Sequence[str], facilities: Sequence[str]) -> None:
        """Share with whoever has given out the code."""

    async def end(self, user_id: str, key: str, reason: str) -> None:
        """End it at once."""

    # ---- for residents ----------------------------------------------------------------------------------------------

    async def neighbours(self, user_id: str) -> Sequence[NeighbourView]:
        """With whom is shared now."""

    async def gatherings(self, user_id: str, limit: int) -> Sequence[FarGatheringView]:
        """What is ahead at the neighbours', soonest first."""

    async def hazards(self, user_id: str) -> Sequence[FarHazardView]:
        """Their hazard reports, the newest first."""

    async def photo(self, user_id: str, key: str, hazard_id: str) -> tuple[Path, str]:
        """The picture of one of them: where a small copy is, and its type."""

    async def far_facilities(self, user_id: str) -> Sequence[FarFacilityView]:
        """What can be asked for."""

    async def far_facility(
        self, user_id: str, key: str, facility_id: str, day: date
    ) -> tuple[FarFacilityView, Sequence[tuple[str, str]]]:
        """One of them, and what is free on a day."""

    async def ask(self, user_id: str, key: str, wish: Wish) -> None:
        """Ask for it."""

    async def asked(self, user_id: str) -> Sequence[FarAskedView]:
        """What one has asked."""

    async def take_back(self, user_id: str, asked_id: str) -> None:
        """Ask no more."""

    async def enter_board(self, user_id: str, key: str) -> None:
        """Enter the common board with one's own account."""
