"""What a backup or an export says of itself: of which node it is, of when, and how many rows each table has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from server.config import Settings
from server.foundation.errors import Refused
from server.operation.snapshot_store import counts_of, schema_of

Json = dict[str, Any]

NAME: Final = "about.json"
_FORMAT: Final = 1
_KINDS: Final = {"format": int, "server_name": str, "made_ms": int, "schema": int, "counts": dict}


def describe(settings: Settings, snapshot: Path, now_ms: int) -> Json:
    """What is said of a snapshot of the database and of what goes with it."""
    return {
        "format": _FORMAT, "server_name": settings.server_name, "association": settings.association.name,
        "made_ms": now_ms, "schema": schema_of(snapshot), "counts": counts_of(snapshot),
    }


def written(about: Json) -> bytes:
    """As the file ``about.json``."""
    return json.dumps(about, ensure_ascii=False, indent=1).encode()


def read(content: bytes) -> Json:
    """Read such a file; raises ``ValueError`` where it is none, ``Refused`` where a newer release has written it."""
    try:
        about = json.loads(content)
    except RecursionError:
        about = None
    if not isinstance(about, dict):
        raise ValueError(f"{NAME} is no description")
    if isinstance(about.get("format"), int) and about["format"] > _FORMAT:
        raise Refused("This was made by a newer Kairan; install that version, or a newer one.")
    wrong = [name for name, kind in _KINDS.items() if not isinstance(about.get(name), kind)]
    if wrong or not all(isinstance(count, int) for count in about["counts"].values()):
        raise ValueError(f"{NAME} does not say {', '.join(wrong) or 'how many rows there are'}")
    return about
