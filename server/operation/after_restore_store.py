"""What must change in a database that was put back from a backup, because others remember what it does not.

Between the backup and the end of the lost node, positions were given out, keys handed over and peers told things. A
restored node that went on counting where the backup ends would use the same names for other things, and others would
take its news for old. So:

* stream positions go on far behind all that the lost node can have used (a million for each second since 1970, which
  also keeps two restorations of one backup apart). Names of transactions follow from them;
* positions that clients may hold of the lost time are written down in ``restorations``;
* calendars begin a new numbering, and refuse older sync tokens: clients fetch them whole;
* one-time keys are dropped, since the lost node may have handed them out: no key may be used twice. Clients bring new
  ones when they see that there are none, and a new fallback key;
* other servers are told all devices again, with numbers that come from the clock, and are asked for theirs.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from server.operation.snapshot_store import plain_words

_POSITIONS_A_MS: Final = 1_000
_BLOCK: Final = 1_000_000

_ALL_CHANGED: Final = (
    "INSERT OR REPLACE INTO device_list_changes SELECT DISTINCT user_id, :next FROM device_keys"
    " WHERE user_id NOT IN (SELECT user_id FROM far_device_lists)"
)
_STEPS: Final = (
    "UPDATE position_reservation SET reserved = :next",
    "UPDATE calendars SET revision = max(revision + 1, :now), forgotten = max(revision + 1, :now)",
    "DELETE FROM calendar_tombstones",
    "DELETE FROM one_time_keys",
    "UPDATE fallback_keys SET used = 1",
    "DELETE FROM told_devices",
    "UPDATE told_device_lists SET change_stream = 0",
    _ALL_CHANGED,
    "UPDATE far_device_lists SET stale = 1",
    "DELETE FROM destinations",
    "INSERT INTO restorations VALUES (:now, :backup, :lost, :next)",
)


# What clients may have been told last before the backup: nothing that counts stands behind it.
_LAST_KNOWN: Final = (
    "SELECT max(last) FROM (SELECT max(stream) AS last FROM events UNION ALL SELECT max(stream) FROM receipts"
    " UNION ALL SELECT max(stream) FROM account_data UNION ALL SELECT max(stream) FROM device_list_changes"
    " UNION ALL SELECT max(stream) FROM to_device_messages)"
)


class Moments(NamedTuple):
    """When the backup was made, and now (ms)."""

    backup_ms: int
    now_ms: int


def renumber(file: Path, moments: Moments) -> None:
    """Make the SQLite database ``file``, which has today's schema, fit to go on."""
    with plain_words(file), closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("PRAGMA secure_delete=FAST")
        before = int(connection.execute("SELECT reserved FROM position_reservation").fetchone()[0])
        after = max(before + _BLOCK, moments.now_ms * _POSITIONS_A_MS)
        last = connection.execute(_LAST_KNOWN).fetchone()[0] or 0
        values = {"now": moments.now_ms, "backup": moments.backup_ms, "lost": last + 1, "next": after}
        for step in _STEPS:
            connection.execute(step, values)
