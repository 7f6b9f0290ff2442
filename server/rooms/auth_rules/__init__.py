"""Authorization rules of room versions 3 to 12: pure functions of an event and the state before it.

One file per rule; ``allowed.py`` is the table of contents. Called by the room core, by state resolution and by the
judge. They never fetch what they are not given, and never check the signatures of servers.
"""

from server.rooms.auth_rules.allowed import check_auth
from server.rooms.auth_rules.auth_events import check_auth_events
from server.rooms.auth_rules.create import check_create, creators_of
from server.rooms.auth_rules.membership import membership_in
from server.rooms.auth_rules.power_levels import PowerLevels, power_of
from server.rooms.auth_rules.redactions import may_blank, redaction_applies
from server.rooms.auth_rules.selection import auth_types_for

__all__ = [
    "PowerLevels",
    "auth_types_for",
    "check_auth",
    "check_auth_events",
    "check_create",
    "creators_of",
    "may_blank",
    "membership_in",
    "power_of",
    "redaction_applies",
]
