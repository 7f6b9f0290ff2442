"""Whoever wants no invitations gets none (spec, "Invite permission")."""

from __future__ import annotations

from aiohttp import web

from server.foundation.errors import Forbidden
from server.http.keys import ACCOUNTS


def require_takes_invitations(request: web.Request, user_id: str) -> None:
    """Raise ``Forbidden`` (``M_INVITE_BLOCKED``) where a user of this node has blocked all invitations."""
    if request.app[ACCOUNTS].account_data.blocks_invites(user_id):
        raise Forbidden("This user takes no invitations", code="M_INVITE_BLOCKED")
