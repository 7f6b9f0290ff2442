"""How polls follow from events: where they are asked, where they are ended, where their results stand.

Memory is changed when an event is accepted, the tables in the same commit; a commit that fails takes both back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from server.association.members.members import Members
from server.association.members.model import Right
from server.association.polls import polls_store as store
from server.association.polls.contents import MARK, RESULT
from server.association.polls.model import Counting, Poll, State
from server.association.polls.native import NativeQuestion, audience_of_room, edited_start, is_edit, read_start
from server.association.polls.open_polls import OpenPoll, OpenPolls, PollRoom
from server.foundation.errors import Refused
from server.rooms.accept_event import EventAcceptor, Projection
from server.rooms.live_room import LiveRoom
from server.rooms.poll_events import ENDS, STARTS, reference_target
from server.rooms.timeline import REJECTED, SOFT_FAILED, Entry
from server.storage.database import Writes

logger = logging.getLogger(__name__)

_UNREADABLE: Final = (Refused, AttributeError, KeyError, ValueError, TypeError)
_NOT_IN_FORCE: Final = REJECTED | SOFT_FAILED


class PollProjection:
    """Keeps ``OpenPolls`` and the tables in step with the rooms. ``on_end`` hears of a poll that was ended in one."""

    def __init__(self, members: Members, going: OpenPolls, on_end: Callable[[str], None]) -> None:
        self._members = members
        self._going = going
        self._on_end = on_end

    def attach(self, acceptor: EventAcceptor) -> None:
        """Look at every event from now on."""
        by_kind: dict[str, Projection] = {
            "m.room.message": self.message, "m.room.redaction": self.redaction,
            **dict.fromkeys(STARTS, self.start), **dict.fromkeys(ENDS, self.end),
        }
        for kind, projection in by_kind.items():
            acceptor.project(projection, [kind])

    # ---- what the node asks ----------------------------------------------------------------------------------------

    def message(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """The node asks, or tells a result."""
        if self._is_from_node(entry):
            if MARK in entry.event.content:
                self._question(room, entry, writes)
            elif RESULT in entry.event.content:
                self._result(room, entry, writes)

    def _question(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        try:
            poll = Poll.from_content(entry.event.content[MARK])
        except _UNREADABLE:
            logger.warning("a poll could not be read")
            return
        going = self._going.get(poll.id) or self._begin(poll)
        store.set_poll(writes, poll)
        place = self._place_in(going, room.room_id, writes)
        if place.message_event is None:
            place.message_event = entry.event.event_id
            self._keep(going, place, writes, lambda: setattr(place, "message_event", None))

    def _result(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        found = self._marked(room, entry.event.content[RESULT])
        if found is not None and not found[1].told:
            going, place = found
            place.told = True
            self._keep(going, place, writes, lambda: setattr(place, "told", False))

    def start(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """A native poll: the node's beside its question, or one that a resident makes."""
        if not self._is_from_node(entry):
            self._resident_asks(room, entry, writes)
            return
        found = self._marked(room, entry.event.content.get(MARK))
        if found is not None and found[1].poll_event is None:
            going, place = found
            place.poll_event = entry.event.event_id
            self._keep(going, place, writes, lambda: setattr(place, "poll_event", None))

    # ---- what residents ask ----------------------------------------------------------------------------------------

    def _resident_asks(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        if is_edit(entry.event.content):
            self._edit(room, entry, writes)
            return
        audience, event = audience_of_room(self._members, room.room_id), entry.event
        question = read_start(event.content)
        if audience is None or question is None or entry.flags & _NOT_IN_FORCE:
            return
        poll_id = event.event_id.removeprefix("$")
        if self._members.person_of_user(event.sender) is None or self._going.get(poll_id) is not None:
            return
        poll = Poll(
            id=poll_id, question=question.question, choices=question.choices, most=question.most,
            counting=Counting.PERSON, disclosed=question.disclosed, audience=audience, issuer=event.sender,
            created_ts=event.origin_server_ts, native=True,
        )
        store.set_poll(writes, poll)
        going = self._begin(poll)
        place = self._place_in(going, room.room_id, writes)
        place.poll_event = event.event_id
        store.set_room(writes, poll.id, place)

    def _edit(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """Who has made a poll may change it as long as nobody has answered, as clients offer it."""
        edit = edited_start(entry.event.content)
        going = self._going.asked_by(room.room_id, edit[0]) if edit is not None else None
        if edit is None or going is None or going.last_place or not going.poll.is_open or not going.poll.native:
            return
        if entry.event.sender == going.poll.issuer and not entry.flags & _NOT_IN_FORCE:
            self._change(going, _edited(going.poll, edit[1]), writes)
            store.set_question(writes, going.poll)

    # ---- ends ------------------------------------------------------------------------------------------------------

    def end(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """A poll is ended: by the node, by who asked, or by whoever may."""
        target = reference_target(entry.event.content)
        going = self._going.asked_by(room.room_id, target) if target is not None else None
        if going is None or entry.flags & _NOT_IN_FORCE or not self._may_end(going.poll, room, entry.event.sender):
            return
        place = going.rooms[room.room_id]
        if not place.ended:
            place.ended = True
            self._keep(going, place, writes, lambda: setattr(place, "ended", False))
        if going.poll.is_open:
            closed_ts = going.poll.end_at(self._said_end(entry))
            self._change(going, replace(going.poll, state=State.CLOSED, closed_ts=closed_ts), writes)
            store.set_poll(writes, going.poll)
        writes.after_commit.append(lambda: self._on_end(going.poll.id))

    def redaction(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """The question of a resident's own poll is deleted: the poll is gone."""
        target = entry.event.redacts
        going = self._going.asked_by(room.room_id, target) if target is not None else None
        if going is not None and going.poll.native and going.poll.is_open and not entry.flags & _NOT_IN_FORCE:
            self._change(going, replace(going.poll, state=State.WITHDRAWN, closed_ts=entry.event.origin_server_ts),
                         writes)
            store.set_poll(writes, going.poll)
            writes.after_commit.append(lambda: self._going.drop(going.poll.id))

    def _may_end(self, poll: Poll, room: LiveRoom, sender: str) -> bool:
        """MSC3381: who asked, or may delete others' messages there. What the officers ask in many rooms is not ended
        by the leader of one block."""
        if sender == self._members.node_user_id:
            return True
        if not poll.native:
            return self._members.may(sender, Right.ASK_POLLS)
        levels = room.levels()
        return sender == poll.issuer or levels.of_user(sender) >= levels.redact

    def _said_end(self, entry: Entry) -> int:
        """The node decides on the end before it says it in all rooms."""
        mark = entry.event.content.get(MARK) if self._is_from_node(entry) else None
        said = mark.get("closed_ts") if isinstance(mark, dict) else None
        return said if type(said) is int else entry.event.origin_server_ts

    # ---- parts -----------------------------------------------------------------------------------------------------

    def _is_from_node(self, entry: Entry) -> bool:
        return entry.event.sender == self._members.node_user_id

    def _begin(self, poll: Poll) -> OpenPoll:
        going = OpenPoll(poll)
        self._going.enter(going)
        return going

    def _place_in(self, going: OpenPoll, room_id: str, writes: Writes) -> PollRoom:
        if room_id not in going.rooms:
            writes.on_failure.append(lambda: self._going.leave_room(going, room_id))
        return self._going.enter_room(going, room_id)

    def _change(self, going: OpenPoll, poll: Poll, writes: Writes) -> None:
        before, going.poll = going.poll, poll
        writes.on_failure.append(lambda: setattr(going, "poll", before))

    def _keep(self, going: OpenPoll, place: PollRoom, writes: Writes, undo: Callable[[], None]) -> None:
        writes.on_failure.append(undo)
        store.set_room(writes, going.poll.id, place)

    def _marked(self, room: LiveRoom, mark: Any) -> tuple[OpenPoll, PollRoom] | None:
        """The poll that one of the node's events belongs to."""
        poll_id = mark.get("id") if isinstance(mark, dict) else None
        going = self._going.get(poll_id) if isinstance(poll_id, str) else None
        place = going.rooms.get(room.room_id) if going is not None else None
        return (going, place) if going is not None and place is not None else None


def _edited(poll: Poll, question: NativeQuestion) -> Poll:
    return replace(poll, question=question.question, choices=question.choices, most=question.most,
                   disclosed=question.disclosed)
