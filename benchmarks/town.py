"""The people and rooms that the scenarios share on one server; made when first asked for."""

from __future__ import annotations

import asyncio

from benchmarks.http_client import HttpClientFactory
from benchmarks.matrix_client import Person, register
from benchmarks.measuring import in_lanes, timed
from benchmarks.servers import ServerProcess

_LANES = 16


class Town:
    """Who lives on the server under test and which rooms they are in."""

    def __init__(self, server: ServerProcess, connect: HttpClientFactory, room_version: str = "") -> None:
        self.server = server
        self._connect = connect
        self._room_options = {"room_version": room_version} if room_version else {}
        self._people: dict[str, list[Person]] = {}
        self._rooms: dict[str, str] = {}
        self._members: dict[str, int] = {}

    async def people(self, count: int, family: str = "resident") -> list[Person]:
        """The first `count` people of a family of names, registered when they are not yet."""
        family_members = self._people.setdefault(family, [])
        missing = range(len(family_members), count)
        family_members.extend(await in_lanes(_LANES, [self._register(f"{family}{number}") for number in missing]))
        return family_members[:count]

    async def officer(self) -> Person:
        """The one who creates the rooms, speaks to all and listens to nobody."""
        return (await self.people(1, "officer"))[0]

    async def room(self, name: str, members: int, family: str = "resident") -> str:
        """A room of the officer and the first `members` people, joined when they are not in it yet."""
        await self.enter(name, members, family)
        return self._rooms[name]

    async def enter(self, name: str, members: int, family: str = "resident") -> list[float]:
        """Lets those of the first `members` people join who are not in the room yet; seconds each waited."""
        room_id = await self.empty_room(name)
        people = await self.people(members, family)
        newcomers = people[self._members[name] :]
        waits = await in_lanes(_LANES, [timed(person.join(room_id)) for person in newcomers])
        self._members[name] = max(self._members[name], members)
        return waits

    async def empty_room(self, name: str) -> str:
        """A public room in which there is only the officer, unless others joined already."""
        if name not in self._rooms:
            officer = await self.officer()
            self._rooms[name] = await officer.create_room(name, preset="public_chat", **self._room_options)
            self._members[name] = 0
        return self._rooms[name]

    async def private_rooms(self, count: int) -> list[str]:
        """One room of two for each of the first `count` people: the resident and the officer."""
        people = await self.people(count)
        return await in_lanes(_LANES, [self._private_room(person) for person in people])

    async def close(self) -> None:
        """Closes all connections."""
        for person in [person for family in self._people.values() for person in family]:
            await asyncio.gather(person.talking.close(), person.waiting.close())

    async def _register(self, username: str) -> Person:
        port = self.server.site.port
        return await register(port, username, self._connect, self._connect(port))

    async def _private_room(self, person: Person) -> str:
        name = f"window of {person.user_id}"
        if name not in self._rooms:
            officer = await self.officer()
            invited = {"preset": "private_chat", "invite": [officer.user_id], "is_direct": True}
            self._rooms[name] = await person.create_room(name, **invited, **self._room_options)
            await officer.join(self._rooms[name])
        return self._rooms[name]
