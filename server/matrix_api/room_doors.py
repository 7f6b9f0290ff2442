"""All doors of rooms and sync, for the assembly."""

from __future__ import annotations

from types import ModuleType

from server.http.late_door import Handler, LateDoor
from server.http.routes import Doors
from server.matrix_api import create_room, directory, history, membership, presence, receipts, send, sync

_GROUPS = (create_room, directory, history, membership, presence, receipts, send, sync)


def add_routes(doors: Doors) -> None:
    """Register every door of rooms and sync."""
    for group in _GROUPS:
        group.add_routes(doors)
    # Not every node has clients that speak it, and it would cost each a megabyte of memory.
    sliding_sync = LateDoor("server.matrix_api.sliding_sync", _open_sliding_sync)
    doors.post("unstable/org.matrix.simplified_msc3575/sync", sliding_sync.answer)
    doors.post("v4/sync", sliding_sync.answer)


def _open_sliding_sync(module: ModuleType) -> Handler:
    handler: Handler = module.open_door()
    return handler
