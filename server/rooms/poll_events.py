"""The form of polls in a room (MSC3381): made under the deployed names, which are the only ones that clients draw
today, and read under those and under the stable ones (``m.poll.*``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Content = dict[str, Any]

START: Final = "org.matrix.msc3381.poll.start"
RESPONSE: Final = "org.matrix.msc3381.poll.response"
END: Final = "org.matrix.msc3381.poll.end"
STARTS: Final = (START, "m.poll.start")
RESPONSES: Final = (RESPONSE, "m.poll.response")
ENDS: Final = (END, "m.poll.end")

_TEXT: Final = "org.matrix.msc1767.text"


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that can be chosen: its id in the poll and its text."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Response:
    """A native answer: the start event that it answers and the chosen ids, none for a vote taken back."""

    target: str
    chosen: tuple[str, ...]


def start_content(question: str, choices: Sequence[Choice], *, most: int = 1, disclosed: bool = True) -> Content:
    """The content of a poll; ``most`` choices may be taken. Undisclosed: clients show no figures before the end."""
    lines = [question, *(f"{number} {choice.text}" for number, choice in enumerate(choices, 1))]
    return {
        START: {
            "question": {_TEXT: question, "body": question, "msgtype": "m.text"},
            "kind": f"org.matrix.msc3381.poll.{'disclosed' if disclosed else 'undisclosed'}",
            "max_selections": most,
            "answers": [{"id": choice.id, _TEXT: choice.text} for choice in choices],
        },
        _TEXT: "\n".join(lines),
    }


def end_content(start_event: str, text: str) -> Content:
    """The content that closes a poll, with a text for clients that draw no polls."""
    return {END: {}, "m.relates_to": _reference(start_event), _TEXT: text}


def response_content(start_event: str, chosen: Sequence[str]) -> Content:
    """The content of an answer."""
    return {RESPONSE: {"answers": list(chosen)}, "m.relates_to": _reference(start_event)}


def read_response(content: Mapping[str, Any]) -> Response | None:
    """A native answer under either name; ``None`` where the content is none."""
    target = reference_target(content)
    if target is None:
        return None
    unstable, stable = content.get(RESPONSE), content.get("m.poll.response")
    chosen: object = content.get("m.selections")
    for body in (unstable, stable):
        if isinstance(body, Mapping):
            chosen = body.get("answers", body.get("m.selections", chosen))
    if not isinstance(chosen, list) or not all(isinstance(item, str) for item in chosen):
        return None
    return Response(target, tuple(chosen))


def reference_target(content: Mapping[str, Any]) -> str | None:
    """The event that the content refers to (``m.reference``): a poll's start."""
    relates = content.get("m.relates_to")
    if not isinstance(relates, Mapping) or relates.get("rel_type") != "m.reference":
        return None
    target = relates.get("event_id")
    return target if isinstance(target, str) else None


def _reference(event_id: str) -> Content:
    return {"rel_type": "m.reference", "event_id": event_id}
