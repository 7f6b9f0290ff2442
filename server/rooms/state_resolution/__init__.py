"""State resolution 2 (room versions 3 to 11) and 2.1 (version 12): pure functions, one file per stage."""

from server.rooms.state_resolution.resolve import resolve

__all__ = ["resolve"]
