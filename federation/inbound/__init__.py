"""Doors for other Matrix servers: one file per endpoint group.

So far who we are and what we run; rooms follow with the issue of federation. A door knows who, what, one verb,
answer, like those of ``server.matrix_api``.
"""

from __future__ import annotations

from federation.inbound import server_keys, version
from server.http.routes import Doors


def add_routes(doors: Doors) -> None:
    """Register every door for other servers."""
    for group in (server_keys, version):
        group.add_routes(doors)
