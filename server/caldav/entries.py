"""What the reports on a calendar have in common: the calendar itself, and a list of entries as an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from server.caldav.call import Call
from server.caldav.paths import Place
from server.caldav.prop_request import PropRequest, answer
from server.caldav.subjects import item_subject
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
    if not asked.needs_data:
        return [answer(item_subject(call, shelf, item.head), asked) for item in items]
    data = await call.calendars.data_of(items, asked.data)
    subjects = [item_subject(call, shelf, item.head) for item in items]
    return [answer(replace(subject, data=body), asked) for subject, body in zip(subjects, data, strict=True)]
