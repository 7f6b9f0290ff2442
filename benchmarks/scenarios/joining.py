"""New neighbours: accounts made with the shared secret, then everybody enters the one big room."""

from __future__ import annotations

from benchmarks.measuring import Figure, cpu_ms, latencies_of, measured
from benchmarks.sizes import Sizes
from benchmarks.town import Town

HALL = "hall"
"""The room that everybody is in."""


async def register_and_join(town: Town, sizes: Sizes) -> list[Figure]:
    """Registers the residents, then they join the hall, sixteen at a time."""
    count = sizes.people
    _, registering = await measured(town.server, town.people(count))
    await town.empty_room(HALL)
    waits, joining = await measured(town.server, town.enter(HALL, count))
    return [
        Figure(
            name="register",
            measure="ms CPU",
            unit="account",
            value=cpu_ms(registering, count),
            count=count,
            wall_s=registering.wall_s,
        ),
        Figure(
            name="join",
            measure="ms CPU",
            unit="join",
            value=cpu_ms(joining, count),
            count=count,
            wall_s=joining.wall_s,
            latencies=latencies_of(waits),
        ),
    ]
