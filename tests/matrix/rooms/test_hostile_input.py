"""Whatever is sent to a door of rooms, the answer is a Matrix error and never a fault of ours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from yarl import URL

from tests.builders import Person, RunningNode, settings_for

# Every door of rooms and sync. {room}, {event} and {user} are real ones; other names are filled by chance.
DOORS = [
    ("POST", "v3/createRoom"), ("GET", "v3/sync"), ("GET", "v3/joined_rooms"), ("POST", "v3/join/{name}"),
    ("POST", "v3/join/{room}"), ("POST", "v3/knock/{room}"), ("POST", "v3/rooms/{name}/join"),
    ("POST", "v3/rooms/{room}/invite"), ("POST", "v3/rooms/{room}/kick"), ("POST", "v3/rooms/{room}/ban"),
    ("POST", "v3/rooms/{room}/unban"), ("POST", "v3/rooms/{room}/forget"),
    ("PUT", "v3/rooms/{room}/send/{name}/{txn}"), ("PUT", "v3/rooms/{name}/send/m.room.message/{txn}"),
    ("PUT", "v3/rooms/{room}/send/m.room.message/{txn}"), ("PUT", "v3/rooms/{room}/send/m.room.redaction/{txn}"),
    ("PUT", "v3/rooms/{room}/send/m.reaction/{txn}"), ("PUT", "v3/rooms/{room}/state/{name}"),
    ("PUT", "v3/rooms/{room}/state/{name}/{key}"), ("PUT", "v3/rooms/{room}/state/m.room.power_levels"),
    ("PUT", "v3/rooms/{room}/state/m.room.member/{user}"), ("PUT", "v3/rooms/{room}/state/m.room.join_rules"),
    ("PUT", "v3/rooms/{room}/state/m.room.name"), ("PUT", "v3/rooms/{room}/state/m.room.canonical_alias"),
    ("PUT", "v3/rooms/{room}/state/m.room.history_visibility"), ("PUT", "v3/rooms/{room}/state/m.space.child/{name}"),
    ("PUT", "v3/rooms/{room}/redact/{event}/{txn}"), ("PUT", "v3/rooms/{room}/redact/{name}/{txn}"),
    ("GET", "v3/rooms/{room}/messages"), ("GET", "v3/rooms/{room}/context/{event}"),
    ("GET", "v3/rooms/{room}/event/{name}"), ("GET", "v3/rooms/{room}/state"), ("GET", "v3/rooms/{room}/state/{name}"),
    ("GET", "v3/rooms/{room}/members"), ("GET", "v3/rooms/{room}/joined_members"), ("GET", "v3/rooms/{room}/aliases"),
    ("GET", "v1/rooms/{room}/relations/{event}"), ("GET", "v1/rooms/{room}/relations/{event}/{name}/{key}"),
    ("GET", "v1/rooms/{room}/hierarchy"), ("GET", "v1/room_summary/{name}"), ("GET", "v3/publicRooms"),
    ("POST", "v3/publicRooms"), ("GET", "v3/directory/room/{name}"), ("PUT", "v3/directory/room/{name}"),
    ("DELETE", "v3/directory/room/{name}"), ("PUT", "v3/directory/list/room/{room}"),
    ("GET", "v3/directory/list/room/{name}"), ("POST", "v3/rooms/{room}/receipt/{name}/{event}"),
    ("POST", "v3/rooms/{room}/receipt/m.read/{name}"), ("POST", "v3/rooms/{room}/read_markers"),
    ("PUT", "v3/rooms/{room}/typing/{user}"), ("POST", "v3/user/{user}/filter"),
]

QUERIES = (
    "since", "timeout", "filter", "full_state", "set_presence", "dir", "from", "to", "limit", "at", "membership",
    "not_membership", "format", "recurse", "max_depth", "suggested_only", "server", "use_state_after",
)

texts = st.text(max_size=40) | st.sampled_from([
    "", "x", "s1_1", "s99999999999999999_1", "n5", "true", "b", "f", "join", "-1", "0", "1e9", "２", "{}", "[]", "{",
    '{"limit": 1}', '{"room": {"timeline": {"limit": 0}}}', "@a:b", "#a:b", "!a", "$a", "*", "%", "\0", "..", "/",
    "@hanako:sakura.example", "#hall:sakura.example", "m.room.create", "m.room.member", "m.thread",
])
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
fields = st.sampled_from([
    "user_id", "room_id", "reason", "membership", "content", "name", "topic", "preset", "visibility", "invite",
    "room_version", "creation_content", "initial_state", "power_level_content_override", "room_alias_name", "is_direct",
    "m.relates_to", "m.mentions", "m.new_content", "rel_type", "event_id", "key", "msgtype", "body", "redacts", "users",
    "events", "ban", "kick", "notifications", "join_rule", "allow", "history_visibility", "alias", "alt_aliases",
    "typing", "timeout", "thread_id", "m.read", "m.fully_read", "filter", "limit", "since", "generic_search_term",
    "room_types", "room", "timeline", "state", "types", "event_fields", "via", "order", "url", "third_party_invite",
    "additional_creators", "m.federate", "type", "state_key", "predecessor",
])
bodies = st.dictionaries(fields, values | st.dictionaries(fields, values, max_size=3), max_size=6)


class World:
    """A node in an event loop of its own, for tests that hypothesis calls many times."""

    def __init__(self, folder: Path) -> None:
        self.loop = asyncio.new_event_loop()
        self.node = RunningNode(settings_for(folder))
        self.node.contract.requests_may_be_wrong = True
        self.person: Person
        self.names: dict[str, str] = {}
        self.loop.run_until_complete(self._open())

    async def _open(self) -> None:
        await self.node.__aenter__()
        self.person = await self.node.user("hanako")
        await self.fresh_room()

    async def fresh_room(self) -> None:
        room = await self.person.creates_room(preset="public_chat", creation_content={"type": "m.space"})
        self.names = {"room": room, "event": await self.person.says(room, "x"), "user": self.person.user_id}

    def ask(self, method: str, path: str, raw: bytes | None, query: dict[str, str]) -> tuple[int, bytes]:
        return self.loop.run_until_complete(self._ask(method, path, raw, query))

    async def _ask(self, method: str, path: str, raw: bytes | None, query: dict[str, str]) -> tuple[int, bytes]:
        url = f"{self.node.url}/_matrix/client/{path}"
        if query:
            url += "?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
        headers = {"Authorization": f"Bearer {self.person.token}"}
        asked = self.node.client.session.request(method, URL(url, encoded=True), data=raw, headers=headers)
        async with asked as response:
            return response.status, await response.read()

    def close(self) -> None:
        self.loop.run_until_complete(self.node.__aexit__())
        self.loop.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One node for all examples of this file."""
    opened = World(tmp_path_factory.mktemp("hostile"))
    yield opened
    opened.close()


