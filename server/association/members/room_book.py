"""Which room of the association is which, in memory: by purpose, block, group, and each resident's 窓口."""

from __future__ import annotations

from dataclasses import dataclass

from server.association.members.model import Audience, AudienceKind, Purpose
from server.foundation.errors import NotFound


@dataclass(frozen=True, slots=True)
class AssociationRoom:
    """``key`` is a ``Purpose``, ``block:<id>``, ``group:<id>`` or ``desk:<person id>``.

    ``name`` is what the room was last called; ``is_linked`` says that the space shows it, or need not.
    """

    key: str
    room_id: str
    name: str
    is_linked: bool


class RoomBook:
    """The rooms by key and by id. Changed by ``AssociationRooms`` after its commits, by nobody else."""

    def __init__(self) -> None:
        self._by_key: dict[str, AssociationRoom] = {}
        self._by_id: dict[str, AssociationRoom] = {}

    def enter(self, room: AssociationRoom) -> None:
        """A room that is committed."""
        self._by_key[room.key] = room
        self._by_id[room.room_id] = room

    def drop(self, key: str) -> None:
        """A room that is no longer the association's."""
        room = self._by_key.pop(key, None)
        if room is not None:
            self._by_id.pop(room.room_id, None)

    def get(self, key: str) -> AssociationRoom | None:
        """The room of a key, if there is one yet."""
        return self._by_key.get(key)

    def of_id(self, room_id: str) -> AssociationRoom | None:
        """What a room is for, if it is one of the association's."""
        return self._by_id.get(room_id)

    def find(self, key: str) -> str | None:
        """The room id of a key, if there is a room yet."""
        room = self._by_key.get(key)
        return None if room is None else room.room_id

    def hall(self, purpose: Purpose) -> str:
        """One of the association's own rooms; raises ``NotFound`` before they are set up."""
        room_id = self.find(purpose.value)
        if room_id is None:
            raise NotFound("町内会の部屋がまだできていません")
        return room_id

    def desk_of(self, person_id: str) -> str | None:
        """A resident's own 窓口."""
        return self.find(desk_key(person_id))

    def person_of_desk(self, room_id: str) -> str | None:
        """Whose 窓口 a room is."""
        room = self._by_id.get(room_id)
        return room.key.removeprefix("desk:") if room is not None and room.key.startswith("desk:") else None

    def rooms_for(self, audience: Audience, among_all: Purpose) -> list[str]:
        """The rooms whose members are the audience; everyone meets in ``among_all``."""
        if audience.kind is AudienceKind.EVERYONE:
            return [self.hall(among_all)]
        if audience.kind is AudienceKind.OFFICERS:
            return [self.hall(Purpose.OFFICERS)]
        key = block_key if audience.kind is AudienceKind.BLOCKS else group_key
        found = [self.find(key(item)) for item in audience.ids]
        if None in found:
            raise NotFound("宛先の部屋がありません")
        return [room_id for room_id in found if room_id is not None]

    def rooms(self) -> list[AssociationRoom]:
        """All of them."""
        return list(self._by_key.values())


def block_key(block_id: str) -> str:
    """The key of a block's room."""
    return f"block:{block_id}"


def group_key(group_id: str) -> str:
    """The key of a group's room."""
    return f"group:{group_id}"


def desk_key(person_id: str) -> str:
    """The key of a resident's 窓口."""
    return f"desk:{person_id}"
