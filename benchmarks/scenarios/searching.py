"""Looking for a Japanese word of two letters, which stands between no spaces, in a room full of messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from benchmarks.matrix_client import Person
from benchmarks.measuring import Figure, cpu_ms, in_lanes, latencies_of, measured, timed
from benchmarks.sizes import Sizes
from benchmarks.town import Town

_ROOM: Final = "archive"
_WORD: Final = "避難"
_EVERY: Final = 100
_LANES: Final = 8


async def search(town: Town, sizes: Sizes) -> list[Figure]:
    """Some people search one after the other; one message in a hundred has the word in it."""
    people = await town.people(4, "archivist")
    room_id = await town.room(_ROOM, len(people), "archivist")
    await in_lanes(_LANES, [people[n % 4].send(room_id, _message(n)) for n in range(sizes.searched)])
    found = await people[0].search(room_id, _WORD)
    waits, window = await measured(town.server, _search_in_turn(people, room_id, sizes.searches_each))
    wanted = min(10, sizes.searched // _EVERY)
    return [Figure(
        name="search",
        measure="ms CPU",
        unit="search",
        value=cpu_ms(window, len(waits)),
        count=len(waits),
        warm_up=1,
        wall_s=window.wall_s,
        latencies=latencies_of(waits),
        note="" if found >= wanted else f"{found} of {wanted} messages found",
        complete=found >= wanted,
    )]


async def _search_in_turn(people: Sequence[Person], room_id: str, each: int) -> list[float]:
    return [await timed(person.search(room_id, _WORD)) for _ in range(each) for person in people]


def _message(number: int) -> str:
    if number % _EVERY == 0:
        return f"第{number}回の避難訓練は公園に集まってください。"
    return f"回覧板{number}を見ました。次の清掃の日は八時に公園の入口に集まってください。"
