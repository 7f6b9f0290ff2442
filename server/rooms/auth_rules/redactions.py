"""Whether a redaction takes effect (room versions 3 and up, "Handling redactions").

The authorization rules let every redaction pass that its sender may send; what it may blank is asked here, once both
events are known.
"""

from __future__ import annotations

from server.foundation.ids import server_name_of
from server.rooms.auth_rules.power_levels import PowerLevels
from server.rooms.event import Event


def redaction_applies(redaction: Event, target: Event, power: PowerLevels) -> bool:
    """``power`` is in force before ``redaction``. True where the sender may redact anything, or the server its own."""
    return redaction.redacts == target.event_id and may_blank(redaction, target, power)


def may_blank(redaction: Event, target: Event, power: PowerLevels) -> bool:
    """The same for a redaction of which it is known that it means ``target``, though it says so no longer itself."""
    if redaction.room_id != target.room_id:
        return False
    if power.of_user(redaction.sender) >= power.redact:
        return True
    return server_name_of(redaction.sender) == server_name_of(target.sender)
