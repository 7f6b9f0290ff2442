"""What the pages of board, groups and gallery need; loaded with the first page."""

from __future__ import annotations

import contextlib

from server.assembly.node import Node
from server.association.board.actions import Board, Ground
from server.association.board.giving import Giving
from server.association.board.moderation import Moderation
from server.association.board.reader import BoardReader
from server.association.board.told_elsewhere import ToldElsewhere
from server.association.gallery.actions import Gallery, GalleryGround
from server.association.groups.actions import GroupGround, Groups
from server.association.groups.proposals import Proposals
from server.foundation.errors import NotFound
from server.media.model import Mxc
from server.rooms.reports import Reports
from server.rooms.search import Search
from server.web.common_services import CommonServices


def common_services(node: Node) -> CommonServices:
    """Their verbs, following the rooms from now on at the latest."""
    node.association.common_life.attach()
    core, association = node.core, node.association
    services, members = core.services, association.members
    history = services.history

    async def forget_file(url: str) -> None:
        with contextlib.suppress(NotFound):
            await node.media.media.delete(Mxc.parse(url))

    reports = Reports(core.database, services.rooms, history, core.clock)
    ground = Ground(
        core.database, core.clock, members, services.sender, services.membership, reports, forget_file,
        association.common_life.passing,
    )
    board = Board(ground)
    moderation = Moderation(ground, board)
    search = Search(core.database, services.rooms, history)
    gallery = Gallery(GalleryGround(
        core.database, core.clock, members, services.sender, services.membership, forget_file,
    ))
    group_ground = GroupGround(
        core.database, members, association.editor, services.sender, services.membership, forget_file,
    )
    return CommonServices(
        board=board, giving=Giving(ground), moderation=moderation, told_elsewhere=ToldElsewhere(ground),
        reader=BoardReader(ground, moderation, search, services.receipts), gallery=gallery,
        groups=Groups(group_ground), proposals=Proposals(group_ground, core.clock),
    )
