"""Asking other servers for their names, people, lists and Spaces: the room core's port ``FarQuestions``, over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from federation.identity.servers import Servers, path_of
from server.foundation.errors import NotFound, Refused
from server.foundation.ids import is_server_name, server_name_of
from server.rooms.ports import PeerFailed

Json = dict[str, Any]
_V1: Final = "/_matrix/federation/v1"
_MOST_SERVERS: Final = 50


class Questions:
    """Implements ``server.rooms.ports.FarQuestions``."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers

    async def alias(self, alias: str) -> tuple[str, list[str]]:
        """GET query/directory"""
        answer = await self._ask(server_name_of(alias), f"{_V1}/query/directory", [("room_alias", alias)])
        room_id, servers = answer.get("room_id"), answer.get("servers")
        if not isinstance(room_id, str) or not room_id.startswith("!"):
            raise PeerFailed("The other server did not answer as it should")
        named = servers if isinstance(servers, list) else []
        known = [name for name in named if isinstance(name, str) and is_server_name(name)]
        return room_id, known[:_MOST_SERVERS] or [server_name_of(alias)]

    async def profile(self, user_id: str, name: str | None = None) -> Json:
        """GET query/profile"""
        query = [("user_id", user_id), *([("field", name)] if name is not None else [])]
        return await self._ask(server_name_of(user_id), f"{_V1}/query/profile", query)

    async def public_rooms(self, server: str, wanted: Mapping[str, Any]) -> Json:
        """POST publicRooms"""
        answer = await self._servers.ask(server, "POST", f"{_V1}/publicRooms", content=wanted)
        if not isinstance(answer, dict) or not isinstance(answer.get("chunk"), list):
            raise PeerFailed("The other server did not answer as it should")
        return answer

    async def hierarchy(self, servers: Sequence[str], room_id: str, *, suggested_only: bool) -> Json:
        """GET hierarchy, from the first server that knows the room"""
        fault: Refused = NotFound("No server is known that knows this room")
        for server in servers:
            try:
                query = [("suggested_only", str(suggested_only).lower())]
                answer = await self._ask(server, path_of(f"{_V1}/hierarchy", room_id), query)
            except Refused as refused:
                fault = refused
                continue
            if isinstance(answer.get("room"), dict):
                return answer
        raise fault

    async def _ask(self, server: str, path: str, query: Sequence[tuple[str, str]]) -> Json:
        answer = await self._servers.get(server, path, query)
        if not isinstance(answer, dict):
            raise PeerFailed("The other server did not answer as it should")
        return answer
