"""Building what neighbours share; loaded with the links (``wide_area.py``)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final

from federation.links.book import LinkBook
from federation.links.inbox_store import Letter
from federation.links.joining import Asker
from federation.links.offers import RoomVerbs
from federation.sharing.boards import Boards
from federation.sharing.book import ShareBook
from federation.sharing.giving import Giving
from federation.sharing.halves import ShareHalves
from federation.sharing.joining import ShareJoining
from federation.sharing.model import SHARED, SHARING
from federation.sharing.neighbours import Neighbours
from federation.sharing.offers import ShareOffers
from federation.sharing.requests import OurRequests, TheirRequests
from federation.sharing.rooms import ShareRooms
from federation.sharing.sources import HazardReports, OpenFacilities, PublicGatherings
from federation.sharing.taking import Taking
from server.assembly.node import Node
from server.association.bookings.actions import Bookings
from server.association.hazards.actions import Hazards
from server.association.members.edit import RosterChange
from server.foundation.tasks import keep_doing
from server.rooms.live_room import LiveRoom
from server.rooms.timeline import Entry

_NOW_AND_THEN_S: Final = 3_600.0
# What our own account says of these may be something that neighbours see.
_SEEN_BY_NEIGHBOURS: Final = (
    "jp.kairan.gathering", "jp.kairan.booking", "jp.kairan.hazard.state",
)
_MAY_CHANGE_WHAT_THEY_SEE: Final = ("jp.kairan.facility", "m.room.redaction")


@dataclass(frozen=True, slots=True)
class Sharing:
    """The verbs of sharing."""

    book: ShareBook
    offers: ShareOffers
    joining: ShareJoining
    halves: ShareHalves
    giving: Giving
    boards: Boards
    neighbours: Neighbours
    requests: OurRequests
    calendar: PublicGatherings
    facilities: OpenFacilities
    readers: Mapping[str, Callable[[Letter], Coroutine[Any, Any, None]]]


async def open_sharing(node: Node, links: LinkBook, verbs: RoomVerbs, asker: Asker) -> Sharing:
    """All of it; what was begun is completed."""
    core, life = node.core, node.association.daily_life
    book = ShareBook(links)
    await book.open()

    def bookings() -> Bookings:
        return life.bookings

    def hazards() -> Hazards:
        return life.hazards

    rooms = ShareRooms(book, verbs, node.services.sender)
    giving, taking = Giving(book, node.services.sender, core.tasks), Taking(book)
    halves, boards = ShareHalves(book, rooms), Boards(book, rooms)
    requests = OurRequests(book, giving.moved)
    answering = TheirRequests(book, bookings, giving.moved)
    calendar = PublicGatherings(node.association.gatherings, core.clock)
    facilities = OpenFacilities(bookings, core.clock)
    for source in (calendar, facilities, HazardReports(hazards), requests, answering):
        giving.add(source)
    taking.on_request(answering.hear)
    halves.on_begin(lambda share: core.tasks.start("a common board", boards.ensure_soon(share.room_id)))
    halves.on_begin(lambda share: giving.moved())
    halves.on_end(boards.close)
    halves.on_end(answering.end)
    for chore in (boards.ensure_all, taking.forget_what_is_gone):
        giving.add_chore(chore)
    sharing = Sharing(
        book, ShareOffers(book, rooms), ShareJoining(book, rooms, asker, halves.tell), halves, giving, boards,
        Neighbours(book), requests, calendar, facilities, {SHARING: halves.hear, SHARED: taking.hear},
    )
    _follow(node, sharing)
    return sharing


def _follow(node: Node, sharing: Sharing) -> None:
    """Tell neighbours when something of ours has changed, and complete what an interrupted run has begun."""
    core, own_account = node.core, node.association.members.node_user_id

    def heard(_room: LiveRoom, entry: Entry) -> None:
        event = entry.event
        is_ours = event.sender == own_account and ("m.new_content" in event.content or any(
            key in event.content for key in _SEEN_BY_NEIGHBOURS))
        if is_ours or "jp.kairan.hazard" in event.content or event.type in _MAY_CHANGE_WHAT_THEY_SEE:
            sharing.giving.moved()

    async def forget_who_has_left(change: RosterChange) -> None:
        for person_id in change.persons:
            if not node.association.members.register.has_person(person_id):
                await sharing.requests.forget(person_id)

    core.acceptor.listen(heard)
    node.association.editor.on_change(forget_who_has_left)
    core.closing.callback(sharing.giving.close)
    core.tasks.start("shares that were begun", sharing.joining.complete_all())
    core.tasks.start("shares that are over", sharing.halves.finish())
    core.tasks.start("sharing", keep_doing("sharing", sharing.giving.step, core.clock, every_s=_NOW_AND_THEN_S))
