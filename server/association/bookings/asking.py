"""How a request for a booking begins: all that a node which has nothing to book need know of bookings."""

from __future__ import annotations

from typing import Final

REQUEST: Final = "jp.kairan.booking.request"


def is_request(body: str) -> bool:
    """Whether a message begins like a request; asked of every message of a resident."""
    return body.startswith(("予約", "よやく"))
