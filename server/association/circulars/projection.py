"""What room events mean for circulars; the rows go into the transaction of the event."""

from __future__ import annotations

import logging
from typing import Final

from server.association.circulars import circulars_store as store
from server.association.circulars.model import ATTACHMENT, MARK, OPENED, Circular, is_acknowledging
from server.association.circulars.stamps_store import Stamped, add_stamp, drop_stamp
from server.association.members.members import Members
from server.foundation.errors import Refused
from server.rooms.accept_event import EventAcceptor
from server.rooms.live_room import LiveRoom
from server.rooms.numbered_answers import reaction_of
from server.rooms.receipt_store import Receipt
from server.rooms.receipts import MAIN, READ
from server.rooms.relations import relation_of
from server.rooms.timeline import Entry
from server.storage.database import Writes

logger = logging.getLogger(__name__)

# How long after it was posted it is noted who sees a circular.
_NOTED_MS: Final = 60 * 86_400_000
_LONGEST_STAMP: Final = 16  # people with families are made of many signs
_UNREADABLE: Final = (Refused, KeyError, ValueError, TypeError, AttributeError)


class CircularProjection:
    """Keeps the tables in step with the rooms. ``rooms`` are those in which circulars stand, with the position of the
    newest there.
    """

    def __init__(self, members: Members) -> None:
        self._members = members
        self.rooms: dict[str, int] = {}
        self._read_up_to: dict[tuple[str, str], int] = {}

    def attach(self, acceptor: EventAcceptor) -> None:
        """Look at every event from now on."""
        acceptor.project(self._message, ["m.room.message"])
        acceptor.project(self._reaction, ["m.reaction"])
        acceptor.project(self._opened, [OPENED])
        acceptor.project(self._redaction, ["m.room.redaction"])

    def seen(self, room: LiveRoom, receipt: Receipt, writes: Writes) -> None:
        """A person has read up to a circular: when, is noted once. Whoever reads in private is not noted."""
        newest = self.rooms.get(room.room_id)
        if newest is None or receipt.type != READ:
            return
        person, thread = self._members.person_of_user(receipt.user_id), receipt.thread_id
        key = (room.room_id, receipt.user_id)
        is_room = thread in ("", MAIN)
        if person is None or (is_room and self._read_up_to.get(key, 0) >= newest):
            return
        since = receipt.ts - _NOTED_MS
        place = (room.room_id, receipt.event_stream, "" if is_room else thread)
        store.note_seen(writes, person.id, place, receipt.ts, since)
        if is_room:
            self._read_up_to[key] = receipt.event_stream
            writes.on_failure.append(lambda: self._forget(key))

    def _forget(self, key: tuple[str, str]) -> None:
        self._read_up_to.pop(key, None)

    def _message(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """A circular, an edit of it, or one of its files: said by the node only."""
        if entry.event.sender != self._members.node_user_id:
            return
        content = entry.event.content
        if MARK in content:
            self._posted(room, entry, writes)
        elif ATTACHMENT in content:
            self._attached(room, entry, writes)
        elif isinstance(content.get("m.new_content"), dict) and MARK in content["m.new_content"]:
            self._edited(entry, writes)

    def _posted(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        circular = _read(entry.event.content[MARK])
        if circular is None:
            return
        self.rooms[room.room_id] = max(entry.stream, self.rooms.get(room.room_id, 0))
        store.set_circular(writes, circular)
        store.add_room(writes, store.CircularRoom(
            circular.id, room.room_id, entry.event.event_id, entry.stream, circular.revision))

    def _edited(self, entry: Entry, writes: Writes) -> None:
        circular, relation = _read(entry.event.content["m.new_content"][MARK]), relation_of(entry.event.content)
        if circular is not None and relation is not None and relation[1] == "m.replace":
            store.set_circular(writes, circular)
            store.set_revision(writes, relation[0], circular.revision)

    def _attached(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        mark = entry.event.content[ATTACHMENT]
        if isinstance(mark, dict) and isinstance(mark.get("id"), str) and isinstance(mark.get("url"), str):
            store.add_attachment(writes, entry.event.event_id, mark["id"], room.room_id, mark["url"])

    def _reaction(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """✅ or 👍 on the message acknowledges it; everything else is a stamp."""
        reaction = reaction_of(entry.event.content) if room.room_id in self.rooms else None
        person = self._members.person_of_user(entry.event.sender)
        if reaction is None or person is None:
            return
        (target, key), event = reaction, entry.event
        if is_acknowledging(key):
            store.acknowledge(writes, event.event_id, person.id, room.room_id, target, event.origin_server_ts)
        elif len(key) <= _LONGEST_STAMP:
            add_stamp(writes, Stamped(event.event_id, event.sender, key), room.room_id, target)

    def _opened(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """A person has opened this very circular; said where it stands or in their own 窓口."""
        circular_id = entry.event.content.get("circular_id")
        person = self._members.person_of_user(entry.event.sender)
        if isinstance(circular_id, str) and person is not None:
            event = entry.event
            store.note_opened(writes, event.event_id, person.id, circular_id, event.origin_server_ts)

    def _redaction(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """What was deleted counts no more: a reaction, a file."""
        target = entry.event.redacts
        if target is not None and room.room_id in self.rooms:
            store.forget_event(writes, target)
            drop_stamp(writes, target)


def _read(mark: object) -> Circular | None:
    try:
        return Circular.from_mark(mark)  # type: ignore[arg-type]
    except _UNREADABLE:
        logger.warning("a circular could not be read")
        return None
