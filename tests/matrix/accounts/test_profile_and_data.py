"""Profiles, account data, filters."""

from __future__ import annotations

from typing import Any

import pytest

from server.accounts import filters
from tests.matrix.accounts.conftest import Node, StartNode

HANA = "@hana:test.example"


async def test_a_name_is_set_and_can_be_read_by_anybody(node: Node) -> None:
    person = await node.person("hana")
    told: list[tuple[str, str, dict[str, Any]]] = []

    async def listener(user_id: str, name: str, profile: dict[str, Any]) -> None:
        told.append((user_id, name, profile))

    node.accounts.on_profile_change(listener)
    assert await person.put(f"v3/profile/{HANA}/displayname", {"displayname": "花"}) == (200, {})
    assert await person.put(f"v3/profile/{HANA}/avatar_url", {"avatar_url": "mxc://test.example/a"}) == (200, {})
    assert await node.ask("GET", f"v3/profile/{HANA}/displayname") == (200, {"displayname": "花"})
    assert (await node.ask("GET", f"v3/profile/{HANA}"))[1] == {
        "displayname": "花", "avatar_url": "mxc://test.example/a",
    }
    assert [item[:2] for item in told] == [(HANA, "displayname"), (HANA, "avatar_url")]
    assert await node.accounts.member_profile(HANA) == {"displayname": "花", "avatar_url": "mxc://test.example/a"}


async def test_a_name_that_stays_the_same_is_no_change(node: Node) -> None:
    person = await node.person("hana")
    told: list[str] = []

    async def listener(user_id: str, name: str, profile: dict[str, Any]) -> None:
        told.append(name)

    node.accounts.on_profile_change(listener)
    await person.put(f"v3/profile/{HANA}/displayname", {"displayname": "hana"})
    assert told == []


async def test_free_fields_are_kept_over_a_restart(node: Node, start_node: StartNode) -> None:
    person = await node.person("hana")
    assert (await person.put(f"v3/profile/{HANA}/m.tz", {"m.tz": "Asia/Tokyo"}))[0] == 200
    assert (await person.put(f"v3/profile/{HANA}/jp.kairan.x", {"jp.kairan.x": [1, None]}))[0] == 200
    again = await start_node()
    assert (await again.ask("GET", f"v3/profile/{HANA}"))[1] == {
        "displayname": "hana", "m.tz": "Asia/Tokyo", "jp.kairan.x": [1, None],
    }
    assert await person.delete(f"v3/profile/{HANA}/m.tz") == (200, {})
    assert (await node.ask("GET", f"v3/profile/{HANA}/m.tz"))[0] == 404


@pytest.mark.parametrize("value", ["", None])
async def test_an_empty_name_is_no_name(node: Node, value: str | None) -> None:
    person = await node.person("hana")
    assert (await person.put(f"v3/profile/{HANA}/displayname", {"displayname": value}))[0] == 200
    assert await node.ask("GET", f"v3/profile/{HANA}/displayname") == (200, {})


@pytest.mark.parametrize(
    ("field", "body", "code"),
    [
        ("displayname", {"displayname": 5}, "M_BAD_JSON"),
        ("displayname", {"displayname": "x" * 257}, "M_INVALID_PARAM"),
        ("displayname", {}, "M_MISSING_PARAM"),
        ("avatar_url", {"avatar_url": "mxc://x/" + "x" * 1000}, "M_INVALID_PARAM"),
        ("UPPER", {"UPPER": 1}, "M_INVALID_PARAM"),
        ("x" * 256, {"x" * 256: 1}, "M_KEY_TOO_LARGE"),
        ("m.big", {"m.big": "x" * 65_600}, "M_PROFILE_TOO_LARGE"),
        ("m.float", {"m.float": 1.5}, "M_BAD_JSON"),
        ("m.tz", b"nonsense", "M_NOT_JSON"),
    ],
)
async def test_what_does_not_fit_into_a_profile_is_refused(node: Node, field: str, body: Any, code: str) -> None:
    person = await node.person("hana")
    status, answer = await person.put(f"v3/profile/{HANA}/{field}", body)
    assert (status, answer["errcode"]) == (400, code)


async def test_nobody_changes_somebody_elses_profile(node: Node) -> None:
    await node.person("hana")
    other = await node.person("taro")
    assert (await other.put(f"v3/profile/{HANA}/displayname", {"displayname": "x"}))[0] == 403
    assert (await other.delete(f"v3/profile/{HANA}/displayname"))[0] == 403


