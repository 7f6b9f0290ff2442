"""Positions that clients hold: ``s<stream>_<typing>_<presence>``. The first part alone also pages ``/messages``."""

from __future__ import annotations

from typing import NamedTuple

from server.foundation.errors import InvalidParam


class SyncToken(NamedTuple):
    """Up to which position of each kind a client knows everything."""

    stream: int
    typing: int = 0
    presence: int = 0

    @classmethod
    def parse(cls, text: str) -> SyncToken:
        """Read a token of ours, also one that an earlier release gave out; raises ``InvalidParam``."""
        # What sliding sync lays behind it with "~" is for sliding sync alone.
        parts = text.partition("~")[0].removeprefix("s").split("_")
        if not text.startswith("s") or len(parts) > len(cls._fields) or not all(_is_number(part) for part in parts):
            raise InvalidParam("This is no position of a sync or a history")
        return cls(*map(int, parts))

    def __str__(self) -> str:
        return f"s{self.stream}_{self.typing}_{self.presence}"


def _is_number(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) < 19
