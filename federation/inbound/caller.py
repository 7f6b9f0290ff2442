"""Who of the other servers asks, and what: the ``X-Matrix`` signature is checked before anything else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from federation.identity.x_matrix import Unauthorized, read_claims, signed_object
from federation.inbound.opening import FEDERATION
from federation.serving.services import Federation
from server.foundation.canonical_json import parse_json
from server.foundation.errors import BadRequest, Forbidden, Refused
from server.foundation.ids import server_name_of
from server.foundation.signatures import signature_is_valid
from server.http.requests import body_bytes
from server.rooms.live_room import LiveRoom
from server.rooms.receive_event import require_admitted

# 50 events of 64 KiB and 100 other things.
MAX_TRANSACTION_BYTES: Final = 12 * 1024 * 1024
_MOST_BYTES: Final = 4 * 1024 * 1024
_SECONDS: Final = 60.0


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
    """The server that has signed the request. Raises ``Unauthorized``, ``BadRequest`` or ``LimitExceeded``."""
    federation = await request.app[FEDERATION].open()
    with federation.intake.space(size_of(request, _MOST_BYTES)):
        return await signed_by(request, federation, _MOST_BYTES)


def size_of(request: web.Request, most: int) -> int:
    """How many bytes a request may bring, as far as it says so."""
    if not request.can_read_body:
        return 0
    return most if request.content_length is None else min(request.content_length, most)


async def signed_by(request: web.Request, federation: Federation, most: int) -> Peer:
    """The server that has signed a request of up to ``most`` bytes, for which there is room."""
    claims = read_claims(request.headers.getall("Authorization", []))
    data = await _in_time(body_bytes(request, most))
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


async def _in_time(reading: Awaitable[bytes]) -> bytes:
    """Whoever sends a byte now and then is not waited for."""
    try:
        async with asyncio.timeout(_SECONDS):
            return await reading
    except TimeoutError:
        raise Refused("The request came too slowly", status=408) from None
