"""A circular that waits for its time. Values only."""

from __future__ import annotations

from dataclasses import dataclass

from server.association.circulars.model import Letter


@dataclass(frozen=True, slots=True)
class Planned:
    """``id`` is that of the circular to come; ``fault`` says why it could not be sent round when it was due."""

    id: str
    officer: str
    letter: Letter
    publish_ts: int
    fault: str = ""
    revision: int = 1
