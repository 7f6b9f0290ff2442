"""Two people act on the same thing: nobody's work is silently lost, and the page says what happened."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from server.assembly.common_pages import common_services
from server.association.bookings.model import Facility
from server.association.circulars.model import Letter
from server.association.duties.model import DutyPlan
from server.association.gatherings.answers import Answer
from server.association.gatherings.model import Plan
from server.association.members.model import EVERYONE, Audience, Role
from server.association.polls.model import Question
from server.foundation.clock import tokyo_time
from tests.web.browser import Browser
from tests.web.conftest import LogIn
from tests.web.site import CHAIR, Site

HANAKO = "佐藤 花子"


@pytest.fixture
async def second(here: Site, log_in: LogIn) -> Browser:
    """Another officer's browser."""
    await here.add("役員 二", "2班", [Role.OFFICER])
    return await log_in("役員 二")


async def test_both_officers_correct_the_same_circular(here: Site, chair: Browser, second: Browser) -> None:
    letter = Letter(title="清掃", text="日曜の 朝8時です", audience=EVERYONE)
    circular = await here.node.association.circulars.post(here.user(CHAIR), letter)
    address = f"/desk/circulars/{circular.id}/correct"
    await chair.get(address)
    await second.get(address)
    page = await chair.submit(address, {"text": "日曜の 朝7時です", "reason": "まちがい"}, files=[])
    assert "なおしました" in page.text
    page = await second.submit(address, {"text": "日曜の 朝9時です"}, files=[])
    assert page.status == 412
    assert "ほかの人が先に変えました" in page.text
    assert "日曜の 朝7時です" in page.text
    assert "日曜の 朝9時です" in page.html
    page = await second.submit(address, files=[])
    assert "なおしました" in page.text
    assert "日曜の 朝9時です" in (await chair.get(f"/circulars/{circular.id}")).text


async def test_one_officer_withdraws_what_the_other_corrects(here: Site, chair: Browser, second: Browser) -> None:
    letter = Letter(title="清掃", text="日曜の 朝8時です", audience=EVERYONE)
    circular = await here.node.association.circulars.post(here.user(CHAIR), letter)
    address = f"/desk/circulars/{circular.id}/correct"
    await second.get(address)
    await chair.get(f"/desk/circulars/{circular.id}")
    await chair.submit(f"/desk/circulars/{circular.id}/withdraw", {"reason": "雨"})
    page = await second.submit(address, {"text": "日曜の 朝9時です"}, files=[])
    assert page.status == 412
    page = await second.submit(address, {"text": "日曜の 朝9時です"}, files=[])
    assert page.status == 400
    assert "取り消し" in page.text
    assert "日曜の 朝9時です" in page.html


async def test_both_officers_change_the_same_gathering(here: Site, chair: Browser, second: Browser) -> None:
    day = date(2030, 8, 9)
    gathering = await here.node.association.gatherings.announce(
        here.user(CHAIR), Plan("夏まつり", day, day + timedelta(days=1), "中央公園"), EVERYONE)
    address = f"/desk/gatherings/{gathering.id}"
    await chair.get(address)
    await second.get(address)
    assert "なおしました" in (await chair.submit(address, {"place": "小学校"})).text
    page = await second.submit(address, {"place": "集会所"})
    assert page.status == 412
    assert "小学校" in page.text
    assert "集会所" in page.html
    assert "なおしました" in (await second.submit(address, {"place": "集会所"})).text


async def test_a_gathering_called_off_while_another_changes_it_stays_off(
    here: Site, chair: Browser, second: Browser
) -> None:
    day = date(2030, 8, 9)
    gathering = await here.node.association.gatherings.announce(
        here.user(CHAIR), Plan("夏まつり", day, day + timedelta(days=1), "中央公園"), EVERYONE)
    address = f"/desk/gatherings/{gathering.id}"
    await second.get(address)
    await chair.get(f"{address}/cancel")
    await chair.submit(f"{address}/cancel")
    page = await second.submit(address, {"place": "集会所"})
    assert page.status == 412
    assert "中止に なっています" in page.text


async def test_rain_is_two_taps_and_who_comes_is_told(here: Site, chair: Browser, log_in: LogIn) -> None:
    association, now = here.node.association, here.node.core.clock.now_ms()
    tomorrow = tokyo_time(now).date() + timedelta(days=1)
    plan = Plan("公園の清掃", tomorrow, tomorrow + timedelta(days=1), "中央公園", asks=True)
    gathering = await association.gatherings.announce(here.user(CHAIR), plan, EVERYONE)
    await association.attendance.answer(here.user(HANAKO), gathering.id, Answer.ACCEPTED)
    page = await chair.get("/desk")
    (first_tap,) = [link for link in page.links if "/cancel?day=" in link]
    page = await chair.get(first_tap)
    assert "1人" in page.text
    page = await chair.submit(f"/desk/gatherings/{gathering.id}/cancel")
    assert "中止にしました" in page.text
    assert HANAKO in page.text  # no telephone of hers is told
    hanako = await log_in(HANAKO)
    page = await hanako.get(f"/gatherings/{gathering.id}")
    assert "雨のため" in page.text
    room_id = association.members.desk_room_of(here.person(HANAKO).id)
    assert room_id is not None
    room = await here.node.services.rooms.get(room_id)
    assert "公園の清掃" in str(room.timeline[-1].event.content["body"])
    assert "STATUS:CANCELLED" in (await hanako.get(f"/gatherings/{gathering.id}/file.ics")).html
    assert (await hanako.get(f"/desk/gatherings/{gathering.id}/cancel")).status == 403