def require_matrix_answer(status: int, raw: bytes) -> None:
    assert status < 500, raw
    answer = json.loads(raw)
    if status >= 400:
        assert str(answer["errcode"]).startswith("M_"), answer
        assert isinstance(answer["error"], str)


_BOUNDED = settings(
    max_examples=400, deadline=None, derandomize=True, database=None, phases=(Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@_BOUNDED
@given(
    door=st.sampled_from(DOORS), name=texts, key=texts, txn=texts, body=bodies,
    query=st.dictionaries(st.sampled_from([name for name in QUERIES if name != "timeout"]), texts, max_size=4),
)
def test_no_question_is_answered_by_a_fault(
    world: World, door: tuple[str, str], name: str, key: str, txn: str, body: dict[str, Any], query: dict[str, str]
) -> None:
    method, pattern = door
    filled = {"name": name, "key": key, "txn": txn, **world.names}
    path = pattern.format(**{field: quote(value, safe="") for field, value in filled.items()})
    raw = json.dumps(body).encode() if method != "GET" else None
    require_matrix_answer(*world.ask(method, path, raw, query))
    require_matrix_answer(*world.ask("GET", "v3/sync", None, {}))


@_BOUNDED
@given(door=st.sampled_from([door for door in DOORS if door[0] != "GET"]), raw=st.binary(max_size=60))
def test_no_body_is_answered_by_a_fault(world: World, door: tuple[str, str], raw: bytes) -> None:
    method, pattern = door
    filled = {"name": "x", "key": "x", "txn": "x", **world.names}
    path = pattern.format(**{field: quote(value, safe="") for field, value in filled.items()})
    require_matrix_answer(*world.ask(method, path, raw, {}))


@_BOUNDED
@given(content=bodies, kind=st.sampled_from(["m.room.message", "m.reaction", "m.room.encrypted", "jp.kairan.x"]))
def test_every_event_that_is_taken_can_be_read_again(world: World, content: dict[str, Any], kind: str) -> None:
    room = quote(world.names["room"], safe="")
    path = f"v3/rooms/{room}/send/{kind}/{abs(hash(str(content)))}"
    status, raw = world.ask("PUT", path, json.dumps(content).encode(), {})
    require_matrix_answer(status, raw)
    if status == 200:
        event_id = quote(json.loads(raw)["event_id"], safe="")
        status, raw = world.ask("GET", f"v3/rooms/{room}/event/{event_id}", None, {})
        assert status == 200
        assert json.loads(raw)["content"] == content


@pytest.mark.parametrize("raw", [
    b'{"a":' * 100_000, b"[" * 1_000_000, b'{"a": ' + b"9" * 100_000 + b"}", b'"' + b"\\u0000" * 10_000 + b'"',
    b"\xff\xfe{}", b"{}" * 2, b'{"a": 1, "a": 2}', b"{'a': 1}", b'{"a": 01}', b"\x00", b" " * 100_000,
])
@pytest.mark.parametrize("door", [("POST", "v3/createRoom"), ("POST", "v3/rooms/{room}/invite"),
                                  ("PUT", "v3/rooms/{room}/state/m.room.name"), ("POST", "v3/user/{user}/filter")])
def test_json_bombs_are_refused_quickly(world: World, door: tuple[str, str], raw: bytes) -> None:
    status, answer = world.ask(door[0], door[1].format(**world.names), raw, {})
    require_matrix_answer(status, answer)


def test_a_body_of_many_megabytes_is_refused(world: World) -> None:
    status, raw = world.ask("POST", "v3/createRoom", b'{"name": "' + b"x" * 5_000_000 + b'"}', {})
    assert (status, json.loads(raw)["errcode"]) == (413, "M_TOO_LARGE")
