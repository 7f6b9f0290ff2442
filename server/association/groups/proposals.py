"""Residents found groups: one proposes, an officer approves or declines with a reason, and whoever has proposed looks
after the group. It is made the same way as a group by officers: room, calendar, folder.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from server.association.groups import proposals_store as store
from server.association.groups.actions import GroupGround, tell_in_desk
from server.association.groups.proposal import (
    MAX_REASON,
    NEXT,
    RULES,
    Category,
    Proposal,
    State,
    Wish,
    may_propose,
)
from server.association.members.model import Group, Purpose, Right
from server.association.members.names import folded
from server.foundation.clock import Clock
from server.foundation.errors import Forbidden, InvalidParam, NotFound, Refused
from server.foundation.ids import random_letters
from server.foundation.keyed_locks import KeyedLocks
from server.rooms.send_event import Draft
from server.storage.database import Writes

_ID_LETTERS: Final = 12
_ALL: Final = "all"


class Proposals:
    """Proposals of residents, and the officers who look after groups (``Right.MODERATE``)."""

    def __init__(self, ground: GroupGround, clock: Clock) -> None:
        self._ground = ground
        self._clock = clock
        self._turns = KeyedLocks()

    # ---- the rules -------------------------------------------------------------------------------------------------

    async def are_open(self) -> bool:
        """Whether residents may propose groups."""
        room = await self._ground.sender.rooms.get(self._ground.members.hall_room(Purpose.SPACE))
        return may_propose(room.content(RULES))

    async def set_open(self, officer: str, *, is_open: bool) -> None:
        """Say whether they may; what waits already can be decided all the same."""
        members = self._ground.members
        members.require(officer, Right.MODERATE)
        content = {"propose": is_open}
        space = members.hall_room(Purpose.SPACE)
        await self._ground.sender.send(Draft(space, members.node_user_id, RULES, content, ""))

    # ---- residents -------------------------------------------------------------------------------------------------

    async def propose(self, user_id: str, wish: Wish) -> Proposal:
        """Ask for a group; officers hear of it. One at a time.

        Raises ``Forbidden``, and ``Refused`` (409) for a name that is taken or where one waits already.
        """
        if self._ground.members.person_of_user(user_id) is None or not await self.are_open():
            raise Forbidden("サークルの申しこみは、いまは受けつけていません")
        async with self._turns.hold(_ALL):
            self._require_free(wish.name)
            waiting = await store.proposals_in(self._ground.database, State.WAITING)
            if any(item.user_id == user_id for item in waiting):
                raise Refused("まえの申しこみの返事を、待っています", status=409)
            if any(folded(item.wish.name) == folded(wish.name) for item in waiting):
                raise Refused("おなじ名前の申しこみが、もうあります", status=409)
            proposal = Proposal(
                random_letters(_ID_LETTERS), user_id, wish, State.WAITING, self._clock.now_ms())
            await self._put(proposal)
        await self._tell_officers(wish)
        return proposal

    async def waiting_of(self, user_id: str) -> list[Proposal]:
        """One's own that wait."""
        return await store.proposals_in(self._ground.database, State.WAITING, user_id)

    async def withdraw(self, user_id: str, proposal_id: str) -> None:
        """Do not want it any more. Raises ``NotFound``, and ``Refused`` (409) where it was decided meanwhile."""
        async with self._turns.hold(proposal_id):
            proposal = await self._find(proposal_id)
            if proposal.user_id != user_id:
                raise NotFound("その申しこみはありません")
            await self._put(self._decided(proposal, State.WITHDRAWN, user_id))

    async def categories(self) -> Mapping[str, Category]:
        """The kinds of the groups that residents have founded."""
        made = await store.proposals_in(self._ground.database, State.APPROVED)
        return {item.group_id: item.wish.category for item in made}

    # ---- officers --------------------------------------------------------------------------------------------------

    async def waiting(self, officer: str) -> list[Proposal]:
        """What waits for a yes, the oldest first."""
        self._ground.members.require(officer, Right.MODERATE)
        return await store.proposals_in(self._ground.database, State.WAITING)

    async def count_waiting(self) -> int:
        """How many wait."""
        return await store.count_waiting(self._ground.database)

    async def approve(self, officer: str, proposal_id: str) -> Group:
        """Found the group: it, its leader and the decision are one commit; then its room is made.

        Raises ``Forbidden``, ``NotFound``, ``Refused`` (409) where somebody else has decided, the name is taken by now,
        or whoever has asked is gone.
        """
        members = self._ground.members
        members.require(officer, Right.MODERATE)
        async with self._turns.hold(proposal_id):
            proposal = await self._find(proposal_id)
            approved = self._decided(proposal, State.APPROVED, officer)
            leader = members.person_of_user(proposal.user_id)
            if leader is None:
                raise Refused("申しこんだ人が、もう名簿にいません", status=409)

            def also(group: Group, writes: Writes) -> None:
                store.put_proposal(writes, replace(approved, group_id=group.id))

            group = await self._ground.editor.found_group(proposal.wish.name, leader.id, also)
            await self._describe(group, proposal.wish)
        await tell_in_desk(
            members, self._ground.sender, proposal.user_id,
            f"【サークル】「{group.name}」ができました。あなたが世話役です。「サークル」のページで、入りたい人に返事をしてください。",
        )
        return group

    async def decline(self, officer: str, proposal_id: str, reason: str) -> None:
        """Do not found it; whoever has asked is told why. Raises like ``approve``, and ``InvalidParam``."""
        members, words = self._ground.members, " ".join(reason.split())
        members.require(officer, Right.MODERATE)
        if not 1 <= len(words) <= MAX_REASON:
            raise InvalidParam(f"わけを 1字から{MAX_REASON}字で 書いてください。")
        async with self._turns.hold(proposal_id):
            proposal = await self._find(proposal_id)
            await self._put(replace(self._decided(proposal, State.DECLINED, officer), reason=words))
        await tell_in_desk(
            members, self._ground.sender, proposal.user_id,
            f"【サークル】「{proposal.wish.name}」は、つくれませんでした。\nわけ：{words}",
        )

    async def forget(self, user_id: str) -> None:
        """Somebody leaves the association."""
        writes = Writes()
        store.forget_proposals(writes, user_id)
        await asyncio.shield(self._ground.database.submit(writes))

    # ---- parts -----------------------------------------------------------------------------------------------------

    async def _find(self, proposal_id: str) -> Proposal:
        found = await store.find_proposal(self._ground.database, proposal_id)
        if found is None:
            raise NotFound("その申しこみはありません")
        return found

    def _decided(self, proposal: Proposal, state: State, by: str) -> Proposal:
        if state not in NEXT[proposal.state]:
            person = self._ground.members.person_of_user(proposal.decided_by)
            who = "ほかの人" if person is None else f"{person.name}さん"
            raise Refused(f"{who}が、もう決めました", status=409)
        return replace(proposal, state=state, decided_by=by, decided_ts=self._clock.now_ms())

    async def _put(self, proposal: Proposal) -> None:
        writes = Writes()
        store.put_proposal(writes, proposal)
        await asyncio.shield(self._ground.database.submit(writes))

    async def _describe(self, group: Group, wish: Wish) -> None:
        room_id, node = self._ground.members.group_room(group.id), self._ground.members.node_user_id
        if room_id is not None:
            content = {"topic": wish.about}
            await self._ground.sender.send(Draft(room_id, node, "m.room.topic", content, ""))

    async def _tell_officers(self, wish: Wish) -> None:
        members = self._ground.members
        where = "「役員のつくえ」の「サークルの 申しこみ」で返事をしてください。"
        text = f"【サークル】「{wish.name}」をつくりたい人がいます。"
        content = {"msgtype": "m.text", "body": f"{text}{where}", "jp.kairan.group.notice": {}}
        room_id = members.hall_room(Purpose.OFFICERS)
        await self._ground.sender.send(Draft(room_id, members.node_user_id, "m.room.message", content))

    def _require_free(self, name: str) -> None:
        if any(folded(group.name) == folded(name) for group in self._ground.members.groups()):
            raise Refused("おなじ名前のサークルが、もうあります", status=409)
