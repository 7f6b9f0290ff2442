"""State resolution 2 (room versions 3 to 11) and 2.1 (version 12), one file per stage; ``resolve.py`` has the order.

Called by the room core where a room has forked, and by the judge. It is handed every event that it needs: it never
asks a database, never waits, and never looks at a clock.
"""

from server.rooms.state_resolution.resolve import resolve

__all__ = ["resolve"]
