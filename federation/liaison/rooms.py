"""Where the liaison room of a link is: made by the one above once the link is in force, entered by the one below."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from federation.liaison.model import CASE, DUTY, LIAISON
from federation.links.book import LinkBook
from federation.links.inbox import NotYet
from federation.links.inbox_store import Letter
from federation.links.model import Direction, Link, LinkState
from federation.links.offers import RoomVerbs, host_of
from server.foundation.errors import Forbidden, NotFound, Refused
from server.foundation.ids import random_letters
from server.rooms.create_room import RoomPlan
from server.rooms.live_room import LiveRoom
from server.rooms.send_event import Draft, EventSender

logger = logging.getLogger(__name__)

_STRANGER: Final = "つながりのない相手が、連絡室に招きました"
_PATIENCE_MS: Final = 24 * 3_600_000


class LiaisonRooms:
    """Makes and finds them."""

    def __init__(self, book: LinkBook, rooms: RoomVerbs, sender: EventSender) -> None:
        self._book = book
        self._rooms = rooms
        self._sender = sender
        self._making = asyncio.Lock()

    async def ensure_all(self) -> None:
        """Make what is missing for links with those below."""
        for link in self._book.in_force(Direction.BELOW):
            try:
                await self.ensure(link)
            except Refused as refused:
                logger.warning("a liaison room could not be made: %s", refused)

    async def ensure(self, link: Link) -> None:
        """The room of one link: made, the other side called, and said in the room of the link."""
        async with self._making:
            if await self.room_id_of(link) is not None:
                return
            room = await self._rooms.creator.create(self._plan(link))
            await self._rooms.membership.invite(room.room_id, self._book.us.user_id, link.user_id)
            me = self._book.us.user_id
            await self._sender.send(Draft(link.room_id, me, LIAISON, {"room_id": room.room_id}, state_key=me))

    async def hear(self, letter: Letter) -> None:
        """The one above has said which room it is: enter it."""
        link = self._book.find(letter.room_id)
        if link is None or letter.sender != link.user_id or link.direction is not Direction.ABOVE:
            await self._book.refuse(letter.sender.partition(":")[2], "連絡室", _STRANGER)
            return
        room_id = letter.content.get("room_id")
        if link.state is LinkState.ENDED or not isinstance(room_id, str):
            return
        try:
            await self._rooms.membership.join(room_id, self._book.us.user_id, via=[link.server])
        except Refused as refused:
            if self._book.clock.now_ms() < letter.ts + _PATIENCE_MS:
                raise NotYet from None
            logger.warning("a liaison room could not be entered: %s", refused)

    async def room_id_of(self, link: Link) -> str | None:
        """Which room it is; ``None`` before it is made."""
        above = self._book.us.user_id if link.direction is Direction.BELOW else link.user_id
        room_id = (await self._rooms.rooms.get(link.room_id)).content(LIAISON, above).get("room_id")
        return room_id if isinstance(room_id, str) else None

    async def room_of(self, officer: str, link_room_id: str) -> tuple[Link, LiveRoom]:
        """The liaison room of a link, for an officer; raises ``Forbidden``, ``NotFound``."""
        link = self._book.get(officer, link_room_id)
        room_id = await self.room_id_of(link)
        if room_id is None or await self._rooms.membership_of(room_id, self._book.us.user_id) != "join":
            raise NotFound("連絡室は、まだできていません")
        return link, await self._rooms.rooms.get(room_id)

    async def enter(self, officer: str, link_room_id: str) -> str:
        """Let an officer into the room with their own account, to talk there in any Matrix client; answers the room."""
        link, room = await self.room_of(officer, link_room_id)
        if not link.is_in_force:
            raise Forbidden("このつながりは、もう終わっています")
        if room.membership(officer) not in ("join", "invite"):
            await self._rooms.membership.invite(room.room_id, self._book.us.user_id, officer)
        await self._rooms.membership.join(room.room_id, officer)
        return room.room_id

    def _plan(self, link: Link) -> RoomPlan:
        us, version = self._book.us, self._rooms.version
        users = {link.user_id: 90} if version.creators_have_infinite_power else {us.user_id: 100, link.user_id: 90}
        return RoomPlan(
            creator=us.user_id, version=version, name=f"連絡室：{us.party.name}・{link.name}",
            creation_content={"jp.kairan.nonce": random_letters(8)},
            power_levels={"users": users, "events": {CASE: 0, DUTY: 0, "m.room.tombstone": 150}, "invite": 50},
            initial_state=(
                ("m.room.server_acl", "", {
                    "allow": [host_of(us.server), host_of(link.server)], "allow_ip_literals": True}),
            ),
        )
