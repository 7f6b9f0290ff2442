"""Building everything between cities, federations of associations and associations; loaded with the first link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from federation.broadcasts.desk import Desk
from federation.broadcasts.model import BROADCAST
from federation.broadcasts.public import PublicNotices
from federation.broadcasts.receiving import Receiving
from federation.broadcasts.sending import Sending
from federation.broadcasts.showing import Showing
from federation.figures.asked import AskedList
from federation.figures.hearing import Hearing
from federation.figures.model import FIGURES
from federation.figures.reporting import Reporting
from federation.figures.sources import AssociationSources
from federation.figures.tables import Tables
from federation.liaison.cases import Cases
from federation.liaison.model import LIAISON
from federation.liaison.rooms import LiaisonRooms
from federation.liaison.speaking import Speaker
from federation.liaison.talk import Talk
from federation.links.book import LinkBook, Us
from federation.links.halves import Halves
from federation.links.inbox import Inbox
from federation.links.inbox_store import Letter
from federation.links.joining import Joining
from federation.links.model import LINK, NodeKind, Party
from federation.links.offers import Offers, RoomVerbs
from federation.links.proofs import Proofs
from server.assembly.node import Node
from server.assembly.notice_files import fetch_files
from server.assembly.progress import ProgressVerbs, open_progress
from server.assembly.sharing import Sharing, open_sharing
from server.association.circulars.circulars_store import find_circular
from server.association.circulars.model import Circular
from server.association.circulars.reader import CircularReader
from server.association.safety_checks.desk import SafetyDesk
from server.foundation.errors import Refused
from server.foundation.tasks import keep_doing
from server.rooms.room_versions import room_version

if TYPE_CHECKING:
    from federation.serving.services import Federation

_FIGURES_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class WideArea:
    """The verbs between nodes."""

    book: LinkBook
    offers: Offers
    joining: Joining
    halves: Halves
    sending: Sending
    desk: Desk
    figures: Tables
    liaison: Cases
    talk: Talk
    progress: ProgressVerbs
    asked: AskedList
    inbox: Inbox
    sharing: Sharing
    public: PublicNotices

    def wake(self) -> None:
        """Another node has sent something."""
        self.inbox.wake()


class _Others:
    """Other servers, met when the first of them is asked."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def ask(self, server: str, method: str, path: str, *, content: Mapping[str, Any]) -> Any:
        """Ask one of them, signed."""
        return await (await self._open()).servers.ask(server, method, path, content=content)

    async def for_event(
        self, server: str, key_id: str, ts: int, *, enforced: bool, helpers: Sequence[str] = ()
    ) -> bytes | None:
        """A key of one of them."""
        ring = (await self._open()).key_ring
        return await ring.for_event(server, key_id, ts, enforced=enforced, helpers=helpers)

    async def _open(self) -> Federation:
        federation = self._node.core.late.federation
        if federation is None:
            raise Refused("このノードは、ほかのサーバーとつながらない設定です（[federation] enabled）")
        return await federation.open()


async def open_wide_area(node: Node) -> WideArea:
    """All services; what waits in the inbox is read, what was begun is completed."""
    core = node.core
    book, others = LinkBook(core.database, node.association.members, core.clock, us(node)), _Others(node)
    await book.open()
    wide_area = await _built(node, book, others, Proofs(others, core.database, core.clock))
    core.closing.callback(wide_area.inbox.close)
    core.tasks.start("links that were begun", wide_area.joining.complete_all())
    core.tasks.start("notices that were on their way", wide_area.sending.deliver())
    core.tasks.start("notices that were being shown", wide_area.desk.finish())
    wide_area.inbox.wake()
    return wide_area


async def _built(node: Node, book: LinkBook, others: _Others, proofs: Proofs) -> WideArea:
    core, services, association = node.core, node.services, node.association
    halves = Halves(book, services.sender)
    verbs = RoomVerbs(services.creator, services.membership, services.rooms,
                      room_version(core.settings.rooms.default_version))
    sending = Sending(book, services.sender)
    showing = Showing(
        association.members, core.clock, association.circulars, association.polls, association.safety_checks)
    receiving = Receiving(book, proofs, showing, sending)

    async def circular(circular_id: str) -> Circular | None:
        return await find_circular(core.database, circular_id)

    receiving.listen(lambda record: core.tasks.start("files of a notice", fetch_files(node, record)))
    reporting = await _open_reporting(node, book, receiving)

    async def give_up(letter: Letter) -> None:
        await book.refuse(letter.sender.partition(":")[2], letter.kind, "読めない知らせでした")

    progress = open_progress(node, book, proofs)
    hearing = Hearing(book, proofs, reporting.wake, progress.hearing)
    readers = {LINK: halves.hear, BROADCAST: receiving.hear, FIGURES: hearing.hear}
    liaison_rooms = LiaisonRooms(book, verbs, services.sender)
    halves.listen(lambda link: core.tasks.start("a liaison room", liaison_rooms.ensure(link)))
    halves.listen(lambda link: core.tasks.start("notices for somebody new", sending.catch_up(link)))
    core.tasks.start("liaison rooms", liaison_rooms.ensure_all())
    readers[LIAISON] = liaison_rooms.hear
    sharing = await open_sharing(node, book, verbs, others)
    readers |= sharing.readers
    speaker = Speaker(book, liaison_rooms, services.sender)
    cases = Cases(book, liaison_rooms, speaker, services.history)
    inbox = Inbox(core.database, core.clock, core.tasks, readers, give_up)
    tables = Tables(book, reporting.report_now)
    return WideArea(
        book, Offers(book, halves, verbs), Joining(book, halves, verbs, others), halves, sending,
        Desk(book, proofs, receiving, circular), tables,
        cases, Talk(book, liaison_rooms, speaker, services.history, cases), progress,
        AskedList(book, tables), inbox, sharing, PublicNotices(book),
    )


async def _open_reporting(node: Node, book: LinkBook, receiving: Receiving) -> Reporting:
    core, association = node.core, node.association
    sources = AssociationSources(
        association.members, CircularReader(core.database, association.members, node.services.receipts),
        association.polls.results, SafetyDesk(core.database, association.members),
    )
    reporting = Reporting(book, node.services.sender, sources)
    await reporting.open()
    receiving.listen(lambda record: core.tasks.start("figures of a notice", reporting.follow(record)))
    core.acceptor.listen(lambda _room, _entry: reporting.moved())
    core.tasks.start("figures", keep_doing("figures", reporting.step, core.clock, every_s=_FIGURES_S))
    return reporting


def us(node: Node) -> Us:
    """This node as others see it."""
    settings = node.settings
    party = Party(settings.server_name, node.association.members.node_user_id, settings.association.name,
                  NodeKind(settings.node.role))
    return Us(party=party, public_url=settings.http.public_url)
