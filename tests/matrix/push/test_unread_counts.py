"""The unread counts of /sync, the list of notifications and the number on apps say the same as the rules."""

from __future__ import annotations

import random
from typing import Any

import pytest

from server.notifications.notice_store import count_unread
from tests.builders import Json, Person, RunningNode
from tests.matrix.push import oracle

RULES: list[tuple[str, Json]] = [
    ("content/word", {"pattern": "rain*", "actions": ["notify", {"set_tweak": "highlight"}]}),
    ("content/quiet", {"pattern": "cleaning", "actions": []}),
    ("override/topics", {"conditions": [{"kind": "event_match", "key": "type", "pattern": "m.room.topic"}],
                         "actions": ["notify", {"set_tweak": "sound", "value": "bell"}]}),
    ("underride/all", {"conditions": [], "actions": ["notify"]}),
    ("sender/@hanako:sakura.example", {"actions": ["notify", {"set_tweak": "highlight"}]}),
    ("sender/@taro:sakura.example", {"actions": []}),
    ("override/few", {"conditions": [{"kind": "room_member_count", "is": "<3"}], "actions": []}),
]
SWITCHED = ["override/.m.rule.suppress_notices", "underride/.m.rule.message", "override/.m.rule.is_user_mention",
            "content/.m.rule.contains_user_name", "override/.m.rule.reaction"]


async def changes_rules(person: Person, dice: random.Random) -> None:
    for path, body in dice.sample(RULES, dice.choice([0, 1, 2, 3])):
        assert (await person.put(f"v3/pushrules/global/{path}", body)).status == 200
    for path in dice.sample(SWITCHED, dice.choice([0, 1, 2])):
        assert (await person.put(f"v3/pushrules/global/{path}/enabled", {"enabled": False})).status == 200
    if dice.random() < 0.3:
        path = "underride/.m.rule.message/actions"
        actions: list[Any] = dice.choice([[], ["notify", {"set_tweak": "highlight"}]])
        await person.put(f"v3/pushrules/global/{path}", {"actions": actions})


async def something_happens(sender: Person, room: str, root: str, dice: random.Random) -> None:
    text = dice.choice(["rain is coming", "cleaning tomorrow", "hanako!", "@room look", "x", "Jiro and taro"])
    more: Json = dice.choice([
        {}, {}, {"m.mentions": {"user_ids": ["@jiro:sakura.example"]}}, {"m.mentions": {"room": True}},
        {"msgtype": "m.notice"}, {"m.relates_to": {"rel_type": "m.thread", "event_id": root}},
        {"m.relates_to": {"rel_type": "m.replace", "event_id": root}, "m.new_content": {"body": "y"}},
    ])
    kind = dice.choice(["says", "says", "says", "topic", "reacts"])
    if kind == "says":
        await sender.says(room, text, **more)
    elif kind == "topic":
        await sender.sets(room, "m.room.topic", {"topic": text})
    else:
        relates = {"rel_type": "m.annotation", "event_id": root, "key": str(dice.random())}
        await sender.sends(room, "m.reaction", {"m.relates_to": relates})


async def by_the_rules(person: Person, room: str, after: str) -> list[Json]:
    """What the rules say of all that came after an event, newest first."""
    rules = (await person.get("v3/pushrules/"))["global"]
    members = (await person.get(f"v3/rooms/{room}/joined_members"))["joined"]
    names = {user_id: shown.get("display_name") or "" for user_id, shown in members.items()}
    around = oracle.Circumstances(len(members), names, {"@hanako:sakura.example": 100}, {})
    found: list[Json] = []
    spoken: set[str] = set()
    for event in (await person.get(f"v3/rooms/{room}/messages", dir="b", limit="100"))["chunk"]:
        if event["event_id"] == after:
            return found
        plain = {name: value for name, value in event.items() if name != "unsigned"}
        actions = oracle.actions_of(rules, plain, person.user_id, around)
        if event["sender"] == person.user_id and "state_key" not in event:
            spoken.add(thread(event))  # who says something has read what was said before it, there
        if "notify" in actions and thread(event) not in spoken:
            found.append({"event_id": event["event_id"], "actions": actions, "in": thread(event)})
    raise AssertionError("the event was not found")


def thread(event: Json) -> str:
    relates = event["content"].get("m.relates_to", {})
    return str(relates["event_id"]) if relates.get("rel_type") == "m.thread" else "main"


def counts(found: list[Json]) -> dict[str, int]:
    return {"notification_count": len(found), "highlight_count": sum(map(is_highlight, found))}


