"""Several nodes on this machine that reach each other by TLS. Reads as prose in tests:

    async with town(tmp_path, "sakura", "ume") as (sakura, ume):
        hanako = await sakura.user("hanako")
"""

from __future__ import annotations

import secrets
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from aiohttp import web

from server.foundation.clock import Clock
from tests.builders import RunningNode, settings_for

CERTIFICATES = Path(__file__).parent.parent / "data" / "tls"
FEDERATION = """
[federation]
verify_certificates = false
allow_private_addresses = true
"""


# Below those that systems give to connections: one of those could be gone before the server that is to have it starts,
# or while it is away.
_PORTS = range(14_000, 32_000)


def free_port() -> int:
    """A port on which nobody listens now, nor will by chance."""
    while True:
        port = _PORTS[secrets.randbelow(len(_PORTS))]
        with socket.socket() as taken:
            try:
                taken.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class FarNode:
    """A node that others can reach at its server name."""

    def __init__(self, folder: Path, *, clock: Clock | None = None, more: str = "") -> None:
        self.port = free_port()
        self.name = f"127.0.0.1:{self.port}"
        folder.mkdir()
        self.node = RunningNode(settings_for(folder, server_name=self.name, more=FEDERATION + more), clock)
        self.node.listen_more = self._listen

    async def start(self) -> None:
        """Answer others."""
        await self.node.__aenter__()

    async def _listen(self, runner: web.BaseRunner) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(CERTIFICATES / "certificate.pem", CERTIFICATES / "private_key.pem")
        await web.TCPSite(runner, "127.0.0.1", self.port, ssl_context=context).start()

    async def stop(self) -> None:
        """Be away: nobody answers."""
        await self.node.__aexit__()


@asynccontextmanager
async def town(folder: Path, *names: str, more: str = "") -> AsyncIterator[list[RunningNode]]:
    """Running nodes that know nothing of each other yet."""
    async with AsyncExitStack() as closing:
        found = []
        for name in names:
            far = FarNode(folder / name, more=more)
            await far.start()
            closing.push_async_callback(far.stop)
            found.append(far.node)
        yield found
