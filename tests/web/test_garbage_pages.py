"""Garbage days on the pages: the city's files taken in, an area for a block, a day that is otherwise."""

from __future__ import annotations

import time
from datetime import timedelta

from server.foundation.clock import tokyo_time
from tests.architecture.source import ROOT
from tests.web.browser import Browser
from tests.web.conftest import LogIn
from tests.web.site import Site

DATA = ROOT / "tests/data/garbage"
TODAY = tokyo_time(int(time.time() * 1000)).date()


def files(city: str, **names: str) -> list[tuple[str, str, str, bytes]]:
    return [(field, name, "text/csv", (DATA / city / name).read_bytes()) for field, name in names.items()]


async def taken_in(chair: Browser, here: Site) -> str:
    await chair.get("/desk/garbage")
    page = await chair.submit("/desk/garbage/lists", files=files(
        "template_kanazawa", areas="area_days.csv", centers="center.csv", remarks="remarks.csv", things="target.csv"))
    assert "1の地区を 読みました" in page.text, page.text
    assert "4の品目を 読みました" in page.text
    block = here.block("1班")
    await chair.submit(f"/desk/garbage/areas/{block}", {"area": "片町", "on_holidays": "1"})
    return block


async def test_days_of_ones_own_block_are_shown_and_things_are_looked_up(
    chair: Browser, log_in: LogIn, here: Site
) -> None:
    await taken_in(chair, here)
    hanako, misaki = await log_in("佐藤 花子"), await log_in("高橋 美咲")
    page = await hanako.get("/garbage")
    assert "ごみの日（1班）" in page.text
    assert "燃やすごみ" in page.text
    assert "まだ ごみの日が" in (await misaki.get("/garbage")).text
    page = await hanako.get("/garbage?q=クッキング")
    assert "IHクッキングヒーター" in page.text
    assert "見つかりませんでした" in (await hanako.get("/garbage?q=池")).text
    for path in ("/daily", "/"):
        assert "ごみ" in (await hanako.get(path)).text
    assert (await hanako.get("/desk/garbage")).status == 403


async def test_a_day_that_is_otherwise_is_told_and_taken_back(chair: Browser, log_in: LogIn, here: Site) -> None:
    block = await taken_in(chair, here)
    garbage = here.node.association.daily_life.garbage
    day = next(day for day, kinds in garbage.coming(block, 9) if "燃やすごみ" in kinds and day > TODAY)
    await chair.get("/desk/garbage")
    page = await chair.submit("/desk/garbage/days", {"kind": "燃やすごみ", "day": day.isoformat(), "reason": "雪"})
    assert "おくりました" in page.text
    assert "燃やすごみ" not in garbage.on(block, day)
    (change,) = garbage.changes(block)
    await chair.submit(f"/desk/garbage/days/{change.id}/remove")
    assert "燃やすごみ" in garbage.on(block, day)


async def test_what_is_no_list_or_no_day_is_refused(chair: Browser, here: Site) -> None:
    await taken_in(chair, here)
    await chair.get("/desk/garbage")
    wrong = [("areas", "x.csv", "text/csv", b"no list")]
    assert (await chair.submit("/desk/garbage/lists", files=wrong)).status == 400
    wrong_days: list[dict[str, str | list[str]]] = [
        {"day": "x"}, {"day": "", "moved_to": ""}, {"kind": "池", "day": (TODAY + timedelta(1)).isoformat()},
        {"block": []},
    ]
    for fields in wrong_days:
        await chair.get("/desk/garbage")
        page = await chair.submit("/desk/garbage/days", {"kind": "燃やすごみ", "day": "2027-01-04", **fields})
        assert page.status == 400, fields
