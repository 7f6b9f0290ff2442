"""The push rules of somebody who has changed something, made ready once (spec: "Push Rules").

Rules of one's own stand before the predefined ones of their kind. Where the predefined rules of a kind are as
everybody has them, what ``default_rules.judge`` has found for all is used again; else they are tried one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from server.accounts.default_push_rules import Rule, default_rules
from server.accounts.push_rule_changes import RuleChanges
from server.notifications.conditions import body_matches, condition, names_reader, never
from server.notifications.default_rules import CONTENT, OVERRIDE, UNDERRIDE, Standing
from server.notifications.event_view import EventView, Test
from server.notifications.outcomes import SILENT, Outcome, outcome_of

_MASTER: Final = ".m.rule.master"
_KINDS: Final = {"override": OVERRIDE, "content": CONTENT, "underride": UNDERRIDE}
# Spec: they count only for events without ``m.mentions``.
_LEGACY: Final = (".m.rule.contains_display_name", ".m.rule.roomnotif", ".m.rule.contains_user_name")


@dataclass(frozen=True, slots=True)
class Ready:
    """One rule that is switched on."""

    tests: Sequence[Test]
    outcome: Outcome
    only_without_mentions: bool = False

    def matches(self, view: EventView, user_id: str) -> bool:
        """Whether all conditions hold."""
        if self.only_without_mentions and view.has_mentions:
            return False
        for test in self.tests:  # noqa: SIM110 - a generator would cost more than most tests
            if not (view.names(user_id) if test is names_reader else view.holds(test)):
                return False
        return True


@dataclass(frozen=True, slots=True)
class Ruleset:
    """Somebody's rules. ``predefined`` has only those kinds of which something was changed."""

    user_id: str
    muted: Outcome | None
    own: Mapping[int, Sequence[Ready]]
    predefined: Mapping[int, Sequence[Ready]]
    rooms: Mapping[str, Outcome] = field(default_factory=dict)
    senders: Mapping[str, Outcome] = field(default_factory=dict)

    def outcome(self, view: EventView, standing: Standing) -> Outcome:
        """What the rules make of an event, of which the predefined ones say ``standing`` to this user."""
        if self.muted is not None:
            return self.muted
        return (
            self._of_kind(OVERRIDE, view, standing)
            or self._of_kind(CONTENT, view, standing)
            or self.rooms.get(view.event.room_id)
            or self.senders.get(view.event.sender)
            or self._of_kind(UNDERRIDE, view, standing)
            or SILENT
        )

    def _of_kind(self, kind: int, view: EventView, standing: Standing) -> Outcome | None:
        found = self._first(self.own[kind], view)
        if found is not None:
            return found
        if kind not in self.predefined and standing.kind >= kind:
            return standing.outcome if standing.kind == kind else None
        return self._first(self._predefined(kind), view)

    def _predefined(self, kind: int) -> Sequence[Ready]:
        return self.predefined[kind] if kind in self.predefined else _made_ready(self.user_id)[kind]

    def _first(self, rules: Sequence[Ready], view: EventView) -> Outcome | None:
        for rule in rules:
            if rule.matches(view, self.user_id):
                return rule.outcome
        return None


def make_ready(user_id: str, changes: RuleChanges) -> Ruleset:
    """The rules of a user who has made these changes."""
    rules, standard = changes.rules(user_id), default_rules(user_id)
    master = next((rule for rule in rules["override"] if rule["rule_id"] == _MASTER and rule["enabled"]), None)
    own, predefined = {}, {}
    for name, kind in _KINDS.items():
        own[kind] = _all_ready(rule for rule in rules[name] if not rule["default"])
        defaults = [rule for rule in rules[name] if rule["default"] and rule["rule_id"] != _MASTER]
        if defaults != [rule for rule in standard[name] if rule["rule_id"] != _MASTER]:
            predefined[kind] = _all_ready(defaults)
    return Ruleset(
        user_id, None if master is None else outcome_of(master["actions"]), own, predefined,
        _by_id(rules["room"]), _by_id(rules["sender"]),
    )


@lru_cache(maxsize=1_000)
def _made_ready(user_id: str) -> Mapping[int, Sequence[Ready]]:
    """The predefined rules, for the few who have switched off one that would have matched before them."""
    standard = default_rules(user_id)
    return {kind: _all_ready(standard[name]) for name, kind in _KINDS.items()}


def _by_id(rules: Iterable[Rule]) -> dict[str, Outcome]:
    return {rule["rule_id"]: outcome_of(rule["actions"]) for rule in rules if rule["enabled"]}


def _all_ready(rules: Iterable[Rule]) -> list[Ready]:
    ready = [_ready(rule) for rule in rules if rule["enabled"]]
    return [rule for rule in ready if never not in rule.tests]


def _ready(rule: Rule) -> Ready:
    legacy = rule["default"] and rule["rule_id"] in _LEGACY
    return Ready(_tests(rule), outcome_of(rule["actions"]), legacy)


def _tests(rule: dict[str, Any]) -> list[Test]:
    if "pattern" in rule:
        return [body_matches(rule["pattern"])]
    return [condition(described) for described in rule.get("conditions", ())]
