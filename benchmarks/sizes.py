"""How much of everything a run does."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Counts of one run; `*_each` is per sender, `*_rounds` are measured after one round of warm-up."""

    people: int
    senders: int
    starts: int
    circle_each: int
    hall_each: int
    private_people: int
    private_rounds: int
    fanout_rounds: int
    receipt_rounds: int
    empty_each: int
    rooms: int
    messages_a_room: int
    readers: int
    initial_rounds: int
    disk_each: int
    sliding_rooms: int
    sliding_starts: int
    searched: int
    searches_each: int
    remote_messages: int
    far_members: int
    far_state: int
    servers: int
    broadcasts: int
    conflicts: int
    patience_s: float


FULL = Sizes(
    people=300,
    senders=16,
    starts=5,
    circle_each=40,
    hall_each=15,
    private_people=100,
    private_rounds=4,
    fanout_rounds=10,
    receipt_rounds=2,
    empty_each=100,
    rooms=20,
    messages_a_room=50,
    readers=10,
    initial_rounds=4,
    disk_each=60,
    sliding_rooms=500,
    sliding_starts=5,
    searched=5_000,
    searches_each=10,
    remote_messages=300,
    far_members=1_000,
    far_state=4_000,
    servers=240,
    broadcasts=10,
    conflicts=40,
    patience_s=180.0,
)
"""The sizes that the budgets speak of."""

QUICK = Sizes(
    people=60,
    senders=16,
    starts=2,
    circle_each=8,
    hall_each=4,
    private_people=12,
    private_rounds=2,
    fanout_rounds=3,
    receipt_rounds=1,
    empty_each=20,
    rooms=20,
    messages_a_room=12,
    readers=4,
    initial_rounds=2,
    disk_each=15,
    sliding_rooms=40,
    sliding_starts=2,
    searched=400,
    searches_each=3,
    remote_messages=50,
    far_members=60,
    far_state=100,
    servers=20,
    broadcasts=3,
    conflicts=20,
    patience_s=60.0,
)
"""For a first look in under a minute; too small for the ratios to count."""
