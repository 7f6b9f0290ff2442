"""From messages in rooms to the table of duties, in the transaction of the message."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Final

from server.association.duties.book import DutyBook
from server.association.duties.contents import KEY, read_duty, told_in
from server.association.duties.duties_store import put_duty, put_post
from server.foundation.errors import Refused
from server.rooms.live_room import LiveRoom
from server.rooms.timeline import Entry
from server.storage.database import Writes

logger = logging.getLogger(__name__)

_UNREADABLE: Final = (Refused, KeyError, ValueError, TypeError, AttributeError)


class DutyProjection:
    """Only the node's own account is believed: it has checked who may arrange what."""

    def __init__(self, book: DutyBook, node_user_id: str) -> None:
        self._book = book
        self._node_user_id = node_user_id

    def project(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """Enter what a message says about a duty."""
        event = entry.event
        if event.sender != self._node_user_id:
            return
        value = told_in(event.content)
        if value is None:
            return
        try:
            told = read_duty(value)
        except _UNREADABLE:
            logger.warning("a duty could not be read")
            return
        known = self._book.find(told.id)
        duty = replace(
            told, created_ms=event.origin_server_ts if known is None else known.created_ms,
            changed_ms=event.origin_server_ts, revision=entry.stream,
        )
        put_duty(writes, duty)
        writes.after_commit.append(lambda: self._book.enter(duty))
        if KEY in event.content:
            put_post(writes, duty.id, room.room_id, event.event_id)
            writes.after_commit.append(lambda: self._book.enter_post(duty.id, room.room_id, event.event_id))
