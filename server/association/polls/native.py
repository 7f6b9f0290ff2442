"""Polls that residents make in their own Matrix client: reading them, and whom they ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from server.association.members.members import Members
from server.association.members.model import EVERYONE, OFFICERS, Audience, Purpose
from server.association.polls.model import MAX_CHOICE, MAX_QUESTION, MOST_CHOICES, one_line
from server.rooms.poll_events import STARTS, Choice

_TEXTS: Final = ("org.matrix.msc1767.text", "m.text", "body")
_HALLS: Final[Mapping[str, Audience]] = {
    Purpose.CIRCULARS.value: EVERYONE, Purpose.BOARD.value: EVERYONE, Purpose.DISASTER.value: EVERYONE,
    Purpose.OFFICERS.value: OFFICERS, Purpose.RECEPTION.value: OFFICERS,
}


@dataclass(frozen=True, slots=True)
class NativeQuestion:
    """What a native poll asks."""

    question: str
    choices: tuple[Choice, ...]
    most: int
    disclosed: bool


def read_start(content: Mapping[str, Any]) -> NativeQuestion | None:
    """The question of a poll under the deployed or a stable name; ``None`` where it is none (MSC3381)."""
    body = next((content[key] for key in (*STARTS, "m.poll") if isinstance(content.get(key), Mapping)), None)
    if body is None:
        return None
    question, choices, most = _text_of(body.get("question"), MAX_QUESTION), _choices(body), body.get("max_selections")
    if not question or not choices:
        return None
    # Whatever is not said to be disclosed is not.
    disclosed = str(body.get("kind", "")).endswith("poll.disclosed")
    allowed = most if type(most) is int and most >= 1 else 1
    return NativeQuestion(question, choices, min(allowed, len(choices)), disclosed)


def edited_start(content: Mapping[str, Any]) -> tuple[str, NativeQuestion] | None:
    """``(poll event, new question)`` of an edit."""
    relates, new = content.get("m.relates_to"), content.get("m.new_content")
    if not is_edit(content) or not isinstance(relates, Mapping) or not isinstance(new, Mapping):
        return None
    target, question = relates.get("event_id"), read_start(new)
    return (target, question) if isinstance(target, str) and question is not None else None


def is_edit(content: Mapping[str, Any]) -> bool:
    """Whether the event replaces another one."""
    relates = content.get("m.relates_to")
    return isinstance(relates, Mapping) and relates.get("rel_type") == "m.replace"


def audience_of_room(members: Members, room_id: str) -> Audience | None:
    """Whom a question in this room asks; ``None`` outside the association's rooms and in a 窓口."""
    room = members.rooms.of_id(room_id)
    if room is None:
        return None
    kind, _, item = room.key.partition(":")
    if kind == "block":
        return Audience.blocks([item])
    return Audience.groups([item]) if kind == "group" else _HALLS.get(room.key)


def _choices(body: Mapping[str, Any]) -> tuple[Choice, ...]:
    answers = body.get("answers")
    found: dict[str, Choice] = {}
    for answer in answers[:MOST_CHOICES] if isinstance(answers, list) else ():
        choice_id = (answer.get("id") or answer.get("m.id")) if isinstance(answer, Mapping) else None
        if isinstance(choice_id, str):
            found.setdefault(choice_id, Choice(choice_id, _text_of(answer, MAX_CHOICE) or "（文なし）"))
    return tuple(found.values())


def _text_of(value: object, limit: int) -> str:
    """A text of extensible events (MSC1767): a string, or a list of forms of which the first counts."""
    for key in _TEXTS if isinstance(value, Mapping) else ():
        text = value.get(key)  # type: ignore[attr-defined]
        if isinstance(text, list) and text and isinstance(text[0], Mapping):
            text = text[0].get("body")
        if isinstance(text, str) and text.strip():
            return one_line(text)[:limit]
    return ""


