"""Coming and going: invite, join, knock, leave, kick, ban, unban, forget (spec: "Room membership")."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from server.foundation.errors import BadRequest, Forbidden, NotFound, Refused
from server.foundation.ids import UserId, is_server_name, server_name_of
from server.foundation.keyed_locks import KeyedLocks
from server.rooms.event import Event
from server.rooms.live_room import LiveRoom
from server.rooms.membership_store import forget_room, memberships_of
from server.rooms.ports import FarRooms
from server.rooms.room_summary import shown_to_strangers
from server.rooms.rooms import Rooms
from server.rooms.send_event import VOUCHER, Draft, EventSender
from server.storage.database import Database, Writes

Content = dict[str, Any]
# What a client may not say of itself: whether somebody vouches for it is found out by this node.
_OURS_ALONE = ("membership", VOUCHER, "third_party_invite")
_SHOWN_ELSEWHERE = ("displayname", "avatar_url", "reason", VOUCHER)

logger = logging.getLogger(__name__)


class Profiles(Protocol):
    """What the room core needs to know of people: the accounts bring it."""

    async def member_profile(self, user_id: str) -> Content:
        """``displayname`` and ``avatar_url`` as far as they are set."""

    async def user_exists(self, user_id: str) -> bool:
        """Whether this node has such a user."""


class Membership:
    """Verbs that change who is in a room."""

    def __init__(
        self, database: Database, rooms: Rooms, sender: EventSender, profiles: Profiles, far: FarRooms
    ) -> None:
        self._database = database
        self._rooms = rooms
        self._sender = sender
        self._profiles = profiles
        self._far = far
        self._arriving = KeyedLocks()

    async def invite(
        self, room_id: str, sender: str, user_id: str, reason: str | None = None, *, is_direct: bool = False
    ) -> None:
        """Invite a user; raises ``Forbidden`` by the rules, also where the user is in already."""
        UserId.parse(user_id)
        room = await self._rooms.get(room_id)
        if room.membership(user_id) == "join":
            raise Forbidden("This user is in the room already")
        await self._require_known(user_id)
        content = {"membership": "invite", **await self._profiles.member_profile(user_id)}
        if is_direct:
            content["is_direct"] = True
        if server_name_of(user_id) != self._sender.identity.server_name:
            content = _with_reason(content, reason)
            await self._invite_far(room, Draft(room_id, sender, "m.room.member", content, user_id))
            return
        await self._set(room_id, sender, user_id, content, reason)

    async def _invite_far(self, room: LiveRoom, draft: Draft) -> None:
        """An invitation is signed by both servers, and so goes there before it enters the room."""
        async with self._rooms.hold(room) as held:
            event = self._sender.propose(held, draft)
        await self._far.invite(room, event, [item.pdu for item in shown_to_strangers(room, draft.sender)])

    async def join(
        self, room_id: str, user_id: str, extra: Mapping[str, Any] | None = None, reason: str | None = None,
        *, is_guest: bool = False, via: Sequence[str] = (),
    ) -> str:
        """Join; doing it twice is no fault. Answers the room id. Guests need the room's leave (``guest_access``).

        ``via`` are servers that may let us into a room which nobody here is in.
        """
        room = await self._rooms.find(room_id)
        if room is None or _is_elsewhere(room):
            # One at a time: whoever comes second is let in by the first.
            async with self._arriving.hold(room_id):
                room = await self._rooms.find(room_id)
                if room is None or _is_elsewhere(room):
                    return await self._join_far(room, room_id, user_id, _with_reason(extra or {}, reason), via)
        if is_guest and room.content("m.room.guest_access").get("guest_access") != "can_join":
            raise Forbidden("Guests may not join this room", code="M_GUEST_ACCESS_FORBIDDEN")
        if room.membership(user_id) == "join" and not extra:
            return room.room_id
        content: Content = {"membership": "join", **await self._profiles.member_profile(user_id)}
        content |= {name: value for name, value in (extra or {}).items() if name not in _OURS_ALONE}
        voucher = await self.voucher(room, user_id)
        if voucher is not None:
            content[VOUCHER] = voucher
        elif self._needs_voucher(room, user_id) and room.other_servers():
            # Nobody here may let people in; somebody of another server may.
            return await self._join_far(room, room_id, user_id, _with_reason(extra or {}, reason), via)
        await self._set(room_id, user_id, user_id, content, reason)
        return room.room_id

    async def _join_far(
        self, room: LiveRoom | None, room_id: str, user_id: str, extra: Mapping[str, Any], via: Sequence[str]
    ) -> str:
        servers = self._servers_of(room, room_id, user_id, via)
        profile = await self._profiles.member_profile(user_id)
        content = {**profile, **{name: value for name, value in extra.items() if name not in _OURS_ALONE}}
        await self._far.join(servers, room_id, user_id, content)
        return room_id

    async def knock(
        self, room_id: str, user_id: str, reason: str | None = None, *, via: Sequence[str] = ()
    ) -> str:
        """Ask to be let in."""
        content = {"membership": "knock", **await self._profiles.member_profile(user_id)}
        room = await self._rooms.find(room_id)
        if room is None or _is_elsewhere(room):
            servers = self._servers_of(room, room_id, user_id, via)
            await self._far.knock(servers, room_id, user_id, _with_reason(content, reason))
            return room_id
        await self._set(room_id, user_id, user_id, content, reason)
        return room_id

    async def leave(self, room_id: str, user_id: str, reason: str | None = None) -> None:
        """Leave, decline an invitation, or withdraw a knock. Leaving twice is no fault."""
        room = await self._rooms.get(room_id)
        member = room.member(user_id)
        if member is not None and member.content.get("membership") == "leave":
            return
        if _is_elsewhere(room):
            if member is None:
                raise Forbidden("You are not in this room")
            servers = self._servers_of(room, room_id, user_id, ())
            await self._far.leave(servers, room, user_id, _with_reason({}, reason))
            return
        await self._set(room_id, user_id, user_id, {"membership": "leave"}, reason)

    async def kick(self, room_id: str, sender: str, user_id: str, reason: str | None = None) -> None:
        """Remove a member, or take an invitation back."""
        room = await self._rooms.get(room_id)
        self._require_inside(room, sender)
        if room.membership(user_id) not in ("join", "invite", "knock"):
            raise Forbidden("This user is not in the room")
        await self._set(room_id, sender, user_id, {"membership": "leave"}, reason)

    async def ban(self, room_id: str, sender: str, user_id: str, reason: str | None = None) -> None:
        """Remove a user for good."""
        UserId.parse(user_id)
        self._require_inside(await self._rooms.get(room_id), sender)
        await self._set(room_id, sender, user_id, {"membership": "ban"}, reason)

    async def unban(self, room_id: str, sender: str, user_id: str, reason: str | None = None) -> None:
        """Take a ban back."""
        room = await self._rooms.get(room_id)
        self._require_inside(room, sender)
        if room.membership(user_id) != "ban":
            raise Forbidden("This user is not banned", code="M_BAD_STATE")
        await self._set(room_id, sender, user_id, {"membership": "leave"}, reason)

    async def forget(self, room_id: str, user_id: str) -> None:
        """Do not show a left room any more."""
        room = await self._rooms.get(room_id)
        if room.membership(user_id) in ("join", "invite", "knock"):
            raise BadRequest("Leave the room before you forget it")
        writes = Writes()
        forget_room(writes, user_id, room_id)
        await self._database.submit(writes)

    async def joined_rooms(self, user_id: str) -> list[str]:
        """Ids of the rooms that a user is in."""
        found = await memberships_of(self._database, user_id)
        return [item.room_id for item in found if item.membership == "join"]

    async def follow_profile(
        self, user_id: str, before: Mapping[str, Any] | None = None, *, with_rooms: bool = True
    ) -> None:
        """Show a changed name or picture in all rooms of a user.

        Where the user goes by another name in one room than the profile ``before``, that name stays.
        """
        if not with_rooms:
            return
        profile = await self._profiles.member_profile(user_id)
        for room_id in await self.joined_rooms(user_id):
            room = await self._rooms.get(room_id)
            member = room.member(user_id)
            if member is None or member.content.get("membership") != "join":
                continue
            content = _with_profile(member.content, profile, before)
            if content == member.content:
                continue
            draft = Draft(room_id, user_id, "m.room.member", content, user_id)
            try:
                # Somebody who is removed at this moment must not come in again by changing their name.
                await self._sender.send(replace(draft, replaces=member.event_id))
            except Refused as refused:
                logger.info("a profile was not followed: %s", refused)

    async def _set(
        self, room_id: str, sender: str, user_id: str, content: Content, reason: str | None
    ) -> Event:
        content = _with_reason(content, reason)
        return await self._sender.send(Draft(room_id, sender, "m.room.member", content, user_id))

    async def _require_known(self, user_id: str) -> None:
        if UserId.parse(user_id).server_name == self._sender.identity.server_name:
            if not await self._profiles.user_exists(user_id):
                raise NotFound("There is no such user here")

    def _require_inside(self, room: LiveRoom, user_id: str) -> None:
        if room.membership(user_id) != "join":
            raise Forbidden("You are not in this room")

    async def voucher(self, room: LiveRoom, user_id: str) -> str | None:
        """For a restricted room: a member of ours who may invite and so vouches for the newcomer (MSC3083)."""
        if not self._needs_voucher(room, user_id) or not await self._in_allowed_room(room, user_id):
            return None
        return find_inviter(room)

    async def require_voucher(self, room: LiveRoom, user_id: str) -> str:
        """Like ``voucher``; where there is none it says why, so that the other server knows whom else to ask."""
        if not await self._in_allowed_room(room, user_id):
            if all([await self._is_watched(room_id) for room_id in _allowed_rooms(room)]):
                raise Forbidden("You are in none of the rooms from which one may join this one")
            raise Refused("We do not know who may join", code="M_UNABLE_TO_AUTHORISE_JOIN", status=400)
        found = find_inviter(room)
        if found is None:
            raise Refused("Nobody here can let this user in", code="M_UNABLE_TO_GRANT_JOIN", status=400)
        return found

    def _servers_of(self, room: LiveRoom | None, room_id: str, user_id: str, via: Sequence[str]) -> list[str]:
        """Other servers that may know a room, the likeliest first; raises ``NotFound`` where there is none."""
        found = list(via)
        if room is not None:
            member = room.member(user_id)
            found += [server_name_of(member.sender)] if member is not None else []
            found += sorted(room.other_servers())
            if room.outside:
                # Who is shown to us in it, its creator for one.
                found += sorted({server_name_of(event.sender) for event in room.state.values()})
        named = dict.fromkeys([*found, server_name_of(room_id)])
        others = [server for server in named if is_server_name(server) and server != self._rooms.server_name]
        if not others:
            raise NotFound("This room is not known here")
        return others

    def _needs_voucher(self, room: LiveRoom, user_id: str) -> bool:
        is_restricted = room.join_rule in ("restricted", "knock_restricted")
        return is_restricted and room.membership(user_id) not in ("join", "invite")

    async def _in_allowed_room(self, room: LiveRoom, user_id: str) -> bool:
        for room_id in _allowed_rooms(room):
            other = await self._rooms.find(room_id)
            if other is not None and other.membership(user_id) == "join":
                return True
        return False

    async def _is_watched(self, room_id: str) -> bool:
        """Whether we know for certain who is in a room."""
        room = await self._rooms.find(room_id)
        return room is not None and bool(room.joined_here)


def _allowed_rooms(room: LiveRoom) -> list[str]:
    """The rooms whose members may join a restricted room."""
    allowed = room.content("m.room.join_rules").get("allow")
    rules = allowed if isinstance(allowed, list) else []
    return [str(rule.get("room_id")) for rule in rules if isinstance(rule, dict)]


def _with_profile(content: Mapping[str, Any], profile: Content, before: Mapping[str, Any] | None) -> Content:
    """A member event's content with another name and picture, but for those that were chosen for this room alone."""
    own = {
        name: content.get(name) for name in ("displayname", "avatar_url")
        if before is not None and content.get(name) != before.get(name)
    }
    kept = {name: value for name, value in content.items() if name not in _SHOWN_ELSEWHERE}
    chosen = {**profile, **own}
    return {**kept, **{name: value for name, value in chosen.items() if value is not None}}


def find_inviter(room: LiveRoom) -> str | None:
    """A local member whose level allows to invite."""
    levels = room.levels()
    strongest = max(room.joined_here, key=levels.of_user, default=None)
    return strongest if strongest is not None and levels.of_user(strongest) >= levels.invite else None


def _with_reason(content: Mapping[str, Any], reason: str | None) -> Content:
    return {**content, "reason": reason} if reason else dict(content)


def _is_elsewhere(room: LiveRoom) -> bool:
    """Whether none of us is in a room in which others are: then only they know how it stands."""
    return not room.joined_here and (room.outside or bool(room.joined))
