"""Liaison rooms as the pages see them (``server.web.liaison``); loaded with the pages of links."""

from __future__ import annotations

from collections.abc import Sequence

from federation.liaison.model import Case, CaseState, Line, OnDuty
from federation.liaison.talk import Glance
from federation.links.model import Link
from server.assembly.wide_area import WideArea
from server.association.circulars.model import Attachment
from server.foundation.errors import InvalidParam
from server.web.liaison import CaseView, DutyView, LineView, RoomView


class LiaisonPages:
    """Implements ``server.web.liaison.LiaisonDesk``."""

    def __init__(self, wide_area: WideArea) -> None:
        self._book = wide_area.book
        self._cases = wide_area.liaison
        self._talk = wide_area.talk

    async def rooms(self, officer: str) -> Sequence[RoomView]:
        """Those with a link in force; what an ended link has left stands behind."""
        return [self._room_view(item) for item in await self._talk.glances(officer)]

    async def room(self, officer: str, room_id: str) -> RoomView:
        """By the room of its link."""
        return self._room_view(await self._talk.glance(officer, room_id))

    async def cases(self, officer: str, room_id: str) -> Sequence[CaseView]:
        """Those that wait first."""
        link = self._book.get(officer, room_id)
        return [self._case_view(link, case) for case in await self._cases.cases(officer, room_id)]

    async def case(self, officer: str, room_id: str, case_id: str) -> CaseView:
        """By its id."""
        return self._case_view(self._book.get(officer, room_id), await self._cases.one(officer, room_id, case_id))

    async def talk(self, officer: str, room_id: str) -> Sequence[LineView]:
        """Lately."""
        link = self._book.get(officer, room_id)
        return [self._line_view(link, line) for line in await self._talk.lines(officer, room_id)]

    async def conversation(self, officer: str, room_id: str, case_id: str) -> Sequence[LineView]:
        """All of it."""
        link = self._book.get(officer, room_id)
        return [self._line_view(link, line) for line in await self._cases.conversation(officer, room_id, case_id)]

    async def say(self, officer: str, room_id: str, text: str, by: str) -> None:
        """To the other side."""
        await self._talk.say(officer, room_id, text, by)

    async def show(self, officer: str, room_id: str, file: Attachment, by: str, case_id: str = "") -> None:
        """To the other side."""
        await self._talk.show(officer, room_id, file, by, case_id)

    async def file(self, officer: str, room_id: str, event_id: str) -> Attachment:
        """Of a message."""
        return await self._talk.file(officer, room_id, event_id)

    async def ask(self, officer: str, room_id: str, title: str, text: str, by: str) -> str:
        """A new case."""
        return (await self._cases.ask(officer, room_id, title, text, by)).id

    async def reply(self, officer: str, room_id: str, case_id: str, text: str, by: str) -> None:
        """In its thread."""
        await self._cases.reply(officer, room_id, case_id, text, by)

    async def move(self, officer: str, room_id: str, case_id: str, state: str, by: str) -> None:
        """As the pressed button says."""
        try:
            wanted = CaseState(state)
        except ValueError:
            raise InvalidParam("何を するか わかりませんでした。もう一度 おねがいします。") from None
        await self._cases.move(officer, room_id, case_id, wanted, by)

    async def set_duty(self, officer: str, room_id: str, who: str, until_ts: int | None) -> None:
        """On our side."""
        await self._cases.set_duty(officer, room_id, who, until_ts)

    async def enter(self, officer: str, room_id: str) -> None:
        """With their own account."""
        await self._cases.rooms.enter(officer, room_id)

    # ---- parts ------------------------------------------------------------------------------------------------------

    def _side(self, link: Link, server: str) -> str:
        """What a server is called: us, the other one, or its own name."""
        us = self._book.us
        return {us.server: us.party.name, link.server: link.name}.get(server, server)

    def _room_view(self, item: Glance) -> RoomView:
        link, us = item.link, self._book.us
        return RoomView(
            room_id=link.room_id, name=link.name, kind=link.kind.label, is_over=not link.is_in_force,
            is_there=item.is_there, open=item.states.get(CaseState.OPEN, 0),
            taken=item.states.get(CaseState.TAKEN, 0),
            duty=[self._duty_view(link, server, item.duty.get(server)) for server in (us.server, link.server)],
        )

    def _duty_view(self, link: Link, server: str, duty: OnDuty | None) -> DutyView:
        return DutyView(
            side=self._side(link, server), is_ours=server == self._book.us.server, who=duty.who if duty else "",
            until_ts=duty.until_ts if duty else None,
        )

    def _case_view(self, link: Link, case: Case) -> CaseView:
        return CaseView(
            id=case.id, title=case.title, state=case.state.value, label=case.state.label,
            opened_by=self._side(link, case.opened_by), opened_ts=case.opened_ts,
            changed_by=self._side(link, case.changed_by), changed_ts=case.changed_ts, by=case.by,
            is_ours=case.opened_by == self._book.us.server,
        )

    def _line_view(self, link: Link, line: Line) -> LineView:
        return LineView(
            id=line.event_id, ts=line.ts, side=self._side(link, line.server), by=line.by, text=line.text,
            is_ours=line.server == self._book.us.server, case=line.case, has_file=bool(line.file),
        )
