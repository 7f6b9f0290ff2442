"""R24: one thing that never works holds up nothing else, and the officers see it.

A transaction that another server always refuses is tried in ``tests/federation/test_delivery.py``; here are a push
gateway that answers nothing good, and a calendar entry that is none.
"""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

from server.assembly.well_being import facts_of
from server.calendars.app_passwords import AppPasswords
from server.web.well_being import lines_of
from tests.builders import RunningNode
from tests.faults.sizes import tell
from tests.matrix.push.gateway import ALLOWED, Gateway, has_pusher
from tests.operation.houses import house

_PATIENCE_S = 20
_LINES = (
    "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//t//JA", "BEGIN:VEVENT", "UID:{0}", "DTSTAMP:20261123T000000Z",
    "DTSTART:20270401T010000Z", "END:VEVENT", "END:VCALENDAR", "",
)
_GOOD = "\r\n".join(_LINES)


async def test_a_push_gateway_that_is_broken_keeps_nobody_elses_telephone_silent(tmp_path: Path) -> None:
    async with RunningNode(house(tmp_path / "node", ALLOWED)) as node, Gateway() as bad, Gateway() as good:
        hanako, taro, jiro = await node.users("hanako", "taro", "jiro")
        room = await hanako.creates_room(preset="public_chat")
        for person in (taro, jiro):
            await person.joins(room)
        for _ in range(50):
            bad.then({"errcode": "M_UNKNOWN"}, status=500)
        await has_pusher(taro, bad, pushkey="bad")
        await has_pusher(jiro, good)
        said = [await hanako.says(room, f"{number}") for number in range(5)]
        heard = [(await good.next())["event_id"] for _ in said]
        assert heard == said
        await bad.next()
        async with asyncio.timeout(_PATIENCE_S):
            while not node.inside.services.pushers.failing:
                await asyncio.sleep(0.02)
        assert [key.user_id for key in node.inside.services.pushers.failing] == [taro.user_id]
        lines = lines_of(await facts_of(node.inside))
        [line] = [line for line in lines if line.what == "電話への しらせ"]
        assert not line.is_good
        assert line.text.startswith("1台")
        tell("R24", f"a gateway that always fails: {len(heard)} of {len(said)} reach the other one; officers see it")


async def test_a_calendar_entry_that_is_none_is_refused_and_the_others_stay(tmp_path: Path) -> None:
    async with RunningNode(house(tmp_path / "node")) as node:
        hanako = await node.user("hanako")
        _, secret = await AppPasswords(node.inside.core.database, node.inside.core.clock).create(hanako.user_id, "電話")
        place = "/dav/calendars/hanako/personal/{0}.ics"
        proof = base64.b64encode(f"hanako:{secret}".encode()).decode()
        headers = {"Authorization": f"Basic {proof}", "Content-Type": "text/calendar"}
        too_often = _GOOD.format("x").replace("DTSTART", "RRULE:FREQ=SECONDLY\r\nDTSTART")
        bad = ("BEGIN:VCALENDAR", "", "\x00" * 100, too_often)
        statuses = []
        for number, text in enumerate([_GOOD.format("0"), *bad, _GOOD.format("9")]):
            answer = await node.client.put(place.format(number), data=text.encode(), headers=headers)
            statuses.append(answer.status)
        assert statuses[0] == statuses[-1] == 201
        assert all(status < 500 for status in statuses)
        assert all(status >= 400 for status in statuses[1:4])
        for number in (0, len(bad) + 1):
            answer = await node.client.get(place.format(number), headers=headers)
            assert answer.status == 200
