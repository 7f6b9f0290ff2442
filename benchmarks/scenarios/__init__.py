"""The scenarios: what is done to a server, each giving one or more figures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from benchmarks.measuring import Figure
from benchmarks.scenarios.crowds import burst, burst_of_1500, fan_out, many_idle, receipts
from benchmarks.scenarios.federating import far_room, many_servers, remote_messages
from benchmarks.scenarios.joining import register_and_join
from benchmarks.scenarios.resolving import resolution
from benchmarks.scenarios.searching import search
from benchmarks.scenarios.sending import disk, private_answers, send_in_circle, send_in_hall
from benchmarks.scenarios.sliding import sliding_start, sliding_wake
from benchmarks.scenarios.starting import start
from benchmarks.scenarios.syncing import empty_sync, initial_sync
from benchmarks.sizes import Sizes
from benchmarks.town import Town


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario, the figures it gives, and whether it is too slow for the server that we compare with."""

    run: Callable[[Town, Sizes], Awaitable[list[Figure]]]
    figures: tuple[str, ...]
    only_ours: bool = False


# In this order: memory after start needs a fresh server, registering needs an empty one; a room of a thousand strangers
# and open connections to 240 servers would be counted with the memory after the burst.
SCENARIOS: Sequence[Scenario] = (
    Scenario(start, ("start", "start_cpu", "memory_start")),
    Scenario(register_and_join, ("register", "join")),
    Scenario(send_in_circle, ("send_16",)),
    Scenario(fan_out, ("memory_polling", "fan_out")),
    Scenario(receipts, ("receipt",)),
    Scenario(send_in_hall, ("send_300",)),
    Scenario(private_answers, ("private_answer",)),
    Scenario(empty_sync, ("empty_sync",)),
    Scenario(initial_sync, ("initial_sync", "initial_sync_50")),
    Scenario(sliding_start, ("sliding_start", "sliding_cold")),
    Scenario(sliding_wake, ("sliding_wake",)),
    Scenario(search, ("search",)),
    Scenario(resolution, ("resolution",), only_ours=True),
    Scenario(disk, ("disk",)),
    Scenario(burst, ("burst", "memory_burst")),
    Scenario(burst_of_1500, ("burst_1500", "memory_burst_1500"), only_ours=True),
    Scenario(many_idle, ("memory_idle_2000",), only_ours=True),
    Scenario(remote_messages, ("remote_message", "remote_batch")),
    Scenario(far_room, ("far_room",)),
    Scenario(many_servers, ("broadcast",)),
)


def chosen(only: Sequence[str]) -> list[Scenario]:
    """The scenarios that give one of these figures; all of them when no figure is named."""
    known = {figure for scenario in SCENARIOS for figure in scenario.figures}
    unknown = set(only) - known
    if unknown:
        raise ValueError(f"no figure is called {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
    return [scenario for scenario in SCENARIOS if not only or set(only) & set(scenario.figures)]
