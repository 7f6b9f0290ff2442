"""What other servers tell beside events: typing, receipts, devices (spec: "EDUs"). What is not known is passed over.

A server speaks for its own users only. What concerns a room counts only of members, and of servers that are let in.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from federation.inbound.caller import Peer
from federation.outbound.far_devices import DeviceUpdate
from federation.outbound.far_keys_format import device_keys_in, stream_id_of
from server.accounts.presence import MAX_MESSAGE_CHARACTERS
from server.foundation.errors import BadRequest, Forbidden, NotFound, Refused
from server.foundation.ids import UserId
from server.rooms.live_room import LiveRoom
from server.rooms.receipts import READ

Json = dict[str, Any]
Take = Callable[[Peer, Json], Awaitable[None]]

_MOST_BYTES: Final = 255
# Of each in one message: receipts, people, addressees, numbers of earlier lists.
_MOST_RECEIPTS: Final = 1_000
_MOST_PEOPLE: Final = 1_000
_MOST_NUMBERS: Final = 1_000
# Whoever types on says so again within a minute.
_TYPING_MS: Final = 60_000


def comes_before_events(edu: object) -> bool:
    """Whether it is to be taken before the events beside it: the keys that open them. What was read comes after."""
    return isinstance(edu, dict) and str(edu.get("edu_type")) not in ("m.receipt", "m.typing", "m.presence")


async def take_message(who: Peer, edu: object) -> None:
    """Take one; raises ``Refused``."""
    if not isinstance(edu, dict) or not isinstance(edu.get("content"), dict):
        raise BadRequest("A message has a type and a content")
    take = _KINDS.get(str(edu.get("edu_type")))
    if take is not None:
        await take(who, edu["content"])


async def _take_typing(who: Peer, content: Json) -> None:
    user_id = _own_user(who, content.get("user_id"))
    if type(content.get("typing")) is not bool:
        raise BadRequest("typing is true or false")
    room = await _room(who, content.get("room_id"))
    await who.federation.rooms.typing.set(room.room_id, user_id, content["typing"], _TYPING_MS)


async def _take_receipts(who: Peer, content: Json) -> None:
    left = _MOST_RECEIPTS
    for room_id, kinds in content.items():
        readers = kinds.get(READ) if isinstance(kinds, dict) else None
        if not isinstance(readers, dict):
            continue
        for user_id, told in list(readers.items())[:left]:
            left -= 1
            await _each(_take_receipt(who, room_id, user_id, told))


async def _take_receipt(who: Peer, room_id: str, user_id: str, told: object) -> None:
    _own_user(who, user_id)
    if not isinstance(told, dict) or not isinstance(told.get("event_ids"), list) or not told["event_ids"]:
        raise BadRequest("A receipt names an event")
    event_id, data = _text(told["event_ids"][0]), told.get("data")
    data = data if isinstance(data, dict) else {}
    thread = _text(data["thread_id"]) if data.get("thread_id") is not None else ""
    room = await _room(who, room_id)
    receipts = who.federation.rooms.receipts
    await receipts.send(room.room_id, user_id, READ, event_id, thread, stream_id_of(data.get("ts")))


async def _take_presence(who: Peer, content: Json) -> None:
    rules = who.federation.rooms.sync.presence.rules
    people = content.get("push")
    if not isinstance(people, list):
        raise BadRequest("push is a list of people")
    if not rules.enabled:
        return
    told = {item["user_id"]: item for item in people[:_MOST_PEOPLE] if _is_of(who, item)}
    for user_id in await who.federation.messages.far_devices.near(told):
        await _each(_take_person(who, user_id, told[user_id]))


async def _take_person(who: Peer, user_id: str, told: Json) -> None:
    message, idle = told.get("status_msg"), told.get("last_active_ago")
    shown = message[:MAX_MESSAGE_CHARACTERS] if isinstance(message, str) and message else None
    who.federation.accounts.presence.receive(user_id, str(told.get("presence")), shown, stream_id_of(idle))


async def _take_to_device(who: Peer, content: Json) -> None:
    sender = _own_user(who, content.get("sender"))
    kind, message_id, messages = _text(content.get("type")), _text(content.get("message_id")), content.get("messages")
    if not isinstance(messages, dict) or len(messages) > _MOST_PEOPLE:
        raise BadRequest("messages holds a content by user and device")
    users = who.federation.accounts.users
    ours: dict[str, Json] = {}
    for user_id, by_device in messages.items():
        if not isinstance(by_device, dict) or not all(isinstance(item, dict) for item in by_device.values()):
            raise BadRequest("messages holds a content by user and device")
        if users.is_ours(str(UserId.parse(user_id))):
            ours[user_id] = by_device
    federation = who.federation
    federation.intake.count_letters(who.origin, sum(len(item) for item in ours.values()), federation.clock)
    await federation.accounts.to_device.send_once((sender, ""), kind, message_id, ours)


async def _take_device_list(who: Peer, content: Json) -> None:
    user_id, device_id = _own_user(who, content.get("user_id")), _text(content.get("device_id"))
    number, previous = stream_id_of(content.get("stream_id")), content.get("prev_id")
    previous = [] if previous is None else previous
    if number is None or not isinstance(previous, list) or len(previous) > _MOST_NUMBERS:
        raise BadRequest("A list of devices has a number, and numbers before it")
    keys = content.get("keys")
    if content.get("deleted") is True or not keys:
        good = None
    else:
        good = device_keys_in(keys, user_id, device_id, content.get("device_display_name"))
        if good is None:
            raise BadRequest("These are no keys of a device")
    await _require_near(who, user_id)
    before = tuple(item for item in previous if type(item) is int)
    await who.federation.messages.far_devices.take(DeviceUpdate(user_id, device_id, number, before, good))


async def _take_signing_keys(who: Peer, content: Json) -> None:
    user_id = _own_user(who, content.get("user_id"))
    await _require_near(who, user_id)
    await who.federation.messages.far_devices.take_cross_signing(
        user_id, content.get("master_key"), content.get("self_signing_key")
    )


async def _each(work: Awaitable[None]) -> None:
    """One of several; that it is refused is no harm to the others."""
    try:
        await work
    except Refused:
        return


async def _require_near(who: Peer, user_id: str) -> None:
    if not await who.federation.messages.far_devices.near([user_id]):
        raise Forbidden("None of us shares a room with this user")


async def _room(who: Peer, room_id: object) -> LiveRoom:
    room = await who.federation.rooms.rooms.get(_text(room_id))
    if room.outside or not room.joined_here:
        raise NotFound("Nobody here is in this room")
    who.require_admitted(room)
    return room


def _own_user(who: Peer, user_id: object) -> str:
    found = str(UserId.parse(user_id))
    who.require_user(found)
    return found


def _is_of(who: Peer, item: object) -> bool:
    try:
        return isinstance(item, dict) and bool(_own_user(who, item.get("user_id")))
    except Refused:
        return False


def _text(value: object) -> str:
    if not isinstance(value, str) or not value or "\0" in value or len(value.encode()) > _MOST_BYTES:
        raise BadRequest("An id is a text of at most 255 bytes")
    return value


_KINDS: Final[Mapping[str, Take]] = {
    "m.typing": _take_typing,
    "m.receipt": _take_receipts,
    "m.presence": _take_presence,
    "m.direct_to_device": _take_to_device,
    "m.device_list_update": _take_device_list,
    "m.signing_key_update": _take_signing_keys,
    "org.matrix.signing_key_update": _take_signing_keys,
}
