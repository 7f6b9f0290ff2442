"""Starting a node, and stopping it when it is told to."""

from __future__ import annotations

import asyncio
import gc
import resource
import signal
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import uvloop
from aiohttp import web

from server.assembly.listening import listening_sockets
from server.assembly.node import Node, build
from server.assembly.trial import throw_away_if_asked
from server.assembly.watching import start_watching
from server.assembly.web_application import make_app
from server.config import FederationSettings, Settings
from server.foundation.clock import Clock
from server.foundation.errors import Refused
from server.foundation.logs import set_up_logs
from server.foundation.service_manager import ServiceManager
from server.foundation.settings import Address
from server.storage.database import Database
from server.storage.faults import for_operators
from server.storage.schema_version import migrate

_SHUTDOWN_S: Final = 5.0
# At the end: so many looks for those who have just connected, and then for what is on its way to us.
_LAST_CONNECTIONS: Final = 10
_LAST_WORDS: Final = 20
_LOOK_S: Final = 0.01
# Nearly all that a node makes is freed by counting; looking for cycles rarely saves a third of a busy minute.
_GARBAGE: Final = (10_000, 20, 50)
_KEEP_ALIVE_S: Final = 120.0
_BACKLOG: Final = 1024


def prepare_database(settings: Settings) -> None:
    """Make the database, or bring it to this code's schema."""
    asyncio.run(_prepare(settings))


async def _prepare(settings: Settings) -> None:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database.url)
    await database.open()
    try:
        await migrate(database)
    finally:
        await database.close()


def run(settings: Settings) -> int:
    """Run a node until SIGTERM or SIGINT; answers the exit status."""
    set_up_logs(as_json=settings.watching.json_logs)
    gc.set_threshold(*_GARBAGE)
    _allow_many_connections()
    return uvloop.run(_run(settings))


def _allow_many_connections() -> None:
    """A hall of phones holds a connection each; the usual soft limit of 1,024 files is raised as far as it goes."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class _Wishes:
    """What is to become of the node when ``stop`` is set: the end, unless somebody has asked for another beginning."""

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop
        self.is_over = False

    def end(self) -> None:
        """It is over."""
        self.is_over = True
        self._stop.set()

    def begin_again(self) -> None:
        """Once more."""
        self._stop.set()


async def _run(settings: Settings) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    wishes = _Wishes(stop)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, wishes.end)

    async def stand_by() -> None:
        """Another process is active on our database: be ready to take over, which is life enough."""
        if stop.is_set():
            raise Refused("it was told to stop while another process was active")
        manager = ServiceManager()
        manager.ready()
        manager.alive()

    try:
        while not wishes.is_over:
            stop.clear()
            await throw_away_if_asked(settings)
            async with build(settings, while_waiting=stand_by) as node:
                node.core.database.when_displaced = wishes.end
                node.core.late.begin_again = wishes.begin_again
                await _serve(node, stop)
    except OSError as fault:
        sys.stderr.write(f"The node could not start: {fault}\n")
        return 1
    except Exception as fault:
        words = for_operators(fault)
        if words is None:
            raise
        sys.stderr.write(f"The node could not start: {words.reason}\n")
        return 1
    return 0


async def _serve(node: Node, stop: asyncio.Event) -> None:
    manager = ServiceManager()
    async with answering(node) as runner:
        figures = await start_watching(node, manager)
        try:
            sys.stdout.write(f"{node.settings.association.name}: ready on http://{node.settings.http.listen}\n")
            sys.stdout.flush()
            manager.ready()
            node.association.resume(node.core)
            await node.resume()
            await stop.wait()
            manager.stopping()
            node.services.sync.stop_waiting()
            await _hear_the_last(runner, node.core.clock)
        finally:
            if figures is not None:
                await figures.cleanup()


@asynccontextmanager
async def answering(node: Node) -> AsyncIterator[web.AppRunner]:
    """Answer clients and other servers where the settings say, as long as the block lasts. Raises ``OSError``."""
    runner = web.AppRunner(
        make_app(node), access_log=None, handle_signals=False, shutdown_timeout=_SHUTDOWN_S,
        keepalive_timeout=_KEEP_ALIVE_S,
    )
    await runner.setup()
    try:
        await _listen(runner, node.settings.http.listen)
        await _listen_to_servers(runner, node.settings.federation)
        yield runner
    finally:
        await runner.cleanup()


async def _hear_the_last(runner: web.AppRunner, clock: Clock) -> None:
    """Whoever has asked before we leave is answered: a connection that is closed with a question unread is cut."""
    await _look_often(clock, _LAST_CONNECTIONS)
    for site in list(runner.sites):
        await site.stop()
    await _look_often(clock, _LAST_WORDS)


async def _look_often(clock: Clock, times: int) -> None:
    """By turns and not by time: a turn of the loop that answers hundreds is a long one."""
    for _ in range(times):
        await clock.sleep(_LOOK_S)


async def _listen(runner: web.AppRunner, address: Address, tls: ssl.SSLContext | None = None) -> None:
    for opened in listening_sockets(address):
        await web.SockSite(runner, opened, backlog=_BACKLOG, ssl_context=tls).start()


async def _listen_to_servers(runner: web.AppRunner, federation: FederationSettings) -> None:
    """The listener for other servers with a certificate of its own, where the settings ask for one.

    The same paths are on the plain listener, too; on this one a reverse proxy is not needed.
    """
    if not federation.enabled or federation.listen is None or federation.tls_certificate is None:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(federation.tls_certificate, federation.tls_private_key)
    await _listen(runner, federation.listen, context)
