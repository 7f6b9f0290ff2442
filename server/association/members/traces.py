"""What rooms keep of somebody who leaves: their name and picture go out of all of them, what was said in their own 窓口
goes altogether, and so does what nobody else could read.

What they have said among others stays, without their name.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Final, NamedTuple

from server.association.members.members import Members
from server.rooms.event import Event
from server.rooms.history import History
from server.rooms.send_event import Draft, EventSender

_PAGE: Final = 200
_NAMING: Final = ("displayname", "avatar_url", "reason")
# What a room is held together by; it says nothing of anybody.
_FRAME: Final = frozenset({
    "m.room.create", "m.room.power_levels", "m.room.join_rules", "m.room.history_visibility", "m.room.redaction",
    "m.room.guest_access", "m.room.encryption",
})

Wanted = Callable[[Event], bool]


class Stay(NamedTuple):
    """Somebody's place in a room: whether they are in it now, and whether nobody else is."""

    room_id: str
    is_in: bool
    is_alone: bool


class Traces:
    """Takes people out of what was said."""

    def __init__(
        self, members: Members, sender: EventSender, history: History,
        stays_of: Callable[[str], Awaitable[Iterable[Stay]]],
    ) -> None:
        self._members = members
        self._sender = sender
        self._history = history
        self._stays_of = stays_of

    async def remove(self, user_id: str) -> None:
        """From every room that this can be said in: the association's, and those in which they still are. Doing it
        twice is doing it once.
        """
        for stay in await self._stays_of(user_id):
            is_ours = self._members.rooms.of_id(stay.room_id) is not None
            if is_ours or stay.is_in:
                by = self._members.node_user_id if is_ours else user_id
                await self._redact(stay.room_id, by, self._wanted(stay, user_id))

    def _wanted(self, stay: Stay, user_id: str) -> Wanted:
        person = self._members.person_of_user(user_id)
        is_own_desk = person is not None and self._members.rooms.desk_of(person.id) == stay.room_id
        if stay.is_alone or is_own_desk:
            return _says_anything
        return lambda event: event.state_key == user_id and _names_somebody(event)

    async def _redact(self, room_id: str, by: str, is_wanted: Wanted) -> None:
        start: int | None = None
        found: list[str] = []
        while True:
            page = await self._history.page(room_id, by, start, None, _PAGE, is_wanted, backwards=True)
            found += [entry.event.event_id for entry in page.entries]
            if page.end is None:
                break
            start = page.end
        for event_id in found:
            await self._sender.send(Draft(room_id, by, "m.room.redaction", {}, redacts=event_id))


def _names_somebody(event: Event) -> bool:
    return event.type == "m.room.member" and not event.content.keys().isdisjoint(_NAMING)


def _says_anything(event: Event) -> bool:
    if event.type == "m.room.member":
        return _names_somebody(event)
    return event.type not in _FRAME and bool(event.content)
