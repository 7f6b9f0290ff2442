"""Saying something to many residents at once: few commits, and one broken room stops nobody else's message."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from server.foundation.errors import Refused
from server.rooms.send_event import Draft, EventSender

logger = logging.getLogger(__name__)

# As many drafts as the sender writes in one commit, so that what belongs to one person is never torn apart.
DRAFTS_AT_ONCE: Final = 50


async def send_to_each(sender: EventSender, bundles: Sequence[Sequence[Draft]]) -> int:
    """Send every bundle (the drafts for one room) whole or not at all; answers how many could not be sent."""
    failed = 0
    for batch in _batches(bundles):
        try:
            await sender.send_many([draft for bundle in batch for draft in bundle])
        except Refused:
            failed += await _send_one_by_one(sender, batch)
    if failed:
        logger.warning("%d of %d rooms took no message", failed, len(bundles))
    return failed


def _batches(bundles: Sequence[Sequence[Draft]]) -> list[list[Sequence[Draft]]]:
    batches: list[list[Sequence[Draft]]] = []
    room_left = 0
    for bundle in bundles:
        if len(bundle) > room_left:
            batches.append([])
            room_left = DRAFTS_AT_ONCE
        batches[-1].append(bundle)
        room_left -= len(bundle)
    return batches


async def _send_one_by_one(sender: EventSender, batch: Sequence[Sequence[Draft]]) -> int:
    failed = 0
    for bundle in batch:
        try:
            await sender.send_all(await sender.rooms.get(bundle[0].room_id), bundle)
        except Refused:
            failed += 1
    return failed
