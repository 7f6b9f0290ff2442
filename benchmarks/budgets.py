"""What we want: server CPU (or memory, time, disk) per unit, and how many times less than Synapse in the same run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """`most` in the figure's own measure; `ratio` is Synapse's figure divided by ours, where one is promised."""

    title: str
    most: float
    ratio: float | None = None


BUDGETS: Mapping[str, Budget] = {
    "start": Budget("start to first answer", 0.5),
    "start_cpu": Budget("start, CPU", 500.0),
    "memory_start": Budget("memory after start", 60.0),
    "register": Budget("register an account", 2.0),
    "join": Budget("join the big room", 1.5),
    "send_16": Budget("message, room of 16, 16 senders", 0.4, 15.0),
    "memory_polling": Budget("memory, all waiting on /sync", 80.0),
    "fan_out": Budget("fan-out to all who wait", 0.12, 20.0),
    "receipt": Budget("read receipt while all wait", 1.0, 10.0),
    "send_300": Budget("message, room of everybody", 0.5, 30.0),
    "private_answer": Budget("answer in one's own room of two", 0.4),
    "empty_sync": Budget("sync with nothing new", 0.12, 8.0),
    "initial_sync": Budget("first sync, 20 rooms", 4.0, 12.0),
    "initial_sync_50": Budget("first sync, 20 rooms, 50 messages", 8.0, 12.0),
    "sliding_start": Budget("sliding sync, first request, many rooms", 20.0, 8.0),
    "sliding_cold": Budget("the same as the first one after a restart", 60.0),
    "sliding_wake": Budget("sliding sync, fan-out to all who wait", 0.12, 15.0),
    "search": Budget("search for a Japanese word", 20.0),
    "remote_message": Budget("message of another server", 1.5),
    "remote_batch": Budget("the same, fifty a transaction", 1.5),
    "far_room": Budget("join a large room of another server", 3_000.0),
    "broadcast": Budget("message to 240 servers", 60.0),
    "resolution": Budget("resolve two forks of 100 conflicted events", 20.0),
    "disk": Budget("disk", 1.5),
    "burst": Budget("all answer at once, all wait", 4.0, 15.0),
    "memory_burst": Budget("memory after the burst", 120.0),
    "burst_1500": Budget("1,500 answer at once, all wait", 20.0),
    "memory_burst_1500": Budget("memory after the burst of 1,500", 400.0),
    "memory_idle_2000": Budget("memory, 2,000 waiting on /sync after a restart", 120.0),
}
"""By figure. The ratios are promises; the rest is what we aim at on the machine that the design was measured on."""
