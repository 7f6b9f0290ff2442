"""The push rules as the specification words them, said as plainly as can be and without any thought of speed.

What the node does is compared with this. Only what the specification says is used: no code of the node.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

WORD = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")
LEGACY = (".m.rule.contains_display_name", ".m.rule.roomnotif", ".m.rule.contains_user_name")


class Circumstances:
    """What the rules ask of a room: how many are in it, who is called what, who may do what."""

    def __init__(self, members: int, names: dict[str, str], powers: dict[str, int], needed: dict[str, int]) -> None:
        self.members = members
        self.names = names
        self.powers = powers
        self.needed = needed


def actions_of(rules: dict[str, list[Json]], event: Json, user_id: str, room: Circumstances) -> list[Any]:
    """The actions of the first rule that matches, none where no rule does."""
    if event["sender"] == user_id:
        return []
    for kind in ("override", "content", "room", "sender", "underride"):
        for rule in rules[kind]:
            if rule["enabled"] and matches(kind, rule, event, user_id, room):
                return [action for action in rule["actions"] if action not in ("dont_notify", "coalesce")]
    return []


def matches(kind: str, rule: Json, event: Json, user_id: str, room: Circumstances) -> bool:
    if rule["rule_id"] in LEGACY and rule["default"] and "m.mentions" in event["content"]:
        return False
    if kind == "room":
        return bool(event["room_id"] == rule["rule_id"])
    if kind == "sender":
        return bool(event["sender"] == rule["rule_id"])
    if kind == "content":
        body = event["content"].get("body")
        return isinstance(body, str) and has_words(rule["pattern"], body)
    return all(holds(condition, event, user_id, room) for condition in rule.get("conditions", []))


def holds(condition: Json, event: Json, user_id: str, room: Circumstances) -> bool:
    kind, body = condition["kind"], event["content"].get("body")
    if kind == "event_match":
        found = property_at(event, condition.get("key"))
        pattern = condition.get("pattern")
        if not isinstance(found, list) or not isinstance(found[0], str) or not isinstance(pattern, str):
            return False
        if condition["key"] == "content.body":
            return has_words(pattern, found[0])
        return is_like(pattern.lower(), found[0].lower())
    if kind == "event_property_is":
        found = property_at(event, condition.get("key"))
        return isinstance(found, list) and "value" in condition and is_same(found[0], condition["value"])
    if kind == "event_property_contains":
        found = property_at(event, condition.get("key"))
        if not isinstance(found, list) or not isinstance(found[0], list) or "value" not in condition:
            return False
        return any(is_same(item, condition["value"]) for item in found[0])
    if kind == "contains_display_name":
        name = room.names.get(user_id)
        return isinstance(body, str) and bool(name) and has_literal_words(str(name).lower(), body.lower())
    if kind == "room_member_count":
        return is_count(condition.get("is"), room.members)
    if kind == "sender_notification_permission":
        key = condition.get("key")
        return isinstance(key, str) and room.powers.get(event["sender"], 0) >= room.needed.get(key, 50)
    return False


def is_same(found: object, wanted: object) -> bool:
    if isinstance(found, dict | list | float) or isinstance(wanted, dict | list | float):
        return False
    return type(found) is type(wanted) and found == wanted


def is_count(asked: object, members: int) -> bool:
    if not isinstance(asked, str):
        return False
    for sign in ("==", "<=", ">=", "<", ">", ""):
        if asked.startswith(sign):
            number = asked[len(sign):]
            if not number or any(digit not in "0123456789" for digit in number):
                return False
            count = int(number)
            return {
                "==": members == count, "": members == count, "<=": members <= count, ">=": members >= count,
                "<": members < count, ">": members > count,
            }[sign]
    return False


def property_at(event: Json, key: object) -> list[Any] | None:
    """A list of the one value; ``None`` where the property is absent."""
    if not isinstance(key, str):
        return None
    names, place, value = [""], 0, event
    while place < len(key):
        pair = key[place:place + 2]
        if pair in ("\\.", "\\\\"):
            names[-1] += pair[1]
            place += 2
            continue
        if key[place] == ".":
            names.append("")
        else:
            names[-1] += key[place]
        place += 1
    for name in names:
        if not isinstance(value, dict) or name not in value:
            return None
        value = value[name]
    return [value]


def is_like(pattern: str, text: str) -> bool:
    """Glob-style matching, letter by letter."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(is_like(pattern[1:], text[start:]) for start in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and is_like(pattern[1:], text[1:])


def has_words(pattern: str, text: str) -> bool:
    pattern, text = pattern.lower(), text.lower()
    return any(
        is_boundary(text, start) and is_boundary(text, end) and is_like(pattern, text[start:end])
        for start in range(len(text) + 1) for end in range(start, len(text) + 1)
    )


def has_literal_words(wanted: str, text: str) -> bool:
    return any(
        text[start:start + len(wanted)] == wanted and is_boundary(text, start)
        and is_boundary(text, start + len(wanted)) for start in range(len(text) - len(wanted) + 1)
    )


def is_boundary(text: str, place: int) -> bool:
    """The ends are; and so is a place with a character on either side that is not of a word."""
    if place in (0, len(text)):
        return True
    return text[place - 1] not in WORD or text[place] not in WORD
