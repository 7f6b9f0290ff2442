"""What a database's own errors mean for whoever wanted to write (FAULTS: a full disk, a locked database)."""

from __future__ import annotations

import sqlite3
from typing import Final

from sqlalchemy.exc import DBAPIError, IntegrityError

from server.foundation.errors import Refused

_FULL: Final = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
_DAMAGED: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BUSY: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
# PostgreSQL: disk_full, out_of_memory; lock_not_available, cannot_connect_now.
_FULL_STATES: Final = {"53100", "53200"}
_BUSY_STATES: Final = {"55P03", "57P03"}
# invalid_password, invalid_authorization_specification, invalid_catalog_name.
_NO_ENTRY_STATES: Final = {"28P01", "28000", "3D000"}


class Conflict(Exception):
    """Another row stands where this one should go: a unique key is taken."""


class StorageFull(Refused):
    """There is no room left on the disk: 507; nothing of this was written, and reading goes on."""

    status = 507
    code = "M_RESOURCE_LIMIT_EXCEEDED"


class StorageBusy(Refused):
    """Somebody else holds the database: 503; the same request may be tried again."""

    status = 503
    retry_after_ms = 1_000


class StorageDamaged(Refused):
    """The database file is damaged: 500; what it says cannot be trusted."""

    status = 500


def meaning(fault: Exception) -> Exception:
    """``fault``, or what it means: ``Conflict``, ``StorageFull``, ``StorageBusy``, ``StorageDamaged``."""
    if isinstance(fault, sqlite3.IntegrityError | IntegrityError):
        return Conflict(str(fault))
    cause = fault.orig if isinstance(fault, DBAPIError) else fault
    # Extended codes carry the plain one in their low byte.
    code = (getattr(cause, "sqlite_errorcode", None) or 0) & 0xFF
    state = getattr(cause, "sqlstate", None)
    if code in _FULL or state in _FULL_STATES:
        return StorageFull("The node's disk is full; please tell the officers")
    if code in _DAMAGED:
        return StorageDamaged("The node's data is damaged; please tell the officers")
    if code in _BUSY or state in _BUSY_STATES:
        return StorageBusy("The node is busy; please try again")
    return fault


def for_operators(fault: Exception) -> Refused | None:
    """What to tell whoever starts a node or asks something of one that stands still; nothing of a mistake of ours."""
    meant = meaning(fault)
    if isinstance(meant, StorageDamaged):
        return StorageDamaged(
            "its database is damaged. Copy the data folder elsewhere, look at it with `kairan check`, and put the last "
            "backup back with `kairan restore`."
        )
    if getattr(fault.orig if isinstance(fault, DBAPIError) else fault, "sqlstate", None) in _NO_ENTRY_STATES:
        return Refused("PostgreSQL does not let us in: are user, password and name in [database] url right?")
    return meant if isinstance(meant, Refused) else None


def plain(fault: BaseException) -> BaseException:
    """What a failed transaction of one's own raises: a full or busy disk in plain words, all else as it is."""
    meant = meaning(fault) if isinstance(fault, Exception) else fault
    return fault if isinstance(meant, Conflict) else meant
