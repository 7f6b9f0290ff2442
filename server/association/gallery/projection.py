"""From what is said in the board's room to the tables of the gallery, in the transaction of the event."""

from __future__ import annotations

import logging
from typing import Final

from server.association.gallery import gallery_store as store
from server.association.gallery.contents import ALBUM, HIDDEN, PHOTO, read_album, read_id
from server.association.gallery.model import MAX_REASON, Album, Photo, State
from server.association.members.members import Members
from server.association.members.model import Purpose
from server.foundation.errors import Refused
from server.media.pictures import picture_in
from server.rooms.accept_event import EventAcceptor
from server.rooms.live_room import LiveRoom
from server.rooms.relations import relation_of
from server.rooms.timeline import Entry
from server.storage.database import Writes

logger = logging.getLogger(__name__)

_UNREADABLE: Final = (Refused, KeyError, ValueError, TypeError, AttributeError)


class GalleryProjection:
    """Keeps the tables in step with the room; it keeps nothing in memory."""

    def __init__(self, members: Members) -> None:
        self._members = members

    def attach(self, acceptor: EventAcceptor) -> None:
        """Look at every event from now on."""
        acceptor.project(self._message, ["m.room.message"])
        acceptor.project(self._redaction, ["m.room.redaction"])

    def _message(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        event = entry.event
        if not self._is_board(room):
            return
        relation = relation_of(event.content)
        if relation is None:
            if ALBUM in event.content and self._members.person_of_user(event.sender) is not None:
                self._begun(entry, writes)
        elif relation[1] == "m.thread":
            self._brought(entry, relation[0], writes)

    def _begun(self, entry: Entry, writes: Writes) -> None:
        event = entry.event
        try:
            told = read_album(event.content[ALBUM])
        except _UNREADABLE:
            logger.warning("an album could not be read")
            return
        store.add_album(writes, Album(
            told.id, told.title, told.note, told.gathering_id, event.sender, event.event_id, event.origin_server_ts,
        ))

    def _brought(self, entry: Entry, root: str, writes: Writes) -> None:
        """A photo in an album's thread, with our key or simply sent there by a client."""
        event = entry.event
        picture, mark = picture_in(event.content), event.content.get(PHOTO)
        if picture is None or not picture.is_photo:
            return
        try:
            photo_id = read_id(mark["id"]) if isinstance(mark, dict) else event.event_id.removeprefix("$")
        except _UNREADABLE:
            return
        if event.sender == self._members.node_user_id:
            store.show_again(writes, photo_id, event.event_id)
        elif self._members.person_of_user(event.sender) is not None:
            photo = Photo(photo_id, "", event.event_id, event.sender, picture, ts=event.origin_server_ts,
                          position=entry.stream)
            store.add_photo(writes, photo, root)

    def _redaction(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        event, target = entry.event, entry.event.redacts
        if target is None or "\0" in target or not self._is_board(room):
            return
        reason = event.content.get("reason")
        is_hidden = HIDDEN in event.content and event.sender == self._members.node_user_id
        state = State.HIDDEN if is_hidden else State.WITHDRAWN
        # No text of PostgreSQL contains NUL.
        words = reason[:MAX_REASON].replace("\0", "\ufffd") if isinstance(reason, str) else ""
        store.close_event(writes, target, state, event.sender, words)

    def _is_board(self, room: LiveRoom) -> bool:
        return room.room_id == self._members.rooms.find(Purpose.BOARD.value)
