"""The links between nodes as the pages see them (``server.web.wide_area``); loaded with the first page of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace

from federation.broadcasts.model import Kind, Message, Priority
from federation.broadcasts.public import Openness, is_to_be_public
from federation.links.model import Area, Category, NodeKind, Terms
from server.assembly.city_pages import CityPages
from server.assembly.liaison_pages import LiaisonPages
from server.assembly.node import Node
from server.assembly.wide_area import WideArea
from server.assembly.wide_area_views import (
    link_view,
    message_of,
    notice_view,
    one_of,
    openness_of,
    public_view,
    row_view,
    survey_view,
)
from server.association.circulars.model import Attachment
from server.foundation.errors import InvalidParam, NotFound
from server.web.wide_area import (
    CodeView,
    Draft,
    LinkView,
    MissingView,
    NoticeView,
    OfferView,
    PublicView,
    RefusalView,
    SheetView,
    VerdictView,
    Words,
)

_CODE_STATES = {
    "open": "まだ 使えます", "used": "使われました", "withdrawn": "取り消しました", "expired": "期限が すぎました",
}


async def open_wide_area_pages(node: Node) -> WideAreaPages:
    """The verbs for the pages."""
    return WideAreaPages(await node.core.late.wide_area.open(), node)


class WideAreaPages:
    """Implements ``server.web.wide_area.WideAreaDesk``."""

    def __init__(self, wide_area: WideArea, node: Node) -> None:
        self._wide = wide_area
        self._clock = node.core.clock
        self._feed = node.settings.public_feed
        self.liaison = LiaisonPages(wide_area)
        self.city = CityPages(wide_area)

    # ---- words ------------------------------------------------------------------------------------------------------

    @property
    def may_invite(self) -> bool:
        """Whether anybody can be below this node."""
        return bool(self._wide.book.us.kind.may_invite)

    @property
    def invitable(self) -> Words:
        """Whom it may invite, associations first."""
        kinds = self._wide.book.us.kind.may_invite
        return [(kind.value, kind.label) for kind in (NodeKind.ASSOCIATION, NodeKind.FEDERATION) if kind in kinds]

    @property
    def categories(self) -> Words:
        """行政 …"""
        return [(item.value, item.label) for item in Category]

    @property
    def priorities(self) -> Words:
        """ふつう …"""
        return [(item.value, item.label) for item in Priority]

    @property
    def kinds(self) -> Words:
        """お知らせ …"""
        return [(item.value, item.label) for item in Kind]

    # ---- links ------------------------------------------------------------------------------------------------------

    async def areas(self) -> Words:
        """By code; before them the whole municipality, also where nobody has entered that."""
        found, us = await self._wide.offers.areas(), self._wide.book.us
        known = {area.code for area in found}
        whole = {area.code.partition("/")[0] for area in found} - known if us.kind is NodeKind.CITY else ()
        named = [(code, f"{us.party.name} 全体") for code in sorted(whole)]
        return [*named, *((area.code, area.name) for area in found)]

    async def links(self, officer: str) -> Sequence[LinkView]:
        """All, those in force first."""
        self._wide.book.require(officer)
        return [link_view(link) for link in sorted(self._wide.book.links(), key=lambda link: not link.is_in_force)]

    async def codes(self, officer: str) -> Sequence[CodeView]:
        """What was given out."""
        now, found = self._clock.now_ms(), await self._wide.offers.codes(officer)
        return [
            CodeView(
                hash=record.hash, number=record.number, name=record.terms.name, expires_ts=record.expires_ts,
                state=_CODE_STATES[record.state_at(now)], is_open=record.state_at(now) == "open",
            )
            for record in found
        ]

    async def invite(self, officer: str, kind: str, name: str, area: tuple[str, str]) -> OfferView:
        """For all categories; who is invited may take less."""
        terms = Terms(kind=one_of(NodeKind, kind, "相手"), name=name.strip(), areas=(Area(*area),))
        card = await self._wide.offers.invite(officer, terms)
        return OfferView(code=card.text, name=terms.name, words=terms.in_words())

    async def invite_list(self, officer: str, text: str) -> bytes:
        """番号, 名前, 招待コード."""
        cards, out = await self._wide.offers.invite_from_csv(officer, text), io.StringIO()
        writer = csv.writer(out)
        writer.writerow(["番号", "名前", "招待コード"])
        writer.writerows([card.record.number, card.record.terms.name, card.text] for card in cards)
        return "\ufeff".encode() + out.getvalue().encode()

    async def withdraw(self, officer: str, code_hash: str) -> None:
        """Make a code void."""
        await self._wide.offers.withdraw(officer, code_hash)

    async def summary(self, officer: str, code: str) -> Sequence[str]:
        """Ask whoever has given it out."""
        return (await self._wide.joining.summary(officer, code)).in_words()

    async def agree(self, officer: str, code: str) -> None:
        """To all that is offered."""
        await self._wide.joining.agree(officer, code)

    async def end(self, officer: str, room_id: str, reason: str) -> None:
        """On both sides."""
        await self._wide.halves.end(officer, room_id, reason)

    async def refusals(self, officer: str) -> Sequence[RefusalView]:
        """For the officers' eyes."""
        return [
            RefusalView(ts=item.ts, times=item.times, server=item.server, what=item.what, reason=item.reason)
            for item in await self._wide.book.refusals(officer, 50)
        ]

    # ---- notices ----------------------------------------------------------------------------------------------------

    async def sent(self, officer: str) -> Sequence[NoticeView]:
        """From here."""
        return [notice_view(record) for record in await self._wide.sending.sent(officer)]

    async def received(self, officer: str) -> Sequence[NoticeView]:
        """What waits for an officer first."""
        found = [notice_view(record) for record in await self._wide.desk.received(officer)]
        return sorted(found, key=lambda notice: not notice.is_held)

    async def one(self, officer: str, key: str) -> NoticeView:
        """By its key."""
        record = await self._wide.desk.one(officer, key)
        if not self.has_feed or not record.is_own:
            return notice_view(record)
        message = record.notice.message
        return replace(
            notice_view(record), is_public=await self._wide.public.is_public(key),
            may_be_public=message.kind is Kind.NOTICE and not message.for_officers)

    async def reaches(self, officer: str, draft: Draft) -> Sequence[str]:
        """Names; whatever is wrong with the draft is said now."""
        self._wide.book.require(officer)
        notice = self._wide.sending.as_notice(message_of(draft))
        return [link.name for link in self._wide.sending.links_for(notice.message)]

    async def send(self, officer: str, draft: Draft) -> str:
        """On its way when this answers."""
        openness = openness_of(draft) if self.has_feed else Openness.NO
        return (await self._wide.sending.send(officer, message_of(draft), openness)).key

    async def correct(
        self, officer: str, key: str, title: str, text: str, reason: str, attachments: tuple[Attachment, ...]
    ) -> None:
        """Everything but title, text and files stays."""
        old = (await self._wide.desk.one(officer, key)).notice.message
        said = Message(
            title=title, text=text, areas=old.areas, category=old.category, priority=old.priority, kind=old.kind,
            office=old.office, attachments=attachments, choices=old.choices, deadline=old.deadline,
        )
        await self._wide.sending.correct(officer, key, said, reason)

    async def cancel(self, officer: str, key: str, reason: str) -> None:
        """Everywhere."""
        await self._wide.sending.cancel(officer, key, reason)

    async def close(self, officer: str, key: str) -> None:
        """Everywhere."""
        await self._wide.sending.close(officer, key)

    async def approve(self, officer: str, key: str, note: str) -> None:
        """It becomes a circular."""
        await self._wide.desk.approve(officer, key, note)

    async def decline(self, officer: str, key: str, reason: str) -> None:
        """It does not."""
        await self._wide.desk.decline(officer, key, reason)

    async def add_note(self, officer: str, key: str, note: str) -> None:
        """Below the circular."""
        await self._wide.desk.add_note(officer, key, note)

    # ---- for everybody ----------------------------------------------------------------------------------------------

    @property
    def has_feed(self) -> bool:
        """Where somebody may be below this node, and the operator has not switched it off."""
        return self.may_invite and self._feed.enabled

    async def public(self) -> Sequence[PublicView]:
        """As in the feeds."""
        if not self.has_feed:
            raise NotFound("このページは ありません。")
        return [public_view(item) for item in await self._wide.public.latest(self._feed.notices)]

    async def public_papers(self, notice_id: str) -> Sequence[Attachment]:
        """As the feeds name them."""
        return await self._wide.public.papers(notice_id) if self.has_feed else ()

    def is_to_be_public(self, draft: Draft) -> bool:
        """As it would be sent."""
        return self.has_feed and is_to_be_public(message_of(draft), openness_of(draft))

    async def make_public(self, officer: str, key: str, *, public: bool) -> None:
        """At once; whoever has read it has read it."""
        if public and not self.has_feed:
            raise InvalidParam("このノードには、だれでも見られるページが ありません。")
        await self._wide.public.decide(officer, key, public=public)

    # ---- what has come back -----------------------------------------------------------------------------------------

    async def sheet(self, officer: str, key: str) -> SheetView:
        """Live."""
        sheet = await self._wide.figures.sheet(officer, key)
        return SheetView(
            heads=sheet.heads, sums=sheet.sums, hidden=sheet.table.total.hidden, survey=survey_view(sheet),
            rows=[row_view(sheet, row, cells) for row, cells in sheet.rows],
            missing=[
                MissingView(name=row.name, sent_ts=row.since_ts, down_since_ts=row.down_since_ts)
                for row in sheet.table.missing
            ],
        )

    async def csv(self, officer: str, key: str) -> bytes:
        """UTF-8 with a mark, for spreadsheets."""
        return await self._wide.figures.csv(officer, key)

    async def verify(self, item_id: str) -> VerdictView:
        """For everybody."""
        verdict = await self._wide.desk.verify(item_id)
        return VerdictView(
            is_authentic=verdict.is_authentic, is_from_above=verdict.is_from_above, reason=verdict.reason)
