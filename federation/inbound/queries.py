"""Doors: what other servers ask about our names, people, lists and Spaces (spec: "Querying for information", "Public
Room Directory", "Spaces").
"""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from federation.inbound.caller import Peer, peer
from server.foundation.errors import Forbidden, InvalidParam, NotFound
from server.foundation.ids import server_name_of
from server.http.answers import json_answer
from server.http.requests import bool_query, int_query, optional_field, required_query
from server.rooms.live_room import LiveRoom
from server.rooms.room_directory import Search
from server.rooms.room_summary import allowed_rooms, summary_of
from server.rooms.spaces import children_of

Json = dict[str, Any]
_MOST: Final = 100


async def directory(request: web.Request) -> web.Response:
    """GET query/directory: the room that an alias of ours stands for, and who is in it."""
    who = await peer(request)
    alias = required_query(request, "room_alias")
    who.federation.rooms.aliases.require_ours(alias)
    room_id = await who.federation.rooms.aliases.resolve(alias)
    room = await who.federation.rooms.rooms.get(room_id)
    servers = [who.federation.identity.server_name, *sorted(room.other_servers())]
    return json_answer({"room_id": room_id, "servers": servers})


async def profile(request: web.Request) -> web.Response:
    """GET query/profile: what somebody here shows of themselves."""
    who = await peer(request)
    user_id = required_query(request, "user_id")
    if server_name_of(user_id) != who.federation.identity.server_name:
        raise InvalidParam("This user is not of this server")
    await who.federation.accounts.users.get(user_id)
    shown = await who.federation.accounts.profiles.get(user_id)
    name = request.query.get("field")
    return json_answer(shown if name is None else {key: value for key, value in shown.items() if key == name})


async def unknown_query(request: web.Request) -> web.Response:
    """GET query/{queryType}: no other kind is known."""
    await peer(request)
    raise NotFound("Nothing is known of this kind")


async def public_rooms(request: web.Request) -> web.Response:
    """GET publicRooms: our list, where the node shows it to the world."""
    who = await peer(request)
    return await _page(who, Search(), request.query.get("since"), int_query(request, "limit", _MOST))


async def search_public_rooms(request: web.Request) -> web.Response:
    """POST publicRooms: the same, searched."""
    who = await peer(request)
    body = who.object()
    wanted = optional_field(body, "filter", dict) or {}
    search = Search(
        optional_field(wanted, "generic_search_term", str) or "", optional_field(wanted, "room_types", list)
    )
    return await _page(who, search, optional_field(body, "since", str), optional_field(body, "limit", int) or _MOST)


async def _page(who: Peer, search: Search, since: str | None, limit: int) -> web.Response:
    if not who.federation.shows_its_list:
        raise Forbidden("This server shows its list of rooms to its own people only")
    start = int(since) if since is not None and since.isdigit() and len(since) < 10 else 0
    page = await who.federation.rooms.directory.page(search, start, max(0, min(limit, _MOST)))
    answer: Json = {"chunk": list(page.rooms), "total_room_count_estimate": page.total}
    if page.end < page.total:
        answer["next_batch"] = str(page.end)
    if page.start > 0:
        answer["prev_batch"] = str(max(0, page.start - limit))
    return json_answer(answer)


async def hierarchy(request: web.Request) -> web.Response:
    """GET hierarchy/{roomId}: a Space and the rooms right below it, as far as the other server may know of them."""
    who = await peer(request)
    rooms = who.federation.rooms.rooms
    room = await rooms.get(request.match_info["roomId"])
    if not room.joined_here or not _may_know(who, room):
        raise NotFound("There is no such room, or you may not know of it")
    events = children_of(room, suggested_only=bool_query(request, "suggested_only"))
    children, closed = [], []
    for event in events:
        child = await rooms.find(event.state_key or "")
        if child is None or not child.joined_here:
            continue
        if _may_know(who, child):
            children.append(summary_of(child))
        else:
            closed.append(child.room_id)
    told = {**summary_of(room), "children_state": [
        {"type": event.type, "state_key": event.state_key, "content": event.content, "sender": event.sender,
         "origin_server_ts": event.origin_server_ts}
        for event in events
    ]}
    return json_answer({"room": told, "children": children, "inaccessible_children": closed})


def _may_know(who: Peer, room: LiveRoom) -> bool:
    if room.join_rule in ("public", "knock", "knock_restricted") or room.history_visibility == "world_readable":
        return True
    if who.origin in room.other_servers():
        return True
    invited = any(
        kind == "m.room.member" and server_name_of(user_id) == who.origin
        and event.content.get("membership") == "invite"
        for (kind, user_id), event in room.state.items()
    )
    # Whose members may come in is for the asking server to see to; it knows its own people.
    return invited or bool(allowed_rooms(room))


async def moment(request: web.Request) -> web.Response:
    """GET timestamp_to_event/{roomId}: the event nearest to a moment."""
    who = await peer(request)
    room = await who.room(request.match_info["roomId"])
    ts = int_query(request, "ts", 0)
    direction = request.query.get("dir", "f")
    if direction not in ("f", "b"):
        raise InvalidParam("dir is f or b")
    found = await who.federation.event_near(room, ts, backwards=direction == "b")
    return json_answer({"event_id": found.event_id, "origin_server_ts": found.origin_server_ts})