async def test_unknown_users_have_no_profile(node: Node) -> None:
    assert (await node.ask("GET", "v3/profile/@nobody:test.example"))[1]["errcode"] == "M_NOT_FOUND"
    assert (await node.ask("GET", "v3/profile/nonsense"))[1]["errcode"] == "M_INVALID_PARAM"


async def test_account_data_is_kept_and_told_to_sync(node: Node) -> None:
    person = await node.person("hana")
    path = f"v3/user/{HANA}/account_data/jp.example"
    assert (await person.get(path))[1]["errcode"] == "M_NOT_FOUND"
    assert await person.put(path, {"a": 1.5, "b": [{}]}) == (200, {})
    assert await person.get(path) == (200, {"a": 1.5, "b": [{}]})
    await person.put(path, {})
    users, position = node.heard[-1]
    assert users == (HANA,)
    assert node.positions.current == position == node.accounts.account_data.last_position(HANA)
    assert [item.type for item in await node.accounts.account_data.between(HANA, position - 1, position)] == [
        "jp.example"
    ]
    assert await node.accounts.account_data.between(HANA, position, position + 1) == []


async def test_account_data_of_a_room_is_a_thing_of_its_own(node: Node) -> None:
    person = await node.person("hana")
    path = f"v3/user/{HANA}/rooms/!r:x/account_data/m.tag"
    assert (await person.put(path, {"tags": {}}))[0] == 200
    assert (await person.get(path))[1] == {"tags": {}}
    assert (await person.get(f"v3/user/{HANA}/account_data/m.tag"))[0] == 404
    own, by_room = await node.accounts.account_data_since(HANA, 0, node.positions.current)
    assert [item["type"] for item in own] == ["m.push_rules"]
    assert [item["type"] for item in by_room["!r:x"]] == ["m.tag"]
    assert (await person.put(f"v3/user/{HANA}/rooms/nonsense/account_data/m.tag", {}))[0] == 400


async def test_account_data_that_the_node_keeps_is_not_set_here(node: Node) -> None:
    person = await node.person("hana")
    for path in (f"v3/user/{HANA}/account_data/m.push_rules", f"v3/user/{HANA}/rooms/!r:x/account_data/m.fully_read"):
        status, answer = await person.put(path, {})
        assert (status, answer["errcode"]) == (405, "M_BAD_JSON")


async def test_account_data_is_ones_own(node: Node) -> None:
    await node.person("hana")
    other = await node.person("taro")
    assert (await other.get(f"v3/user/{HANA}/account_data/m.direct"))[0] == 403
    assert (await other.put(f"v3/user/{HANA}/account_data/m.direct", {}))[0] == 403


async def test_account_data_has_a_largest_size(node: Node) -> None:
    person = await node.person("hana")
    status, answer = await person.put(f"v3/user/{HANA}/account_data/big", {"x": "y" * 300_000})
    assert (status, answer["errcode"]) == (413, "M_TOO_LARGE")
    status, answer = await person.put(f"v3/user/{HANA}/account_data/big", b"[" * 1_100_000)
    assert (status, answer["errcode"]) == (413, "M_TOO_LARGE")
    assert (await person.put(f"v3/user/{HANA}/account_data/{'x' * 256}", {}))[0] == 400
    assert node.positions.current == 0


async def test_ignored_users_are_known_without_asking(node: Node, start_node: StartNode) -> None:
    person = await node.person("hana")
    content: dict[str, Any] = {"ignored_users": {"@taro:test.example": {}}}
    await person.put(f"v3/user/{HANA}/account_data/m.ignored_user_list", content)
    assert node.accounts.account_data.ignored_by(HANA) == {"@taro:test.example"}
    assert (await start_node()).accounts.account_data.ignored_by(HANA) == {"@taro:test.example"}


async def test_a_filter_is_kept_and_the_same_one_has_the_same_id(node: Node) -> None:
    person = await node.person("hana")
    definition = {"room": {"timeline": {"limit": 10}}, "event_fields": ["type"]}
    _, one = await person.post(f"v3/user/{HANA}/filter", definition)
    _, two = await person.post(f"v3/user/{HANA}/filter", dict(reversed(definition.items())))
    assert one == two
    assert await person.get(f"v3/user/{HANA}/filter/{one['filter_id']}") == (200, definition)
    _, three = await person.post(f"v3/user/{HANA}/filter", {})
    assert three != one


