"""What the pages need of liaison rooms (連絡室): officers of two linked nodes talk, and every question has a state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from server.association.circulars.model import Attachment


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyView:
    """Who answers on one side, and until when."""

    side: str
    is_ours: bool
    who: str
    until_ts: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomView:
    """The room of one link, which is named by ``room_id``. ``is_there`` is false before it is made."""

    room_id: str
    name: str
    kind: str
    is_over: bool
    is_there: bool
    open: int
    taken: int
    duty: Sequence[DutyView]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """One question. ``state`` is ``open``, ``taken`` or ``answered``; sides are names."""

    id: str
    title: str
    state: str
    label: str
    opened_by: str
    opened_ts: int
    changed_by: str
    changed_ts: int
    by: str
    is_ours: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LineView:
    """One message; ``case`` where it belongs to one, ``has_file`` where it is a photo or a paper."""

    id: str
    ts: int
    side: str
    by: str
    text: str
    is_ours: bool
    case: str
    has_file: bool


class LiaisonDesk(Protocol):
    """Verbs. All raise ``Refused`` in plain words; ``room_id`` is that of the link."""

    async def rooms(self, officer: str) -> Sequence[RoomView]:
        """All rooms, those first in which something waits."""

    async def room(self, officer: str, room_id: str) -> RoomView:
        """One of them."""

    async def cases(self, officer: str, room_id: str) -> Sequence[CaseView]:
        """Its questions, those that wait first."""

    async def case(self, officer: str, room_id: str, case_id: str) -> CaseView:
        """One of them."""

    async def talk(self, officer: str, room_id: str) -> Sequence[LineView]:
        """What was said lately beside the questions, the oldest first."""

    async def conversation(self, officer: str, room_id: str, case_id: str) -> Sequence[LineView]:
        """What was said about a question, the oldest first."""

    async def say(self, officer: str, room_id: str, text: str, by: str) -> None:
        """Say something; ``by`` is how the officer wants to be called."""

    async def show(self, officer: str, room_id: str, file: Attachment, by: str, case_id: str = "") -> None:
        """Show a photo or a paper."""

    async def file(self, officer: str, room_id: str, event_id: str) -> Attachment:
        """The file that a message is."""

    async def ask(self, officer: str, room_id: str, title: str, text: str, by: str) -> str:
        """Ask something; answers the id of the question."""

    async def reply(self, officer: str, room_id: str, case_id: str, text: str, by: str) -> None:
        """Say something about a question."""

    async def move(self, officer: str, room_id: str, case_id: str, state: str, by: str) -> None:
        """Take a question, mark it as answered, or open it again."""

    async def set_duty(self, officer: str, room_id: str, who: str, until_ts: int | None) -> None:
        """Say who answers on our side."""

    async def enter(self, officer: str, room_id: str) -> None:
        """Let an officer talk there with their own account, in any Matrix client."""
