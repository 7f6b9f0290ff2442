"""The links of this node in memory, what its officers have chosen, and what was refused."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from federation.links import inbox_store, links_store
from federation.links.inbox_store import Refusal
from federation.links.model import Category, Direction, Link, NodeKind, Party
from server.association.members.members import Members
from server.association.members.model import Right
from server.foundation.clock import Clock
from server.foundation.errors import InvalidParam, NotFound
from server.storage.database import Database, Writes

logger = logging.getLogger(__name__)

_MOST_REFUSALS: Final = 1_000
_MAX_WORDS: Final = 300
_MOST_HIDDEN: Final = 100
DEFAULT_SMALLEST: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Us:
    """This node as others see it."""

    party: Party
    public_url: str

    @property
    def server(self) -> str:
        """Our server name."""
        return self.party.server

    @property
    def user_id(self) -> str:
        """The node's own account, who speaks in the rooms of links."""
        return self.party.user_id

    @property
    def kind(self) -> NodeKind:
        """What this node serves."""
        return self.party.kind


class LinkBook:
    """Who is linked with us. ``await open()`` once."""

    def __init__(self, database: Database, members: Members, clock: Clock, us: Us) -> None:
        self.database = database
        self.members = members
        self.clock = clock
        self.us = us
        self._links: dict[str, Link] = {}
        self._choices: dict[str, Any] = {}

    async def open(self) -> None:
        """Load links and choices."""
        self._links = {link.room_id: link for link in await links_store.all_links(self.database)}
        self._choices = await links_store.choices(self.database)

    # ---- links ------------------------------------------------------------------------------------------------------

    def find(self, room_id: str) -> Link | None:
        """The link whose room this is."""
        return self._links.get(room_id)

    def links(self, direction: Direction | None = None) -> list[Link]:
        """All links, ended ones too, the oldest first."""
        return [link for link in self._links.values() if direction in (None, link.direction)]

    def in_force(self, direction: Direction) -> list[Link]:
        """Those over which something may go."""
        return [link for link in self.links(direction) if link.is_in_force]

    def with_server(self, server: str) -> Link | None:
        """The link in force with a server, if there is one."""
        return next((link for link in self._links.values() if link.server == server and link.is_in_force), None)

    def get(self, officer: str, room_id: str) -> Link:
        """One link for an officer; raises ``Forbidden`` or ``NotFound``."""
        self.require(officer)
        link = self.find(room_id)
        if link is None:
            raise NotFound("そのつながりはありません")
        return link

    def put(self, writes: Writes, link: Link) -> None:
        """Keep a link, or what has become of it; in memory when ``writes`` is committed."""
        links_store.put_link(writes, link)
        writes.after_commit.append(lambda: self._links.__setitem__(link.room_id, link))

    async def save(self, link: Link) -> None:
        """``put`` in a commit of its own."""
        writes = Writes()
        self.put(writes, link)
        await asyncio.shield(self.database.submit(writes))

    def require(self, officer: str) -> None:
        """Raise ``Forbidden`` unless somebody may speak for the whole association, federation or city."""
        self.members.require(officer, Right.POST_CIRCULARS)

    # ---- what the officers choose -----------------------------------------------------------------------------------

    @property
    def held(self) -> frozenset[Category]:
        """Categories whose notices wait for an officer. Alerts never wait."""
        return frozenset(Category(name) for name in self._choices.get("held", ()))

    @property
    def smallest(self) -> int:
        """The smallest figure that is told upward; smaller ones are hidden."""
        return int(self._choices.get("smallest", DEFAULT_SMALLEST))

    @property
    def smallest_in_safety(self) -> int:
        """The same for safety checks, where every single one may count; 0 hides nothing."""
        return int(self._choices.get("smallest_in_safety", 0))

    async def hold(self, officer: str, categories: Iterable[Category]) -> None:
        """Choose the categories whose notices wait for an officer."""
        self.require(officer)
        await self._choose("held", sorted(Category(item).value for item in categories))

    async def hide_below(self, officer: str, smallest: int, *, in_safety: int = 0) -> None:
        """Choose how small a figure may be that is told upward."""
        self.require(officer)
        if not (0 <= smallest <= _MOST_HIDDEN and 0 <= in_safety <= _MOST_HIDDEN):
            raise InvalidParam(f"人数は0から{_MOST_HIDDEN}までです")
        await self._choose("smallest", smallest)
        await self._choose("smallest_in_safety", in_safety)

    def choice(self, name: str, otherwise: Any) -> Any:
        """What they have chosen under a name of a part of its own, or ``otherwise``."""
        return self._choices.get(name, otherwise)

    async def choose(self, officer: str, name: str, value: object) -> None:
        """Choose that; raises ``Forbidden``."""
        self.require(officer)
        await self._choose(name, value)

    async def note_choice(self, name: str, value: object) -> None:
        """Note what follows from a choice; nothing is written where it stands so already."""
        if self._choices.get(name) != value:
            await self._choose(name, value)

    async def _choose(self, name: str, value: object) -> None:
        writes = Writes()
        links_store.choose(writes, name, value)
        await asyncio.shield(self.database.submit(writes))
        self._choices[name] = value

    # ---- refusals ---------------------------------------------------------------------------------------------------

    async def refuse(self, server: str, what: str, reason: str) -> None:
        """Keep, and log, that something of another server was refused. ``reason`` in plain Japanese, for officers."""
        # Without ``what``: a stranger chooses its words.
        logger.warning("refused what a server has sent: server=%s reason=%s", server, reason)
        seed = f"{server}\n{what}\n{reason}".encode()
        refusal = Refusal(
            hashlib.sha256(seed).hexdigest(), self.clock.now_ms(), 1, server[:_MAX_WORDS], what[:_MAX_WORDS],
            reason[:_MAX_WORDS],
        )
        # Strangers fill no table: beyond so many, only the log knows.
        if await inbox_store.count_refusals(self.database) < _MOST_REFUSALS:
            writes = Writes()
            inbox_store.refuse(writes, refusal)
            await asyncio.shield(self.database.submit(writes))

    async def refusals(self, officer: str, limit: int = 100) -> list[Refusal]:
        """What was refused, the newest first, for officers."""
        self.require(officer)
        return await inbox_store.refusals(self.database, limit)
