"""All gatherings in memory; it holds only what is committed."""

from __future__ import annotations

from server.association.gatherings.model import Gathering


class GatheringBook:
    """Gatherings by id and by the calendar's name. Changed by the projection, by nobody else."""

    def __init__(self) -> None:
        self._by_id: dict[str, Gathering] = {}
        self._by_name: dict[str, str] = {}
        self._posts: dict[str, dict[str, str]] = {}
        self._announced: dict[str, dict[str, str]] = {}
        self.revision = 0

    def enter(self, gathering: Gathering) -> None:
        """A gathering as it is now."""
        self._by_id[gathering.id] = gathering
        self._by_name[gathering.name] = gathering.id
        self.revision = max(self.revision, gathering.revision)

    def enter_post(self, gathering_id: str, room_id: str, event_id: str) -> None:
        """The message that announced it in a room."""
        self._posts.setdefault(gathering_id, {})[room_id] = event_id
        self._announced.setdefault(room_id, {})[event_id] = gathering_id

    def find(self, gathering_id: str) -> Gathering | None:
        """One gathering."""
        return self._by_id.get(gathering_id)

    def named(self, name: str) -> Gathering | None:
        """One gathering by the calendar's name."""
        return self._by_id.get(self._by_name.get(name, ""))

    def posts_of(self, gathering_id: str) -> dict[str, str]:
        """Room id to event id of the announcing messages."""
        return dict(self._posts.get(gathering_id, {}))

    def announced_by(self, room_id: str, event_id: str) -> str | None:
        """The id of the gathering that a message has announced."""
        return self._announced.get(room_id, {}).get(event_id)

    def announced_in(self, room_id: str) -> list[str]:
        """The ids of the gatherings that were announced in a room."""
        return list(self._announced.get(room_id, {}).values())

    def stand_in(self, room_id: str) -> bool:
        """Whether any gathering was announced in a room."""
        return room_id in self._announced

    def all(self) -> list[Gathering]:
        """All of them, in the order of their last change."""
        return sorted(self._by_id.values(), key=lambda gathering: gathering.revision)
