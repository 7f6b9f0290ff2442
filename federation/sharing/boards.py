"""The common board of two neighbours: an ordinary room that the members of both spaces may enter on their own."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Final

from federation.links.offers import host_of
from federation.sharing.book import ShareBook
from federation.sharing.model import Share, Subject
from federation.sharing.rooms import ShareRooms
from server.association.members.model import Purpose
from server.foundation.errors import Forbidden, NotFound, Refused
from server.foundation.ids import random_letters, server_name_of
from server.rooms.create_room import RoomPlan
from server.rooms.live_room import LiveRoom
from server.rooms.send_event import Draft
from server.storage.database import Writes

logger = logging.getLogger(__name__)

_KEEPER_LEVEL: Final = 90
# Then it is tried again every hour.
_WAITS_S: Final = (1.0, 5.0, 30.0, 120.0, 600.0)
_ORDER: Final = "0900"


class Boards:
    """Makes boards, shows them in our space, lets residents in, and closes them."""

    def __init__(self, book: ShareBook, rooms: ShareRooms) -> None:
        self._book = book
        self._rooms = rooms
        self._making = asyncio.Lock()

    async def ensure_all(self) -> None:
        """Make, or enter, what is missing."""
        for share in self._book.in_force(Subject.BOARD):
            try:
                await self.ensure(share.room_id)
            except Refused as refused:
                logger.warning("a common board is not ready yet: %s", refused)

    async def ensure_soon(self, room_id: str) -> None:
        """``ensure``, again after a while where the neighbour cannot be reached."""
        for wait_s in _WAITS_S:
            try:
                await self.ensure(room_id)
            except Refused as refused:
                logger.info("a common board is not ready yet: %s", refused)
                await self._book.clock.sleep(wait_s)
            else:
                return

    async def ensure(self, room_id: str) -> None:
        """The board of one share: made by the side that has offered, entered by the other; shown in our space."""
        async with self._making:
            share = self._book.find(room_id)
            if share is None or not share.is_in_force or not share.shares(Subject.BOARD):
                return
            if share.is_ours and not share.board_id and share.space_id:
                share = await self._make(share)
            if not share.board_id:
                return
            if share.is_ours:
                # Invited before it is told, so that who hears of it can come in.
                await self._rooms.call(share.board_id, share.user_id)
                await self._rooms.say(share)
            else:
                await self._rooms.verbs.membership.join(share.board_id, self._book.us.user_id, via=[share.server])
            await self._show(share, {"via": [self._book.us.server, share.server], "order": _ORDER})

    async def enter(self, user_id: str, room_id: str) -> str:
        """Let a resident in who asks for it, with their own account; answers the board's room id."""
        share = self._book.find(room_id)
        if self._book.members.person_of_user(user_id) is None:
            raise Forbidden("掲示板に入れるのは、名簿にのっている人です")
        if share is None or not share.is_in_force or not share.shares(Subject.BOARD) or not share.board_id:
            raise NotFound("その掲示板はありません")
        await self._rooms.verbs.membership.join(share.board_id, user_id, via=[share.server])
        return share.board_id

    async def is_inside(self, user_id: str, share: Share) -> bool:
        """Whether somebody has entered."""
        room = await self._rooms.verbs.rooms.find(share.board_id) if share.board_id else None
        return room is not None and room.membership(user_id) == "join"

    async def close(self, share: Share) -> None:
        """The share is over: everybody of ours leaves; who has made the room sees all others out."""
        if not share.board_id:
            return
        try:
            await self._show(share, {})
            room = await self._rooms.verbs.rooms.get(share.board_id)
            await self._empty(share, room)
            await self._rooms.leave(share.board_id)
        except Refused as refused:
            logger.warning("a common board could not be closed: %s", refused)

    # ---- parts ------------------------------------------------------------------------------------------------------

    async def _empty(self, share: Share, room: LiveRoom) -> None:
        me, ours = self._book.us.user_id, self._book.us.server
        if room.membership(me) != "join":
            return
        for user_id in sorted(room.joined):
            is_ours = server_name_of(user_id) == ours
            if user_id == me or not (is_ours or share.is_ours):
                continue
            sender = user_id if is_ours else me
            await self._rooms.sender.send(
                Draft(room.room_id, sender, "m.room.member", {"membership": "leave"}, user_id))

    async def _show(self, share: Share, content: dict[str, object]) -> None:
        space_id = self._book.members.hall_room(Purpose.SPACE)
        await self._rooms.sender.send(
            Draft(space_id, self._book.us.user_id, "m.space.child", content, share.board_id))

    async def _make(self, share: Share) -> Share:
        made: list[Share] = []

        def also(board_id: str, writes: Writes) -> None:
            made.append(replace(share, board_id=board_id))
            self._book.put(writes, made[0])

        await self._rooms.verbs.creator.create(self._plan(share), also=also)
        return made[0]

    def _plan(self, share: Share) -> RoomPlan:
        us, version = self._book.us, self._rooms.verbs.version
        users = {share.user_id: _KEEPER_LEVEL}
        if not version.creators_have_infinite_power:
            users[us.user_id] = 100
        own_space = self._book.members.hall_room(Purpose.SPACE)
        allow = [{"type": "m.room_membership", "room_id": item} for item in (own_space, share.space_id)]
        acl = {"allow": [host_of(us.server), host_of(share.server)], "allow_ip_literals": True}
        return RoomPlan(
            creator=us.user_id, version=version, name=f"共同の掲示板：{us.party.name}・{share.name}",
            topic="両方の町内会の人が 入れる 掲示板です。入った人の 名前は、相手の住民にも見えます。",
            creation_content={"jp.kairan.nonce": random_letters(8)},
            power_levels={
                "users": users, "events": {"m.room.server_acl": 100, "m.room.tombstone": 150},
                "events_default": 0, "state_default": 50, "invite": 50, "kick": 50, "ban": 50, "redact": 50,
            },
            initial_state=(
                ("m.room.join_rules", "", {"join_rule": "restricted", "allow": allow}),
                ("m.room.guest_access", "", {"guest_access": "forbidden"}),
                # What was said before somebody came in is not for the newcomers of the other side.
                ("m.room.history_visibility", "", {"history_visibility": "joined"}),
                ("m.room.server_acl", "", acl),
            ),
        )
