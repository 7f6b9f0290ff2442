"""An answer slip on paper. Values only."""

from __future__ import annotations

from typing import NamedTuple


class Slip(NamedTuple):
    """The answer of a household to a poll; where everybody has a voice, of the one person ``person_id``.

    ``id`` is what the printed code carries, and nothing else: no name stands in it.
    """

    id: str
    poll_id: str
    household_id: str
    person_id: str = ""
