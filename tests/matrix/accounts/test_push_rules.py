"""Push rules: the predefined ones, one's own, and all the ways to ask wrongly."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from server.accounts.push_rule_changes import RuleChanges
from tests.matrix.accounts.conftest import Node, Person, StartNode

ROOM_RULE = "v3/pushrules/global/room/!r:x"
QUIET: dict[str, Any] = {"actions": []}


async def ids(person: Person, kind: str) -> list[str]:
    _, answer = await person.get("v3/pushrules/")
    return [rule["rule_id"] for rule in answer["global"][kind]]


async def test_everybody_has_the_predefined_rules(node: Node) -> None:
    person = await node.person("hana")
    status, answer = await person.get("v3/pushrules/")
    assert status == 200
    rules = answer["global"]
    assert rules["override"][0] == {
        "rule_id": ".m.rule.master", "default": True, "enabled": False, "conditions": [], "actions": [],
    }
    assert rules["content"][0]["pattern"] == "hana"
    known = {rule["rule_id"]: rule for kind in rules.values() for rule in kind}
    assert known[".m.rule.is_user_mention"]["conditions"][0]["value"] == "@hana:test.example"
    assert ".m.rule.poll_start" in known
    assert ".org.matrix.msc3930.rule.poll_start_one_to_one" in known
    assert (await person.get("v3/pushrules/global/"))[1] == rules
    assert (await person.get("v3/pushrules/global/override/"))[1] == rules["override"]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("room", {"actions": ["notify"]}), ("sender", QUIET), ("content", {"actions": [], "pattern": "回*"}),
        ("override", {"actions": ["dont_notify"], "conditions": [{"kind": "event_match", "key": "a", "pattern": "b"}]}),
        ("underride", {"actions": [{"set_tweak": "sound", "value": "x"}], "conditions": []}),
    ],
)
async def test_a_rule_of_ones_own_of_each_kind(node: Node, kind: str, body: dict[str, Any]) -> None:
    person = await node.person()
    path = f"v3/pushrules/global/{kind}/my.rule"
    assert await person.put(path, body) == (200, {})
    assert await person.put(path, body) == (200, {})
    _, rule = await person.get(path)
    assert rule == {"rule_id": "my.rule", "default": False, "enabled": True, **body}
    assert (await ids(person, kind)).count("my.rule") == 1
    assert await person.delete(path) == (200, {})
    assert (await person.get(path))[1]["errcode"] == "M_NOT_FOUND"
    assert (await person.delete(path))[0] == 404


async def test_new_rules_come_first_or_where_they_are_told(node: Node) -> None:
    person = await node.person()
    for name in ("one", "two"):
        await person.put(f"v3/pushrules/global/sender/{name}", QUIET)
    assert await ids(person, "sender") == ["two", "one"]
    await person.put("v3/pushrules/global/sender/three?before=one", QUIET)
    await person.put("v3/pushrules/global/sender/four?after=one", QUIET)
    assert await ids(person, "sender") == ["two", "three", "one", "four"]
    await person.put("v3/pushrules/global/sender/two?after=four", QUIET)
    assert await ids(person, "sender") == ["three", "one", "four", "two"]
    assert (await person.put("v3/pushrules/global/sender/x?before=nobody", QUIET))[0] == 400


async def test_ones_own_overrides_stand_below_the_master_switch_only(node: Node) -> None:
    person = await node.person()
    await person.put("v3/pushrules/global/override/mine", {"actions": [], "conditions": []})
    assert (await ids(person, "override"))[:3] == [".m.rule.master", "mine", ".m.rule.suppress_notices"]


@pytest.mark.parametrize("rule", ["override/.m.rule.master", "underride/.m.rule.message"])
async def test_predefined_rules_are_switched_and_changed(node: Node, start_node: StartNode, rule: str) -> None:
    person = await node.person()
    path = f"v3/pushrules/global/{rule}"
    _, before = await person.get(f"{path}/enabled")
    assert (await person.put(f"{path}/enabled", {"enabled": not before["enabled"]}))[0] == 200
    assert (await person.get(f"{path}/enabled"))[1] == {"enabled": not before["enabled"]}
    assert (await person.put(f"{path}/actions", {"actions": ["notify"]}))[0] == 200
    assert (await person.get(f"{path}/actions"))[1] == {"actions": ["notify"]}
    again = await start_node()
    _, answer = await again.ask("GET", f"{path}/enabled", token=person.token)
    assert answer == {"enabled": not before["enabled"]}
    assert (await person.delete(path))[0] == 404


async def test_changes_come_down_sync_as_the_whole_rules(node: Node) -> None:
    person = await node.person()
    await person.put(ROOM_RULE, QUIET)
    own, _ = await node.accounts.account_data_since(person.user_id, 0, node.positions.current)
    assert [item["type"] for item in own] == ["m.push_rules"]
    assert [rule["rule_id"] for rule in orjson.loads(orjson.dumps(own))[0]["content"]["global"]["room"]] == ["!r:x"]
    _, answer = await person.get(f"v3/user/{person.user_id}/account_data/m.push_rules")
    assert answer == (await person.get("v3/pushrules/"))[1]
    assert node.heard[-1][0] == (person.user_id,)


CONDITION = {"kind": "event_match", "key": "a", "pattern": "b"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("v3/pushrules/", QUIET),
        ("v3/pushrules/global", QUIET),
        ("v3/pushrules/not_a_scope/room/!r:x", QUIET),
        ("v3/pushrules/global/room", QUIET),
        ("v3/pushrules/global/room/", QUIET),
        ("v3/pushrules/global/not_a_template/foo", QUIET),
        ("v3/pushrules/global/room/.mine", QUIET),
        ("v3/pushrules/global/room/a%2Fb", QUIET),
        ("v3/pushrules/global/override/foo", QUIET),
        ("v3/pushrules/global/underride/foo", QUIET),
        ("v3/pushrules/global/content/foo", QUIET),
        ("v3/pushrules/global/override/foo", {"actions": [], "conditions": [{"key": "a"}]}),
        ("v3/pushrules/global/override/foo", {"actions": [], "conditions": CONDITION}),
        ("v3/pushrules/global/override/foo", {"conditions": [CONDITION]}),
        ("v3/pushrules/global/override/foo", {"actions": "notify", "conditions": []}),
        ("v3/pushrules/global/override/foo", {"actions": ["not_an_action"], "conditions": []}),
        ("v3/pushrules/global/override/foo", {"actions": [{}], "conditions": []}),
        ("v3/pushrules/global/override/.m.rule.master/not_an_attr", {"enabled": True}),
        ("v3/pushrules/global/override/.m.rule.master/enabled", {"enabled": "yes"}),
        ("v3/pushrules/global/override/.m.rule.master/enabled", {}),
        ("v3/pushrules/global/override/.m.rule.master/actions", {"actions": ["x"]}),
        ("v3/pushrules/global/content/foo", {"actions": [], "pattern": "a" * 129}),
        ("v3/pushrules/global/override/foo", {"actions": [], "conditions": [{**CONDITION, "pattern": "?" * 129}]}),
        ("v3/pushrules/global/override/foo", {"actions": [], "conditions": [CONDITION] * 51}),
    ],
)
async def test_what_is_no_rule_is_refused(node: Node, path: str, body: dict[str, Any]) -> None:
    person = await node.person()
    status, answer = await person.put(path, body)
    assert status == 400
    assert answer["errcode"].startswith("M_")
    assert node.accounts.push_rules.changes(person.user_id) is None


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("v3/pushrules", 404), ("v3/pushrules/global", 400), ("v3/pushrules/global/room", 400),
        ("v3/pushrules/elsewhere/", 400), ("v3/pushrules/global/not_a_template/", 400),
        ("v3/pushrules/global/not_a_template/foo", 400),
        ("v3/pushrules/global/override/.m.rule.master/not_an_attr", 400),
        ("v3/pushrules/global/override/unknown", 404),
    ],
)
async def test_reading_what_is_not_there(node: Node, path: str, status: int) -> None:
    assert (await (await node.person()).get(path))[0] == status


@pytest.mark.parametrize("attribute", ["enabled", "actions"])
async def test_unknown_rules_are_not_changed(node: Node, attribute: str) -> None:
    person = await node.person()
    body = {"enabled": True, "actions": []}
    for rule in (".m.rule.unknown", "mine"):
        assert (await person.put(f"v3/pushrules/global/override/{rule}/{attribute}", body))[0] == 404


async def test_rules_of_different_people_are_apart(node: Node) -> None:
    hana, taro = await node.person("hana"), await node.person("taro")
    await hana.put(ROOM_RULE, QUIET)
    assert await ids(taro, "room") == []


async def test_nobody_has_rules_without_end(node: Node) -> None:
    person = await node.person()
    rules = {"own": {"room": [{"rule_id": f"!{number}:x", "actions": []} for number in range(999)]}}
    node.accounts.push_rules._changes[person.user_id] = RuleChanges.from_json(rules)
    assert (await person.put(ROOM_RULE, QUIET))[0] == 200
    assert (await person.put("v3/pushrules/global/sender/@a:x", QUIET))[0] == 400
    assert (await person.put(ROOM_RULE, {"actions": ["notify"]}))[0] == 200


async def test_the_predefined_rules_stand_in_the_specified_order(node: Node) -> None:
    person = await node.person()
    assert await ids(person, "override") == [
        ".m.rule.master", ".m.rule.suppress_notices", ".m.rule.invite_for_me", ".m.rule.member_event",
        ".m.rule.is_user_mention", ".m.rule.contains_display_name", ".m.rule.is_room_mention", ".m.rule.roomnotif",
        ".m.rule.tombstone", ".m.rule.reaction", ".m.rule.room.server_acl", ".m.rule.suppress_edits",
        ".m.rule.poll_response", ".org.matrix.msc3930.rule.poll_response",
    ]
    assert await ids(person, "content") == [".m.rule.contains_user_name"]
    assert (await ids(person, "underride"))[:5] == [
        ".m.rule.call", ".m.rule.encrypted_room_one_to_one", ".m.rule.room_one_to_one", ".m.rule.message",
        ".m.rule.encrypted",
    ]


async def test_nobody_seeks_words_without_end(node: Node) -> None:
    person = await node.person()
    rules = {"own": {"content": [{"rule_id": str(number), "actions": [], "pattern": "a"} for number in range(199)]}}
    node.accounts.push_rules._changes[person.user_id] = RuleChanges.from_json(rules)
    assert (await person.put("v3/pushrules/global/content/last", {**QUIET, "pattern": "b"}))[0] == 200
    assert (await person.put("v3/pushrules/global/content/more", {**QUIET, "pattern": "b"}))[0] == 400
    assert (await person.put("v3/pushrules/global/content/last", {**QUIET, "pattern": "c"}))[0] == 200
    within = {**QUIET, "conditions": [{"kind": "event_match", "key": "content.body", "pattern": "b"}]}
    assert (await person.put("v3/pushrules/global/override/more", within))[0] == 400
    muted = {**QUIET, "conditions": [{"kind": "event_match", "key": "room_id", "pattern": "!r:x"}]}
    assert (await person.put("v3/pushrules/global/override/muted", muted))[0] == 200
