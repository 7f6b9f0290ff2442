"""Push rules against a plain reading of the specification: random rules, random events, and chosen corners."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from server.accounts.default_push_rules import KINDS
from server.accounts.push_rule_changes import NO_CHANGES, RuleChanges
from server.notifications.globs import whole, words
from server.notifications.judging import Judges
from server.notifications.outcomes import actions_kept, flags_of, from_flags, from_row
from server.rooms.event import Event
from server.rooms.live_room import LiveRoom, Tip
from server.rooms.room_versions import room_version
from server.rooms.timeline import client_event
from tests.matrix.push import oracle

SERVER = "sakura.example"
USERS = [f"@{name}:{SERVER}" for name in ("hana", "taro", "jiro", "room", "a_b", "x")]
NAMES = {USERS[0]: "Hana", USERS[1]: "山田", USERS[2]: "a b", USERS[3]: "", USERS[4]: "A*"}
ROOM_ID = "!r:sakura.example"
BODIES = ["hana", "Hello Hana!", "山田さん、今日の回覧板です", "@room please", "x@room", "xhana", "a_b", "a b c",
          "", "an example event", "exple", "An exciting triple-whammy", "A*", "room", "a\nb", "-a-", "hanahana hana"]
PATTERNS = ["hana", "*", "", "?", "a?b", "ex*ple", "回覧", "h*a", "*a", "a*", "@room", "a*b*c", "??", "m.room.message",
            "M.Room.*", "join", "!r:*", "*-*", "**a**", "x*y"]
KEYS = ["content.body", "type", "content.msgtype", "state_key", "sender", "room_id", "content.m\\.mentions.room",
        "content.m\\.mentions.user_ids", "content.membership", "content.m\\.relates_to.rel_type", "content.a\\\\b",
        "content.a.b", "content", "nothing", "content.deep.er", "content.n", "content.\\x", "origin_server_ts", "\\"]
VALUES: list[Any] = [True, False, None, 1, 0, "m.replace", "", "x", *USERS[:2]]
TYPES = ["m.room.message", "M.Room.Message", "m.room.encrypted", "m.room.member", "m.reaction", "m.room.tombstone",
         "m.room.server_acl", "m.call.invite", "m.poll.start", "org.matrix.msc3381.poll.start", "m.poll.end",
         "org.matrix.msc3381.poll.end", "m.poll.response", "org.matrix.msc3381.poll.response", "m.room.topic", "x.y"]
ACTIONS: list[list[Any]] = [
    [], ["notify"], ["dont_notify"], ["coalesce", "notify"], ["notify", {"set_tweak": "highlight"}],
    ["notify", {"set_tweak": "highlight", "value": False}], [{"set_tweak": "highlight"}],
    ["notify", {"set_tweak": "sound", "value": "default"}], ["notify", {"set_tweak": "sound", "value": "x"}],
    ["notify", {"set_tweak": "sound", "value": "default"}, {"set_tweak": "highlight"}],
]


class SomePushRules:
    """Rules of people, without a database."""

    def __init__(self, changes: dict[str, RuleChanges]) -> None:
        self._changes = changes
        self.changed = changes.keys()

    def changes(self, user_id: str) -> RuleChanges | None:
        return self._changes.get(user_id)


class SomeAccountData:
    """Who ignores whom."""

    def __init__(self, ignoring: dict[str, frozenset[str]]) -> None:
        self.ignoring = ignoring


def some_condition(dice: random.Random) -> dict[str, Any]:
    key, value = dice.choice(KEYS), dice.choice(VALUES)
    return dice.choice([
        {"kind": "event_match", "key": key, "pattern": dice.choice(PATTERNS)},
        {"kind": "event_match", "key": "content.body", "pattern": dice.choice(PATTERNS)},
        {"kind": "event_match", "key": key}, {"kind": "event_property_is", "key": key, "value": value},
        {"kind": "event_property_is", "key": key}, {"kind": "event_property_contains", "key": key, "value": value},
        {"kind": "contains_display_name"}, {"kind": "from_the_future"},
        {"kind": "room_member_count", "is": dice.choice(["2", "==6", ">2", "<6", ">=6", "<=1", "6", "x", "", "=2", 6])},
        {"kind": "sender_notification_permission", "key": dice.choice(["room", "x", 3])},
    ])


def some_rule(dice: random.Random, kind: str) -> dict[str, Any]:
    rule: dict[str, Any] = {"rule_id": f"r{dice.random()}", "actions": dice.choice(ACTIONS)}
    if kind == "room":
        rule["rule_id"] = dice.choice([ROOM_ID, "!elsewhere"])
    elif kind == "sender":
        rule["rule_id"] = dice.choice(USERS)
    elif kind == "content":
        rule["pattern"] = dice.choice(PATTERNS)
    else:
        rule["conditions"] = [some_condition(dice) for _ in range(dice.choice([0, 1, 1, 1, 2, 3]))]
    return rule


def some_changes(dice: random.Random) -> RuleChanges:
    changes = NO_CHANGES
    for _ in range(dice.choice([0, 1, 1, 2, 5])):
        kind = dice.choice(KINDS)
        changes = changes.with_rule(kind, some_rule(dice, kind), None, None)
    known = [(kind, rule["rule_id"]) for kind, rules in changes.rules(USERS[0]).items() for rule in rules]
    for _ in range(dice.choice([0, 0, 1, 2, 6])):
        changes = changes.with_enabled(*dice.choice(known), dice.random() < 0.3)
    for _ in range(dice.choice([0, 0, 1, 2])):
        changes = changes.with_actions(*dice.choice(known), dice.choice(ACTIONS))
    return changes


def some_content(dice: random.Random) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [
        {"body": dice.choice(BODIES)}, {"body": dice.choice(BODIES)}, {"body": 7},
        {"msgtype": dice.choice(["m.text", "m.notice", "M.Notice"])},
        {"m.mentions": dice.choice([
            {}, {"room": True}, {"room": 1}, {"user_ids": USERS[:2]}, {"user_ids": [USERS[1], 1, {}], "room": True},
            [], "x", {"user_ids": USERS[0]}])},
        {"m.relates_to": dice.choice([{"rel_type": "m.replace"}, {"rel_type": "M.Replace"}, "x"])},
        {"membership": dice.choice(["join", "invite", "leave"])}, {"a\\b": "a_b"}, {"a": {"b": "hana"}},
        {"deep": {"er": dice.choice(VALUES)}}, {"n": dice.choice([*VALUES, VALUES, {"x": 1}])}, {"\\x": "x"},
    ]
    content: dict[str, Any] = {}
    for part in dice.sample(parts, dice.choice([0, 1, 2, 3, 5])):
        content |= part
    return content


def a_room(dice: random.Random) -> LiveRoom:
    version = room_version("11")
    people = USERS[:dice.choice([2, 3, 6])]
    room = LiveRoom(1, ROOM_ID, version, SERVER, Tip([], 1, 0, 0), {})
    for user_id in people:
        content = {"membership": "join", **({"displayname": NAMES[user_id]} if user_id in NAMES else {})}
        room.state["m.room.member", user_id] = an_event("m.room.member", user_id, content, user_id)
    room.state["m.room.create", ""] = an_event("m.room.create", USERS[0], {"room_version": "11"}, "")
    room.state["m.room.power_levels", ""] = an_event(
        "m.room.power_levels", USERS[0], {"users": {USERS[0]: 100}, "notifications": {"x": 0}}, ""
    )
    room.note_members()
    return room


def an_event(kind: str, sender: str, content: dict[str, Any], state_key: str | None = None) -> Event:
    pdu: dict[str, Any] = {
        "type": kind, "sender": sender, "content": content, "room_id": ROOM_ID, "depth": 1, "origin_server_ts": 1,
        "prev_events": [], "auth_events": [],
    }
    if state_key is not None:
        pdu["state_key"] = state_key
    return Event(pdu, room_version("11"), "$event", ROOM_ID)


def told(room: LiveRoom, event: Event, changes: dict[str, RuleChanges]) -> dict[str, list[Any]]:
    """The actions for each member, as far as they matter."""
    judges = Judges(SomePushRules(changes), SomeAccountData({}))  # type: ignore[arg-type]
    verdict = judges.verdict(room, event)
    found = {}
    for user_id in room.joined_here - {event.sender}:
        outcome = None if verdict is None else verdict.of(user_id)
        found[user_id] = list(outcome.actions) if outcome is not None and outcome.notify else []
    return found


def expected(room: LiveRoom, event: Event, changes: dict[str, RuleChanges]) -> dict[str, list[Any]]:
    around = oracle.Circumstances(len(room.joined), NAMES, {USERS[0]: 100}, {"x": 0})
    shown = client_event(event)
    found = {}
    for user_id in room.joined_here - {event.sender}:
        rules = changes.get(user_id, NO_CHANGES).rules(user_id)
        actions = oracle.actions_of(rules, shown, user_id, around)
        found[user_id] = actions if "notify" in actions else []
    return found


def cases(seed: int, count: int) -> Iterator[tuple[LiveRoom, Event, dict[str, RuleChanges]]]:
    dice = random.Random(seed)
    for _ in range(count):
        room = a_room(dice)
        state_key = dice.choice([None, None, None, "", USERS[1]])
        event = an_event(dice.choice([*TYPES, "m.room.message"]), dice.choice(USERS[:2]), some_content(dice), state_key)
        yield room, event, {user_id: some_changes(dice) for user_id in room.joined_here if dice.random() < 0.7}


@pytest.mark.parametrize("seed", range(8))
def test_everybody_is_told_what_a_plain_reading_of_the_rules_says(seed: int) -> None:
    for room, event, changes in cases(seed, 250):
        assert told(room, event, changes) == expected(room, event, changes), (event.pdu, changes)


@pytest.mark.parametrize("seed", range(4))
def test_the_predefined_rules_judged_for_all_say_what_they_say_one_by_one(seed: int) -> None:
    for room, event, _ in cases(100 + seed, 500):
        assert told(room, event, {}) == expected(room, event, {}), event.pdu


@pytest.mark.parametrize("seed", range(2))
def test_what_is_kept_of_an_outcome_gives_the_outcome_again(seed: int) -> None:
    for room, event, changes in cases(200 + seed, 200):
        judges = Judges(SomePushRules(changes), SomeAccountData({}))  # type: ignore[arg-type]
        verdict = judges.verdict(room, event)
        if verdict is None:
            continue
        assert from_flags(flags_of(verdict.common), event.type).actions == verdict.common.actions
        for outcome in verdict.special.values():
            kept = from_row(int(outcome.notify), int(outcome.highlight), actions_kept(outcome))
            assert (kept.notify, kept.highlight) == (outcome.notify, outcome.highlight)
            assert not kept.notify or kept.actions == outcome.actions


def test_patterns_match_as_letter_by_letter_reading_says() -> None:
    dice = random.Random(5)
    for _ in range(6_000):
        text = "".join(dice.choice("ab -_回") for _ in range(dice.choice([0, 1, 3, 7])))
        pattern = "".join(dice.choice("ab*?-B回") for _ in range(dice.choice([0, 1, 2, 4, 6])))
        assert whole(pattern)(text.lower()) is oracle.is_like(pattern.lower(), text.lower()), (pattern, text)
        assert words(pattern)(text.lower()) is oracle.has_words(pattern, text), (pattern, text)


def test_no_pattern_takes_long() -> None:
    text = "a" * 60_000
    for pattern in ("*a" * 100 + "b", "a*" * 200 + "b", "*" * 500 + "b", "a?" * 50 + "b"):
        assert not whole(pattern)(text)
        assert not words(pattern)(text)


def test_hostile_patterns_and_bodies_do_not_keep_the_node_busy() -> None:
    changes = NO_CHANGES
    for number in range(200):
        pattern = dict.fromkeys((("a" * 60 + "?") * 2 + "b", "-" * 120 + "?b", "a-" * 60 + "b*"))
        rule = {"rule_id": str(number), "actions": ["notify"], "pattern": list(pattern)[number % 3]}
        changes = changes.with_rule("content", rule, None, None)
    room = a_room(random.Random(1))
    event = an_event("m.room.message", USERS[0], {"body": "a" * 20_000 + "-" * 20_000 + "a-" * 10_000})
    told(room, event, {USERS[1]: changes})


@pytest.mark.parametrize(
    ("ignoring", "is_told"), [({}, True), ({USERS[1]: frozenset({USERS[0]})}, False),
                              ({USERS[1]: frozenset({USERS[2]})}, True)],
)
def test_nobody_is_told_what_ignored_people_say(ignoring: dict[str, frozenset[str]], is_told: bool) -> None:
    room = a_room(random.Random(1))
    judges = Judges(SomePushRules({}), SomeAccountData(ignoring))  # type: ignore[arg-type]
    verdict = judges.verdict(room, an_event("m.room.message", USERS[0], {"body": "x"}))
    assert verdict is not None
    assert verdict.of(USERS[1]).notify is is_told
