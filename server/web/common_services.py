"""What the pages of board, groups and gallery need; the assembly brings it."""

from __future__ import annotations

from dataclasses import dataclass

from server.association.board.actions import Board
from server.association.board.giving import Giving
from server.association.board.moderation import Moderation
from server.association.board.reader import BoardReader
from server.association.board.told_elsewhere import ToldElsewhere
from server.association.gallery.actions import Gallery
from server.association.groups.actions import Groups
from server.association.groups.proposals import Proposals


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonServices:
    """The board with what is given away and those who look after it, groups, photos."""

    board: Board
    giving: Giving
    moderation: Moderation
    told_elsewhere: ToldElsewhere
    reader: BoardReader
    gallery: Gallery
    groups: Groups
    proposals: Proposals

    async def forget(self, user_id: str) -> None:
        """Somebody leaves the association: what stands of them beside the rooms is removed."""
        await self.moderation.forget(user_id)
        await self.gallery.forget(user_id)
        await self.proposals.forget(user_id)
