"""Who of the other servers asks, and what: the ``X-Matrix`` signature is checked before anything else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from federation.identity.x_matrix import Unauthorized, read_claims, signed_object
from federation.inbound.opening import FEDERATION
from federation.serving.services import Federation
from server.foundation.canonical_json import parse_json
from server.foundation.errors import BadRequest, Forbidden
from server.foundation.ids import server_name_of
from server.foundation.signatures import signature_is_valid
from server.http.requests import body_bytes
from server.rooms.live_room import LiveRoom
from server.rooms.receive_event import require_admitted

# 50 events of 64 KiB and 100 other things.
MAX_BODY_BYTES: Final = 12 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Peer:
    """Another server that asks something. ``content`` is ``None`` where the request carries nothing."""

    origin: str
    content: Any
    federation: Federation

    def object(self) -> dict[str, Any]:
        """The JSON object that the request carries; raises ``BadRequest``."""
        if not isinstance(self.content, dict):
            raise BadRequest("The request must be a JSON object")
        return self.content

    def require_user(self, user_id: str) -> None:
        """Raise ``Forbidden`` where a server speaks for somebody who is not its own."""
        if server_name_of(user_id) != self.origin:
            raise Forbidden("This user is not of your server")

    def require_admitted(self, room: LiveRoom) -> None:
        """Raise ``Forbidden`` where the room's ACL shuts the server out."""
        require_admitted(room, self.origin)

    async def room(self, room_id: str) -> LiveRoom:
        """A room in which both of us are; raises ``NotFound`` or ``Forbidden``."""
        room = await self.federation.rooms.rooms.get(room_id)
        self.require_admitted(room)
        if self.origin not in room.other_servers():
            raise Forbidden("Your server is not in this room")
        return room


async def peer(request: web.Request) -> Peer:
    """The server that has signed the request. Raises ``Unauthorized`` or ``BadRequest``."""
    federation = await request.app[FEDERATION].open()
    claims = read_claims(request.headers.getall("Authorization", []))
    data = await body_bytes(request, MAX_BODY_BYTES)
    content = parse_json(data) if data else None
    origin, mine = claims[0].origin, federation.identity.server_name
    if origin == mine:
        raise Unauthorized("This is our own name")
    for claim in claims:
        if claim.destination not in ("", mine):
            raise Unauthorized("The request is meant for another server")
        key = await federation.key_ring.for_request(origin, claim.key_id)
        signed = signed_object(request.method, request.raw_path, origin, claim.destination or mine, content)
        signed["signatures"] = {origin: {claim.key_id: claim.signature}}
        if key is None or not signature_is_valid(signed, origin, claim.key_id, key):
            raise Unauthorized("The signature of the request is not right")
    federation.delivery.is_alive(origin)
    return Peer(origin, content, federation)
