"""Sync tokens: which calendar, up to which change (RFC 6578 section 3.2)."""

from __future__ import annotations

from typing import Final

from server.calendars.model import Collection
from server.calendars.refusals import CalendarRefused, Condition, refuse

_PREFIX: Final = "urn:kairan:sync:"


def sync_token(collection: Collection, revision: int | None = None) -> str:
    """The token of ``revision``, or of now."""
    return f"{_PREFIX}{collection.key}:{collection.revision if revision is None else revision}"


def read_sync_token(collection: Collection, token: str) -> int:
    """The revision; an empty token is 0. Refuses tokens of another calendar, of the future, or too old to tell."""
    if not token:
        return 0
    key, _, number = token.removeprefix(_PREFIX).rpartition(":")
    if not token.startswith(_PREFIX) or key != collection.key or not (number.isascii() and number.isdigit()):
        raise _invalid()
    revision = int(number[:18])
    if not max(collection.forgotten, 1) <= revision <= collection.revision:
        raise _invalid()
    return revision


def _invalid() -> CalendarRefused:
    return refuse(Condition.VALID_SYNC_TOKEN, "The sync token is no longer known; start anew")
