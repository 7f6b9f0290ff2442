"""What room events mean for polls; the rows go into the transaction of the event."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from server.association.members.members import Members
from server.association.polls import polls_store as store
from server.association.polls.model import MARK, RESULT, Answer, Poll, State
from server.association.polls.open_polls import OpenPoll, OpenPolls, PollRoom
from server.foundation.errors import Refused
from server.rooms.accept_event import EventAcceptor, Projection
from server.rooms.live_room import LiveRoom
from server.rooms.numbered_answers import reaction_of, reply_target, spoken_text
from server.rooms.poll_events import ENDS, RESPONSES, START, read_response, reference_target
from server.rooms.timeline import Entry
from server.storage.database import Writes

logger = logging.getLogger(__name__)

_UNREADABLE: Final = (Refused, KeyError, ValueError, TypeError)


class PollProjection:
    """Keeps ``OpenPolls`` and the tables in step with the rooms. ``on_end`` hears of a poll that was ended."""

    def __init__(self, members: Members, going: OpenPolls, on_end: Callable[[str], None]) -> None:
        self._members = members
        self._going = going
        self._on_end = on_end

    def attach(self, acceptor: EventAcceptor) -> None:
        """Look at every event from now on."""
        by_kind: dict[str, Projection] = {
            "m.room.message": self._message, START: self._start, "m.reaction": self._reaction,
            "m.room.redaction": self._redaction,
            **dict.fromkeys(RESPONSES, self._response), **dict.fromkeys(ENDS, self._end),
        }
        for kind, projection in by_kind.items():
            acceptor.project(projection, [kind])

    # ---- what the node says -----------------------------------------------------------------------------------------

    def _message(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        if entry.event.sender != self._members.node_user_id:
            if self._going.in_room(room.room_id):
                self._spoken(room, entry, writes)
        elif MARK in entry.event.content:
            self._question(room, entry, writes)
        elif RESULT in entry.event.content:
            self._result(room, entry, writes)

    def _question(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        try:
            poll = Poll.from_content(entry.event.content[MARK])
        except _UNREADABLE:
            logger.warning("a poll could not be read")
            return
        going = self._going.get(poll.id)
        if going is None:
            going = OpenPoll(poll)
            self._going.enter(going)
            writes.on_failure.append(lambda: self._going.drop(poll.id))
        store.set_poll(writes, poll)
        place = self._going.enter_room(going, room.room_id)
        if place.message_event is None:
            place.message_event = entry.event.event_id
            self._keep(going, place, writes, lambda: setattr(place, "message_event", None))

    def _start(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        place, going = self._place(room, entry, entry.event.content.get(MARK))
        if place is not None and going is not None and place.poll_event is None:
            place.poll_event = entry.event.event_id
            self._keep(going, place, writes, lambda: setattr(place, "poll_event", None))

    def _result(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        place, going = self._place(room, entry, entry.event.content[RESULT])
        if place is not None and going is not None and not place.told:
            place.told = True
            self._keep(going, place, writes, lambda: setattr(place, "told", False))

    def _end(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """The node ends a poll, or whoever may delete others' messages there (MSC3381)."""
        target = reference_target(entry.event.content)
        going = self._going.asked_by(room.room_id, target) if target is not None else None
        sender = entry.event.sender
        if going is None or not (sender == self._members.node_user_id or _may_end(room, sender)):
            return
        place = going.rooms[room.room_id]
        if not place.ended:
            place.ended = True
            self._keep(going, place, writes, lambda: setattr(place, "ended", False))
        if going.poll.state is State.OPEN:
            self._close(going, entry, writes)

    def _close(self, going: OpenPoll, entry: Entry, writes: Writes) -> None:
        before = going.poll
        going.poll = replace(before, state=State.CLOSED, closed_ts=entry.event.origin_server_ts)
        writes.on_failure.append(lambda: setattr(going, "poll", before))
        store.set_poll(writes, going.poll)
        writes.after_commit.append(lambda: self._on_end(before.id))

    def _place(self, room: LiveRoom, entry: Entry, mark: object) -> tuple[PollRoom | None, OpenPoll | None]:
        poll_id = mark.get("id") if isinstance(mark, dict) else None
        going = self._going.get(poll_id) if isinstance(poll_id, str) else None
        if going is None or entry.event.sender != self._members.node_user_id:
            return None, None
        return going.rooms.get(room.room_id), going

    def _keep(self, going: OpenPoll, place: PollRoom, writes: Writes, undo: Callable[[], None]) -> None:
        writes.on_failure.append(undo)
        store.set_room(writes, going.poll.id, place)

    # ---- what people say --------------------------------------------------------------------------------------------

    def _spoken(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """A number alone is for the newest poll; in reply to something, only for what it replies to."""
        text, target = spoken_text(entry.event.content), reply_target(entry.event.content)
        if text is None:
            return
        if target is None:
            going = self._going.newest(room.room_id, entry.event.origin_server_ts)
        else:
            going = self._going.asked_by(room.room_id, target)
        if going is not None:
            self._take(going, entry, going.poll.chosen_by_text(text), writes)

    def _response(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        response = read_response(entry.event.content) if self._going.in_room(room.room_id) else None
        going = self._going.asked_by(room.room_id, response.target) if response is not None else None
        if response is not None and going is not None:
            self._take(going, entry, going.poll.checked(response.chosen), writes)

    def _reaction(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        reaction = reaction_of(entry.event.content) if self._going.in_room(room.room_id) else None
        going = self._going.asked_by(room.room_id, reaction[0]) if reaction is not None else None
        if reaction is not None and going is not None:
            self._take(going, entry, going.poll.chosen_by_reaction(reaction[1]), writes)

    def _take(self, going: OpenPoll, entry: Entry, chosen: tuple[str, ...] | None, writes: Writes) -> None:
        event = entry.event
        person = self._members.person_of_user(event.sender)
        if chosen is None or person is None or going.poll.is_over_at(event.origin_server_ts):
            return
        going.last_place += 1
        answer = Answer(event.event_id, person.id, going.last_place, event.origin_server_ts, chosen)
        store.add_answer(writes, going.poll.id, answer)

    def _redaction(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """A reaction or vote taken back does not count; the one before it does, if there is one."""
        target = entry.event.redacts
        for going in self._going.in_room(room.room_id):
            if target is not None and not going.poll.is_over_at(entry.event.origin_server_ts):
                store.withdraw_answer(writes, going.poll.id, target)


def _may_end(room: LiveRoom, user_id: str) -> bool:
    levels = room.levels()
    return levels.of_user(user_id) >= levels.redact
