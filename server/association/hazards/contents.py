"""The events of hazard reports (docs/events/jp.kairan.hazard.md): a key in a message, and what the node says to it.

What is read here came through a room, so nothing about it is believed before it is checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from server.association.hazards.model import MAX_TEXT, Hazard, HazardKind, HazardState, Sight, checked_sight
from server.media.model import Mxc

HAZARD: Final = "jp.kairan.hazard"
STATE: Final = "jp.kairan.hazard.state"

Content = dict[str, Any]


class StateChange(NamedTuple):
    """What the node says about a report."""

    id: str
    state: HazardState
    note: str


def report_content(sight: Sight, content_type: str = "") -> Content:
    """The message by which a resident reports; with a photo it is a picture in every client."""
    body = f"【危険の知らせ】{sight.kind.label}：{sight.place}" + (f"\n{sight.text}" if sight.text else "")
    told = {"kind": sight.kind.value, "place": sight.place, "text": sight.text, "photo": sight.photo}
    content: Content = {"msgtype": "m.text", "body": body, HAZARD: told}
    if sight.photo:
        content |= {
            "msgtype": "m.image", "url": sight.photo, "filename": "photo",
            "info": {"mimetype": content_type or "image/jpeg"},
        }
    return content


def state_content(hazard: Hazard, state: HazardState, note: str, officer: str) -> Content:
    """The message by which the node says how far it has been seen to."""
    body = f"【危険の知らせ】{hazard.sight.kind.label}：{hazard.sight.place} → {state.label}"
    return {
        "msgtype": "m.notice", "body": f"{body}\n{note}" if note else body,
        STATE: {"id": hazard.id, "state": state.value, "note": note, "by": officer},
        "m.relates_to": {"rel_type": "m.reference", "event_id": f"${hazard.id}"},
    }


def read_report(content: Mapping[str, Any]) -> Sight:
    """Read the first; raises ``Refused``, ``KeyError``, ``TypeError`` or ``ValueError``."""
    told = content[HAZARD]
    texts = [told["place"], told.get("text", ""), told.get("photo", "")]
    if not all(isinstance(item, str) for item in texts):
        raise TypeError("texts")
    if texts[2]:
        Mxc.parse(texts[2])
    return checked_sight(Sight(HazardKind(told["kind"]), *texts))


def read_state(content: Mapping[str, Any]) -> StateChange:
    """Read the second; raises like ``read_report``."""
    told = content[STATE]
    note = told.get("note", "")
    if not isinstance(told["id"], str) or not isinstance(note, str):
        raise TypeError("texts")
    return StateChange(told["id"], HazardState(told["state"]), note[:MAX_TEXT])
