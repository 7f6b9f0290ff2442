"""All doors of rooms and sync, for the assembly."""

from __future__ import annotations

from server.http.routes import Doors
from server.matrix_api import create_room, directory, history, membership, public_rooms, receipts, send, sync

_GROUPS = (create_room, directory, history, membership, public_rooms, receipts, send, sync)


def add_routes(doors: Doors) -> None:
    """Register every door of rooms and sync."""
    for group in _GROUPS:
        group.add_routes(doors)
