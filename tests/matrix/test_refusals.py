"""What is refused at doors whose own tests only speak of success."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import RunningNode

BACKUP = "m.megolm_backup.v1.curve25519-aes-sha2"
SESSION = {
    "first_message_index": 0, "forwarded_count": 0, "is_verified": True,
    "session_data": {"ephemeral": "a", "ciphertext": "b", "mac": "c"},
}


@pytest.mark.parametrize("path", [
    "v3/joined_rooms", "v3/pushrules/global/", "v3/thirdparty/location", "v3/initialSync",
    "unstable/uk.half-shot.msc2666/user/mutual_rooms", "v3/room_keys/keys?version=1",
])
async def test_who_says_no_name_is_told_nothing(node: RunningNode, path: str) -> None:
    assert (await node.ask("GET", path)).refusal == (401, "M_MISSING_TOKEN")
    assert (await node.ask("GET", path, token="wrong")).refusal == (401, "M_UNKNOWN_TOKEN")


@pytest.mark.parametrize(("method", "path", "body", "status", "code"), [
    ("GET", "v3/user/@taro:sakura.example/rooms/!a/account_data/x", None, 403, "M_FORBIDDEN"),
    ("POST", "v3/user/@taro:sakura.example/openid/request_token", {}, 403, "M_FORBIDDEN"),
    ("DELETE", "v3/user/@taro:sakura.example/rooms/!a/tags/m.favourite", None, 403, "M_FORBIDDEN"),
    ("GET", "unstable/im.nheko.summary/summary/!none", None, 404, "M_NOT_FOUND"),
    ("GET", "unstable/im.nheko.summary/rooms/!none/summary", None, 404, "M_NOT_FOUND"),
    ("POST", "unstable/keys/device_signing/upload", {"master_key": "x"}, 400, "M_BAD_JSON"),
    ("GET", "v3/keys/changes?to=s1", None, 400, "M_MISSING_PARAM"),
    ("GET", "v3/pushrules/global/override/nothing/actions", None, 404, "M_NOT_FOUND"),
    ("GET", "v3/pushrules/global/override/nothing/enabled", None, 404, "M_NOT_FOUND"),
    ("POST", "v3/room_keys/version", {"algorithm": BACKUP}, 400, "M_MISSING_PARAM"),
    ("GET", "v3/room_keys/version/7", None, 404, "M_NOT_FOUND"),
    ("DELETE", "v3/room_keys/keys", None, 400, "M_MISSING_PARAM"),
    ("DELETE", "v3/room_keys/keys?version=7", None, 404, "M_NOT_FOUND"),
    ("GET", "v3/room_keys/keys/!a?version=7", None, 404, "M_NOT_FOUND"),
    ("DELETE", "v3/room_keys/keys/!a?version=7", None, 404, "M_NOT_FOUND"),
    ("DELETE", "v3/room_keys/keys/!a/s?version=7", None, 404, "M_NOT_FOUND"),
    ("POST", "v3/account/3pid/unbind", {"medium": "pigeon", "address": "a"}, 400, "M_INVALID_PARAM"),
])  # fmt: skip
async def test_what_is_not_there_not_said_or_somebody_elses_is_refused(
    node: RunningNode, method: str, path: str, body: Any, status: int, code: str
) -> None:
    hanako, _taro = await node.users("hanako", "taro")
    assert (await hanako.ask(method, path, body)).refusal == (status, code)


async def test_relations_of_an_event_that_nobody_knows_are_not_found(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    for kinds in ("m.annotation", "m.annotation/m.reaction"):
        answer = await hanako.get(f"v1/rooms/{room}/relations/$none/{kinds}")
        assert answer.refusal == (404, "M_NOT_FOUND")


async def test_all_keys_of_a_backup_are_taken_out_and_the_backup_stays(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    made = await hanako.post("v3/room_keys/version", {"algorithm": BACKUP, "auth_data": {"public_key": "k"}})
    version = made["version"]
    body = {"rooms": {"!a:sakura.example": {"sessions": {"s": SESSION}}}}
    assert (await hanako.put("v3/room_keys/keys", body, version=version))["count"] == 1
    assert (await hanako.delete("v3/room_keys/keys", version=version))["count"] == 0
    assert (await hanako.get("v3/room_keys/keys", version=version))["rooms"] == {}
    assert (await hanako.get("v3/room_keys/version"))["version"] == version
