"""All duties in memory; it holds only what is committed."""

from __future__ import annotations

from server.association.duties.model import Duty


class DutyBook:
    """Duties by id, and the messages that tell of them. Changed by the projection, by nobody else."""

    def __init__(self) -> None:
        self._by_id: dict[str, Duty] = {}
        self._posts: dict[str, dict[str, str]] = {}
        self.revision = 0

    def enter(self, duty: Duty) -> None:
        """A duty as it is now."""
        self._by_id[duty.id] = duty
        self.revision = max(self.revision, duty.revision)

    def enter_post(self, duty_id: str, room_id: str, event_id: str) -> None:
        """The message that tells of it in a room."""
        self._posts.setdefault(duty_id, {})[room_id] = event_id

    def find(self, duty_id: str) -> Duty | None:
        """One duty."""
        return self._by_id.get(duty_id)

    def posts_of(self, duty_id: str) -> dict[str, str]:
        """Room id to event id."""
        return dict(self._posts.get(duty_id, {}))

    def all(self) -> list[Duty]:
        """All of them, also those that are over, the oldest first."""
        return sorted(self._by_id.values(), key=lambda duty: (duty.created_ms, duty.id))
