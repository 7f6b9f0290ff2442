"""The side that invites: areas, invitation codes, and the answer to whoever brings one."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from federation.links import codes, links_store
from federation.links.book import LinkBook
from federation.links.halves import Halves
from federation.links.model import (
    LINK,
    ROOM_TYPE,
    Area,
    Category,
    CodeRecord,
    Direction,
    Link,
    LinkState,
    NodeKind,
    Party,
    Summary,
    Terms,
)
from server.foundation.errors import Forbidden, InvalidParam, NotFound, Refused
from server.foundation.ids import random_letters, server_name_of
from server.foundation.keyed_locks import KeyedLocks
from server.rooms.create_room import RoomCreator, RoomPlan
from server.rooms.membership import Membership
from server.rooms.room_versions import RoomVersion
from server.rooms.rooms import Rooms
from server.storage.database import Writes

_DAY_MS: Final = 86_400_000
_MOST_DAYS: Final = 366
MOST_AT_ONCE: Final = 1_000
_HEADS: Final = {
    "名前": "name", "name": "name", "種類": "kind", "kind": "kind", "地域": "areas", "areas": "areas",
    "地域の名前": "area_names", "area_names": "area_names", "分野": "categories", "categories": "categories",
}
_NOBODY_ELSE: Final = "この招待コードは、もう使われています"


@dataclass(frozen=True, slots=True)
class Card:
    """An invitation to be handed over: ``text`` is for a QR code and is shown only now."""

    text: str
    record: CodeRecord


@dataclass(frozen=True, slots=True)
class RoomVerbs:
    """What rooms are made and entered with."""

    creator: RoomCreator
    membership: Membership
    rooms: Rooms
    version: RoomVersion

    async def membership_of(self, room_id: str, user_id: str) -> str:
        """How somebody stands in a room."""
        return (await self.rooms.get(room_id)).membership(user_id)


class Offers:
    """Invitations of this node."""

    def __init__(self, book: LinkBook, halves: Halves, rooms: RoomVerbs) -> None:
        self._book = book
        self._halves = halves
        self._rooms = rooms
        self._using = KeyedLocks()

    # ---- areas ------------------------------------------------------------------------------------------------------

    async def areas(self) -> list[Area]:
        """All areas of the city, by code."""
        return await links_store.all_areas(self._book.database)

    # ---- codes ------------------------------------------------------------------------------------------------------

    async def invite(self, officer: str, terms: Terms, days: int = 90) -> Card:
        """A code for one association or federation of associations."""
        return (await self.invite_all(officer, [terms], days))[0]

    async def invite_all(self, officer: str, wanted: Iterable[Terms], days: int = 90) -> list[Card]:
        """Many codes in one commit: all of them or none. Their areas are entered, too."""
        self._book.require(officer)
        many = list(wanted)
        if not 1 <= len(many) <= MOST_AT_ONCE or not 1 <= days <= _MOST_DAYS:
            raise InvalidParam(f"一度に作れる招待コードは{MOST_AT_ONCE}まで、期限は{_MOST_DAYS}日までです")
        now, writes, known = self._book.clock.now_ms(), Writes(), {area.code for area in await self.areas()}
        cards = []
        for terms in many:
            self._require_below(terms.kind)
            secret = codes.new_secret()
            record = CodeRecord(
                hash=codes.hash_of(secret), number=random_letters(6).upper(), terms=terms, issuer=officer,
                created_ts=now, expires_ts=now + days * _DAY_MS,
            )
            links_store.put_code(writes, record)
            for area in terms.areas:
                if area.code not in known:
                    links_store.put_area(writes, area)
            cards.append(Card(codes.as_text(self._book.us.public_url, self._book.us.server, secret), record))
        await asyncio.shield(self._book.database.submit(writes))
        return cards

    async def invite_from_csv(self, officer: str, text: str, days: int = 90) -> list[Card]:
        """A code for each line of a list with the columns 名前, 種類, 地域, 地域の名前, 分野 (several with ``;``)."""
        known = {area.code: area.name for area in await self.areas()}
        return await self.invite_all(officer, read_list(text, known), days)

    async def withdraw(self, officer: str, code_hash: str) -> None:
        """Nobody may use this code any more."""
        self._book.require(officer)
        writes = Writes()
        links_store.withdraw_code(writes, code_hash, self._book.clock.now_ms())
        await asyncio.shield(self._book.database.submit(writes))

    async def codes(self, officer: str, limit: int = 1_000) -> list[CodeRecord]:
        """The codes that were made, the newest first."""
        self._book.require(officer)
        return await links_store.all_codes(self._book.database, limit)

    # ---- whoever brings one -----------------------------------------------------------------------------------------

    async def summary(self, server: str, secret: str) -> Summary:
        """What a code offers. Raises ``NotFound`` or ``Refused``."""
        record = await self._usable(server, secret)
        above = [link.name for link in self._book.in_force(Direction.ABOVE)]
        return Summary(party=self._book.us.party, terms=record.terms, expires_ts=record.expires_ts, above=above)

    async def agree(self, server: str, secret: str, party: Party, terms: Terms) -> str:
        """Somebody brings a code and agrees: the room of the link, into which they are invited.

        The same server may ask again where it did not hear the answer. Raises ``Refused``; then nothing has changed.
        """
        if party.server != server or server_name_of(party.user_id) != server:
            raise Forbidden("名のった相手と、つないできた相手がちがいます")
        async with self._using.hold(codes.hash_of(secret)):
            record = await self._usable(server, secret)
            if party.kind is not record.terms.kind or not terms.is_no_more_than(record.terms):
                await self._book.refuse(server, "招待コード", "招待で決めたより多くのことを求められました")
                raise Forbidden("招待で決めたことと、ちがうことが求められています")
            room_id = record.room_id or await self._begin(record, party, terms)
            link = self._book.find(room_id)
            if link is None or link.state is LinkState.ENDED or link.user_id != party.user_id:
                raise Refused(_NOBODY_ELSE, code="M_BAD_STATE", status=409)
            await self._call(room_id, party.user_id)
        return room_id

    async def _usable(self, server: str, secret: str) -> CodeRecord:
        record = await links_store.find_code(self._book.database, codes.hash_of(secret))
        if record is None:
            await self._book.refuse(server, "招待コード", "この市・連合会が出していない招待コードです")
            raise NotFound("その招待コードはありません")
        state = record.state_at(self._book.clock.now_ms())
        if state == "open" or (state == "used" and record.used_by == server):
            return record
        reason = {"used": _NOBODY_ELSE, "expired": "この招待コードは、期限が切れています"}.get(
            state, "この招待コードは、取り消されています")
        await self._book.refuse(server, f"招待コード {record.number}", reason)
        raise Refused(reason, code="M_BAD_STATE", status=409)

    async def _begin(self, record: CodeRecord, party: Party, terms: Terms) -> str:
        """The room, the link and the use of the code, in one commit."""
        now = self._book.clock.now_ms()
        made: list[str] = []

        def link_in(room_id: str) -> Link:
            return Link(
                room_id=room_id, direction=Direction.BELOW, server=party.server, user_id=party.user_id,
                name=party.name or record.terms.name, kind=party.kind, terms=terms, offered=record.terms,
                state=LinkState.AGREEING, begun_ts=now, changed_ts=now,
            )

        def also(room_id: str, writes: Writes) -> None:
            made.append(room_id)
            self._book.put(writes, link_in(room_id))
            links_store.put_code(writes, replace(record, used_by=party.server, used_ts=now, room_id=room_id))

        await self._rooms.creator.create(self._plan(link_in("")), also=also)
        return made[0]

    def _plan(self, link: Link) -> RoomPlan:
        us, version = self._book.us, self._rooms.version
        levels = {
            "users": {} if version.creators_have_infinite_power else {us.user_id: 100},
            "events": {LINK: 0, "jp.kairan.figures": 0, "jp.kairan.liaison": 0, "m.room.tombstone": 150},
            "events_default": 50, "state_default": 100, "invite": 100, "kick": 100, "ban": 100, "redact": 100,
        }
        acl = {"allow": [host_of(us.server), host_of(link.server)], "allow_ip_literals": True}
        return RoomPlan(
            creator=us.user_id, version=version, name=f"{us.party.name}・{link.name}",
            creation_content={"type": ROOM_TYPE, "jp.kairan.nonce": random_letters(8)}, power_levels=levels,
            initial_state=(
                ("m.room.server_acl", "", acl),
                (LINK, us.user_id, self._halves.own_content(link)),
            ),
        )

    async def _call(self, room_id: str, user_id: str) -> None:
        me = self._book.us.user_id
        if await self._rooms.membership_of(room_id, user_id) not in ("join", "invite"):
            await self._rooms.membership.invite(room_id, me, user_id)

    def _require_below(self, kind: NodeKind) -> None:
        ours = self._book.us.kind
        if kind not in ours.may_invite:
            raise Refused(f"{ours.label}のノードからは、{kind.label}を招待できません。設定 [node] role をみてください")


def host_of(server: str) -> str:
    """A server name as an ACL has it: without its port."""
    return server if server.endswith("]") else server.rpartition(":")[0] or server


def read_list(text: str, known: dict[str, str]) -> list[Terms]:
    """The lines of a list; raises ``InvalidParam`` with the number of the line that cannot be read."""
    rows = csv.DictReader(io.StringIO(text.lstrip("\ufeff")))
    found = []
    for number, row in enumerate(rows, 2):
        cells = {_HEADS[head.strip()]: (cell or "").strip() for head, cell in row.items()
                 if isinstance(head, str) and head.strip() in _HEADS and isinstance(cell, str | None)}
        try:
            found.append(_terms_of(cells, known))
        except (Refused, KeyError, ValueError) as fault:
            reason = fault.reason if isinstance(fault, Refused) else "書き方がちがいます"
            raise InvalidParam(f"{number}行目：{reason}") from None
    if not found:
        raise InvalidParam("一覧に、名前と地域の列と、1行以上が必要です")
    return found


def _terms_of(cells: dict[str, str], known: dict[str, str]) -> Terms:
    name, codes_said = cells.get("name", ""), _parts(cells.get("areas", ""))
    names = _parts(cells.get("area_names", ""))
    areas = tuple(
        Area(code, names[place] if place < len(names) else known.get(code, name))
        for place, code in enumerate(codes_said)
    )
    chosen = frozenset(_category(word) for word in _parts(cells.get("categories", "")))
    return Terms(
        kind=_kind(cells.get("kind", "")), name=name, areas=areas, categories=chosen or frozenset(Category)
    )


def _parts(cell: str) -> list[str]:
    return [part.strip() for part in cell.replace("；", ";").replace("、", ";").split(";") if part.strip()]


def _kind(word: str) -> NodeKind:
    named = {"": NodeKind.ASSOCIATION, "自治会": NodeKind.ASSOCIATION, **{kind.label: kind for kind in NodeKind}}
    return named[word] if word in named else NodeKind(word)


def _category(word: str) -> Category:
    named = {item.label: item for item in Category}
    return named[word] if word in named else Category(word)
