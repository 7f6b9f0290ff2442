"""From messages in rooms to the table of gatherings, in the transaction of the message."""

from __future__ import annotations

from dataclasses import replace

from server.association.gatherings.book import GatheringBook
from server.association.gatherings.contents import is_edit, read_gathering, tells_of_gathering
from server.association.gatherings.gatherings_store import put_gathering, put_post
from server.rooms.live_room import LiveRoom
from server.rooms.timeline import Entry
from server.storage.database import Writes


class GatheringProjection:
    """Only the node's own account is believed: it has checked who may arrange what."""

    def __init__(self, book: GatheringBook, node_user_id: str) -> None:
        self._book = book
        self._node_user_id = node_user_id

    def project(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """Enter what the message says about a gathering."""
        event = entry.event
        if event.sender != self._node_user_id or not tells_of_gathering(event.content):
            return
        told = read_gathering(event.content)
        if told is None:
            return
        known = self._book.find(told.id)
        gathering = replace(
            told, created_ms=event.origin_server_ts if known is None else known.created_ms,
            changed_ms=event.origin_server_ts, revision=entry.stream,
        )
        put_gathering(writes, gathering)
        writes.after_commit.append(lambda: self._book.enter(gathering))
        if not is_edit(event.content):
            put_post(writes, gathering.id, room.room_id, event.event_id)
            writes.after_commit.append(
                lambda: self._book.enter_post(gathering.id, room.room_id, event.event_id)
            )
