"""The neighbours' gatherings in a calendar app: read, followed, never written."""

from __future__ import annotations

from pathlib import Path

import pytest

from federation.sharing.calendar import KEY
from federation.sharing.model import Subject
from server.assembly.shared_calendars import shared_calendars, shared_rights
from server.calendars.calendar_object import read_object
from server.calendars.model import Expected
from server.calendars.ports import CalendarBackend
from server.foundation.errors import Refused
from tests.federation.sharing.neighbourhood import announces, ends, neighbours, sees, shares
from tests.federation.wide_area.places import Place
from tests.federation.wide_area.test_residents import resident


async def test_residents_read_the_neighbours_gatherings_in_their_apps(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (sakura, ume):
        taro, stranger = await resident(ume, "taro"), await ume.node.user("stranger")
        calendar, rights = _calendar(ume), shared_rights(ume.node.inside)
        assert await calendar.collections(taro.user_id) == ()
        room = (await shares(sakura, ume, Subject.CALENDAR)).room_id
        await announces(sakura, "夏まつり")
        weekly = await announces(sakura, "体操", rule="FREQ=WEEKLY;COUNT=3")
        await sees(ume, "夏まつり", "体操")
        (found,) = await calendar.collections(taro.user_id)
        heads = await calendar.heads(found)
        assert len(heads) == 4
        items = await calendar.items(found, [head.name for head in heads])
        texts = "".join(item.data.decode() for item in items).replace("\r\n ", "")
        assert "夏まつり（桜町町内会）" in texts
        assert "佐藤" not in texts
        changes = await calendar.changes_since(found, 0, 1000)
        assert (len(changes.changed), changes.revision) == (4, found.revision)
        assert (await calendar.changes_since(found, found.revision, 1000)).changed == ()
        assert await rights.may_read(taro.user_id, KEY)
        assert not await rights.may_read(stranger.user_id, KEY)
        assert not await rights.may_write(taro.user_id, KEY)
        with pytest.raises(Refused):
            await calendar.put_item(taro.user_id, found, "x.ics", read_object(items[0].data), Expected())
        with pytest.raises(Refused):
            await calendar.delete_item(taro.user_id, found, heads[0].name, Expected())

        await sakura.node.inside.association.gatherings.withdraw(sakura.me, weekly.id)
        await sees(ume, "夏まつり")
        (later,) = await calendar.collections(taro.user_id)
        assert later.revision > found.revision
        with pytest.raises(Refused, match="start anew"):
            await calendar.changes_since(later, found.revision, 1000)
        assert len(await calendar.heads(later)) == 1
        await ends(ume, sakura, room)
        assert await calendar.collections(taro.user_id) == ()


def _calendar(place: Place) -> CalendarBackend:
    return shared_calendars(place.node.inside)[-1]
