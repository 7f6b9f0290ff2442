"""Building everything between cities, federations of associations and associations; loaded with the first link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from federation.links.book import LinkBook, Us
from federation.links.halves import Halves
from federation.links.inbox import Inbox
from federation.links.inbox_store import Letter
from federation.links.joining import Joining
from federation.links.model import LINK, NodeKind, Party
from federation.links.offers import Offers, RoomVerbs
from server.foundation.errors import Refused
from server.rooms.room_versions import room_version

if TYPE_CHECKING:
    from federation.serving.services import Federation
    from server.assembly.node import Node


@dataclass(frozen=True, slots=True)
class WideArea:
    """The verbs between nodes."""

    book: LinkBook
    offers: Offers
    joining: Joining
    halves: Halves
    inbox: Inbox

    def wake(self) -> None:
        """Another node has sent something."""
        self.inbox.wake()


async def open_wide_area(node: Node) -> WideArea:
    """All services; what waits in the inbox is read, what was begun is completed."""
    core, services = node.core, node.services

    async def federation() -> Federation:
        if core.late.federation is None:
            raise Refused("このノードは、ほかのサーバーとつながらない設定です（[federation] enabled）")
        return await core.late.federation.open()

    book = LinkBook(core.database, node.association.members, core.clock, us(node))
    await book.open()
    halves = Halves(book, services.sender)
    verbs = RoomVerbs(services.creator, services.membership, services.rooms,
                      room_version(core.settings.rooms.default_version))

    async def servers() -> object:
        return (await federation()).servers

    joining = Joining(book, halves, verbs, servers)  # type: ignore[arg-type]

    async def give_up(letter: Letter) -> None:
        await book.refuse(letter.sender.partition(":")[2], letter.kind, "読めない知らせでした")

    inbox = Inbox(core.database, core.clock, core.tasks, {LINK: halves.hear}, give_up)
    core.closing.callback(inbox.close)
    wide_area = WideArea(book, Offers(book, halves, verbs), joining, halves, inbox)
    core.tasks.start("links that were begun", joining.complete_all())
    inbox.wake()
    return wide_area


def us(node: Node) -> Us:
    """This node as others see it."""
    settings = node.settings
    party = Party(settings.server_name, node.association.members.node_user_id, settings.association.name,
                  NodeKind(settings.node.role))
    return Us(party=party, public_url=settings.http.public_url)
