"""``kairan key rotate``: a fresh signing key for a node that is stopped."""

from __future__ import annotations

import os
import sys

from server.config import Settings
from server.foundation.clock import SystemClock
from server.foundation.durable import settle
from server.foundation.errors import Refused
from server.foundation.folder_lock import folder_lock
from server.foundation.signatures import rotated


def rotate(settings: Settings) -> int:
    """Write the new key file in the place of the old one. A running node would go on signing with a key that has
    ended; raises ``FolderInUse``.
    """
    file = settings.signing_key_file
    with folder_lock(settings.data_dir):
        fresh = file.with_suffix(".new")
        try:
            text = rotated(file.read_text(), SystemClock().now_ms())
        except ValueError:
            raise Refused(f"{file} holds no signing key; put it back from a backup.") from None
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        fresh.replace(file)
        settle(file.parent)
    sys.stdout.write(f"{settings.server_name} signs with a new key from now on; others learn of it by themselves.\n")
    return 0
