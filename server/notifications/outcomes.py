"""What push rules make of an event for somebody (spec: "Actions"), and how it is kept.

What all are told is kept in bits of the event; who is told otherwise has a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from server.rooms.timeline import NOTIFIES

# Bits of events.flags beside NOTIFIES: all are told that it names them; it sounds; somebody is told otherwise.
HIGHLIGHTS: Final = 64
SOUNDS: Final = 128
TOLD_OTHERWISE: Final = 256

_SOUND: Final = {"set_tweak": "sound", "value": "default"}
_RING: Final = {"set_tweak": "sound", "value": "ring"}
_NAMES: Final = {"set_tweak": "highlight"}
_RINGING: Final = "m.call.invite"
# Spec, "Historical Actions": as if they were not there.
_HISTORICAL: Final = ("dont_notify", "coalesce")


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether somebody is told of an event, whether it names them, and the actions of the rule that says so."""

    notify: bool
    highlight: bool
    actions: Sequence[Any]

    def tweaks(self) -> dict[str, Any]:
        """The tweaks of the actions by name; a highlight without a value is ``True``."""
        found: dict[str, Any] = {}
        for action in self.actions:
            if isinstance(action, dict) and "set_tweak" in action:
                name = action["set_tweak"]
                found[name] = action.get("value", True if name == "highlight" else None)
        return found


def outcome_of(actions: Sequence[Any]) -> Outcome:
    """The outcome of a rule with these actions."""
    kept = [action for action in actions if not isinstance(action, str) or action not in _HISTORICAL]
    if "notify" not in kept:
        return Outcome(False, False, [])
    return Outcome(True, Outcome(True, False, kept).tweaks().get("highlight") is True, kept)


SILENT: Final = outcome_of([])
NOTIFY: Final = outcome_of(["notify"])
SOUND: Final = outcome_of(["notify", _SOUND])
RING: Final = outcome_of(["notify", _RING])
LOUD: Final = outcome_of(["notify", _SOUND, _NAMES])
HIGHLIGHT: Final = outcome_of(["notify", _NAMES])


def flags_of(outcome: Outcome) -> int:
    """The bits that keep what the predefined rules say to all."""
    if not outcome.notify:
        return 0
    sounds = len(outcome.actions) > 1 and not outcome.highlight
    return NOTIFIES | (HIGHLIGHTS if outcome.highlight else 0) | (SOUNDS if sounds else 0)


def from_flags(flags: int, event_type: str) -> Outcome:
    """What ``flags_of`` has kept."""
    if not flags & NOTIFIES:
        return SILENT
    if flags & HIGHLIGHTS:
        return HIGHLIGHT
    if flags & SOUNDS:
        return RING if event_type.lower() == _RINGING else SOUND
    return NOTIFY


def actions_kept(outcome: Outcome) -> str | None:
    """The actions as a row keeps them; ``None`` for the frequent ones, which ``from_row`` knows by themselves."""
    if outcome == _plain(outcome.notify, outcome.highlight):
        return None
    return orjson.dumps(outcome.actions).decode()


def from_row(notify: int, highlight: int, actions: str | None) -> Outcome:
    """What a row says."""
    if actions is None:
        return _plain(bool(notify), bool(highlight))
    return Outcome(bool(notify), bool(highlight), orjson.loads(actions))


def _plain(notify: bool, highlight: bool) -> Outcome:
    if not notify:
        return SILENT
    return LOUD if highlight else NOTIFY
