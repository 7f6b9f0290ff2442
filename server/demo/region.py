"""A city, a federation of associations and associations on this machine: their folders, and links between them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from federation.links.model import Area, LinkState, NodeKind, Terms
from server.assembly import Node, answering, build
from server.config import Settings, load_settings
from server.demo.certificates import Certificates
from server.demo.faults import DemoFailed
from server.demo.node_folder import SETTINGS_FILE, make_node_folder
from server.foundation.clock import SystemClock

_LINKED_WITHIN_S: Final = 30.0
_LOOK_EVERY_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Place:
    """One node: the name of its folder, what it is called, whom it serves, and the area that it stands for."""

    key: str
    name: str
    kind: NodeKind
    area: Area


@dataclass(frozen=True, slots=True)
class Site:
    """A place that has a folder."""

    place: Place
    settings_file: Path

    @property
    def settings(self) -> Settings:
        """As they stand in its file now."""
        return load_settings(self.settings_file)

    @property
    def url(self) -> str:
        """Where its pages and clients' door are."""
        return f"http://{self.settings.http.listen}"


def make_site(
    folder: Path, place: Place, certificates: Certificates,
    *, port: int, federation_port: int, chosen: Mapping[str, object],
) -> Site:
    """A new node that others on this machine reach at ``federation_port``, which is part of its name for ever."""
    own = folder / place.key
    # From the node's folder, so that all of it may be moved.
    chain, key, authority = (
        os.path.relpath(file, own) for file in (certificates.chain, certificates.key, certificates.authority)
    )
    make_node_folder(own, place.name, {
        "node.role": place.kind.value,
        "http.listen": f"127.0.0.1:{port}",
        "federation.listen": f"127.0.0.1:{federation_port}",
        "federation.tls_certificate": chain,
        "federation.tls_private_key": key,
        "federation.certificate_authorities": authority,
        "federation.allow_private_addresses": True,
        **chosen,
    }, f"localhost:{federation_port}")
    return Site(place, own / SETTINGS_FILE)


@asynccontextmanager
async def all_answering(sites: Sequence[Site]) -> AsyncIterator[list[Node]]:
    """All nodes at once, in this process."""
    async with AsyncExitStack() as closing:
        nodes = []
        for site in sites:
            node = await closing.enter_async_context(build(site.settings))
            await closing.enter_async_context(answering(node))
            nodes.append(node)
        for node in nodes:
            await node.resume()
        yield nodes


async def link(above: Node, below: Node, place: Place) -> None:
    """Invite ``below``, agree there, and wait until both have it in force; raises ``DemoFailed``."""
    inviting = await above.core.late.wide_area.open()
    invited = await below.core.late.wide_area.open()
    terms = Terms(kind=place.kind, name=place.name, areas=(place.area,))
    card = await inviting.offers.invite(inviting.book.us.user_id, terms)
    made = await invited.joining.agree(invited.book.us.user_id, card.text)
    clock = SystemClock()
    try:
        async with asyncio.timeout(_LINKED_WITHIN_S):
            while (found := inviting.book.find(made.room_id)) is None or found.state is not LinkState.IN_FORCE:
                await clock.sleep(_LOOK_EVERY_S)
    except TimeoutError:
        raise DemoFailed(f"{place.name} could not be linked") from None
