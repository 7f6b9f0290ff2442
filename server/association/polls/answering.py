"""How answers follow from events: native votes, reactions with a number, replies with a number."""

from __future__ import annotations

from server.association.members.members import Members
from server.association.polls import polls_store as store
from server.association.polls.counting import Answer, Voice
from server.association.polls.model import Counting
from server.association.polls.open_polls import OpenPoll, OpenPolls
from server.rooms.accept_event import EventAcceptor, Projection
from server.rooms.live_room import LiveRoom
from server.rooms.numbered_answers import reaction_of, reply_target, spoken_text
from server.rooms.poll_events import RESPONSES, read_response
from server.rooms.timeline import REJECTED, SOFT_FAILED, Entry
from server.storage.database import Writes


class AnswerProjection:
    """Lays down what people answer to the polls in ``OpenPolls``. Replaying an answer changes nothing."""

    def __init__(self, members: Members, going: OpenPolls) -> None:
        self._members = members
        self._going = going

    def attach(self, acceptor: EventAcceptor) -> None:
        """Look at every event from now on."""
        by_kind: dict[str, Projection] = {
            "m.room.message": self.message, "m.reaction": self.reaction, "m.room.redaction": self.redaction,
            **dict.fromkeys(RESPONSES, self.response),
        }
        for kind, projection in by_kind.items():
            acceptor.project(projection, [kind])

    def response(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """A native vote; one that is empty or names what cannot be chosen takes the vote back (MSC3381)."""
        response = read_response(entry.event.content) if self._going.in_room(room.room_id) else None
        going = self._going.asked_by(room.room_id, response.target) if response is not None else None
        if response is not None and going is not None:
            self._take(going, entry, going.poll.chosen_natively(response.chosen), writes)

    def reaction(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """A reaction with a number on the question or on the poll beside it."""
        reaction = reaction_of(entry.event.content) if self._going.in_room(room.room_id) else None
        going = self._going.asked_by(room.room_id, reaction[0]) if reaction is not None else None
        if reaction is not None and going is not None:
            self._take(going, entry, going.poll.chosen_by_reaction(reaction[1]), writes, adds=True)

    def message(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """A number alone is for the newest poll; in reply to something, only for what it replies to."""
        if not self._going.in_room(room.room_id) or entry.event.sender == self._members.node_user_id:
            return
        text, target = spoken_text(entry.event.content), reply_target(entry.event.content)
        if text is None:
            return
        if target is None:
            going = self._going.newest(room.room_id, entry.event.origin_server_ts)
        else:
            going = self._going.asked_by(room.room_id, target)
        if going is not None:
            self._take(going, entry, going.poll.chosen_by_text(text), writes)

    def redaction(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """A reaction, vote or reply that is deleted does not count; the one before it does, if there is one."""
        target = entry.event.redacts
        for going in self._going.in_room(room.room_id) if not entry.flags & (REJECTED | SOFT_FAILED) else ():
            if target is not None and not going.poll.is_over_at(entry.event.origin_server_ts):
                store.withdraw_answer(writes, going.poll.id, target)

    def _take(
        self, going: OpenPoll, entry: Entry, chosen: tuple[str, ...] | None, writes: Writes, *, adds: bool = False
    ) -> None:
        event = entry.event
        person = self._members.person_of_user(event.sender)
        if chosen is None or person is None or entry.flags & (REJECTED | SOFT_FAILED):
            return
        if going.poll.is_over_at(event.origin_server_ts):
            return
        going.last_place += 1
        answer = Answer(id=event.event_id, voice=Voice(Counting.PERSON, person.id), place=going.last_place,
                        ts=event.origin_server_ts, chosen=chosen, adds=adds)
        store.add_answer(writes, going.poll.id, answer)
