"""What one user has changed of their push rules (spec, "Push Rules"). Pure: values in, values out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

from server.accounts.default_push_rules import KINDS, Rule, default_rules
from server.foundation.canonical_json import require_canonical
from server.foundation.errors import BadRequest, InvalidParam, MissingParam, NotFound


@dataclass(frozen=True, slots=True)
class RuleChanges:
    """Rules of one's own by kind, the latest first, and what was set of rules by ``"kind/rule_id"``."""

    own: dict[str, list[Rule]] = field(default_factory=dict)
    enabled: dict[str, bool] = field(default_factory=dict)
    actions: dict[str, list[Any]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {"own": self.own, "enabled": self.enabled, "actions": self.actions}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> RuleChanges:
        """As it was stored."""
        return cls(stored.get("own", {}), stored.get("enabled", {}), stored.get("actions", {}))

    def rules(self, user_id: str) -> dict[str, list[Rule]]:
        """All rules of the user by kind. One's own come before the predefined ones, but for the master switch."""
        found = {}
        for kind, defaults in default_rules(user_id).items():
            own = [{"default": False, "enabled": True, **rule} for rule in self.own.get(kind, ())]
            first = 1 if kind == "override" else 0
            found[kind] = [self._changed(kind, rule) for rule in (*defaults[:first], *own, *defaults[first:])]
        return found

    def find(self, user_id: str, kind: str, rule_id: str) -> Rule:
        """One rule; raises ``NotFound``."""
        for rule in self.rules(user_id).get(kind, ()):
            if rule["rule_id"] == rule_id:
                return rule
        raise NotFound("There is no such push rule")

    def with_rule(self, kind: str, rule: Rule, before: str | None, after: str | None) -> RuleChanges:
        """``rule`` added or replaced: before or after another one of one's own, else where it was, else first."""
        old = self.own.get(kind, [])
        rest = [known for known in old if known["rule_id"] != rule["rule_id"]]
        if len(rest) == len(old) and sum(map(len, self.own.values())) >= _MOST_RULES:
            raise InvalidParam(f"You have {_MOST_RULES} push rules; remove some before you add more")
        others = sum(_sought(name, known) for name, rules in {**self.own, kind: rest}.items() for known in rules)
        if _sought(kind, rule) and others + _sought(kind, rule) > _MOST_SOUGHT:
            raise InvalidParam(f"Your push rules seek {_MOST_SOUGHT} words; remove some before you add more")
        if before is not None or after is not None:
            place = _place_of(rest, before if before is not None else str(after)) + (before is None)
        else:
            ids = [known["rule_id"] for known in old]
            place = ids.index(rule["rule_id"]) if rule["rule_id"] in ids else 0
        kept = self._without_actions(kind, rule["rule_id"])
        return replace(kept, own={**self.own, kind: [*rest[:place], rule, *rest[place:]]})

    def without_rule(self, kind: str, rule_id: str) -> RuleChanges:
        """One's own rule removed; raises ``NotFound``, for predefined rules too."""
        old = self.own.get(kind, [])
        rest = [rule for rule in old if rule["rule_id"] != rule_id]
        if len(rest) == len(old):
            raise NotFound("There is no such push rule of your own")
        kept = self._without_actions(kind, rule_id)
        enabled = {key: value for key, value in self.enabled.items() if key != f"{kind}/{rule_id}"}
        return replace(kept, own={**self.own, kind: rest}, enabled=enabled)

    def with_enabled(self, kind: str, rule_id: str, enabled: bool) -> RuleChanges:
        """A rule switched on or off."""
        return replace(self, enabled={**self.enabled, f"{kind}/{rule_id}": enabled})

    def with_actions(self, kind: str, rule_id: str, actions: list[Any]) -> RuleChanges:
        """A rule with other actions."""
        return replace(self, actions={**self.actions, f"{kind}/{rule_id}": actions})

    def _without_actions(self, kind: str, rule_id: str) -> RuleChanges:
        return replace(self, actions={
            key: value for key, value in self.actions.items() if key != f"{kind}/{rule_id}"
        })

    def _changed(self, kind: str, rule: Rule) -> Rule:
        key = f"{kind}/{rule['rule_id']}"
        enabled = self.enabled.get(key, rule["enabled"])
        return {**rule, "enabled": enabled, "actions": self.actions.get(key, rule["actions"])}


NO_CHANGES = RuleChanges()

# Every message in every room of a user is held against their rules.
_MOST_RULES: Final = 1_000
_MOST_PATTERN_CHARACTERS: Final = 128
# Patterns that are sought within a text, or have wildcards: they cost more than comparing.
_MOST_SOUGHT: Final = 200
_MOST_CONDITIONS: Final = 50


def _place_of(rules: list[Rule], rule_id: str) -> int:
    for place, rule in enumerate(rules):
        if rule["rule_id"] == rule_id:
            return place
    raise InvalidParam("The rule to stand before or after is not one of your own", code="M_UNKNOWN")


def parse_rule(kind: str, rule_id: str, body: dict[str, Any]) -> Rule:
    """A rule as a client puts it; raises ``Refused``."""
    if kind not in KINDS:
        raise InvalidParam("There is no such kind of push rules")
    if not rule_id or rule_id.startswith(".") or "/" in rule_id or "\\" in rule_id:
        raise InvalidParam("This is no name for a push rule")
    if len(rule_id.encode()) > 255:
        raise InvalidParam("A rule id has at most 255 bytes")
    require_canonical(body)
    rule: Rule = {"rule_id": rule_id, "actions": parse_actions(body.get("actions"))}
    if kind in ("override", "underride"):
        rule["conditions"] = _parse_conditions(body.get("conditions"))
    elif kind == "content":
        if not isinstance(body.get("pattern"), str):
            raise MissingParam("A rule for contents needs a pattern")
        _require_short(body["pattern"])
        rule["pattern"] = body["pattern"]
    return rule


def parse_actions(actions: object) -> list[Any]:
    """A list of actions; raises ``Refused`` for what is none."""
    if actions is None:
        raise MissingParam("actions is missing")
    if not isinstance(actions, list):
        raise BadRequest("actions is a list")
    for action in actions:
        known = action in ("notify", "dont_notify", "coalesce") if isinstance(action, str) else _is_tweak(action)
        if not known:
            raise InvalidParam("This is not an action of push rules")
    require_canonical(actions)
    return actions


def _is_tweak(action: object) -> bool:
    return isinstance(action, dict) and isinstance(action.get("set_tweak"), str)


def _parse_conditions(conditions: object) -> list[dict[str, Any]]:
    if conditions is None:
        raise MissingParam("conditions is missing")
    if not isinstance(conditions, list):
        raise BadRequest("conditions is a list")
    if len(conditions) > _MOST_CONDITIONS:
        raise InvalidParam(f"A push rule has at most {_MOST_CONDITIONS} conditions")
    for condition in conditions:
        if not isinstance(condition, dict) or not isinstance(condition.get("kind"), str):
            raise InvalidParam("A condition needs a kind")
        _require_short(condition.get("pattern"))
    return conditions


def _require_short(pattern: object) -> None:
    if isinstance(pattern, str) and len(pattern) > _MOST_PATTERN_CHARACTERS:
        raise InvalidParam(f"A pattern has at most {_MOST_PATTERN_CHARACTERS} characters")


def _sought(kind: str, rule: Rule) -> int:
    """How many patterns of a rule must be sought in a text."""
    if kind == "content":
        return 1
    return sum(
        condition.get("key") == "content.body" or "*" in str(condition["pattern"]) or "?" in str(condition["pattern"])
        for condition in rule.get("conditions", ()) if "pattern" in condition
    )
