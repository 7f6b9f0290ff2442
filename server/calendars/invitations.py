"""Invitations as calendars: everybody's own copies of gatherings that ask who comes, and the inbox that announces them
(RFC 6638 sections 2.2 and 3.2.2). Nothing is kept here but what was put away; an answer becomes a reaction in the room.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from server.calendars.addresses import Addresses
from server.calendars.appointments import RenderedEntries, told_since
from server.calendars.calendar_object import CalendarObject, etag_of, open_object
from server.calendars.invitation_ics import (
    NEEDS_ACTION,
    answered,
    as_request,
    invitation,
    require_only_an_answer,
)
from server.calendars.model import Changes, Collection, Expected, Item, ItemHead, Kind, PutResult, Window
from server.calendars.ports import Invitation, InvitationPort
from server.calendars.put_away_store import PutAway, put_away_by, set_put_away
from server.calendars.refusals import refuse_rights
from server.calendars.user_cache import UserCache
from server.foundation.errors import NotFound
from server.storage.database import Database

COPIES: Final = "invitations"
INBOX: Final = "inbox"
OUTBOX: Final = "outbox"


@dataclass(frozen=True, slots=True)
class Organizer:
    """Who invites, as calendar apps show it."""

    name: str
    user_id: str


class InvitationDesk:
    """What the copies and the inbox have in common: the port, what was put away, how an invitation is written."""

    def __init__(self, database: Database, port: InvitationPort, organizer: Organizer, addresses: Addresses) -> None:
        self.port = port
        self.addresses = addresses
        self._database = database
        self._organizer = organizer
        self._put_away: UserCache[dict[tuple[str, str], PutAway]] = UserCache()
        self._rendered = RenderedEntries()

    async def gone(self, user_id: str) -> dict[tuple[str, str], PutAway]:
        """What somebody has put away, by place and name."""
        return await self._put_away.get(user_id, lambda: put_away_by(self._database, user_id))

    async def position(self, user_id: str) -> int:
        """The last change of anything that somebody sees."""
        last = max((gone.revision for gone in (await self.gone(user_id)).values()), default=0)
        return max(await self.port.position(user_id), last)

    async def put_away(self, user_id: str, place: str, name: str, sequence: int) -> None:
        """Take something out of somebody's sight, until it changes."""
        # One more than anything before, so that the reader's other devices hear of it.
        revision = await self.position(user_id) + 1
        async with self._database.write() as tx:
            await set_put_away(tx, user_id, place, name, PutAway(sequence, revision))
            tx.after_commit.append(lambda: self._put_away.forget(user_id))

    def written(self, user_id: str, found: Invitation) -> bytes:
        """The reader's copy."""
        organizer = self._organizer.name, self.addresses.mail(self._organizer.user_id)
        attendee = self.port.name_of(user_id), self.addresses.mail(user_id)
        return invitation(self._rendered.of(found.gathering).data, organizer, attendee, found.partstat)

    def item(self, found: Invitation, name: str, data: bytes, position: int) -> Item:
        """An item with these bytes."""
        head = self._rendered.of(found.gathering).head
        return Item(replace(head, name=name, etag=etag_of(data), size=len(data), revision=position + 1), data)


class InvitationCalendar:
    """A ``whole.WholeSource`` of everybody's own copies, in which apps answer: their writer, too."""

    def __init__(self, desk: InvitationDesk) -> None:
        self._desk = desk

    async def collections(self, user_id: str) -> Sequence[Collection]:
        """The one collection of whoever is on the roster."""
        place = await self._desk.port.place(user_id)
        if place is None:
            return ()
        revision = await self._desk.position(user_id) + 1
        return (Collection(f"{COPIES}-{place}", COPIES, Kind.INVITED, "VEVENT", "出欠のお返事", revision, owner=user_id,
                           color="#EF6C00FF"),)

    async def all_items(self, collection: Collection) -> list[Item]:
        """Every copy."""
        return await self._copies(collection.owner)

    async def changes_since(self, collection: Collection, revision: int, limit: int) -> Changes:
        """What has changed since."""
        items = await self.all_items(collection)
        there = {item.head.name for item in items}
        put_away = await self._desk.gone(collection.owner)
        gone = [
            (max(found.position, put_away.get((COPIES, found.gathering.name), PutAway(0, 0)).revision),
             found.gathering.name)
            for found in await self._desk.port.invitations(collection.owner) if found.gathering.name not in there
        ]
        return told_since(items, gone, revision, limit, collection.revision)

    async def put_item(
        self, user_id: str, collection: Collection, name: str, thing: CalendarObject, expected: Expected
    ) -> PutResult:
        """An answer; anything else is refused. It comes back in our own words, so no ETag is told."""
        old = await self._one(collection, name)
        expected.require(None if old is None else old.head.etag)
        if old is None:
            raise refuse_rights()
        require_only_an_answer(thing, open_object(old.data))
        await self._desk.port.answer(user_id, name, answered(thing, user_id, self._desk.addresses))
        return PutResult(False, None)

    async def delete_item(self, user_id: str, collection: Collection, name: str, expected: Expected) -> None:
        """Removing one's copy says no (section 3.2.2.3)."""
        old = await self._one(collection, name)
        if old is None:
            raise NotFound("There is no such invitation")
        expected.require(old.head.etag)
        found = await self._invitation(user_id, name)
        if not found.gathering.draft.cancelled:
            await self._desk.port.answer(user_id, name, "DECLINED")
        await self.put_away(user_id, name)

    async def put_away(self, user_id: str, name: str) -> None:
        """Remove one's copy without an answer (``Schedule-Reply: F``, section 8.1); raises ``NotFound``."""
        if not any(item.head.name == name for item in await self._copies(user_id)):
            raise NotFound("There is no such invitation")
        found = await self._invitation(user_id, name)
        await self._desk.put_away(user_id, COPIES, name, found.gathering.sequence)

    async def _invitation(self, user_id: str, name: str) -> Invitation:
        for found in await self._desk.port.invitations(user_id):
            if found.gathering.name == name and found.shown:
                return found
        raise NotFound("There is no such invitation")

    async def _one(self, collection: Collection, name: str) -> Item | None:
        return next((item for item in await self.all_items(collection) if item.head.name == name), None)

    async def _copies(self, user_id: str) -> list[Item]:
        put_away = await self._desk.gone(user_id)
        items = []
        for found in await self._desk.port.invitations(user_id):
            name = found.gathering.name
            gone = put_away.get((COPIES, name), PutAway(-1, 0))
            is_away = gone.sequence >= found.gathering.sequence and found.partstat in (NEEDS_ACTION, "DECLINED")
            if found.shown and not is_away:
                position = max(found.position, gone.revision)
                items.append(self._desk.item(found, name, self._desk.written(user_id, found), position))
        return sorted(items, key=lambda item: item.head.name)


