"""What is seen of circulars: a resident's list, search, one circular, and for officers who has it. Reading only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from server.association.circulars import circulars_store as store
from server.association.circulars.model import Circular, Counts, Progress, furthest
from server.association.members.members import Members
from server.association.members.model import OFFICER_ROLES, Audience, AudienceKind, Household, Person, Right
from server.foundation.errors import Forbidden, NotFound
from server.rooms.receipts import READ, READ_PRIVATE, Receipts
from server.storage.database import Database

_MOST_PAGES: Final = 20
_BATCH: Final = 50
_MOST_WORDS: Final = 8
_BY_KIND: Final = {
    store.KIND_ACKNOWLEDGED: Progress.ACKNOWLEDGED, store.KIND_OPENED: Progress.OPENED,
    store.KIND_PAPER: Progress.PAPER, store.KIND_PHONE: Progress.PAPER, store.KIND_SEEN: Progress.SEEN,
}


@dataclass(frozen=True, slots=True)
class Item:
    """A circular in a resident's list."""

    circular: Circular
    progress: Progress

    @property
    def is_unread(self) -> bool:
        """Not even seen."""
        return self.progress in (Progress.NOT_YET, Progress.PAPER)

    @property
    def is_acknowledged(self) -> bool:
        """The button is not shown any more."""
        return self.progress is Progress.ACKNOWLEDGED


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the list; ``next`` is what to ask for after it, ``None`` at the end."""

    items: Sequence[Item]
    next: str | None


@dataclass(frozen=True, slots=True)
class HouseholdRow:
    """A household with how far the circular has come, and each of its people."""

    household: Household
    block: str
    progress: Progress
    persons: Sequence[tuple[Person, Progress]]


@dataclass(frozen=True, slots=True)
class Reach:
    """Who has a circular: figures of its whole audience, rows of those whom the officer looks after."""

    circular: Circular
    persons: Counts
    households: Counts
    rows: Sequence[HouseholdRow]


class CircularReader:
    """Read models of circulars."""

    def __init__(self, database: Database, members: Members, receipts: Receipts) -> None:
        self._database = database
        self._members = members
        self._receipts = receipts

    async def page(self, user_id: str, limit: int = 20, after: str | None = None, search: str = "") -> Page:
        """The circulars for a resident, newest first, on from ``after`` (the ``next`` of the page before).

        ``search``: words that must all stand in the title, the text or the name of a file, in whatever kana and width
        they are written; a word may be of one or two letters.
        """
        person = self._require_person(user_id)
        found, more = await self._collect(person, limit, _read_place(after), search.split()[:_MOST_WORDS])
        progress = await self._progress_of(person, [circular.id for circular in found])
        # One's own list also knows what was read in private; officers never do.
        items = [Item(circular, progress[circular.id]) for circular in found]
        return Page(items, _place(found[-1]) if more and found else None)

    async def one(self, user_id: str, circular_id: str) -> Item:
        """One circular, for somebody whom it reaches, or an officer who may post; ``NotFound`` for all others."""
        person = self._require_person(user_id)
        circular = await store.find_circular(self._database, circular_id)
        if circular is None or not (
            self._reaches(circular.audience, person) or self._members.may(user_id, Right.POST_CIRCULARS)
        ):
            raise NotFound("その回覧はありません")
        return Item(circular, (await self._progress_of(person, [circular_id]))[circular_id])

    async def all(self, officer: str, limit: int = 20, after: str | None = None) -> Page:
        """All circulars for the officers' desk, newest first."""
        self._require_officer(officer)
        found = await store.circulars_before(self._database, limit + 1, _read_place(after))
        items = [Item(circular, Progress.NOT_YET) for circular in found[:limit]]
        return Page(items, _place(found[limit - 1]) if len(found) > limit else None)

    async def reach(self, officer: str, circular_id: str) -> Reach:
        """Who has seen, opened, acknowledged it or has it on paper, and who has not.

        A block leader sees the rows of their own block."""
        self._require_officer(officer)
        circular = await store.find_circular(self._database, circular_id)
        if circular is None:
            raise NotFound("その回覧はありません")
        people = self._audience(circular.audience)
        marks = await store.marks_of(self._database, circular_id)
        by_person = await self._by_person(circular, people, marks)
        on_paper = {mark.household_id for mark in marks if mark.kind in (store.KIND_PAPER, store.KIND_PHONE)}
        rows = self._rows(people, by_person, on_paper)
        every = [progress for row in rows for _, progress in row.persons]
        own = {block.id for block in self._members.blocks_with(officer, Right.POST_CIRCULARS)}
        return Reach(circular, Counts.of_all(every), Counts.of_all(row.progress for row in rows),
                     [row for row in rows if row.household.block_id in own])

    # ---- parts ------------------------------------------------------------------------------------------------------

    async def _collect(
        self, person: Person, limit: int, before: tuple[int, str] | None, words: Sequence[str]
    ) -> tuple[list[Circular], bool]:
        """Up to ``limit`` circulars that reach the person, and whether there may be more."""
        found: list[Circular] = []
        for number in range(_MOST_PAGES):
            # Nearly always everything reaches everybody, and the first few are enough.
            many = _BATCH if number else min(_BATCH, limit + 1)
            batch = await store.circulars_before(self._database, many, before, words)
            found += [circular for circular in batch if self._reaches(circular.audience, person)]
            if len(found) > limit:
                return found[:limit], True
            if len(batch) < many:
                return found, False
            before = (batch[-1].created_ts, batch[-1].id)
        return found, True

    async def _progress_of(self, person: Person, circular_ids: Sequence[str]) -> dict[str, Progress]:
        reached: dict[str, set[Progress]] = {circular_id: set() for circular_id in circular_ids}
        for mark in await store.marks_of_person(self._database, person.id, circular_ids):
            reached[mark.circular_id].add(_BY_KIND[mark.kind])
        for place in await store.rooms_of(self._database, circular_ids):
            if person.user_id is not None and await self._has_seen(person.user_id, place, (READ, READ_PRIVATE)):
                reached[place.circular_id].add(Progress.SEEN)
        return {circular_id: furthest(found) for circular_id, found in reached.items()}

    async def _by_person(
        self, circular: Circular, people: Sequence[Person], marks: Sequence[store.Mark]
    ) -> dict[str, set[Progress]]:
        reached: dict[str, set[Progress]] = {person.id: set() for person in people}
        for mark in marks:
            if mark.person_id in reached:
                reached[mark.person_id].add(_BY_KIND[mark.kind])
        for place in await store.rooms_of(self._database, [circular.id]):
            for person in people:
                if person.user_id is not None and await self._has_seen(person.user_id, place):
                    reached[person.id].add(Progress.SEEN)
        return reached

    async def _has_seen(self, user_id: str, place: store.CircularRoom, kinds: Sequence[str] = (READ,)) -> bool:
        """A receipt up to the message or past it, in the room or in the message's thread."""
        book = await self._receipts.book(place.room_id)
        receipts = (book.find(user_id, kind, thread) for kind in kinds for thread in ("", "main", place.event_id))
        return any(receipt is not None and receipt.event_stream >= place.position for receipt in receipts)

    def _rows(
        self, people: Sequence[Person], by_person: Mapping[str, set[Progress]], on_paper: set[str]
    ) -> list[HouseholdRow]:
        homes: dict[str, list[Person]] = {}
        for person in people:
            homes.setdefault(person.household_id, []).append(person)
        rows = []
        for home_id, persons in homes.items():
            home = self._members.household(home_id)
            paper = {Progress.PAPER} if home_id in on_paper else set()
            lines = [(person, furthest(by_person[person.id] | paper)) for person in persons]
            progress = furthest(line[1] for line in lines)
            rows.append(HouseholdRow(home, self._members.block(home.block_id).name, progress, lines))
        return rows

    def _audience(self, audience: Audience) -> list[Person]:
        try:
            return self._members.audience(audience)
        except NotFound:
            return []

    def _reaches(self, audience: Audience, person: Person) -> bool:
        """Like ``Members.is_in``, without walking through the roster for every circular of a list."""
        if audience.kind is AudienceKind.EVERYONE:
            return True
        if audience.kind is AudienceKind.OFFICERS:
            return bool(self._members.roles_of(person.id) & OFFICER_ROLES)
        if audience.kind is AudienceKind.BLOCKS:
            return self._members.block_of(person.id).id in audience.ids
        return bool({group.id for group in self._members.groups_of(person.id)} & set(audience.ids))

    def _require_person(self, user_id: str) -> Person:
        person = self._members.person_of_user(user_id)
        if person is None:
            raise Forbidden("回覧は、町内会の会員が読めます")
        return person

    def _require_officer(self, officer: str) -> None:
        if not self._members.blocks_with(officer, Right.POST_CIRCULARS):
            raise Forbidden("回覧の一覧は、役員だけが見られます")


def _place(circular: Circular) -> str:
    return f"{circular.created_ts}_{circular.id}"


def _read_place(text: str | None) -> tuple[int, str] | None:
    if not text:
        return None
    ts, _, circular_id = text.partition("_")
    return (int(ts), circular_id) if ts.isascii() and ts.isdigit() and len(ts) < 16 else None
