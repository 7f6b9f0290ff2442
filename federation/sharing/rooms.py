"""The room of a share: how it is made, and the half that each side says in it.

Event ``jp.kairan.sharing``, a state event whose state key is the account that says it, so that Matrix itself lets
nobody speak for the other side. Nobody but the two accounts may say anything there.
"""

from __future__ import annotations

import logging
from typing import Final

from federation.links.offers import RoomVerbs, host_of
from federation.sharing.book import ShareBook
from federation.sharing.model import SHARING, Content, Share, ShareState, Subject
from server.association.members.model import Purpose
from server.foundation.errors import Refused
from server.foundation.ids import random_letters
from server.rooms.create_room import AlsoWrite, RoomPlan
from server.rooms.send_event import Draft, EventSender

logger = logging.getLogger(__name__)

_OTHERS_LEVEL: Final = 50


class ShareRooms:
    """Makes rooms of shares, and speaks in them."""

    def __init__(self, book: ShareBook, verbs: RoomVerbs, sender: EventSender) -> None:
        self._book = book
        self.verbs = verbs
        self.sender = sender

    def half(self, share: Share, state: ShareState = ShareState.IN_FORCE, reason: str = "") -> Content:
        """What our side says."""
        us = self._book.us.party
        content: Content = {
            "state": state.value, "party": us.as_json(), "terms": share.given.as_json(), "reason": reason,
            "ts": self._book.clock.now_ms(), "body": _in_a_line(us.name, share, state),
        }
        if Subject.BOARD in share.given.subjects and state is ShareState.IN_FORCE:
            content["space"] = self._book.members.hall_room(Purpose.SPACE)
            if share.is_ours and share.board_id:
                content["board"] = share.board_id
        return content

    async def say(self, share: Share, state: ShareState = ShareState.IN_FORCE, reason: str = "") -> None:
        """Say our half."""
        me = self._book.us.user_id
        await self.sender.send(Draft(share.room_id, me, SHARING, self.half(share, state, reason), state_key=me))

    async def create(self, share: Share, also: AlsoWrite) -> None:
        """The room of a share that we have offered; its id is given to ``also``."""
        us, version = self._book.us, self.verbs.version
        users = {share.user_id: _OTHERS_LEVEL}
        if not version.creators_have_infinite_power:
            users[us.user_id] = 100
        acl = {"allow": [host_of(us.server), host_of(share.server)], "allow_ip_literals": True}
        await self.verbs.creator.create(RoomPlan(
            creator=us.user_id, version=version, name=f"分け合い：{us.party.name}・{share.name}",
            creation_content={"type": SHARING, "jp.kairan.nonce": random_letters(8)},
            power_levels={
                "users": users, "users_default": 0, "events": {SHARING: _OTHERS_LEVEL, "m.room.tombstone": 150},
                "events_default": _OTHERS_LEVEL, "state_default": 100, "invite": 100, "kick": 100, "ban": 100,
                "redact": 100,
            },
            initial_state=(("m.room.server_acl", "", acl), (SHARING, us.user_id, self.half(share))),
        ), also=also)

    async def call(self, room_id: str, user_id: str) -> None:
        """Invite the other side, unless it is there."""
        if await self.verbs.membership_of(room_id, user_id) not in ("join", "invite"):
            await self.verbs.membership.invite(room_id, self._book.us.user_id, user_id)

    async def leave(self, room_id: str) -> None:
        """Hear nothing of this room any more."""
        me = self._book.us.user_id
        try:
            if await self.verbs.membership_of(room_id, me) in ("join", "invite"):
                await self.verbs.membership.leave(room_id, me)
        except Refused as refused:
            logger.warning("a room that was shared could not be left: %s", refused)


def _in_a_line(name: str, share: Share, state: ShareState) -> str:
    subjects = "、".join(item.label for item in Subject if item in share.given.subjects)
    return f"{name}：{subjects}（{state.label}）"