class InvitationInbox:
    """A ``whole.WholeSource``, and its writer: a message for each invitation that waits for an answer."""

    def __init__(self, desk: InvitationDesk) -> None:
        self._desk = desk

    async def collections(self, user_id: str) -> Sequence[Collection]:
        """The inbox."""
        revision = await self._desk.position(user_id) + 1
        return (Collection(INBOX, INBOX, Kind.INBOX, "VEVENT", "受信箱", revision, owner=user_id),)

    async def all_items(self, collection: Collection) -> list[Item]:
        """Every message."""
        user_id = collection.owner
        put_away = await self._desk.gone(user_id)
        items = []
        for found in await self._desk.port.invitations(user_id):
            waits = found.shown and found.partstat == NEEDS_ACTION and not found.gathering.draft.cancelled
            waits = waits and not found.is_over
            sequence = found.gathering.sequence
            gone = put_away.get((INBOX, found.gathering.name), PutAway(-1, 0))
            if waits and gone.sequence < sequence:
                data = as_request(self._desk.written(user_id, found))
                items.append(self._desk.item(found, _message(found, sequence), data, found.position))
        return sorted(items, key=lambda item: item.head.name)

    async def changes_since(self, collection: Collection, revision: int, limit: int) -> Changes:
        """What has changed since; of messages that are gone, too many rather than too few."""
        items = await self.all_items(collection)
        there = {item.head.name for item in items}
        gone = [
            (collection.revision - 1, name) for found in await self._desk.port.invitations(collection.owner)
            for sequence in range(found.gathering.sequence + 1)
            if (name := _message(found, sequence)) not in there
        ]
        return told_since(items, gone, revision, limit, collection.revision)

    async def put_item(
        self, user_id: str, collection: Collection, name: str, thing: CalendarObject, expected: Expected
    ) -> PutResult:
        """Nobody writes into an inbox."""
        raise refuse_rights()

    async def delete_item(self, user_id: str, collection: Collection, name: str, expected: Expected) -> None:
        """The app has shown it."""
        found = next((item for item in await self.all_items(collection) if item.head.name == name), None)
        if found is None:
            raise NotFound("There is no such message")
        expected.require(found.head.etag)
        stem, _, sequence = name.removesuffix(".ics").rpartition("-")
        await self._desk.put_away(user_id, INBOX, stem, int(sequence))


class Outbox:
    """A ``ports.CalendarBackend`` with nothing in it; ``server.caldav.outbox`` answers what is sent to it."""

    async def collections(self, user_id: str) -> Sequence[Collection]:
        """The outbox."""
        return (Collection(OUTBOX, OUTBOX, Kind.OUTBOX, "VEVENT", "送信箱", 1, owner=user_id),)

    async def heads(self, collection: Collection) -> Sequence[ItemHead]:
        """Nothing."""
        return ()

    async def items(self, collection: Collection, names: Sequence[str]) -> Sequence[Item]:
        """Nothing."""
        return ()

    async def search(self, collection: Collection, window: Window) -> Sequence[Item]:
        """Nothing."""
        return ()

    async def changes_since(self, collection: Collection, revision: int, limit: int) -> Changes:
        """Nothing."""
        return Changes((), (), 1, False)

    async def put_item(
        self, user_id: str, collection: Collection, name: str, thing: CalendarObject, expected: Expected
    ) -> PutResult:
        """Nothing is kept here."""
        raise refuse_rights()

    async def delete_item(self, user_id: str, collection: Collection, name: str, expected: Expected) -> None:
        """Nothing is here."""
        raise NotFound("There is no such message")


def _message(found: Invitation, sequence: int) -> str:
    return f"{found.gathering.name}-{sequence}.ics"
