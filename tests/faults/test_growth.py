"""R23, the other way round: what in memory grows with traffic has a name, and each name has a bound.

The same few people do the same things again and again, devices, rooms and strangers come and go, and then everything
that the node holds is counted (``census``). Whatever has grown and is not in ``BOUNDS`` would grow for ever. This finds
in seconds what ``test_endurance`` sees in hours.
"""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Final

from tests.builders import Person, RunningNode
from tests.faults.census import census
from tests.federation.stranger import Stranger, meeting
from tests.federation.stranger_room import StrangerRoom

# Also in docs/architecture.md, "What is kept in memory".
BOUNDS: Final = {
    # Of each room in memory: 2,500 rooms, and none that nobody has used for ten minutes.
    "Rooms._live": "2,500", "Rooms._used": "as the rooms", "LiveRoom.timeline": "120 events of a room",
    "LiveRoom.state": "the state of a room", "Tip.extremities": "the ends of a room", "PowerLevels.users": "a room's",
    "PowerLevels.events": "a room's", "Event.pdu": "the events", "Event.prev_events": "the events",
    "Entry.moved": "the timelines", "Entry.redacted_because": "the timelines", "Unread.threads": "the timelines",
    # Beside them.
    "Book._receipts": "a member, kind and thread each; 3,000 rooms", "Book._threads": "the receipts",
    "Book._news": "32 a room", "Crowds._known": "64", "Crowd.firsts": "64 times a few", "JoinedRooms._shared": "64",
    "Forks._known": "5,000", "Transactions._known": "20,000", "AnsweredTransactions._answers": "2,000",
    "ToDevice._sent": "300 a device, 4,000 devices", "Feed.forgotten": "rooms that a user has left; 4,000 users",
    # One for each room of which something has been heard since the start.
    "Bell._rang_at": "the rooms of this node", "Bell._order": "the rooms of this node",
    "Bell._last_of_room": "the rooms of this node",
    # Once for each statement of the code, when it is first used.
    "SqliteBatches._compiled": "the statements of the stores",
    "_Someone.devices": "those that were there in the last 30 s, or said so in the last five minutes",
}
_WARM, _LONG = 4, 12


async def test_whatever_grows_with_traffic_has_a_bound(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, taro = await node.users("hanako", "taro")
        room = await hanako.creates_room(preset="public_chat")
        await taro.joins(room)
        far = oni.creates_room()
        assert (await hanako.post(f"v3/join/{far.room_id}", server_name=oni.name)).status == 200
        for number in range(_WARM):
            await _round(number, hanako, taro, room)
            await _far_round(number, node, hanako, oni, far)
        before = census(node.inside, node.client.server.app)
        for number in range(_WARM, _WARM + _LONG):
            await _round(number, hanako, taro, room)
            await _far_round(number, node, hanako, oni, far)
        gc.collect()
        after = census(node.inside, node.client.server.app)
    # What grows by less than one a round, or by so much only because it waits, is no leak.
    grown = {place: (before[place], count) for place, count in after.items() if count - before[place] >= _LONG // 2}
    assert "LiveRoom.timeline" in grown, "the census sees nothing"
    assert not {place: sizes for place, sizes in grown.items() if place not in BOUNDS}


async def _round(number: int, hanako: Person, taro: Person, room: str) -> None:
    """What people do all day; and what comes and goes."""
    said = await taro.says(room, f"{number}")
    await hanako.reads(room, said)
    thanks = {"rel_type": "m.annotation", "event_id": said, "key": "👍"}
    await hanako.sends(room, "m.reaction", {"m.relates_to": thanks})
    await taro.redacts(room, said)
    await taro.put(f"v3/rooms/{room}/typing/{taro.user_id}", {"typing": True, "timeout": 1000})
    await taro.put(f"v3/presence/{taro.user_id}/status", {"presence": "online", "status_msg": f"{number}"})
    await taro.put(f"v3/profile/{taro.user_id}/displayname", {"displayname": f"太郎{number}"})
    await hanako.put(f"v3/user/{hanako.user_id}/account_data/org.example.note", {"number": number})
    await hanako.put(f"v3/sendToDevice/m.dummy/{number}", {"messages": {taro.user_id: {"*": {"number": number}}}})
    await hanako.get(f"v3/rooms/{room}/messages", dir="b", limit="20")
    await hanako.post("v3/search", {"search_categories": {"room_events": {"search_term": f"{number}"}}})
    await hanako.post("unstable/org.matrix.simplified_msc3575/sync", _WISH)
    phone = await hanako.node.user("hanako", f"PHONE{number}")
    await phone.syncs()
    await phone.post("v3/keys/upload", {"one_time_keys": {f"curve25519:{number}": "a" * 43}})
    await phone.post("v3/logout")
    other = await hanako.creates_room(preset="public_chat")
    await taro.joins(other)
    for person in (hanako, taro):
        await person.leaves(other)
        await person.post(f"v3/rooms/{other}/forget")


async def _far_round(number: int, node: RunningNode, hanako: Person, oni: Stranger, room: StrangerRoom) -> None:
    """What another server tells, of people whom it makes up."""
    guest = oni.user(f"guest{number}")
    moves = [room.put(guest, "m.room.member", {"membership": move}, guest) for move in ("join", "leave")]
    said = room.put(oni.user("oni"), "m.room.message", {"msgtype": "m.text", "body": f"far {number}"})
    await oni.tells_of(node, *moves, said)
    people = [{"user_id": user, "presence": "online"} for user in (oni.user("oni"), guest)]
    note = {"sender": oni.user("oni"), "type": "m.dummy", "message_id": f"m{number}", "messages": {
        hanako.user_id: {"*": {"number": number}}}}
    changed = {"user_id": guest, "device_id": "A", "stream_id": number + 1, "prev_id": []}
    await oni.sends(node, edus=[
        {"edu_type": "m.presence", "content": {"push": people}},
        {"edu_type": "m.direct_to_device", "content": note},
        {"edu_type": "m.device_list_update", "content": changed},
        {"edu_type": "m.typing", "content": {"room_id": room.room_id, "user_id": oni.user("oni"), "typing": True}},
    ])


_WISH: Final = {
    "conn_id": "list",
    "lists": {"all": {"ranges": [[0, 10]], "timeline_limit": 1, "required_state": [["m.room.member", "$LAZY"]]}},
    "extensions": {name: {"enabled": True} for name in ("to_device", "e2ee", "account_data", "receipts", "typing")},
}
