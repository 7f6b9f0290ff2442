"""The polls that take answers, in memory: the projection may neither wait nor read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from server.association.polls.model import Poll


@dataclass(slots=True)
class PollRoom:
    """A poll in one room: its two events; ended: the native poll is over there; told: the result stands there."""

    room_id: str
    message_event: str | None = None
    poll_event: str | None = None
    ended: bool = False
    told: bool = False

    @property
    def is_asked(self) -> bool:
        """Whether both events stand in the room."""
        return self.message_event is not None and self.poll_event is not None

    @property
    def is_done(self) -> bool:
        """Whether nothing is owed to the room any more, once the poll is closed."""
        return (self.ended or self.poll_event is None) and (self.told or self.message_event is None)

    def has(self, event_id: str) -> bool:
        """Whether the event is one of the two."""
        return event_id in (self.message_event, self.poll_event)


@dataclass(slots=True)
class OpenPoll:
    """A poll with its rooms; ``last_place`` is that of its newest answer."""

    poll: Poll
    rooms: dict[str, PollRoom] = field(default_factory=dict)
    last_place: int = 0

    @property
    def is_finished(self) -> bool:
        """Closed, ended and told in every room."""
        return not self.poll.is_open and all(room.is_done for room in self.rooms.values())


class OpenPolls:
    """All polls that are not finished, oldest first."""

    def __init__(self) -> None:
        self._polls: dict[str, OpenPoll] = {}
        self._by_room: dict[str, list[OpenPoll]] = {}

    def __iter__(self) -> Iterator[OpenPoll]:
        return iter(list(self._polls.values()))

    def get(self, poll_id: str) -> OpenPoll | None:
        """A poll that is not finished."""
        return self._polls.get(poll_id)

    def enter(self, going: OpenPoll) -> None:
        """A poll that has begun."""
        self._polls[going.poll.id] = going
        for room_id in going.rooms:
            self._by_room.setdefault(room_id, []).append(going)

    def enter_room(self, going: OpenPoll, room_id: str) -> PollRoom:
        """The poll is asked in a room."""
        known = going.rooms.get(room_id)
        if known is None:
            known = going.rooms[room_id] = PollRoom(room_id)
            self._by_room.setdefault(room_id, []).append(going)
        return known

    def leave_room(self, going: OpenPoll, room_id: str) -> None:
        """The question was not written in the room after all; a poll without any room was never asked."""
        going.rooms.pop(room_id, None)
        self._forget(going, room_id)
        if not going.rooms:
            self._polls.pop(going.poll.id, None)

    def drop(self, poll_id: str) -> None:
        """A poll that is finished."""
        going = self._polls.pop(poll_id, None)
        for room_id in going.rooms if going else ():
            if going is not None:
                self._forget(going, room_id)

    def in_room(self, room_id: str) -> list[OpenPoll]:
        """The polls of a room, oldest first; empty (and quick) for every other room."""
        return self._by_room.get(room_id, [])

    def asked_by(self, room_id: str, event_id: str) -> OpenPoll | None:
        """The poll whose question is the event ``event_id``."""
        return next((going for going in self.in_room(room_id) if going.rooms[room_id].has(event_id)), None)

    def newest(self, room_id: str, ts: int) -> OpenPoll | None:
        """The officers' newest poll of a room that takes answers at ``ts``: what a number alone is for. A resident's
        own poll says nothing of numbers."""
        return next((going for going in reversed(self.in_room(room_id))
                     if not going.poll.native and not going.poll.is_over_at(ts)), None)

    def _forget(self, going: OpenPoll, room_id: str) -> None:
        left = [item for item in self._by_room.get(room_id, []) if item is not going]
        if left:
            self._by_room[room_id] = left
        else:
            self._by_room.pop(room_id, None)
