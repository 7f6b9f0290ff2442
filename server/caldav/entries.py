"""What the reports on a calendar have in common: the calendar itself, and a list of entries as an answer."""

from __future__ import annotations

from collections.abc import Sequence

from server.caldav.call import Call
from server.caldav.paths import Place
from server.caldav.prop_request import PropRequest, answer
from server.caldav.subjects import item_subjects
from server.calendars.actions import Shelf
from server.calendars.model import Item
from server.calendars.refusals import Condition, refuse


async def calendar_of(call: Call) -> Shelf:
    """The calendar that a report is about; refuses the report elsewhere."""
    if call.target.place is not Place.COLLECTION:
        raise refuse(Condition.SUPPORTED_REPORT, "This report is answered by calendars only")
    return await call.shelf()


async def answers(call: Call, shelf: Shelf, items: Sequence[Item], asked: PropRequest) -> list[str]:
    """``D:response`` of each entry."""
    data: Sequence[bytes | None] = [None] * len(items)
    if asked.needs_data:
        data = await call.calendars.data_of(shelf, items, asked.data)
    entries = ((item.head, body) for item, body in zip(items, data, strict=True))
    return [answer(subject, asked) for subject in item_subjects(call, shelf, entries)]
