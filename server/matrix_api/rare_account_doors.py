"""Doors of accounts that few ask for; their modules are loaded at the first request (docs/decisions/0008)."""

from __future__ import annotations

from operator import attrgetter
from typing import Final

from server.http.late_door import LateDoor
from server.http.routes import Doors

# Method, path, module of this package, handler in it.
_RARE: Final = (
    ("POST", "v3/refresh", "refresh", "refresh"),
    ("POST", "v1/login/get_token", "refresh", "get_login_token"),
)


def add_routes(doors: Doors) -> None:
    """Register the doors of this file."""
    for method, path, module, handler in _RARE:
        doors.add(method, path, LateDoor(f"server.matrix_api.{module}", attrgetter(handler)).answer)
