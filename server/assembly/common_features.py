"""Following the rooms of the board and of groups: see ``common_life.py`` for when."""

from __future__ import annotations

import contextlib
from collections.abc import Set

from server.assembly.core import Core
from server.association.board.holding import Held, hold_back
from server.association.board.projection import BoardProjection
from server.association.gallery.projection import GalleryProjection
from server.association.groups.actions import tell_leaders
from server.association.groups.projection import GroupProjection, Knock
from server.association.members.members import Members


def attach(core: Core, members: Members, passing: Set[str]) -> None:
    """Look at every event from now on."""

    def hold(held: Held) -> None:
        with contextlib.suppress(RuntimeError):  # the node stops; it stands in the officers' queue
            core.tasks.start("holding back", hold_back(members, core.services.sender, held))

    def tell(knock: Knock) -> None:
        with contextlib.suppress(RuntimeError):  # the node stops; leaders see it on the page
            core.tasks.start("telling leaders", tell_leaders(members, core.services.sender, knock.group_id))

    BoardProjection(members, passing, hold).attach(core.acceptor)
    GalleryProjection(members).attach(core.acceptor)
    GroupProjection(members, tell).attach(core.acceptor)