async def test_an_answer_to_a_poll_that_is_being_closed_is_told_what_happened(
    here: Site, chair: Browser, log_in: LogIn
) -> None:
    question = Question(text="夏まつりに 来ますか", choices=("はい", "いいえ"), audience=EVERYONE)
    poll = await here.node.association.polls.start(here.user(CHAIR), question)
    hanako = await log_in(HANAKO)
    await hanako.get(f"/polls/{poll.id}")
    await chair.get(f"/desk/polls/{poll.id}")
    await chair.submit(f"/desk/polls/{poll.id}/close")
    page = await hanako.submit(f"/polls/{poll.id}", {"choice": "c1"})
    assert page.status == 400
    assert "もう終わっています" in page.text
    assert "届きました" not in page.text
    # The officer who closes it a second time is told so, too; nothing changes.
    page = await chair.post(f"/desk/polls/{poll.id}/close", {"form_proof": "x"})
    assert page.status == 403


async def test_a_planned_circular_changed_by_two(here: Site, chair: Browser, second: Browser) -> None:
    await chair.get("/desk/circulars/new")
    page = await chair.submit(
        "/desk/circulars/new", {"title": "夏まつり", "text": "8月です", "category": "notice", "audience": "everyone"},
        files=[])
    day = tokyo_time(here.node.core.clock.now_ms()).date() + timedelta(days=3)
    page = await chair.submit("/desk/circulars/new", {
        "step": "plan", "publish_day": "2001-01-01", "publish_time": "09:00"})
    assert page.status == 400
    page = await chair.submit("/desk/circulars/new", {
        "step": "plan", "publish_day": day.isoformat(), "publish_time": "09:00"})
    assert "予約しました" in page.text
    address = next(link for link in page.links if link.startswith("/desk/circulars/planned/"))
    await chair.get(address)
    await second.get(address)
    assert "予約しました" in (await chair.submit(address, {"text": "8月9日です"}, files=[])).text
    page = await second.submit(address, {"text": "8月10日です"}, files=[])
    assert page.status == 412
    assert "8月9日です" in page.text
    assert "8月10日です" in page.html
    await second.get(address)
    await chair.get(address)
    page = await second.submit(f"{address}/now")
    assert "おくりました" in page.text
    page = await chair.submit(address, {"text": "8月11日です"}, files=[])
    assert page.status == 412
    assert "8月9日です" in page.text
    assert "8月11日です" in page.html
    page = await chair.submit(f"/desk/circulars/{address.rpartition('/')[2]}/correct", files=[])
    assert "なおしました" in page.text
    assert "8月11日です" in (await chair.get(f"/circulars/{address.rpartition('/')[2]}")).text


async def test_who_has_not_seen_it_is_told_once_more(here: Site, chair: Browser) -> None:
    letter = Letter(title="清掃", text="日曜の 朝8時です", audience=EVERYONE)
    circular = await here.node.association.circulars.post(here.user(CHAIR), letter)
    address = f"/desk/circulars/{circular.id}"
    page = await chair.get(address)
    assert "5人 が まだ 見ていません" in page.text
    page = await chair.submit(f"{address}/again")
    assert "おくりました" in page.text
    assert f"{address}/again" not in page.html


async def test_both_officers_correct_the_same_person(here: Site, chair: Browser, log_in: LogIn) -> None:
    await here.add("デジタル 担当", "2班", [Role.DIGITAL])
    second = await log_in("デジタル 担当")
    address = f"/desk/roster/persons/{here.person(HANAKO).id}"
    await chair.get(address)
    await second.get(address)
    assert "保存しました" in (await chair.submit(address, {"phone": "03-1111-2222"})).text
    # The other one changes something else: both changes hold.
    assert "保存しました" in (await second.submit(address, {"kana": "さとう はなこ"})).text
    person = here.person(HANAKO)
    assert (person.phone, person.kana) == ("03-1111-2222", "さとう はなこ")
    # Both change the same: the later one is asked again, with what they have typed.
    await chair.get(address)
    await second.get(address)
    await chair.submit(address, {"phone": "03-3333-4444"})
    page = await second.submit(address, {"phone": "03-5555-6666"})
    assert page.status == 412
    assert "03-3333-4444" in page.text
    assert "03-5555-6666" in page.html
    assert here.person(HANAKO).phone == "03-3333-4444"
    assert "保存しました" in (await second.submit(address)).text
    assert here.person(HANAKO).phone == "03-5555-6666"


