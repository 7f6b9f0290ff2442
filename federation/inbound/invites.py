"""Door: somebody of another server invites one of us (spec: "Inviting to a room")."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from federation.inbound.caller import Peer, peer
from server.foundation.errors import BadRequest, NotFound, Refused
from server.foundation.ids import server_name_of
from server.http.answers import json_answer
from server.rooms.event import Event, own_signature
from server.rooms.room_versions import RoomVersion, room_version


async def invite_v2(request: web.Request) -> web.Response:
    """PUT v2/invite: the invitation with our signature."""
    who = await peer(request)
    body = who.object()
    version = _known_version(body.get("room_version"))
    shown = body.get("invite_room_state", [])
    event = await _invite(who, request, body.get("event"), shown if isinstance(shown, list) else [], version)
    return json_answer({"event": event.pdu})


async def invite_v1(request: web.Request) -> web.Response:
    """PUT v1/invite: the same in the old form, which does not say the room version."""
    who = await peer(request)
    body = who.object()
    unsigned = body.get("unsigned")
    shown = unsigned.get("invite_room_state", []) if isinstance(unsigned, dict) else []
    event = await _invite(who, request, body, shown if isinstance(shown, list) else [], room_version("5"))
    return json_answer([200, {"event": event.pdu}])


async def _invite(
    who: Peer, request: web.Request, pdu: object, shown: Sequence[Any], version: RoomVersion
) -> Event:
    federation = who.federation
    found = (await federation.reader.read_each([pdu], version))[0]
    if not isinstance(found, Event):
        raise found
    _require_invitation(found, request)
    who.require_user(found.sender)
    guest = found.state_key or ""
    if server_name_of(guest) != federation.identity.server_name or not await federation.accounts.user_exists(guest):
        raise NotFound("There is no such user here")
    room = await federation.rooms.rooms.find(found.room_id)
    if room is not None:
        who.require_admitted(room)
    event = _signed(found, who)
    if room is None or not room.joined_here:
        known = await federation.far_rooms.shown(who.origin, shown, version, event.room_id)
        await federation.arrivals.be_told(event, known, version)
    return event


def _require_invitation(event: Event, request: web.Request) -> None:
    if event.type != "m.room.member" or event.content.get("membership") != "invite" or event.state_key is None:
        raise BadRequest("This is no invitation")
    if event.room_id != request.match_info["roomId"] or event.event_id != request.match_info["eventId"]:
        raise BadRequest("The invitation is not the one that the address names")


def _known_version(name: object) -> RoomVersion:
    try:
        return room_version(name)
    except Refused as refused:
        raise Refused(refused.reason, code="M_INCOMPATIBLE_ROOM_VERSION", extra={"room_version": str(name)}) from None


def _signed(event: Event, who: Peer) -> Event:
    identity = who.federation.identity
    signatures = event.pdu["signatures"]
    mine = {**signatures.get(identity.server_name, {}), identity.key.key_id: own_signature(event, identity.key)}
    pdu = {**event.pdu, "signatures": {**signatures, identity.server_name: mine}}
    return Event(pdu, event.version, event.event_id, event.room_id)
