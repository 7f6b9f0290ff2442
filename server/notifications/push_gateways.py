"""Speaking to push gateways (spec: Push Gateway API). None of them can hold up another, or the node."""

from __future__ import annotations

import asyncio
import enum
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from server.foundation.outgoing import Fetched, Outgoing, Unreachable
from server.foundation.settings import IpNetwork

logger = logging.getLogger(__name__)

_TIMEOUT_S: Final = 15.0
_MOST_BYTES: Final = 65_536
# At a time: to one gateway, and to all together. Nearly everybody's app has the same gateway, perhaps a quarter of a
# second away: an alarm for 1,500 people should be there in some ten seconds.
_AT_ONCE: Final = 32
_AT_ONCE_IN_ALL: Final = 160
_MOST_GATES: Final = 1_000


class Answer(enum.Enum):
    """What became of a notification."""

    DELIVERED = enum.auto()
    # The gateway does not want this pushkey ever again.
    REJECTED = enum.auto()
    FAILED = enum.auto()


class _Gate:
    """The turns at one gateway: several at a time while it answers, one at a time when it does not."""

    def __init__(self) -> None:
        self.turns = asyncio.Semaphore(_AT_ONCE)
        self.trial = asyncio.Lock()
        self.answers = True
        self.waiting = 0


class Gateways:
    """All gateways."""

    def __init__(self, allowed_networks: Sequence[IpNetwork]) -> None:
        # As many connections as turns, so that nobody's time runs out while they wait for one.
        self._outgoing = Outgoing(allowed_networks, at_once=_AT_ONCE_IN_ALL, at_once_per_host=_AT_ONCE)
        self._gates: dict[str, _Gate] = {}
        self._all = asyncio.Semaphore(_AT_ONCE_IN_ALL)

    async def notify(self, url: str, pushkey: str, notification: dict[str, Any]) -> Answer:
        """Send one notification about one device."""
        fetched = await self.post(url, orjson.dumps(notification), {"Content-Type": "application/json"})
        return Answer.FAILED if fetched is None else _meaning(fetched, pushkey)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Fetched | None:
        """What a gateway or a browser's push service answers, when it is its turn; ``None``: it cannot be reached."""
        async with self._turn(url) as gate:
            try:
                fetched = await self._outgoing.fetch(
                    "POST", url, body=body, headers=headers, limit=_MOST_BYTES, timeout_s=_TIMEOUT_S
                )
            except Unreachable as fault:
                if gate.answers:
                    logger.info("a push gateway cannot be reached: %s", fault)
                gate.answers = False
                return None
            gate.answers = True
            return fetched

    async def close(self) -> None:
        """Close all connections."""
        await self._outgoing.close()

    @asynccontextmanager
    async def _turn(self, url: str) -> AsyncIterator[_Gate]:
        gate = self._gate(urlsplit(url).netloc)
        gate.waiting += 1
        try:
            async with gate.turns:
                if gate.answers:
                    async with self._all:
                        yield gate
                else:
                    async with gate.trial, self._all:
                        yield gate
        finally:
            gate.waiting -= 1

    def _gate(self, host: str) -> _Gate:
        if host not in self._gates and len(self._gates) >= _MOST_GATES:
            self._gates = {name: gate for name, gate in self._gates.items() if gate.waiting}
        return self._gates.setdefault(host, _Gate())


def _meaning(fetched: Fetched, pushkey: str) -> Answer:
    if not 200 <= fetched.status < 300:
        return Answer.FAILED
    try:
        said = orjson.loads(fetched.body)
    except orjson.JSONDecodeError:
        return Answer.DELIVERED  # some say nothing at all
    rejected = said.get("rejected") if isinstance(said, dict) else None
    return Answer.REJECTED if isinstance(rejected, list) and pushkey in rejected else Answer.DELIVERED
