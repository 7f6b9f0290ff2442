"""Listens to a node's doors while tests speak with it, whoever the client is: every exchange must keep the contract."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.contract.deviations import Fault
from tests.contract.exchanges import Contract, Exchange
from tests.contract.record import RECORD

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Watch:
    """What was heard of one application."""

    contract: Contract = field(default_factory=Contract)
    # Where a test sends rubbish on purpose and the node may take it.
    requests_may_be_wrong: bool = False
    _faults: list[Fault] = field(default_factory=list)
    _tolerating: bool = False

    def __post_init__(self) -> None:
        @web.middleware
        async def overhear(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._answered(request, handler)

        self._overhear = overhear

    def require_no_faults(self) -> None:
        """Raise ``AssertionError`` for what was wrong since the last time."""
        faults, self._faults = self._faults, []
        assert not faults, "outside of the specification:\n" + "\n".join(map(str, faults))

    @contextmanager
    def tolerating(self, reason: str) -> Iterator[None]:
        """Within it nothing is judged. ``reason``: what is wrong on purpose, and why the node does not mind."""
        assert reason
        self._tolerating = True
        try:
            yield
        finally:
            self._tolerating = False

    def listen_to(self, app: web.Application) -> None:
        """Hear everything that ``app`` is asked from its start on."""
        app.middlewares.append(self._overhear)

    async def _answered(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        body = request._payload = _Overheard(request._payload)  # type: ignore[assignment]
        answer = await handler(request)
        kept = answer.body if isinstance(answer, web.Response) and answer.content_type == "application/json" else None
        self._heard(Exchange(
            request.method, request.rel_url.raw_path, request.query_string, bytes(body.data), answer.status,
            kept if isinstance(kept, bytes) else None,
        ))  # fmt: skip
        return answer

    def _heard(self, exchange: Exchange) -> None:
        RECORD.note(exchange)
        found = self.contract.faults(exchange)
        if self._tolerating:
            return
        if self.requests_may_be_wrong:
            found = [fault for fault in found if fault.side != "request"]
        if os.environ.get("KAIRAN_CONTRACT") == "report":
            RECORD.report(found)
        else:
            self._faults += found


class _Overheard:
    """A request's body, which is kept as it is read."""

    def __init__(self, content: Any) -> None:
        self._content = content
        self.data = bytearray()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)

    async def readany(self) -> bytes:
        return self._kept(await self._content.readany())

    def read_nowait(self, n: int = -1) -> bytes:
        return self._kept(self._content.read_nowait(n))

    async def read(self, n: int = -1) -> bytes:
        return self._kept(await self._content.read(n))

    async def iter_chunked(self, n: int) -> Any:
        async for piece in self._content.iter_chunked(n):
            yield self._kept(piece)

    def _kept(self, piece: bytes) -> bytes:
        if len(self.data) < 2**21:
            self.data += piece
        return piece


