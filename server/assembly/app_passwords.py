"""The app passwords of a node: pages make and revoke what the calendar door keeps in memory."""

from __future__ import annotations

from server.assembly.core import Core
from server.calendars.app_passwords import AppPasswords


def app_passwords_of(core: Core) -> AppPasswords:
    """The same for every door of the node."""
    found = core.late.app_passwords
    if found is None:
        found = core.late.app_passwords = AppPasswords(core.database, core.clock)
    return found
