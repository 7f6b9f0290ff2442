"""Room aliases: names like ``#kairan:sakura.example.jp`` (spec: "Room aliases")."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from server.foundation.errors import Forbidden, InvalidParam, NotFound, Refused
from server.foundation.ids import MAX_ID_BYTES, is_server_name, server_name_of
from server.rooms.alias_store import Alias, add_alias, aliases_of_room, find_alias, find_alias_in, remove_alias
from server.rooms.live_room import LiveRoom
from server.rooms.ports import FarQuestions
from server.rooms.room_directory import may_manage
from server.rooms.rooms import Rooms
from server.rooms.send_event import Draft, EventSender
from server.storage.database import Database

# Asks somebody who may know a room of this name, or make one now; answers whether to look again.
Ask = Callable[[str], Awaitable[bool]]


class Aliases:
    """Names of rooms on this node."""

    def __init__(self, database: Database, rooms: Rooms, sender: EventSender, far: FarQuestions) -> None:
        self._database = database
        self._rooms = rooms
        self._sender = sender
        self._server_name = sender.identity.server_name
        self._far = far
        self._ask: Ask | None = None

    def full(self, localpart: str) -> str:
        """``#localpart:server``; raises ``InvalidParam`` where that is no alias."""
        alias = f"#{localpart}:{self._server_name}"
        if not localpart or ":" in localpart or "\0" in localpart or len(alias.encode()) > MAX_ID_BYTES:
            raise InvalidParam("This cannot be the name of a room")
        return alias

    def require_ours(self, alias: str) -> None:
        """Raise ``InvalidParam`` unless ``alias`` is well formed and of this node."""
        localpart, _, server_name = alias.removeprefix("#").partition(":")
        if not alias.startswith("#") or server_name != self._server_name:
            raise InvalidParam("This is no room alias of this server")
        self.full(localpart)

    async def resolve(self, alias: str) -> str:
        """The room that an alias stands for."""
        if not alias.startswith("#") or ":" not in alias:
            raise InvalidParam("Not a room alias")
        found = await find_alias(self._database, alias)
        if found is None and self._ask is not None and await self._ask(alias):
            found = await find_alias(self._database, alias)
        if found is None:
            raise NotFound("There is no room of this name")
        return found.room_id

    async def find(self, room_id_or_alias: str) -> tuple[str, list[str]]:
        """The room that an id or an alias means, also an alias of another server; and servers that know it."""
        if self.is_far(room_id_or_alias):
            return await self._far.alias(room_id_or_alias)
        return await self.room_id(room_id_or_alias), []

    def is_far(self, alias: str) -> bool:
        """Whether this is the name of a room on another server."""
        server = server_name_of(alias)
        return alias.startswith("#") and is_server_name(server) and server != self._server_name

    def ask_where_unknown(self, ask: Ask) -> None:
        """Let ``ask`` be awaited for names that no room here has."""
        self._ask = ask

    async def room_id(self, room_id_or_alias: str) -> str:
        """A room id, looked up where an alias is given."""
        if room_id_or_alias.startswith("#"):
            return await self.resolve(room_id_or_alias)
        if not room_id_or_alias.startswith("!"):
            raise InvalidParam("Neither a room id nor a room alias")
        return room_id_or_alias

    async def require_free(self, alias: str) -> None:
        """Raise ``M_ROOM_IN_USE`` where a room has this name already."""
        if await find_alias(self._database, alias) is not None:
            raise Refused("A room of this name exists already", code="M_ROOM_IN_USE")

    async def add(self, alias: str, room_id: str, user_id: str) -> None:
        """Give a room a name. Of many who want the same name at once, one gets it: ``M_UNKNOWN`` 409 for the rest."""
        self.require_ours(alias)
        room = await self._rooms.get(room_id)
        if room.membership(user_id) != "join":
            raise Forbidden("You are not in this room")
        async with self._database.write() as tx:
            if await find_alias_in(tx, alias) is not None:
                raise Refused("A room of this name exists already", status=409)
            await add_alias(tx, Alias(alias, room_id, user_id))

    async def remove(self, alias: str, user_id: str, *, is_admin: bool = False) -> None:
        """Take a name away: by whoever gave it, or by those who may set the room's main alias.

        Who may, also takes it out of the room's ``m.room.canonical_alias``.
        """
        found = await find_alias(self._database, alias)
        if found is None:
            raise NotFound("There is no room of this name")
        room = await self._rooms.find(found.room_id)
        if found.creator != user_id and not is_admin and not (room and may_manage(room, user_id)):
            raise Forbidden("You may not take this name away")
        async with self._database.write() as tx:
            if await find_alias_in(tx, alias) != found:
                raise NotFound("There is no room of this name")
            await remove_alias(tx, alias)
        if room is not None:
            await self._tell_room(room, alias, user_id)

    async def of_room(self, room_id: str) -> list[str]:
        """All names of a room."""
        return await aliases_of_room(self._database, room_id)

    async def _tell_room(self, room: LiveRoom, alias: str, user_id: str) -> None:
        content = dict(room.content("m.room.canonical_alias"))
        others = content.get("alt_aliases")
        if isinstance(others, list) and alias in others:
            content["alt_aliases"] = [item for item in others if item != alias]
        if content.get("alias") == alias:
            del content["alias"]
        if content == room.content("m.room.canonical_alias"):
            return
        try:
            await self._sender.send(Draft(room.room_id, user_id, "m.room.canonical_alias", content, ""))
        except Forbidden:
            return  # the name is gone all the same; those who may will set another one
