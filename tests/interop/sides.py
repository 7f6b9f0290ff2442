"""Two servers that reach each other by TLS: a node of ours, and Synapse. To a test both look alike:

    hanako, taro = await here.user("hanako"), await there.user("taro")
    room = await hanako.creates_room(preset="public_chat")
    await joins(taro, room, here)
    await has_heard(hanako, room, await taro.says(room, "こんにちは"))
"""

from __future__ import annotations

import asyncio
import itertools
import json
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast
from urllib.parse import quote

import aiohttp
from aiohttp import web

from tests.builders import PASSWORD, Answer, Json, Person, RunningNode, settings_for
from tests.federation.town import free_port
from tests.interop.certificates import Certificates
from tests.interop.synapse import PASSWORD as SYNAPSE_PASSWORD
from tests.interop.synapse import Synapse

LONGEST_S = 30
_T = TypeVar("_T")
_numbers = itertools.count()


class _WhateverOthersSay(set[Any]):
    """What an event says was said by somebody of another server: not our node's fault (Synapse says null names)."""

    def __contains__(self, said: object) -> bool:
        return True


class Side(Protocol):
    """A server with people."""

    name: str
    # The password of all users.
    password: str

    @property
    def url(self) -> str:
        """Where clients find it."""

    async def user(self, name: str) -> Person:
        """A new user whose name begins with ``name``."""

    async def stop(self) -> None:
        """Be away."""

    async def start(self) -> None:
        """Be back, under the same name and with the same data."""


class Ours:
    """A node of ours that others can reach at its server name."""

    password = PASSWORD

    def __init__(self, folder: Path, certificates: Certificates, more: str = "") -> None:
        self.port = free_port()
        # Another host name than Synapse's: ACLs do not look at ports.
        self.name = f"localhost:{self.port}"
        self._certificates = certificates
        folder.mkdir()
        federation = f'[directory]\npublic = true\n[federation]\ncertificate_authorities = "{certificates.authority}"\n'
        federation += "allow_private_addresses = true\n"
        self.node = RunningNode(settings_for(folder, server_name=self.name, more=federation + more))
        self._is_new = True

    @property
    def url(self) -> str:
        return self.node.url

    async def user(self, name: str) -> Person:
        return await self.node.user(f"{name}{next(_numbers)}")

    async def start(self) -> None:
        if not self._is_new:
            self.node = RunningNode(self.node.settings)
        self._is_new = False
        self.node.contract.contract.said = _WhateverOthersSay()
        self.node.listen_more = self._listen_at
        await self.node.__aenter__()

    async def listen(self) -> None:
        """Let others in."""
        runner = self.node.client.server.runner
        assert runner is not None
        await self._listen_at(runner)

    async def _listen_at(self, runner: web.BaseRunner) -> None:
        self._site = web.TCPSite(runner, "127.0.0.1", self.port, ssl_context=self._certificates.for_a_server())
        await self._site.start()

    async def shut(self) -> None:
        """Let nobody in, and put out who is."""
        await self._site.stop()
        runner = self.node.client.server.runner
        assert runner is not None
        assert runner.server is not None
        for connection in runner.server.connections:
            if connection.transport is not None and connection.transport.get_extra_info("sslcontext") is not None:
                connection.transport.close()

    async def stop(self) -> None:
        await self.node.__aexit__()

    def again(self, person: Person) -> Person:
        """The same person after the node has come back."""
        return Person(self.node, person.user_id, person.token, person.device_id)


class Theirs:
    """Synapse, asked as ``RunningNode`` is."""

    password = SYNAPSE_PASSWORD

    def __init__(self, synapse: Synapse, session: aiohttp.ClientSession) -> None:
        self.synapse = synapse
        self.name = synapse.name
        self._session = session

    @property
    def url(self) -> str:
        return self.synapse.url

    async def user(self, name: str) -> Person:
        made = await asyncio.to_thread(self.synapse.token_of_new_user, f"{name}-{uuid.uuid4().hex[:8]}")
        return Person(cast("RunningNode", self), *made)

    async def start(self) -> None:
        await asyncio.to_thread(self.synapse.start)

    async def stop(self) -> None:
        await asyncio.to_thread(self.synapse.stop)

    async def ask(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **query: Any
    ) -> Answer:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        full = self.synapse.url + (path if path.startswith("/") else f"/_matrix/client/{path}")
        given = {"data": body} if isinstance(body, bytes) else {} if body is None else {"json": body}
        async with self._session.request(method, full, headers=headers, params=query, **given) as response:
            raw = await response.read()
            return Answer(response.status, json.loads(raw) if raw else None, dict(response.headers))


async def joins(person: Person, room: str, *via: Side) -> None:
    """Join by what the other servers know."""
    answer = await person.post(f"v3/join/{quote(room)}", via=[side.name for side in via])
    assert answer.status == 200, answer


async def until(person: Person, check: Callable[[], Awaitable[_T | None]]) -> _T:
    """Look again at every news of ``person``, as long as ``check`` finds nothing."""
    async with asyncio.timeout(LONGEST_S):
        since: str | None = None
        while True:
            news = await person.syncs(since, timeout=0 if since is None else 2000)
            since = news.token
            found = await check()
            if found is not None:
                return found


async def has_heard(person: Person, room: str, event_id: str) -> Json:
    """Wait until an event is there; the answer is the event."""

    async def look() -> Json | None:
        answer = await person.get(f"v3/rooms/{room}/event/{quote(event_id, safe='')}")
        return dict(answer.body) if answer.status == 200 else None

    return await until(person, look)


async def sees_state(person: Person, room: str, kind: str, state_key: str = "", **content: Any) -> Json:
    """Wait until a state event says this; the answer is its content."""

    async def look() -> Json | None:
        answer = await person.get(f"v3/rooms/{room}/state/{kind}/{quote(state_key, safe='')}")
        fits = answer.status == 200 and all(answer.body.get(name) == value for name, value in content.items())
        return dict(answer.body) if fits else None

    return await until(person, look)


async def sees_member(person: Person, room: str, whom: Person, membership: str) -> Json:
    """Wait until somebody has this membership."""
    return await sees_state(person, room, "m.room.member", whom.user_id, membership=membership)


async def is_invited(person: Person, room: str) -> list[Json]:
    """Wait until an invitation is there; the answer is what is shown of the room."""

    async def look() -> list[Json] | None:
        invited = (await person.syncs()).rooms("invite").get(room)
        return None if invited is None else list(invited["invite_state"]["events"])

    return await until(person, look)


async def is_outside(person: Person, room: str) -> None:
    """Wait until somebody is in a room no more, by their own server."""

    async def look() -> bool | None:
        answer = await person.get("v3/joined_rooms")
        return True if room not in answer["joined_rooms"] else None

    await until(person, look)


async def all_events(person: Person, room: str, limit: int = 50) -> list[Json]:
    """Everything that somebody can page back to, the newest first."""
    found: list[Json] = []
    start: dict[str, str] = {}
    for _ in range(100):
        page = await person.get(f"v3/rooms/{room}/messages", dir="b", limit=str(limit), **start)
        found += page["chunk"]
        if page.body.get("end") is None:
            return found
        start = {"from": page["end"]}
    raise AssertionError("The past has no beginning")


async def state_of(person: Person, room: str) -> dict[tuple[str, str], str]:
    """Ids of the state events."""
    state = (await person.get(f"v3/rooms/{room}/state")).body
    return {(event["type"], event["state_key"]): event["event_id"] for event in state}
