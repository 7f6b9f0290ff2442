"""The list of all groups of pages."""

from __future__ import annotations

from server.web.pages import desk, desk_roster, desk_roster_files, desk_safety, files, home, login, my, safety
from server.web.routing import Routes


def add_routes(routes: Routes) -> None:
    """Everything that a browser can ask for."""
    for group in (home, login, safety, my, files, desk, desk_safety, desk_roster, desk_roster_files):
        group.add_routes(routes)
