"""Positions that clients hold: ``s<stream>_<typing>``. The first part alone also pages ``/messages``."""

from __future__ import annotations

from typing import NamedTuple

from server.foundation.errors import InvalidParam


class SyncToken(NamedTuple):
    """Up to which position of each kind a client knows everything."""

    stream: int
    typing: int = 0

    @classmethod
    def parse(cls, text: str) -> SyncToken:
        """Read a token of ours; raises ``InvalidParam``."""
        stream, _, typing = text.removeprefix("s").partition("_")
        if not text.startswith("s") or not _is_number(stream) or not (typing == "" or _is_number(typing)):
            raise InvalidParam("This is no position of a sync or a history")
        return cls(int(stream), int(typing or 0))

    def __str__(self) -> str:
        return f"s{self.stream}_{self.typing}"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
