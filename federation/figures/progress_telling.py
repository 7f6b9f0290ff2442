"""An association tells how far it has come: only to those whom its desk has chosen, and until it says otherwise.

Told when the desk chooses, and now and then where something has moved. Who is not chosen any more is told to forget.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from federation.figures import progress_store
from federation.figures.model import FIGURES, Content, Figure
from federation.figures.progress import Progress, hide_small
from federation.links.book import LinkBook
from federation.links.model import Direction, Link
from server.foundation.errors import InvalidParam, Refused
from server.foundation.signatures import sign_json
from server.rooms.send_event import Draft, EventSender
from server.storage.database import Writes

_CHOSEN: Final = "progress_to"
_TOLD: Final = "progress_told"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Somebody above who could be told. ``via`` is the federation through which it goes, or empty."""

    server: str
    name: str
    via: str
    is_chosen: bool


class ProgressTelling:
    """What this association tells. ``await step()`` every few hours."""

    def __init__(self, book: LinkBook, sender: EventSender, count: Callable[[], Awaitable[dict[str, int]]]) -> None:
        self._book = book
        self._sender = sender
        self._count = count
        self._working = asyncio.Lock()

    def readers(self, officer: str) -> list[Reader]:
        """All who could be told: those above, and whoever stands above them."""
        self._book.require(officer)
        chosen = self._servers(_CHOSEN)
        found: dict[str, Reader] = {}
        for link in self._book.in_force(Direction.ABOVE):
            found[link.server] = Reader(
                server=link.server, name=link.name, via="", is_chosen=link.server in chosen)
        for link in self._book.in_force(Direction.ABOVE):
            for server, name in _beyond(link).items():
                found.setdefault(server, Reader(server=server, name=name, via=link.name, is_chosen=server in chosen))
        return list(found.values())

    async def preview(self, officer: str) -> dict[str, Figure]:
        """What would be told now."""
        self._book.require(officer)
        return hide_small(await self._count(), self._book.smallest)

    async def choose(self, officer: str, servers: Collection[str]) -> None:
        """Tell these, and nobody else; an empty choice switches it off. Told at once."""
        known = {reader.server: reader for reader in self.readers(officer)}
        if not set(servers) <= set(known):
            raise InvalidParam("つたえる 相手を もう一度 えらんでください。")
        named = {known[server].name for server in servers}
        if any(known[server].via and known[server].via not in named for server in servers):
            raise InvalidParam("連合会を通して つたえる ときは、連合会も えらんでください。")
        await self._book.choose(officer, _CHOSEN, sorted(servers))
        await self.step()

    async def step(self) -> None:
        """Tell what has moved, and whom to forget."""
        async with self._working:
            chosen, told = set(self._servers(_CHOSEN)), set(self._servers(_TOLD))
            if chosen or told:
                await self._tell(chosen, told)

    # ---- parts ------------------------------------------------------------------------------------------------------

    def _servers(self, name: str) -> list[str]:
        return [str(server) for server in self._book.choice(name, ())]

    async def _tell(self, chosen: set[str], told: set[str]) -> None:
        links = self._book.in_force(Direction.ABOVE)
        reached = {server for link in links for server in (link.server, *_beyond(link))}
        before = await progress_store.find(self._book.database, self._book.us.server)
        # Before anything goes: whoever is told must be told to forget, too, also if we are stopped in the middle.
        await self._book.note_choice(_TOLD, sorted(told | (chosen & reached)))
        forget = (told - chosen) & reached
        if forget:
            await self._send(links, self._progress(sorted(forget), None, before))
        if chosen & reached:
            figures = hide_small(await self._count(), self._book.smallest)
            fresh = self._progress(sorted(chosen & reached), figures, before)
            if forget or not fresh.says_the_same(before.progress if before else None):
                await self._send(links, fresh)
        await self._book.note_choice(_TOLD, sorted((told | (chosen & reached)) - forget))

    def _progress(
        self, to: Sequence[str], figures: dict[str, Figure] | None, before: progress_store.Kept | None
    ) -> Progress:
        us, links = self._book.us.party, self._book.in_force(Direction.ABOVE)
        # Later than anything that was said before, whatever the clock says; and of the two at once, the figures.
        ts = max(self._book.clock.now_ms(), before.progress.ts + 2 if before else 0)
        return Progress(
            server=us.server, name=us.name, to=tuple(to), ts=ts if figures is None else ts + 1,
            areas=tuple(dict.fromkeys(code for link in links for code in link.terms.codes)),
            is_shared=figures is not None, figures=figures or {},
        )

    async def _send(self, links: Sequence[Link], progress: Progress) -> None:
        identity = self._sender.identity
        signed = sign_json(progress.as_json(), identity.server_name, identity.key)
        for link in links:
            if {link.server, *_beyond(link)} & set(progress.to):
                await send_progress(self._sender, self._book.us.user_id, link, signed)
        writes = Writes()
        progress_store.put(writes, progress, signed, "")
        await asyncio.shield(self._book.database.submit(writes))


async def send_progress(sender: EventSender, user_id: str, link: Link, signed: Content) -> None:
    """Say it in the room of a link; where a link was ended meanwhile, nothing goes."""
    content: Content = {"reports": [], "progress": [signed], "body": "町内会の ようす"}
    try:
        await sender.send(Draft(link.room_id, user_id, FIGURES, content))
    except Refused:
        if link.is_in_force:
            raise


def _beyond(link: Link) -> dict[str, str]:
    """Whoever stands above those above: the cities whose notices a federation may pass on, by server."""
    return {
        str(mandate["issuer"]): str(mandate.get("issuer_name", "")) or str(mandate["issuer"])
        for mandate in link.mandates if mandate.get("holder") == link.server
    }
