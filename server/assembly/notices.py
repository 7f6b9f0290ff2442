"""Server notices, made when the first one is sent."""

from __future__ import annotations

from server.assembly.node import Node
from server.foundation.errors import Refused
from server.rooms.room_versions import room_version
from server.rooms.server_notices import ServerNotices


def notices_of(node: Node) -> ServerNotices:
    """The verbs of server notices; always the same ones, so that nobody gets two rooms."""
    late, core = node.core.late, node.core
    if late.server_notices is None:
        late.server_notices = ServerNotices(
            core.database, core.accounts, core.services.creator, core.services.sender,
            node.association.members.node_user_id, room_version(core.settings.rooms.default_version),
        )
    return late.server_notices


async def readers_of(node: Node) -> list[str]:
    """Everybody who has an account here, and not the ghosts of application services."""
    return [user_id for user_id in await notices_of(node).readers() if not _is_ghost(node, user_id)]


def _is_ghost(node: Node, user_id: str) -> bool:
    services = node.core.late.application_services
    if services is None:
        return False
    try:
        services.names.require_user_unreserved(user_id)
    except Refused:
        return True
    return False
