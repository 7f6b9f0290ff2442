"""What a device asks of sliding sync, in our own words (MSC4186, "Request Body")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from server.sync.sliding.required_state import NO_STATE, StateWish


class RoomWish(NamedTuple):
    """What shall be told of a room: how many events at most, and which state."""

    timeline_limit: int
    state: StateWish = NO_STATE

    def with_also(self, other: RoomWish) -> RoomWish:
        """Both wishes together (MSC4186, "Combining room configs")."""
        if other is self or other == self:
            return self
        return RoomWish(max(self.timeline_limit, other.timeline_limit), self.state.with_also(other.state))


class RoomFilter(NamedTuple):
    """Which rooms a list shows. ``None`` means that it does not matter; a room without a type has type ``None``.

    ``name_like`` is a piece of the room's name, however it is written in capitals.
    """

    is_dm: bool | None = None
    is_encrypted: bool | None = None
    is_invite: bool | None = None
    room_types: frozenset[str | None] | None = None
    not_room_types: frozenset[str | None] = frozenset()
    spaces: tuple[str, ...] | None = None
    name_like: str | None = None
    tags: frozenset[str] | None = None
    not_tags: frozenset[str] = frozenset()

    @property
    def looks_inside(self) -> bool:
        """Whether it matters what the room is."""
        return self.is_encrypted is not None or self.room_types is not None or bool(self.not_room_types)

    @property
    def looks_far(self) -> bool:
        """Whether more than the room itself and its membership decides."""
        return (
            self.spaces is not None or self.name_like is not None or self.tags is not None or bool(self.not_tags)
        )


class ListWish(NamedTuple):
    """One list. ``ranges`` are from … to, both included; ``None`` stands for all rooms."""

    room: RoomWish
    ranges: tuple[tuple[int, int], ...] | None
    filter: RoomFilter = RoomFilter()


class Scope(NamedTuple):
    """For which rooms an extension is wanted: of which lists, and which of those asked for by name. ``None``: all."""

    lists: frozenset[str] | None = None
    rooms: frozenset[str] | None = None


class ToDeviceWish(NamedTuple):
    """Messages to the device, after position ``since``."""

    since: int | None
    limit: int


class Extensions(NamedTuple):
    """What is wanted besides rooms. ``None`` means not wanted."""

    to_device: ToDeviceWish | None = None
    e2ee: bool = False
    account_data: Scope | None = None
    receipts: Scope | None = None
    typing: Scope | None = None


class Wishes(NamedTuple):
    """What a request is about. Requests that say the same share one of these, whoever sends them."""

    lists: Mapping[str, ListWish]
    rooms: Mapping[str, RoomWish]
    extensions: Extensions

    def are_those_of(self, other: Wishes | None) -> bool:
        """Whether nothing but positions has changed since ``other``."""
        if other is self:
            return True
        if other is None or self.lists != other.lists or self.rooms != other.rooms:
            return False
        mine, theirs = self.extensions, other.extensions
        return (
            mine.account_data == theirs.account_data and mine.receipts == theirs.receipts
            and mine.typing == theirs.typing and mine.e2ee == theirs.e2ee
            and (mine.to_device is None) == (theirs.to_device is None)
        )


class Asked(NamedTuple):
    """One request. ``pos`` is ``None`` where a connection begins."""

    conn_id: str
    pos: str | None
    timeout_ms: int
    wishes: Wishes
