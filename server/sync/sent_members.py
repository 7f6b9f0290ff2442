"""Which members a device knows (spec: "Lazy-loading room members"), so that they are not sent again.

In a room of 1,500 people who all speak, 1,500 devices come to know 1,500 members each. So the members of a room are
numbered, and what a device knows is one integer with a bit for each. A member event that changes later reaches the
device as an event of the timeline, or as a change of state in a gap.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from server.rooms.event import Event

_KEPT_DEVICES: Final = 10_000

# User, device, room.
Place = tuple[str, str, str]


@dataclass(slots=True)
class _Known:
    """Members by bits: those that the device has for certain, and those of the last answer, given at ``sent_at``."""

    certain: int = 0
    sent: int = 0
    sent_at: int = 0


class SentMembers:
    """What has been sent to which device.

    A device has what was sent up to the position with which it comes back: an answer may be lost on its way.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, dict[str, int]] = {}
        self._known: OrderedDict[Place, _Known] = OrderedDict()

    def mask(self, room_id: str, user_ids: Iterable[str]) -> int:
        """Some members of a room as bits."""
        numbers = self._numbers.setdefault(room_id, {})
        mask = 0
        for user_id in user_ids:
            mask |= 1 << numbers.setdefault(user_id, len(numbers))
        return mask

    def knows(self, place: Place, mask: int, since: int) -> bool:
        """Whether a device that comes back with ``since`` knows all members of ``mask``."""
        return mask & ~self._of(place, since).certain == 0

    def unsent(self, place: Place, members: Iterable[Event], since: int | None, now: int) -> list[Event]:
        """Those of ``members`` that the device does not know; they go out with the answer at ``now``.

        Without ``since`` the device begins anew.
        """
        if since is None:
            self._known.pop(place, None)
        known = self._of(place, since or 0)
        numbers = self._numbers.setdefault(place[2], {})
        fresh = []
        for event in members:
            bit = 1 << numbers.setdefault(event.state_key or "", len(numbers))
            if not (known.certain | known.sent) & bit:
                known.sent |= bit
                fresh.append(event)
        known.sent_at = now
        return fresh

    def _of(self, place: Place, since: int) -> _Known:
        known = self._known.get(place)
        if known is None:
            known = self._known[place] = _Known()
            if len(self._known) > _KEPT_DEVICES:
                self._known.popitem(last=False)
            return known
        self._known.move_to_end(place)
        if since >= known.sent_at:
            known.certain |= known.sent
        known.sent = 0
        return known
