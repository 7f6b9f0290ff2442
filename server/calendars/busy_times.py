"""The account data by which somebody lets neighbours see when they have time."""

from __future__ import annotations

from typing import Final

# {"show": true}; without it an address of ours is answered for like one that belongs to nobody.
FREE_BUSY: Final = "jp.kairan.free_busy"
