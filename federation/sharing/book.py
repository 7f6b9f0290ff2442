"""With whom this node shares, in memory; who may speak for it, and how a neighbour is refused."""

from __future__ import annotations

import asyncio

from federation.links.book import LinkBook, Us
from federation.sharing import shares_store, things_store
from federation.sharing.model import Share, ShareState, Subject
from server.association.members.members import Members
from server.foundation.clock import Clock
from server.foundation.errors import NotFound
from server.storage.database import Database, Writes


class ShareBook:
    """Shares by their rooms. ``await open()`` once."""

    def __init__(self, links: LinkBook) -> None:
        self._links = links
        self._shares: dict[str, Share] = {}
        # Rises with every change of what residents find of the neighbours; a time in ms.
        self.position = 1

    async def open(self) -> None:
        """Load the shares."""
        self._shares = {share.room_id: share for share in await shares_store.all_shares(self.database)}
        self.position = max(1, await things_store.newest_received(self.database), *(
            share.changed_ts for share in self._shares.values()), 1)

    def move(self) -> None:
        """Something has changed of what residents find."""
        self.position = max(self.clock.now_ms(), self.position + 1)

    @property
    def database(self) -> Database:
        """Where shares are kept."""
        return self._links.database

    @property
    def clock(self) -> Clock:
        """The node's clock."""
        return self._links.clock

    @property
    def us(self) -> Us:
        """This node as others see it."""
        return self._links.us

    @property
    def members(self) -> Members:
        """Who belongs to the association."""
        return self._links.members

    def require(self, officer: str) -> None:
        """Raise ``Forbidden`` unless somebody may speak for the whole association."""
        self._links.require(officer)

    async def refuse(self, server: str, reason: str) -> None:
        """Keep, and log, that something of a neighbour was refused; ``reason`` in plain Japanese, for officers."""
        await self._links.refuse(server, "ご近所との分け合い", reason)

    def find(self, room_id: str) -> Share | None:
        """The share whose room this is."""
        return self._shares.get(room_id)

    def get(self, officer: str, room_id: str) -> Share:
        """One share for an officer; raises ``Forbidden`` or ``NotFound``."""
        self.require(officer)
        share = self.find(room_id)
        if share is None:
            raise NotFound("その相手とは 分け合っていません")
        return share

    def shares(self) -> list[Share]:
        """All shares, ended ones too, the oldest first."""
        return list(self._shares.values())

    def in_force(self, subject: Subject | None = None) -> list[Share]:
        """Those over which something may go; of a subject those who have agreed to it."""
        return [
            share for share in self._shares.values()
            if share.is_in_force and (subject is None or share.shares(subject))
        ]

    def with_server(self, server: str) -> Share | None:
        """The share with a neighbour that is not over."""
        found = (share for share in self._shares.values() if share.server == server)
        return next((share for share in found if share.state is not ShareState.ENDED), None)

    def put(self, writes: Writes, share: Share) -> None:
        """Keep a share, or what has become of it; in memory when ``writes`` is committed."""
        shares_store.put_share(writes, share)
        if share.state is ShareState.ENDED:
            things_store.forget_room(writes, share.room_id)

        def enter() -> None:
            self._shares[share.room_id] = share
            self.move()

        writes.after_commit.append(enter)

    async def save(self, share: Share) -> None:
        """``put`` in a commit of its own."""
        writes = Writes()
        self.put(writes, share)
        await asyncio.shield(self.database.submit(writes))