def is_highlight(item: Json) -> bool:
    tweaks = [action for action in item["actions"] if isinstance(action, dict)]
    return any(tweak["set_tweak"] == "highlight" and tweak.get("value", True) is True for tweak in tweaks)


async def told(person: Person, **query: str) -> list[tuple[str, list[Any]]]:
    found = (await person.get("v3/notifications", limit="100", **query))["notifications"]
    return [(item["event"]["event_id"], item["actions"]) for item in found if not item["read"]]


async def require_agreement(node: RunningNode, person: Person, room: str, last: str) -> None:
    expected = await by_the_rules(person, room, last)
    sync = await person.syncs()
    assert sync.room(room)["unread_notifications"] == counts(expected)
    wanted = {"room": {"timeline": {"unread_thread_notifications": True}}}
    shown = (await person.syncs(wanted=wanted)).room(room)
    assert shown["unread_notifications"] == counts([item for item in expected if item["in"] == "main"])
    threads = {item["in"] for item in expected} - {"main"}
    assert shown.get("unread_thread_notifications", {}) == {
        root: counts([item for item in expected if item["in"] == root]) for root in threads
    }
    assert await told(person) == [(item["event_id"], item["actions"]) for item in expected]
    loud = [(item["event_id"], item["actions"]) for item in expected if is_highlight(item)]
    assert await told(person, only="highlight") == loud
    database = node.inside.core.database
    assert await count_unread(database, room, person.user_id, 0) == len(expected)


@pytest.mark.parametrize("seed", range(6))
async def test_all_that_counts_agrees_with_the_rules(node: RunningNode, seed: int) -> None:
    dice = random.Random(seed)
    people = await node.users("hanako", "taro", "jiro")
    room = await people[0].creates_room(preset="public_chat", power_level_content_override={
        "events": {"m.room.topic": 0}})
    for person in people[1:]:
        await person.joins(room)
    for person in people:
        await changes_rules(person, dice)
    last = await people[0].says(room, "begin")
    for person in people:
        await person.reads(room, last)
        if dice.random() < 0.5:
            await person.syncs()
    for _ in range(30):
        await something_happens(dice.choice(people), room, last, dice)
    for person in people:
        await require_agreement(node, person, room, last)
    await node.restart()
    for person in people:
        await require_agreement(node, person, room, last)


async def test_whoever_comes_again_begins_anew(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    await hanako.says(room, "one")
    assert (await taro.syncs()).room(room)["unread_notifications"]["notification_count"] == 1
    await taro.leaves(room)
    await hanako.says(room, "two")
    await taro.joins(room)
    await hanako.says(room, "three")
    assert (await taro.syncs()).room(room)["unread_notifications"]["notification_count"] == 1


async def test_the_number_of_a_sleeping_room_knows_what_was_read_in_threads(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    root = await hanako.says(room, "root")
    answer = await hanako.says(room, "in", **{"m.relates_to": {"rel_type": "m.thread", "event_id": root}})
    await hanako.says(room, "main")
    database = node.inside.core.database
    assert await count_unread(database, room, taro.user_id, 0) == 3
    await taro.reads(room, answer, thread_id=root)
    assert await count_unread(database, room, taro.user_id, 0) == 2
    await taro.reads(room, root, thread_id="main")
    assert await count_unread(database, room, taro.user_id, 0) == 1


@pytest.mark.parametrize("asleep", [False, True])
async def test_who_answers_has_read_what_was_said_there_before(node: RunningNode, asleep: bool) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    root = await hanako.says(room, "root")
    inside = {"m.relates_to": {"rel_type": "m.thread", "event_id": root}}
    await hanako.says(room, "in", **inside)
    wanted = {"room": {"timeline": {"unread_thread_notifications": True}}}

    async def unread() -> tuple[int, int]:
        if asleep:
            await node.restart()
        shown = (await taro.syncs(wanted=wanted)).room(room)
        threads = shown.get("unread_thread_notifications", {})
        main = shown["unread_notifications"]["notification_count"]
        total = main + threads.get(root, {"notification_count": 0})["notification_count"]
        assert await count_unread(node.inside.core.database, room, taro.user_id, 0) == total == len(await told(taro))
        return main, total - main

    assert await unread() == (1, 1)
    await taro.sets(room, "m.room.member", {"membership": "join", "displayname": "たろう"}, taro.user_id)
    assert await unread() == (1, 1)
    await taro.says(room, "yes", **inside)
    assert await unread() == (1, 0)
    await taro.sends(room, "m.reaction", {"m.relates_to": {"rel_type": "m.annotation", "event_id": root, "key": "x"}})
    assert await unread() == (0, 0)
    await hanako.says(room, "later")
    assert await unread() == (1, 0)
