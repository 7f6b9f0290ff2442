"""From events to the tables of garbage days, in the transaction of the event."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Final

from server.association.garbage.book import GarbageBook
from server.association.garbage.contents import CHANGE, PLAN, read_change, read_plan
from server.association.garbage.garbage_store import put_change, put_plan
from server.foundation.errors import Refused
from server.rooms.accept_event import EventAcceptor
from server.rooms.live_room import LiveRoom
from server.rooms.timeline import Entry
from server.storage.database import Writes

logger = logging.getLogger(__name__)

_UNREADABLE: Final = (Refused, KeyError, ValueError, TypeError, AttributeError)


class GarbageProjection:
    """Only the node's own account is believed: it has checked who may say what."""

    def __init__(self, book: GarbageBook, node_user_id: str) -> None:
        self._book = book
        self._node_user_id = node_user_id

    def attach(self, acceptor: EventAcceptor) -> None:
        """Look at every event from now on."""
        acceptor.project(self._plan, [PLAN])
        acceptor.project(self._message, ["m.room.message"])

    def _plan(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        event = entry.event
        if event.sender != self._node_user_id or event.state_key is None:
            return
        try:
            told = read_plan(event.content)
        except _UNREADABLE:
            logger.warning("a plan of garbage days could not be read")
            return
        plan = replace(told, changed_ms=event.origin_server_ts, revision=entry.stream)
        put_plan(writes, plan)
        writes.after_commit.append(lambda: self._book.enter_plan(plan))

    def _message(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        event = entry.event
        if event.sender != self._node_user_id or CHANGE not in event.content:
            return
        try:
            told, blocks = read_change(event.content[CHANGE])
        except _UNREADABLE:
            logger.warning("an exception of garbage days could not be read")
            return
        change = replace(told, revision=entry.stream)
        put_change(writes, change, blocks)
        writes.after_commit.append(lambda: self._book.enter_change(change, blocks))
