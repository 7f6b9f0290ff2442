"""Neighbours who share, on real nodes. Reads as prose in tests:

    async with neighbours(tmp_path) as (sakura, ume):
        share = await shares(sakura, ume, Subject.CALENDAR)
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from federation.sharing.model import SHARED, Opened, Share, ShareState, Subject, Terms
from server.association.bookings.model import Facility, Rules
from server.association.gatherings.model import Gathering, Plan
from server.association.members.model import EVERYONE, Audience
from server.foundation.clock import tokyo_time
from server.rooms.send_event import Draft
from tests.federation.wide_area.places import Place, until, wide_area


@asynccontextmanager
async def neighbours(folder: Path, *names: str) -> AsyncIterator[list[Place]]:
    """Associations that are linked with nobody."""
    roles: dict[str, Any] = dict.fromkeys(names or ("sakura", "ume"), "association")
    async with wide_area(folder, **roles) as places:
        yield places


async def shares(one: Place, other: Place, *subjects: Subject, opened: tuple[Opened, ...] = ()) -> Share:
    """Let two places share; answers the share as the second has it, when both have it in force."""
    terms = Terms(frozenset(subjects), opened)
    card = await one.verbs.sharing.offers.offer(one.me, "おとなり", terms)
    made = await other.verbs.sharing.joining.agree(other.me, card.text, Terms(frozenset(subjects)))
    await until(lambda: is_sharing(one, made.room_id))
    return made


async def ends(one: Place, other: Place, room_id: str, reason: str = "") -> None:
    """Let one end it; answers when both have forgotten it, left its room and written that down."""
    await one.verbs.sharing.halves.end(one.me, room_id, reason)
    await have_parted(one, other, room_id)


async def have_parted(one: Place, other: Place, room_id: str) -> None:
    """Wait until a share is over on both sides and nothing of it is still being done."""
    for place in (one, other):
        await until(lambda place=place: _has_left(place, room_id))  # type: ignore[misc]
        share = place.verbs.sharing.book.find(room_id)
        assert share is not None
        # What was committed before is followed by everything that follows from it.
        await place.verbs.sharing.book.save(share)


async def _has_left(place: Place, room_id: str) -> bool:
    share = place.verbs.sharing.book.find(room_id)
    room = await place.node.inside.services.rooms.get(room_id)
    return share is not None and share.state is ShareState.ENDED and room.membership(place.me) != "join"


async def is_sharing(place: Place, room_id: str) -> bool:
    found = place.verbs.sharing.book.find(room_id)
    return found is not None and found.is_in_force


async def announces(place: Place, title: str, audience: Audience = EVERYONE, **more: Any) -> Gathering:
    """A gathering in three days, with a description that is nobody's business next door."""
    start = _soon(place) + timedelta(days=3)
    plan = Plan(title, start, start + timedelta(hours=2), "桜公園", "世話役は佐藤花子 090-1234-5678", **more)
    return await place.node.inside.association.gatherings.announce(place.me, plan, audience)


async def has_facility(place: Place, name: str = "桜集会所") -> Facility:
    """Something to book."""
    bookings = place.node.inside.association.daily_life.bookings
    return await bookings.put_facility(place.me, Facility("", name, note="鍵は佐藤さん", rules=Rules()))


async def titles(place: Place) -> list[str]:
    """What residents find of the neighbours' gatherings."""
    return [item.thing.title for item in await place.verbs.sharing.neighbours.gatherings(0)]


async def sees(place: Place, *expected: str) -> None:
    """Wait until residents find exactly these gatherings of the neighbours."""

    async def there() -> bool:
        return sorted(await titles(place)) == sorted(expected)

    try:
        await until(there)
    except AssertionError:
        raise AssertionError(f"they see {await titles(place)}, {await place.reasons()}") from None


async def turns_hostile(place: Place) -> None:
    """From now on its node no longer takes back by itself what somebody says past all verbs (``tells``)."""
    giving = place.verbs.sharing.giving
    giving.close()
    # Whatever is on its way goes before.
    for _ in range(2):
        await giving.bring_all()


async def tells(place: Place, room_id: str, told: Any, sender: str = "") -> None:
    """Say something past all verbs."""
    content = {"msgtype": "m.notice", "body": "知らせ", SHARED: told}
    await place.node.inside.services.sender.send(
        Draft(room_id, sender or place.me, "m.room.message", content))


def thing(kind: str, thing_id: str, value: Any, revision: int = 1) -> dict[str, Any]:
    """The value of the key."""
    return {"kind": kind, "id": thing_id, "revision": revision, "thing": value}


def gathering_value(place: Place, title: str = "夏まつり", **more: Any) -> dict[str, Any]:
    """A gathering as it is told."""
    start = place.node.inside.core.clock.now_ms() + 86_400_000
    return {"title": title, "place": "公園", "all_day": False, "cancelled": False,
            "times": [[start, start + 3_600_000]], **more}


def _soon(place: Place) -> datetime:
    now = tokyo_time(place.node.inside.core.clock.now_ms())
    return now.replace(hour=10, minute=0, second=0, microsecond=0)