@pytest.mark.parametrize(
    "definition",
    [
        {"room": []}, {"room": {"timeline": 5}}, {"room": {"timeline": {"limit": "5"}}},
        {"room": {"state": {"lazy_load_members": "true"}}}, {"presence": {"types": "m.presence"}},
        {"room": {"rooms": ["nonsense"]}}, {"presence": {"senders": ["nonsense"]}}, {"event_fields": [5]},
        {"event_format": "other"}, {"account_data": {"types": [1]}}, {"presence": {"limit": True}},
    ],
)
async def test_what_is_no_filter_is_refused(node: Node, definition: dict[str, Any]) -> None:
    person = await node.person("hana")
    assert (await person.post(f"v3/user/{HANA}/filter", definition))[0] == 400


async def test_only_the_newest_filters_of_somebody_are_kept(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "MOST_FILTERS", 3)
    person = await node.person("hana")
    ids = [(await person.post(f"v3/user/{HANA}/filter", {"room": {"timeline": {"limit": number}}}))[1]["filter_id"]
           for number in range(1, 6)]
    assert len(set(ids)) == 5
    found = [(await person.get(f"v3/user/{HANA}/filter/{number}"))[0] for number in ids]
    assert found == [404, 404, 200, 200, 200]


async def test_filters_are_ones_own(node: Node) -> None:
    person = await node.person("hana")
    other = await node.person("taro")
    await person.post(f"v3/user/{HANA}/filter", {})
    assert (await other.get(f"v3/user/{HANA}/filter/0"))[0] == 403
    assert (await other.post(f"v3/user/{HANA}/filter", {}))[0] == 403
    assert (await other.get("v3/user/@taro:test.example/filter/0"))[1]["errcode"] == "M_NOT_FOUND"
    assert (await person.get(f"v3/user/{HANA}/filter/x"))[0] == 404


async def test_tags_are_set_listed_and_removed(node: Node) -> None:
    person = await node.person("hana")
    path = f"v3/user/{HANA}/rooms/!r:x/tags"
    assert await person.get(path) == (200, {"tags": {}})
    assert await person.put(f"{path}/m.favourite", {"order": 0.25}) == (200, {})
    assert await person.put(f"{path}/u.回覧", {}) == (200, {})
    assert (await person.get(path))[1] == {"tags": {"m.favourite": {"order": 0.25}, "u.回覧": {}}}
    assert await person.delete(f"{path}/m.favourite") == (200, {})
    assert await person.delete(f"{path}/m.favourite") == (200, {})
    _, by_room = await node.accounts.account_data_since(HANA, 0, node.positions.current)
    assert [item["type"] for item in by_room["!r:x"]] == ["m.tag"]
    assert (await person.get(path))[1] == {"tags": {"u.回覧": {}}}


async def test_what_is_no_tag_is_refused(node: Node) -> None:
    person = await node.person("hana")
    other = await node.person("taro")
    path = f"v3/user/{HANA}/rooms/!r:x/tags"
    assert (await person.put(f"{path}/a", {"order": "first"}))[0] == 400
    assert (await person.put(f"{path}/{'x' * 256}", {}))[0] == 400
    assert (await person.put(f"{path}/a", b"[]"))[0] == 400
    assert (await person.get(f"v3/user/{HANA}/rooms/nonsense/tags"))[0] == 400
    assert (await other.put(f"{path}/a", {}))[0] == 403


async def test_a_third_party_learns_who_somebody_is_and_for_how_long(node: Node) -> None:
    person = await node.person("hana")
    _, answer = await person.post(f"v3/user/{HANA}/openid/request_token", {})
    assert answer["matrix_server_name"] == "test.example"
    asked = f"/_matrix/federation/v1/openid/userinfo?access_token={answer['access_token']}"
    assert await node.ask("GET", asked) == (200, {"sub": HANA})
    assert (await node.ask("GET", "v3/account/whoami", token=answer["access_token"]))[0] == 401
    node.clock.ahead_s = answer["expires_in"] + 1
    assert (await node.ask("GET", asked))[1]["errcode"] == "M_UNKNOWN_TOKEN"
    assert (await node.ask("GET", "/_matrix/federation/v1/openid/userinfo"))[1]["errcode"] == "M_MISSING_TOKEN"