async def test_a_role_given_meanwhile_is_not_taken_away_again(here: Site, chair: Browser, log_in: LogIn) -> None:
    await here.add("会長 二", "2班", [Role.CHAIR])
    second = await log_in("会長 二")
    person = here.person(HANAKO)
    address = f"/desk/roster/persons/{person.id}"
    await chair.get(address)
    await second.get(address)
    await chair.submit(f"{address}/roles", {"role": ["officer"]})
    await second.submit(f"{address}/roles", {"role": ["helper"]})
    assert here.node.association.members.roles_of(person.id) == {Role.OFFICER, Role.HELPER}
    await chair.get(address)
    await chair.submit(f"{address}/roles", {"role": ["helper"]})
    assert here.node.association.members.roles_of(person.id) == {Role.HELPER}


async def test_both_officers_write_the_same_standing_paper(here: Site, chair: Browser, second: Browser) -> None:
    address = "/desk/papers/shelters"
    await chair.get(address)
    await second.get(address)
    await chair.submit(address, {"text": "桜町小学校です"})
    page = await second.submit(address, {"text": "中央公園です"})
    assert page.status == 412
    assert "桜町小学校です" in page.text
    assert "中央公園です" in page.html
    assert "保存しました" in (await second.submit(address)).text


async def test_both_officers_change_the_same_facility(here: Site, chair: Browser, second: Browser) -> None:
    bookings = here.node.association.daily_life.bookings
    hall = await bookings.put_facility(here.user(CHAIR), Facility("", "集会所"))
    address, rest = f"/desk/facilities/{hall.id}", {"step": "30", "longest": "0", "ahead_days": "90"}
    await chair.get(address)
    await second.get(address)
    assert "保存しました" in (await chair.submit(address, {"note": "鍵は 町田です", **rest})).text
    page = await second.submit(address, {"note": "鍵は 佐藤です", **rest})
    assert page.status == 412
    assert "鍵は 町田です" in page.text
    assert "鍵は 佐藤です" in page.html
    assert "保存しました" in (await second.submit(address, rest)).text
    assert bookings.schedule.facility(hall.id).note == "鍵は 佐藤です"


async def test_both_officers_change_the_same_duty(here: Site, chair: Browser, second: Browser) -> None:
    audience = Audience.blocks([here.block("1班")])
    duties = here.node.association.daily_life.duties
    order = tuple(home.id for home in duties.households_for(audience))
    duty = await duties.arrange(here.user(CHAIR), DutyPlan("掃除", audience, order, date(2030, 1, 1)))
    address = f"/desk/duties/{duty.id}"
    await chair.get(address)
    await second.get(address)
    assert "なおしました" in (await chair.submit(address, {"note": "ほうきで"})).text
    page = await second.submit(address, {"title": "清掃", "note": "熊手で"})
    assert page.status == 412
    assert "ほうきで" in page.text
    assert "熊手で" in page.html
    assert "なおしました" in (await second.submit(address)).text
    now = duties.get(here.user(CHAIR), duty.id).plan
    assert (now.title, now.note) == ("清掃", "熊手で")


async def test_both_officers_change_the_rules_of_the_board(here: Site, chair: Browser, second: Browser) -> None:
    address = "/desk/board/rules"
    await chair.get(address)
    await second.get(address)
    assert "保存しました" in (await chair.submit(address, {"approve": "1"})).text
    page = await second.submit(address, {"anonymous": "1"})
    assert page.status == 412
    assert "ほかの人が 先に なおしました" in page.text
    assert ("approve", "1") in page.form(address).fields
    assert "保存しました" in (await second.submit(address, {"anonymous": "1"})).text
    rules = await common_services(here.node).board.rules()
    assert rules.anonymous
    assert rules.approve


async def test_two_leaders_say_what_a_group_is_about(here: Site, chair: Browser, log_in: LogIn) -> None:
    common, leader = common_services(here.node), here.person(HANAKO)
    group = await common.groups.found(here.user(CHAIR), "囲碁の会", leader.id, "毎週土曜日")
    hanako, address = await log_in(HANAKO), f"/groups/{group.id}"
    await chair.get(address)
    await hanako.get(address)
    assert "保存しました" in (await chair.submit(f"{address}/about", {"about": "毎週日曜日\n集会所で"})).text
    page = await hanako.submit(f"{address}/about", {"about": "毎週土曜日 10時"})
    assert page.status == 412
    assert "先に 紹介を なおしました" in page.text
    assert "毎週日曜日" in page.text
    assert dict(page.form(f"{address}/about").fields)["about"] == "毎週土曜日 10時"
    page = await hanako.submit(f"{address}/about", {"about": "あ" * 501})
    assert page.status == 400
    assert "紹介は500字までです" in page.text
    assert "保存しました" in (await hanako.submit(f"{address}/about", {"about": "毎週日曜日 10時"})).text
    page = await chair.get(address)
    assert "保存しました" in (await chair.submit(f"{address}/about")).text
    assert (await common.groups.line(here.user(CHAIR), group.id)).about == "毎週日曜日 10時"
