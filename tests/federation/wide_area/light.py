"""Light nodes of associations: real federation endpoints that check every signature, and no more behind them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from federation.broadcasts.model import BROADCAST
from federation.links.codes import read_code
from federation.links.halves import half_content
from federation.links.model import LINK, NodeKind, Party
from server.foundation.clock import SystemClock
from server.foundation.signatures import signature_is_valid
from tests.federation.stranger import Asked, Json, Stranger
from tests.federation.wide_area.places import Place, terms

_ATTEMPTS = 5
AGREE = "/_matrix/federation/unstable/jp.kairan/link/agree"
_CLOCK = SystemClock()


class LightNode:
    """One association."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.server = Stranger()
        self.area = f"17201/t{number}"
        self.room_id = ""
        self.is_slow = False
        self.server.tells["send"] = self._take

    async def link(self, city: Place, code: str) -> None:
        """Agree to a code: ask, be invited, join, say our half."""
        server = self.server
        city_key = city.node.inside.services.sender.identity.key
        server.known[city.server] = city_key
        user, offered = server.user("kairan"), terms("association", self.area, name=f"第{self.number}町会")
        party = Party(server.name, user, offered.name, NodeKind.ASSOCIATION)
        answer = await server.asks(city.node, "POST", AGREE, {
            "code": read_code(code).secret, "party": party.as_json(), "terms": offered.as_json()})
        self.room_id = answer["room_id"]
        room = await server.joins(city.node, self.room_id, "kairan")
        half = room.put(user, LINK, half_content(party, offered, _CLOCK.now_ms()), user)
        await server.tells_of(city.node, half)

    async def comes_back(self, city: Place) -> None:
        """Answer again, and let the city know."""
        await self.server.start()
        await self.server.asks(city.node, "GET", f"v1/query/profile?user_id=%40kairan%3A{city.server}")

    async def _take(self, asked: Asked) -> Json:
        if self.is_slow:
            await _CLOCK.sleep(0.2)
        return self.server.on_send(asked)

    def notices(self, city: Place) -> list[Json]:
        """The notices that stand in the room here, each checked against the city's key."""
        key = city.node.inside.services.sender.identity.key
        found = []
        for event in self.server.rooms[self.room_id].judged.events.values():
            if event.type == BROADCAST:
                notice: dict[str, Any] = event.content["notice"]
                assert signature_is_valid(notice, city.server, key.key_id, key.public)
                found.append(notice)
        return found


@asynccontextmanager
async def _running(number: int) -> AsyncIterator[LightNode]:
    """One that answers; another port where somebody else was quicker."""
    for _ in range(_ATTEMPTS):
        node = LightNode(number)
        with contextlib.suppress(OSError):
            await node.server.start()
            break
    try:
        yield node
    finally:
        await node.server.stop()


@asynccontextmanager
async def light_nodes(city: Place, count: int) -> AsyncIterator[list[LightNode]]:
    """So many associations, linked."""
    async with AsyncExitStack() as closing:
        found = [await closing.enter_async_context(_running(number)) for number in range(count)]
        offered = [terms("association", node.area, name=f"第{node.number}町会") for node in found]
        cards = await city.verbs.offers.invite_all(city.me, offered)
        turns = asyncio.Semaphore(8)

        async def link(node: LightNode, code: str) -> None:
            async with turns:
                await node.link(city, code)

        await asyncio.gather(*(link(node, card.text) for node, card in zip(found, cards, strict=True)))
        yield found
