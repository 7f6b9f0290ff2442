"""Which room of the association is which, in memory: by purpose, block, group, and each resident's 窓口."""

from __future__ import annotations

from server.association.members.model import Audience, AudienceKind, Purpose
from server.foundation.errors import NotFound


class RoomBook:
    """Room ids by key: a ``Purpose``, ``block:<id>``, ``group:<id>`` or ``desk:<person id>``."""

    def __init__(self) -> None:
        self._rooms: dict[str, str] = {}
        self._desks: dict[str, str] = {}

    def enter(self, key: str, room_id: str) -> None:
        """A room that is committed."""
        self._rooms[key] = room_id
        if key.startswith("desk:"):
            self._desks[room_id] = key.removeprefix("desk:")

    def drop(self, key: str) -> None:
        """A room that is no longer the association's."""
        room_id = self._rooms.pop(key, None)
        if room_id is not None:
            self._desks.pop(room_id, None)

    def find(self, key: str) -> str | None:
        """The room of a key, if there is one yet."""
        return self._rooms.get(key)

    def hall(self, purpose: Purpose) -> str:
        """One of the association's own rooms; raises ``NotFound`` before they are set up."""
        room_id = self._rooms.get(purpose.value)
        if room_id is None:
            raise NotFound("町内会の部屋がまだできていません")
        return room_id

    def desk_of(self, person_id: str) -> str | None:
        """A resident's own 窓口."""
        return self._rooms.get(desk_key(person_id))

    def person_of_desk(self, room_id: str) -> str | None:
        """Whose 窓口 a room is."""
        return self._desks.get(room_id)

    def rooms_for(self, audience: Audience, among_all: Purpose) -> list[str]:
        """The rooms whose members are the audience; everyone meets in ``among_all``."""
        if audience.kind is AudienceKind.EVERYONE:
            return [self.hall(among_all)]
        if audience.kind is AudienceKind.OFFICERS:
            return [self.hall(Purpose.OFFICERS)]
        key = block_key if audience.kind is AudienceKind.BLOCKS else group_key
        found = [self._rooms.get(key(item)) for item in audience.ids]
        if None in found:
            raise NotFound("宛先の部屋がありません")
        return [room_id for room_id in found if room_id is not None]

    def items(self) -> list[tuple[str, str]]:
        """All keys with their rooms."""
        return list(self._rooms.items())


def block_key(block_id: str) -> str:
    """The key of a block's room."""
    return f"block:{block_id}"


def group_key(group_id: str) -> str:
    """The key of a group's room."""
    return f"group:{group_id}"


def desk_key(person_id: str) -> str:
    """The key of a resident's 窓口."""
    return f"desk:{person_id}"
