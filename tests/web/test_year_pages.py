"""年度のまとめ and good examples on the pages."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from server.association.circulars.model import Letter
from server.association.gatherings.answers import Answer
from server.association.gatherings.model import Plan
from server.association.members.came_by import CameBy
from server.association.members.model import EVERYONE
from server.association.polls.model import Question
from server.foundation.clock import tokyo_time
from server.rooms.receipts import READ
from server.web.yearly import year_of
from tests.web.browser import Browser
from tests.web.conftest import LogIn
from tests.web.site import CHAIR, Site

HANAKO = "佐藤 花子"


@pytest.mark.parametrize(("day", "year"), [("2026-03-31", 2025), ("2026-04-01", 2026), ("2027-01-01", 2026)])
def test_a_year_begins_in_april(day: str, year: int) -> None:
    assert year_of((date.fromisoformat(day) - date(1970, 1, 1)).days * 86_400_000) == year


async def test_a_year_in_figures_and_as_a_file(here: Site, chair: Browser, log_in: LogIn) -> None:
    association, me = here.node.association, here.user(CHAIR)
    circular = await association.circulars.post(me, Letter(title="=清掃", text="朝8時", audience=EVERYONE))
    poll = await association.polls.start(me, Question(text="来ますか", choices=("はい", "いいえ"), audience=EVERYONE))
    day = tokyo_time(here.node.core.clock.now_ms()).date()
    gathering = await association.gatherings.announce(me, Plan("夏まつり", day, day + timedelta(days=1)), EVERYONE)
    await association.attendance.answer(here.user(HANAKO), gathering.id, Answer.ACCEPTED)
    room_id = association.members.rooms_for(EVERYONE)[0]
    room = await here.node.services.rooms.get(room_id)
    await here.node.services.receipts.send(room_id, here.user(HANAKO), READ, room.timeline[-1].event.event_id)
    await association.circulars.acknowledge(here.user(HANAKO), circular.id)
    await association.polls.answer(here.user("鈴木 一郎"), poll.id, ["c1"])
    await association.circulars.enter_paper(
        me, circular.id, here.person("田中 実").household_id, by_phone=True)
    await association.inquiries.verbs.enter(me, "街灯", CameBy.PHONE, asker="通りの人")
    page = await chair.get("/desk/year")
    assert "登録した人 5 / 5 人" in page.text
    assert "つかっている人 2 人" in page.text
    assert "2 / 5" in page.text
    assert "行きます 1人" in page.text
    assert "0 / 1 件" in page.text
    number = year_of(here.node.core.clock.now_ms())
    page = await chair.submit(f"/desk/year/file?year={number}")
    assert page.headers["Content-Type"].startswith("text/csv")
    assert "'=清掃" in page.html
    assert f"年度,{number}" in page.html
    page = await chair.get(f"/desk/year?year={number - 1}")
    assert "=清掃" not in page.text
    for bad in ("x", "99999", "1", "２０２６"):
        assert (await chair.get(f"/desk/year?year={bad}")).status == 400
    hanako = await log_in(HANAKO)
    assert (await hanako.get("/desk/year")).status == 403


async def test_a_good_example_is_kept_with_a_word_and_written_again(here: Site, chair: Browser, log_in: LogIn) -> None:
    association, me = here.node.association, here.user(CHAIR)
    circular = await association.circulars.post(me, Letter(title="防災訓練", text="9時に 公園へ", audience=EVERYONE))
    await chair.get(f"/desk/circulars/{circular.id}")
    page = await chair.submit(f"/desk/examples/circular/{circular.id}", {"note": "この書きかたで 8割が 来ました"})
    assert "保存しました" in page.text
    assert "8割が 来ました" in page.text
    assert f"/desk/circulars/new?like={circular.id}" in page.links
    page = await chair.get(f"/desk/circulars/new?like={circular.id}")
    assert "9時に 公園へ" in page.html
    assert "よい例" in (await chair.get(f"/desk/circulars/{circular.id}")).text
    day = date(2030, 8, 9)
    plan = Plan("夏まつり", day, day + timedelta(days=1), "公園")
    gathering = await association.gatherings.announce(me, plan, EVERYONE)
    await chair.get(f"/desk/gatherings/{gathering.id}")
    page = await chair.submit(f"/desk/examples/gathering/{gathering.id}")
    assert "夏まつり" in page.text
    fields = dict((await chair.get(f"/desk/gatherings/new?like={gathering.id}")).form("/desk/gatherings/new").fields)
    assert (fields["title"], fields["place"]) == ("夏まつり", "公園")
    assert fields["day"] != "2030-08-09"
    await chair.get("/desk/examples")
    page = await chair.submit(f"/desk/examples/circular/{circular.id}", {"step": "take_back"})
    assert "防災訓練" not in page.text
    hanako = await log_in(HANAKO)
    assert (await hanako.get("/desk/examples")).status == 403
    assert (await hanako.get(f"/desk/circulars/new?like={circular.id}")).status == 403


async def test_what_is_not_there_is_no_example(chair: Browser) -> None:
    await chair.get("/desk/examples")
    proof = {"form_proof": chair.page.form("/logout").fields[0][1]} if chair.page else {}
    for path in ("circular/unknown", "gathering/unknown", "song/unknown"):
        assert (await chair.post(f"/desk/examples/{path}", proof)).status == 404


async def test_told_by_telephone_is_one_tap(here: Site, chair: Browser) -> None:
    circular = await here.node.association.circulars.post(
        here.user(CHAIR), Letter(title="清掃", text="朝8時", audience=EVERYONE))
    await chair.get(f"/desk/circulars/{circular.id}")
    page = await chair.submit(f"/desk/circulars/{circular.id}/paper", {"paper": "phone"})
    assert "紙・電話で届けた 1" in page.text
