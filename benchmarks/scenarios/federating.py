"""Other servers: coming into a room of theirs, hearing what they say, and speaking to many of them at once."""

from __future__ import annotations

import itertools

import aiohttp

from benchmarks.matrix_client import Person
from benchmarks.measuring import Figure, Window, cpu_ms, measured
from benchmarks.sizes import Sizes
from benchmarks.stranger import Stranger, StrangersRoom
from benchmarks.town import Town
from server.rooms.event import Event

_transactions = itertools.count()


async def remote_messages(town: Town, sizes: Sizes) -> list[Figure]:
    """A server says something in a room that one of ours is in: one event a transaction, and fifty."""
    stranger = Stranger()
    await stranger.start()
    try:
        room = stranger.room()
        await (await town.officer()).join_through(room.room_id, stranger.home)
        await _say(town, stranger, room, 5, 1)
        count = sizes.remote_messages
        _, singly = await measured(town.server, _say(town, stranger, room, count, 1))
        _, together = await measured(town.server, _say(town, stranger, room, count, 50))
    finally:
        await stranger.stop()
    return [
        _figure("remote_message", "message", singly, count),
        _figure("remote_batch", "message", together, count),
    ]


async def far_room(town: Town, sizes: Sizes) -> list[Figure]:
    """Somebody joins a room of another server that has many members and much state."""
    stranger = Stranger()
    await stranger.start()
    try:
        room = stranger.room()
        for number in range(sizes.far_members):
            user = f"@member{number}:{stranger.home}"
            room.add("m.room.member", user, {"membership": "join", "displayname": f"会員{number}"}, user)
        for number in range(sizes.far_state):
            room.add("org.example.setting", room.boss, {"value": number}, f"key{number}")
        officer = await town.officer()
        _, window = await measured(town.server, officer.join_through(room.room_id, stranger.home))
    finally:
        await stranger.stop()
    note = f"{sizes.far_members} members, {sizes.far_state} other state events"
    return [_figure("far_room", "join", window, 1, note=note)]


async def many_servers(town: Town, sizes: Sizes) -> list[Figure]:
    """One of ours speaks in a room with members on many servers; over when all of these have it."""
    stranger = Stranger()
    await stranger.start()
    try:
        room = stranger.room()
        for number in range(1, sizes.servers):
            user = f"@officer:{stranger.name(number)}"
            room.add("m.room.member", user, {"membership": "join"}, user)
        officer = await town.officer()
        await officer.join_through(room.room_id, stranger.home)
        complete = await _speak(officer, stranger, room, 1, sizes)
        count = sizes.broadcasts
        told, window = await measured(town.server, _speak(officer, stranger, room, count, sizes))
    finally:
        await stranger.stop()
    note = f"to {sizes.servers} servers"
    return [_figure("broadcast", "message", window, count, note=note, complete=complete and told)]


async def _say(town: Town, stranger: Stranger, room: StrangersRoom, count: int, together: int) -> None:
    """The stranger sends ``count`` messages, ``together`` a transaction."""
    destination = f"localhost:{town.server.site.port}"
    events: list[Event] = []
    for number in range(count):
        events.append(room.add("m.room.message", room.boss, {"msgtype": "m.text", "body": f"第{number}号"}))
    async with aiohttp.ClientSession(f"http://127.0.0.1:{town.server.site.port}") as session:
        for start in range(0, count, together):
            txn = f"t{next(_transactions)}"
            path, body, headers = stranger.transaction(destination, txn, events[start:start + together])
            async with session.put(path, data=body, headers=headers) as answer:
                results = (await answer.json())["pdus"]
            if answer.status != 200 or any("error" in result for result in results.values()):
                raise RuntimeError(f"the stranger's events were refused: {results}")


async def _speak(officer: Person, stranger: Stranger, room: StrangersRoom, count: int, sizes: Sizes) -> bool:
    before = stranger.taken
    for number in range(count):
        await officer.send(room.room_id, f"お知らせ {number}")
    return await stranger.until_taken(before + count * sizes.servers, sizes.patience_s)


def _figure(
    name: str, unit: str, window: Window, count: int, *, note: str = "", complete: bool = True
) -> Figure:
    return Figure(
        name=name, measure="ms CPU", unit=unit, value=cpu_ms(window, count), count=count, wall_s=window.wall_s,
        note=note, complete=complete,
    )
