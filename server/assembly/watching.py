"""Watching a node that runs: its health, its figures, its heartbeat; late backups."""

from __future__ import annotations

import asyncio
import importlib
from typing import Final

from aiohttp import web

from server.assembly.node import Node
from server.foundation.service_manager import ServiceManager
from server.foundation.tasks import keep_doing
from server.operation.waiting_store import ask_anything

_PATIENCE_S: Final = 10.0
_DAY_S: Final = 86_400.0


def add_health(app: web.Application, node: Node) -> None:
    """``/health``: 200 where the node works, 503 where its database does not answer. Says nothing else."""

    async def health(_request: web.Request) -> web.Response:
        works = await _works(node)
        return web.json_response({"status": "ok" if works else "down"}, status=200 if works else 503)

    app.router.add_get("/health", health)


def measure(app: web.Application, node: Node) -> None:
    """Count what an application does, where the settings want figures."""
    if node.settings.watching.listen is not None:
        meter = importlib.import_module("server.operation.metrics").Meter(node.core.clock)
        node.core.late.meter = meter
        node.core.database.when_committed = meter.committed
        app.middlewares.append(meter.middleware())


async def start_watching(node: Node, manager: ServiceManager) -> web.AppRunner | None:
    """Begin the heartbeat and the rest; answers the listener for figures, if there is one, to be cleaned up."""
    clock, tasks = node.core.clock, node.core.tasks
    if manager.heartbeat_s is not None:
        beat = keep_doing("heartbeat", lambda: _beat(node, manager), clock, every_s=manager.heartbeat_s)
        tasks.start("heartbeat", beat)
    if node.settings.backup.folder is not None:
        tasks.start("late backups", keep_doing("late backups", lambda: _look(node), clock, every_s=_DAY_S))
    return await _serve_figures(node)


async def _beat(node: Node, manager: ServiceManager) -> None:
    """A database that answers with an error is no reason to start anew: that would help nobody. One that hangs is."""
    try:
        await asyncio.wait_for(ask_anything(node.core.database), _PATIENCE_S)
    except TimeoutError:
        return
    except Exception:  # noqa: S110 - it is told where it matters; here only life counts
        pass
    manager.alive()


async def _works(node: Node) -> bool:
    try:
        await asyncio.wait_for(ask_anything(node.core.database), _PATIENCE_S)
    except Exception:
        return False
    return True


async def _look(node: Node) -> None:
    await importlib.import_module("server.assembly.upkeep").look_for_late_backups(node)


async def _serve_figures(node: Node) -> web.AppRunner | None:
    listen, meter = node.settings.watching.listen, node.core.late.meter
    if listen is None or meter is None:
        return None
    module = importlib.import_module("server.operation.metrics")
    services = node.core.late.application_services
    bridges = {} if services is None else services.couriers.healths()
    figures = module.Figures(meter, node.settings, node.core.database, node.services, node.core.clock, bridges)

    async def show(_request: web.Request) -> web.Response:
        return web.Response(body=(await figures.page()).encode(), headers={"Content-Type": module.CONTENT_TYPE})

    app = web.Application()
    app.router.add_get("/metrics", show)
    add_health(app, node)
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    await web.TCPSite(runner, listen.host, listen.port).start()
    return runner
