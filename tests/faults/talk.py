"""Somebody who talks to a node that may refuse, and keeps count outside of it."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import aiohttp

from tests.faults.process import Client, NodeProcess
from tests.faults.test_kill import all_after

FULL: Final = (507, "M_RESOURCE_LIMIT_EXCEEDED")
_MOST: Final = 3_000
_LETTERS: Final = "x" * 20_000


class Talk:
    """One room, one person, long messages."""

    def __init__(self, process: NodeProcess, http: aiohttp.ClientSession) -> None:
        self._process = process
        self._http = http
        self.client = Client(process, http)
        self.room = self._since = ""
        self.acknowledged: list[str] = []
        self.refused = 0

    async def begin(self) -> None:
        """An account and a room; the node runs."""
        await self.client.register("hanako")
        self.room = (await self.client.ask("POST", "createRoom", {}))["room_id"]
        self._since = (await self.client.ask("GET", "sync"))["next_batch"]

    async def say(self, text: str, more: str = _LETTERS) -> tuple[int, str]:
        """Say something; status and errcode of the answer."""
        path = f"/_matrix/client/v3/rooms/{self.room}/send/m.room.message/{text}"
        told = await self._answer("PUT", path, json={"msgtype": "m.text", "body": text, "more": more})
        if told[0] == 200:
            self.acknowledged.append(text)
        else:
            self.refused += 1
        return told

    async def until_full(self, times: int = 5) -> None:
        """Talk until the node has refused so often that there is no room."""
        refused = 0
        for number in range(_MOST):
            told = await self.say(str(number))
            if told[0] != 200:
                assert told == FULL
                refused += 1
            if refused == times:
                return
        raise AssertionError("it was never full")

    async def until_it_goes_on(self) -> None:
        """Say something until it is taken again; the node was not started anew."""
        for attempt in range(20):
            if (await self.say(f"again-{attempt}"))[0] == 200:
                return
            await asyncio.sleep(0.1)
        raise AssertionError("it does not write any more")

    async def upload(self, content: bytes) -> tuple[int, str]:
        """Bring a file; status and errcode of the answer."""
        return await self._answer("POST", "/_matrix/media/v3/upload", data=content)

    async def there(self) -> list[str]:
        """All that is in the room, in its order."""
        return [event["content"]["body"] for event in await all_after(self.client, self.room, self._since)]

    async def _answer(self, method: str, path: str, **content: Any) -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {self.client.token}"}
        async with self._http.request(method, self._process.url + path, headers=headers, **content) as answer:
            return answer.status, str((await answer.json()).get("errcode", ""))
