"""Doors: people of other servers join our rooms, leave them, knock (spec: "Joining Rooms" and what follows it).

Who asks to join is first told where the event must stand (``make_*``), and brings it signed (``send_*``). We look at
the event itself again: nothing is taken for granted that was said before.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from federation.inbound.caller import Peer, peer
from server.foundation.errors import BadRequest, Forbidden, Refused
from server.foundation.ids import server_name_of
from server.http.answers import json_answer
from server.rooms.auth_rules import check_auth
from server.rooms.event import Event, own_signature
from server.rooms.live_room import LiveRoom
from server.rooms.room_summary import shown_to_strangers
from server.rooms.send_event import VOUCHER, Draft

Json = dict[str, Any]


async def make_join(request: web.Request) -> web.Response:
    """GET make_join: the event that would let the user in."""
    who = await peer(request)
    room, user_id = await _room_to_enter(who, request)
    content: Json = {"membership": "join"}
    if room.join_rule in ("restricted", "knock_restricted") and room.membership(user_id) not in ("join", "invite"):
        content[VOUCHER] = await who.federation.rooms.membership.require_voucher(room, user_id)
    return _proposal(who, room, user_id, content)


async def make_knock(request: web.Request) -> web.Response:
    """GET make_knock"""
    who = await peer(request)
    room, user_id = await _room_to_enter(who, request)
    return _proposal(who, room, user_id, {"membership": "knock"})


async def make_leave(request: web.Request) -> web.Response:
    """GET make_leave: also for an invitation that is declined, or a knock that is taken back."""
    who = await peer(request)
    user_id = request.match_info["userId"]
    who.require_user(user_id)
    room = await who.federation.rooms.rooms.get(request.match_info["roomId"])
    _require_inside(room)
    who.require_admitted(room)
    return _proposal(who, room, user_id, {"membership": "leave"})


async def send_join_v2(request: web.Request) -> web.Response:
    """PUT v2/send_join: the state of the room before the join, and what it rests on."""
    return json_answer(await _send_join(request))


async def send_join_v1(request: web.Request) -> web.Response:
    """PUT v1/send_join: the same in the old form."""
    return json_answer([200, await _send_join(request)])


async def send_leave_v2(request: web.Request) -> web.Response:
    """PUT v2/send_leave"""
    who, event = await _event_brought(request, "leave")
    await who.federation.receiver.receive(who.origin, event, relay=True)
    return json_answer({})


async def send_leave_v1(request: web.Request) -> web.Response:
    """PUT v1/send_leave"""
    await send_leave_v2(request)
    return json_answer([200, {}])


async def send_knock(request: web.Request) -> web.Response:
    """PUT send_knock: what one is shown of the room while one waits."""
    who, event = await _event_brought(request, "knock")
    await who.federation.receiver.receive(who.origin, event, relay=True)
    room = await who.federation.rooms.rooms.get(event.room_id)
    return json_answer({"knock_room_state": [item.pdu for item in shown_to_strangers(room)]})


async def _send_join(request: web.Request) -> Json:
    who, event = await _event_brought(request, "join")
    federation = who.federation
    event = await _with_our_voucher(who, event)
    await federation.receiver.receive(who.origin, event, relay=True)
    room = await federation.rooms.rooms.get(event.room_id)
    before = (await federation.receiver.state_before(room, event)).state
    chain = await federation.receiver.forks.with_chains(room, [item.event_id for item in before.values()])
    return {
        "auth_chain": [item.event.pdu for item in chain.values() if not item.is_rejected],
        "event": event.pdu,
        "members_omitted": False,
        "origin": federation.identity.server_name,
        "servers_in_room": sorted({*room.other_servers(), federation.identity.server_name}),
        "state": [item.pdu for item in before.values()],
    }


async def _room_to_enter(who: Peer, request: web.Request) -> tuple[LiveRoom, str]:
    user_id = request.match_info["userId"]
    who.require_user(user_id)
    room = await who.federation.rooms.rooms.get(request.match_info["roomId"])
    _require_inside(room)
    who.require_admitted(room)
    if room.version.name not in request.query.getall("ver", ["1"]):
        raise Refused(
            "Your server does not know the version of this room", code="M_INCOMPATIBLE_ROOM_VERSION",
            extra={"room_version": room.version.name},
        )
    return room, user_id


def _require_inside(room: LiveRoom) -> None:
    if not room.joined_here:
        raise Refused("Nobody here is in this room any more", code="M_NOT_FOUND", status=404)


def _proposal(who: Peer, room: LiveRoom, user_id: str, content: Json) -> web.Response:
    sender = who.federation.rooms.sender
    draft = Draft(room.room_id, user_id, "m.room.member", content, user_id)
    pdu = sender.unsigned_pdu(room, draft)
    check_auth(Event(pdu, room.version, "$proposed", room.room_id), room.state)
    return json_answer({"event": pdu, "room_version": room.version.name})


async def _event_brought(request: web.Request, membership: str) -> tuple[Peer, Event]:
    """The event that was signed after ``make_*``, if it is what it must be."""
    who = await peer(request)
    room = await who.federation.rooms.rooms.get(request.match_info["roomId"])
    _require_inside(room)
    who.require_admitted(room)
    reader, mine = who.federation.reader, who.federation.identity.server_name
    # Under a restricted join our own signature comes last, see below.
    found = (await reader.read_each([who.object()], room.version, spared=mine))[0]
    if not isinstance(found, Event):
        raise found
    if found.room_id != room.room_id or found.type != "m.room.member" or found.state_key != found.sender:
        raise BadRequest("This is not somebody's own membership of this room")
    if found.content.get("membership") != membership or found.event_id != request.match_info["eventId"]:
        raise BadRequest(f"This is not the {membership} that it should be")
    who.require_user(found.sender)
    return who, found


async def _with_our_voucher(who: Peer, event: Event) -> Event:
    """Sign a restricted join as well, if one of ours vouches for it: and only then."""
    voucher = event.content.get(VOUCHER)
    identity = who.federation.identity
    if not isinstance(voucher, str) or server_name_of(voucher) != identity.server_name:
        return event
    room = await who.federation.rooms.rooms.get(event.room_id)
    if await who.federation.rooms.membership.voucher(room, event.sender) is None:
        raise Forbidden("Nobody here can let this user in")
    signature = own_signature(event, identity.key)
    theirs = event.pdu["signatures"]
    mine = {**theirs.get(identity.server_name, {}), identity.key.key_id: signature}
    pdu = {**event.pdu, "signatures": {**theirs, identity.server_name: mine}}
    return Event(pdu, event.version, event.event_id, event.room_id)
