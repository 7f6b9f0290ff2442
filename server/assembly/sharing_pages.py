"""Sharing with neighbours as the pages see it (``server.web.sharing``); loaded with the first page of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

from federation.sharing.model import OUR_WORDS, Opened, Share, ShareState, Subject, Terms
from server.assembly.node import Node
from server.assembly.sharing import Sharing
from server.association.bookings.model import State, Wish
from server.association.bookings.rules import free_times
from server.foundation.errors import Forbidden, InvalidParam, NotFound
from server.media.model import Mxc
from server.media.thumbnail_sizes import SCALED
from server.web.sharing import (
    FarAskedView,
    FarFacilityView,
    FarGatheringView,
    FarHazardView,
    NeighbourView,
    ShareCardView,
    ShareCodeView,
    ShareOfferView,
    ShareView,
    Words,
)

_CODE_STATES = {
    "open": "まだ 使えます", "used": "使われました", "withdrawn": "取り消しました", "expired": "期限が すぎました",
}


async def open_sharing_pages(node: Node) -> SharingPages:
    """The verbs for the pages."""
    return SharingPages((await node.core.late.wide_area.open()).sharing, node)


class SharingPages:
    """Implements ``server.web.sharing.SharingDesk``."""

    def __init__(self, sharing: Sharing, node: Node) -> None:
        self._sharing = sharing
        self._node = node

    # ---- officers ---------------------------------------------------------------------------------------------------

    @property
    def subjects(self) -> Words:
        """行事 …"""
        return [(item.value, item.in_words) for item in Subject]

    def facilities(self) -> Words:
        """By name."""
        return [(item.id, item.name) for item in self._sharing.facilities.choosable()]

    def shown_now(self) -> Sequence[str]:
        """The gatherings for everyone."""
        return [item.title for item in self._sharing.calendar.shown()]

    async def shares(self, user_id: str) -> Sequence[ShareView]:
        """All, those in force first."""
        self._sharing.book.require(user_id)
        found = sorted(self._sharing.book.shares(), key=lambda share: (not share.is_in_force, -share.changed_ts))
        return [_share_view(share) for share in found[:50]]

    async def codes(self, user_id: str) -> Sequence[ShareCodeView]:
        """What was given out."""
        now = self._sharing.book.clock.now_ms()
        return [
            ShareCodeView(
                hash=record.hash, number=record.number, name=record.name, expires_ts=record.expires_ts,
                state=_CODE_STATES[record.state_at(now)], is_open=record.state_at(now) == "open",
            )
            for record in await self._sharing.offers.codes(user_id, 20)
        ]

    async def offer(
        self, user_id: str, name: str, subjects: Sequence[str], facilities: Sequence[str]
    ) -> ShareCardView:
        """Good once."""
        terms = self._terms(subjects, facilities)
        card = await self._sharing.offers.offer(user_id, name, terms)
        return ShareCardView(code=card.text, name=card.record.name, words=[*terms.in_words(), *OUR_WORDS])

    async def withdraw(self, user_id: str, code_hash: str) -> None:
        """Make a code void."""
        await self._sharing.offers.withdraw(user_id, code_hash)

    async def look(self, user_id: str, code: str) -> ShareOfferView:
        """Ask whoever has given it out."""
        offer = await self._sharing.joining.summary(user_id, code)
        subjects = [(item.value, item.in_words) for item in Subject if item in offer.terms.subjects]
        return ShareOfferView(words=offer.in_words(), subjects=subjects)

    async def agree(self, user_id: str, code: str, subjects: Sequence[str], facilities: Sequence[str]) -> None:
        """At most to what is offered."""
        await self._sharing.joining.agree(user_id, code, self._terms(subjects, facilities))

    async def end(self, user_id: str, key: str, reason: str) -> None:
        """On both sides."""
        self._sharing.book.require(user_id)
        await self._sharing.halves.end(user_id, self._share(key).room_id, reason)

    # ---- residents --------------------------------------------------------------------------------------------------

    async def neighbours(self, user_id: str) -> Sequence[NeighbourView]:
        """In the order in which they began to share."""
        self._require_resident(user_id)
        return [await self._neighbour(user_id, share) for share in self._sharing.book.in_force()]

    async def gatherings(self, user_id: str, limit: int) -> Sequence[FarGatheringView]:
        """Each time on its own."""
        self._require_resident(user_id)
        now = self._sharing.book.clock.now_ms()
        found = [
            FarGatheringView(
                neighbour=item.share.name, title=item.thing.title, place=item.thing.place, start_ms=start, end_ms=end,
                is_all_day=item.thing.is_all_day, is_cancelled=item.thing.is_cancelled,
            )
            for item in await self._sharing.neighbours.gatherings(now) for start, end in item.thing.times if end >= now
        ]
        return sorted(found, key=lambda item: item.start_ms)[:limit]

    async def hazards(self, user_id: str) -> Sequence[FarHazardView]:
        """Without the names of those who reported them."""
        self._require_resident(user_id)
        return [
            FarHazardView(
                key=_key(item.share), id=item.thing.id, neighbour=item.share.name, kind=item.thing.kind.label,
                place=item.thing.place, text=item.thing.text, state=item.thing.state.label,
                is_fixed=item.thing.state.value == "fixed", has_photo=bool(item.thing.photo),
                reported_ms=item.thing.reported_ms,
            )
            for item in await self._sharing.neighbours.hazards()
        ]

    async def photo(self, user_id: str, key: str, hazard_id: str) -> tuple[Path, str]:
        """Fetched from the neighbour once, then kept for a while; only small pictures are shown."""
        self._require_resident(user_id)
        found = await self._sharing.neighbours.hazard(self._share(key).room_id, hazard_id)
        late = self._node.core.late.remote_media
        mxc = Mxc.parse(found.thing.photo) if found.thing.photo else None
        # Only from the neighbour itself: nobody makes us ask others.
        if mxc is None or late is None or mxc.server_name != found.share.server:
            raise NotFound("写真は ありません。")
        services = await late.open()
        await services.media.open(mxc, fetching=lambda: late.fetches.take(user_id))
        path, kind, _ = await services.thumbnails.get(mxc, SCALED[-1])
        return path, kind

    async def far_facilities(self, user_id: str) -> Sequence[FarFacilityView]:
        """By neighbour and name."""
        self._require_resident(user_id)
        return [
            FarFacilityView(key=_key(item.share), neighbour=item.share.name, facility=item.thing.facility)
            for item in await self._sharing.neighbours.facilities()
        ]

    async def far_facility(
        self, user_id: str, key: str, facility_id: str, day: date
    ) -> tuple[FarFacilityView, Sequence[tuple[str, str]]]:
        """As its owner has told last."""
        self._require_resident(user_id)
        share = self._share(key)
        far = await self._sharing.requests.facility(share.room_id, facility_id)
        free = [(f"{start:%H:%M}", f"{end:%H:%M}") for start, end in free_times(far.facility, day, far.held)]
        return FarFacilityView(key=key, neighbour=share.name, facility=far.facility), free

    async def ask(self, user_id: str, key: str, wish: Wish) -> None:
        """Who it is stays here."""
        await self._sharing.requests.ask(user_id, self._share(key).room_id, wish)

    async def asked(self, user_id: str) -> Sequence[FarAskedView]:
        """What is ahead."""
        self._require_resident(user_id)
        found = []
        for item in await self._sharing.requests.of(user_id):
            start, end = datetime.fromisoformat(item.asked.starts), datetime.fromisoformat(item.asked.ends)
            found.append(FarAskedView(
                id=item.asked.id, neighbour=item.neighbour, facility=item.asked.facility, day=start.date(),
                start=f"{start:%H:%M}", end=f"{end:%H:%M}",
                state="相手に おくりました" if item.state is None else item.state.label,
                is_confirmed=item.state is State.CONFIRMED, reason=item.reason,
            ))
        return found

    async def take_back(self, user_id: str, asked_id: str) -> None:
        """Also one that was confirmed."""
        await self._sharing.requests.take_back(user_id, asked_id)

    async def enter_board(self, user_id: str, key: str) -> None:
        """From now on the others see their name there."""
        await self._sharing.boards.enter(user_id, self._share(key).room_id)

    # ---- parts ------------------------------------------------------------------------------------------------------

    async def _neighbour(self, user_id: str, share: Share) -> NeighbourView:
        board, boards = "", self._sharing.boards
        # As soon as our node is inside, it can let residents in.
        if share.shares(Subject.BOARD) and await boards.is_inside(self._sharing.book.us.user_id, share):
            board = "inside" if await boards.is_inside(user_id, share) else "open"
        return NeighbourView(key=_key(share), name=share.name, board=board, board_room=share.board_id)

    def _terms(self, subjects: Sequence[str], facilities: Sequence[str]) -> Terms:
        known = {item.value: item for item in Subject}
        names = dict(self.facilities())
        chosen = frozenset(known[value] for value in subjects if value in known)
        opened = tuple(Opened(value, names[value]) for value in facilities if value in names)
        if opened and Subject.FACILITIES not in chosen:
            raise InvalidParam("集会所などを えらぶときは、「集会所など」にも しるしを つけてください。")
        return Terms(chosen, opened)

    def _share(self, key: str) -> Share:
        found = next((share for share in self._sharing.book.shares() if _key(share) == key), None)
        if found is None:
            raise NotFound("その町内会とは 分け合っていません。")
        return found

    def _require_resident(self, user_id: str) -> None:
        if self._node.association.members.person_of_user(user_id) is None:
            raise Forbidden("名簿にのっている人だけが 見られます。")


def _key(share: Share) -> str:
    """Short, and without the signs of a room id."""
    return hashlib.sha256(share.room_id.encode()).hexdigest()[:12]


def _share_view(share: Share) -> ShareView:
    return ShareView(
        key=_key(share), name=share.name, kind=share.kind.label, server=share.server, state=share.state.label,
        is_over=share.state is ShareState.ENDED, subjects=[item.label for item in Subject if share.shares(item)],
        shown=share.given.in_words(), seen=share.taken.in_words(),
    )
