"""What is counted while a node runs, and the page of figures for Prometheus. No figure is about a person."""

from __future__ import annotations

import os
import shutil
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from aiohttp import web

from server.application_services.courier import Health
from server.config import Settings
from server.foundation.clock import Clock
from server.http.room_services import RoomServices
from server.operation.prometheus import CONTENT_TYPE, Histogram, Labels, family, histogram
from server.operation.upkeep_store import all_upkeep
from server.operation.waiting_store import Waiting, what_waits
from server.storage.database import Database

__all__ = ["CONTENT_TYPE", "Figures", "Meter"]

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_MOST_DESTINATIONS: Final = 50
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_AREAS: Final = (
    ("/_matrix/client/v3/sync", "sync"), ("/_matrix/client/unstable/org.matrix.simplified_msc3575/sync", "sync"),
    ("/_matrix/client/v1/media/", "media"), ("/_matrix/media/", "media"), ("/_matrix/client/", "client"),
    ("/_matrix/federation/", "federation"), ("/_matrix/key/", "federation"), ("/dav", "calendars"),
)


class Meter:
    """Counts requests and commits."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._started = clock.monotonic()
        self._requests: Counter[Labels] = Counter()
        self._durations: defaultdict[Labels, Histogram] = defaultdict(Histogram)
        self._commits = Histogram()

    @property
    def uptime_s(self) -> float:
        """How long the node has been there."""
        return self._clock.monotonic() - self._started

    def committed(self, seconds: float) -> None:
        """A transaction took so long."""
        self._commits.add(seconds)

    def answered(self, area: str, status: int, seconds: float) -> None:
        """A request was answered. How long somebody waits at ``/sync`` says nothing of the node."""
        self._requests[("area", area), ("status", f"{status // 100}xx")] += 1
        if area != "sync":
            self._durations[("area", area),].add(seconds)

    def middleware(self) -> Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]:
        """Counts every request of an application."""

        @web.middleware
        async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
            start, status = self._clock.monotonic(), 500
            try:
                response = await handler(request)
                status = response.status
                return response
            except web.HTTPException as refused:
                status = refused.status
                raise
            finally:
                self.answered(_area_of(request.path), status, self._clock.monotonic() - start)

        return count

    def lines(self) -> Iterator[str]:
        """What was counted."""
        yield from family("kairan_requests_total", "counter", "Requests answered.", self._requests)
        yield from histogram("kairan_request_seconds", "Time to an answer, without /sync.", self._durations)
        yield from histogram("kairan_commit_seconds", "Time of a transaction with its disk.", {(): self._commits})


def _area_of(path: str) -> str:
    return next((area for prefix, area in _AREAS if path.startswith(prefix)), "pages")


class Figures:
    """The page of figures of one node."""

    def __init__(
        self, meter: Meter, settings: Settings, database: Database, services: RoomServices, clock: Clock,
        bridges: Mapping[str, Health],
    ) -> None:
        self._meter = meter
        self._settings = settings
        self._database = database
        self._services = services
        self._clock = clock
        self._bridges = bridges

    async def page(self) -> str:
        """All figures as they are now."""
        waiting = await what_waits(self._database)
        upkeep = await all_upkeep(self._database)
        done: dict[Labels, float] = {
            (("work", work),): item.done_ms / 1000 for work, item in upkeep.items() if item.done_ms is not None
        }
        failing: dict[Labels, float] = {(("work", work),): float(bool(item.words)) for work, item in upkeep.items()}
        lines = [
            *self._meter.lines(), *self._node(), *self._push(), *self._machine(),
            *_queues(waiting, self._clock.now_ms()), *_bridges(self._bridges, self._clock.now_ms()),
            *family("kairan_upkeep_done_seconds", "gauge", "When nightly work last went well, Unix time.", done),
            *family("kairan_upkeep_failing", "gauge", "Whether nightly work failed the last time.", failing),
        ]
        return "\n".join(lines) + "\n"

    def _node(self) -> Iterator[str]:
        bell, positions = self._services.sync.ground.bell, self._services.sync.ground.positions
        gauges = {
            "kairan_sync_waiting": ("Clients that wait at /sync.", bell.waiting),
            "kairan_writes_waiting": ("Writes that wait for the database.", self._database.waiting),
            "kairan_stream_position": ("How far the order of all changes has come.", positions.current),
            "kairan_uptime_seconds": ("Since the start.", round(self._meter.uptime_s)),
        }
        for name, (purpose, value) in gauges.items():
            yield from family(name, "gauge", purpose, {(): value})

    def _push(self) -> Iterator[str]:
        pushers = self._services.pushers
        apps = sum(len(pushers.of(user_id)) for user_id in pushers.users)
        yield from family("kairan_push_apps", "gauge", "Telephones and browsers that are told of news.", {(): apps})
        yield from family(
            "kairan_push_failing", "gauge", "Those of them whose service does not answer.", {(): len(pushers.failing)}
        )

    def _machine(self) -> Iterator[str]:
        folder = self._settings.data_dir
        files = ("kairan.db", "kairan.db-wal")
        sizes: dict[Labels, float] = {(("file", name),): _size(folder / name) for name in files}
        yield from family("kairan_database_bytes", "gauge", "Size of the database's files.", sizes)
        yield from family("kairan_disk_free_bytes", "gauge", "Room left.", {(): shutil.disk_usage(folder).free})
        yield from family("process_resident_memory_bytes", "gauge", "Memory.", {(): _memory()})
        yield from family("process_open_fds", "gauge", "Open files.", {(): len(list(Path("/proc/self/fd").iterdir()))})


def _queues(waiting: list[Waiting], now_ms: int) -> Iterator[str]:
    shown = waiting[:_MOST_DESTINATIONS]
    yield from family("kairan_queues", "gauge", "Servers for which something waits.", {(): len(waiting)})
    yield from family(
        "kairan_queue_length", "gauge", "Things that wait for a server; the longest queues.",
        {(("destination", item.destination),): item.waiting for item in shown},
    )
    yield from family(
        "kairan_queue_age_seconds", "gauge", "Age of the oldest event that waits for a server.",
        {(("destination", item.destination),): max(0, now_ms - item.oldest_ts) / 1000
         for item in shown if item.oldest_ts is not None},
    )
    yield from family(
        "kairan_destination_failing_seconds", "gauge", "How long a server has not answered.",
        {(("destination", item.destination),): max(0, now_ms - item.failing_since_ts) / 1000
         for item in shown if item.failing_since_ts is not None},
    )


def _bridges(bridges: Mapping[str, Health], now_ms: int) -> Iterator[str]:
    done: dict[Labels, float] = {
        (("bridge", name),): health.done_ms / 1000 for name, health in bridges.items() if health.done_ms is not None
    }
    failing: dict[Labels, float] = {
        (("bridge", name),): 0.0 if health.failing_since_ms is None else (now_ms - health.failing_since_ms) / 1000
        for name, health in bridges.items()
    }
    purpose = "When a bridge (application service) last took what it was told, Unix time."
    yield from family("kairan_bridge_done_seconds", "gauge", purpose, done)
    yield from family("kairan_bridge_failing_seconds", "gauge", "How long a bridge has not taken anything.", failing)


def _size(file: Path) -> int:
    return file.stat().st_size if file.is_file() else 0


def _memory() -> int:
    """Resident bytes (proc(5), ``statm``)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
