"""Key backup: versions, better and worse keys, everything that can be asked wrongly."""

from __future__ import annotations

from typing import Any

import pytest

from tests.matrix.accounts.conftest import Node, Person

ALGORITHM = "m.megolm_backup.v1.curve25519-aes-sha2"
VERSION = "v3/room_keys/version"
KEYS = "v3/room_keys/keys"


def key(**more: Any) -> dict[str, Any]:
    return {"first_message_index": 3, "forwarded_count": 0, "is_verified": False, "session_data": {"a": "b"}, **more}


async def new_version(person: Person) -> str:
    status, answer = await person.post(VERSION, {"algorithm": ALGORITHM, "auth_data": {"public_key": "x"}})
    assert status == 200
    return str(answer["version"])


async def test_at_first_there_is_none(node: Node) -> None:
    status, answer = await (await node.person()).get(VERSION)
    assert (status, answer["errcode"]) == (404, "M_NOT_FOUND")


async def test_a_version_is_made_changed_and_deleted(node: Node) -> None:
    person = await node.person()
    version = await new_version(person)
    _, answer = await person.get(VERSION)
    assert answer == {
        "version": version, "algorithm": ALGORITHM, "auth_data": {"public_key": "x"}, "count": 0, "etag": "0",
    }
    change = {"algorithm": ALGORITHM, "auth_data": {"public_key": "y"}, "version": version}
    assert await person.put(f"{VERSION}/{version}", change) == (200, {})
    assert (await person.get(f"{VERSION}/{version}"))[1]["auth_data"] == {"public_key": "y"}
    assert await person.delete(f"{VERSION}/{version}") == (200, {})
    assert (await person.get(VERSION))[0] == 404
    assert (await person.delete(f"{VERSION}/{version}"))[0] == 404


async def test_version_numbers_go_on_beyond_ten_and_are_never_used_again(node: Node) -> None:
    person = await node.person()
    versions = [await new_version(person) for _ in range(11)]
    assert (await person.get(VERSION))[1]["version"] == versions[-1] == "11"
    await person.delete(f"{VERSION}/11")
    assert (await person.get(VERSION))[1]["version"] == "10"
    assert await new_version(person) == "12"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"algorithm": "other", "auth_data": {}}, "M_INVALID_PARAM"),
        ({"algorithm": ALGORITHM, "auth_data": {}, "version": "2"}, "M_INVALID_PARAM"),
        ({"algorithm": ALGORITHM}, "M_MISSING_PARAM"),
        ({"algorithm": ALGORITHM, "auth_data": []}, "M_BAD_JSON"),
    ],
)
async def test_a_version_is_not_changed_to_something_else(node: Node, body: dict[str, Any], code: str) -> None:
    person = await node.person()
    version = await new_version(person)
    assert (await person.put(f"{VERSION}/{version}", body))[1]["errcode"] == code


async def test_keys_are_kept_one_by_one_by_room_and_all(node: Node) -> None:
    person = await node.person()
    query = f"?version={await new_version(person)}"
    _, answer = await person.put(f"{KEYS}/!a:x/s1{query}", key())
    assert answer == {"count": 1, "etag": "1"}
    await person.put(f"{KEYS}/!a:x{query}", {"sessions": {"s2": key()}})
    _, answer = await person.put(f"{KEYS}{query}", {"rooms": {"!b:x": {"sessions": {"s/3": key()}}}})
    assert answer == {"count": 3, "etag": "3"}
    assert (await person.get(f"{KEYS}/!a:x/s1{query}"))[1] == key()
    assert (await person.get(f"{KEYS}/!a:x{query}"))[1] == {"sessions": {"s1": key(), "s2": key()}}
    _, everything = await person.get(f"{KEYS}{query}")
    assert everything["rooms"]["!b:x"] == {"sessions": {"s/3": key()}}
    assert (await person.delete(f"{KEYS}/!b:x/s%2F3{query}"))[1] == {"count": 2, "etag": "4"}
    assert (await person.delete(f"{KEYS}/!a:x{query}"))[1] == {"count": 0, "etag": "5"}
    assert (await person.get(f"{KEYS}{query}"))[1] == {"rooms": {}}
    assert (await person.get(f"{KEYS}/!a:x{query}"))[1] == {"sessions": {}}
    assert (await person.get(f"{KEYS}/!a:x/s1{query}"))[0] == 404


@pytest.mark.parametrize(
    ("better", "change"),
    [
        (True, {"is_verified": True, "first_message_index": 9}), (True, {"first_message_index": 2}),
        (True, {"first_message_index": 2, "forwarded_count": 5}), (False, {"first_message_index": 4}),
        (False, {"forwarded_count": 1}), (False, {}),
    ],
)
async def test_only_a_better_key_replaces_another(node: Node, better: bool, change: dict[str, Any]) -> None:
    person = await node.person()
    path = f"{KEYS}/!a:x/s?version={await new_version(person)}"
    await person.put(path, key())
    new = key(session_data={"new": "yes"}, **change)
    assert await person.put(path, new) == (200, {"count": 1, "etag": "2" if better else "1"})
    assert (await person.get(path))[1] == (new if better else key())


async def test_only_the_latest_version_takes_keys(node: Node) -> None:
    person = await node.person()
    old = await new_version(person)
    new = await new_version(person)
    status, answer = await person.put(f"{KEYS}/!a:x/s?version={old}", key())
    assert (status, answer["errcode"], answer["current_version"]) == (403, "M_WRONG_ROOM_KEYS_VERSION", new)


async def test_a_new_backup_begins_empty(node: Node) -> None:
    person = await node.person()
    version = await new_version(person)
    await person.put(f"{KEYS}/!a:x/s?version={version}", key())
    await person.delete(f"{VERSION}/{version}")
    assert (await person.get(f"{KEYS}?version={version}"))[0] == 404
    assert (await person.get(f"{KEYS}?version={await new_version(person)}"))[1] == {"rooms": {}}


async def test_backups_are_ones_own(node: Node) -> None:
    hana, taro = await node.person("hana"), await node.person("taro")
    version = await new_version(hana)
    assert (await taro.get(f"{KEYS}?version={version}"))[0] == 404


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (f"{KEYS}/!a:x/s", key(), 400),
        (f"{KEYS}/!a:x/s?version=9", key(), 404),
        (f"{KEYS}/!a:x/s?version=x", key(), 404),
        (f"{KEYS}/!a:x/s?version=1", {}, 400),
        (f"{KEYS}/!a:x/s?version=1", key(first_message_index="3"), 400),
        (f"{KEYS}/!a:x/s?version=1", key(is_verified=1), 400),
        (f"{KEYS}/!a:x/s?version=1", key(first_message_index=2**60), 400),
        (f"{KEYS}/!a:x?version=1", {"sessions": []}, 400),
        (f"{KEYS}?version=1", {"rooms": {"!a:x": []}}, 400),
        (f"{KEYS}?version=1", b"nonsense", 400),
    ],
)
async def test_malformed_keys_are_refused(node: Node, path: str, body: Any, status: int) -> None:
    person = await node.person()
    await new_version(person)
    assert (await person.put(path, body))[0] == status
    assert (await person.get(VERSION))[1]["count"] == 0
