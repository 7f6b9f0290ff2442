"""Two halves of a room that went on apart: how long it takes to make one state of them. Pure computing, in our process.
"""

from __future__ import annotations

import time

from benchmarks.measuring import Figure
from benchmarks.sizes import Sizes
from benchmarks.stranger import StrangersRoom
from benchmarks.town import Town
from server.foundation.signatures import SigningKey
from server.rooms.room_versions import room_version
from server.rooms.state_resolution import resolve

_HOME = "far.example"
_OFFICERS = 20
_RESIDENTS = 40
_ROUNDS = 20


async def resolution(_town: Town, sizes: Sizes) -> list[Figure]:
    """Bans against leavings, settings against topics, and levels that change meanwhile."""
    ours, theirs = _halves(sizes.conflicts)
    sets = [{key: event.event_id for key, event in half.state.items()} for half in (ours, theirs)]
    events = {**ours.events, **theirs.events}
    conflicted = {event_id for one, other in (sets, sets[::-1]) for key, event_id in one.items()
                  if other.get(key) != event_id}
    begin = time.process_time()
    for _ in range(_ROUNDS):
        for event in events.values():
            event.power = None
        resolve(room_version("10"), sets, events)
    spent_ms = (time.process_time() - begin) / _ROUNDS * 1e3
    note = f"{len(conflicted)} conflicted events"
    return [Figure(name="resolution", measure="ms CPU", unit="resolution", value=spent_ms, count=_ROUNDS, note=note)]


def _halves(rounds: int) -> tuple[StrangersRoom, StrangersRoom]:
    room = StrangersRoom(0, _HOME, SigningKey.from_seed("1", bytes(range(32))))
    people = [f"@person{number}:{_HOME}" for number in range(_OFFICERS + _RESIDENTS)]
    for person in people:
        room.add("m.room.member", person, {"membership": "join"}, person)
    levels = {room.boss: 100, **dict.fromkeys(people[:_OFFICERS], 50)}
    room.add("m.room.power_levels", room.boss, {"users": levels}, "")
    ours, theirs = room, room.fork()
    for number in range(rounds):
        officer, resident = people[number % _OFFICERS], people[_OFFICERS + number % _RESIDENTS]
        ours.add("m.room.member", officer, {"membership": "ban" if number % 3 else "leave"}, resident)
        theirs.add("m.room.member", resident, {"membership": "leave"}, resident)
        theirs.add("org.example.setting", officer, {"value": number}, f"key{number % 30}")
        if number % 10 == 0:
            ours.add("m.room.power_levels", room.boss, {"users": {**levels, officer: 60}}, "")
    return ours, theirs
