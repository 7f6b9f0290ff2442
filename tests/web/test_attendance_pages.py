"""来ますか and 行事のおしらせ: answering on the page, officers see who comes, everybody chooses their reminders."""

from __future__ import annotations

from datetime import datetime, timedelta

from server.association.gatherings.answers import Answer
from server.association.gatherings.model import Gathering, Plan
from server.association.members.model import EVERYONE, Audience
from server.association.reminders.model import CHOICE
from server.foundation.clock import TOKYO
from tests.web.browser import Browser
from tests.web.conftest import LogIn
from tests.web.site import Site


async def announced(here: Site, *, asks: bool = True, audience: Audience = EVERYONE) -> Gathering:
    start = datetime.now(TOKYO).replace(microsecond=0) + timedelta(hours=20)
    plan = Plan("餅つき", start, start + timedelta(hours=1), "集会所", asks=asks)
    return await here.node.association.gatherings.announce(here.chief, plan, audience)


async def test_a_resident_answers_and_officers_see_who_comes(here: Site, log_in: LogIn, chair: Browser) -> None:
    gathering, hanako = await announced(here), await log_in("佐藤 花子")
    path = f"/gatherings/{gathering.id}"
    await hanako.get(path)
    page = await hanako.submit(f"{path}/answer", {"answer": "accepted"})
    assert "届きました" in page.text
    assert "いまの こたえ： 行きます" in page.text
    assert "来る：" not in page.text
    said = await here.node.association.attendance.of_user(here.user("佐藤 花子"))
    assert said.to(gathering.id) is Answer.ACCEPTED
    assert "来る：佐藤 花子" in (await chair.get(path)).text
    page = await hanako.submit(f"{path}/answer", {"answer": "declined"})
    assert "いまの こたえ： 行きません" in page.text
    assert "来ない：佐藤 花子" in (await chair.get(path)).text
    assert (await hanako.submit(f"{path}/answer", {"answer": "perhaps"})).status == 400


async def test_nobody_is_asked_who_need_not_answer(here: Site, log_in: LogIn) -> None:
    hanako = await log_in("佐藤 花子")
    quiet = await announced(here, asks=False)
    assert "来ますか" not in (await hanako.get(f"/gatherings/{quiet.id}")).text
    theirs = await announced(here, audience=Audience.blocks([here.block("2班")]))
    proof = dict((await hanako.get("/my/calendar")).form("/my/calendar/feeds").fields)
    answer = {"form_proof": proof["form_proof"], "answer": "accepted"}
    assert (await hanako.post(f"/gatherings/{theirs.id}/answer", answer)).status == 404
    called_off = await announced(here)
    await here.node.association.gatherings.cancel(here.chief, called_off.id)
    assert "来ますか" not in (await hanako.get(f"/gatherings/{called_off.id}")).text
    assert (await hanako.post(f"/gatherings/{called_off.id}/answer", answer)).status == 409


async def test_an_officer_asks_who_comes_and_a_change_keeps_the_question(here: Site, chair: Browser) -> None:
    await chair.get("/desk/gatherings/new")
    await chair.submit("/desk/gatherings/new", {"title": "総会", "audience": "everyone", "asks": "yes"})
    (gathering,) = here.node.association.gatherings.changed_since(0)
    assert gathering.plan.asks
    await chair.get(f"/desk/gatherings/{gathering.id}")
    await chair.submit(f"/desk/gatherings/{gathering.id}", {"title": "定期総会"})
    (gathering,) = here.node.association.gatherings.changed_since(0)
    assert (gathering.plan.title, gathering.plan.asks) == ("定期総会", True)


async def test_everybody_chooses_what_they_are_reminded_of(here: Site, log_in: LogIn) -> None:
    hanako = await log_in("佐藤 花子")
    page = await hanako.get("/my/reminders")
    assert ("when", "day_before") in page.form("/my/reminders").fields
    page = await hanako.submit("/my/reminders", {"when": ["hour_before"], "what": "all"})
    assert "保存しました" in page.text
    data = here.node.accounts.account_data
    assert await data.get(here.user("佐藤 花子"), "", CHOICE) == {
        "day_before": False, "hour_before": True, "for": "all"}
    assert ("when", "hour_before") in (await hanako.get("/my/reminders")).form("/my/reminders").fields


async def test_the_node_itself_reminds(here: Site) -> None:
    association, user = here.node.association, here.user("佐藤 花子")
    await here.node.accounts.account_data.set(user, "", CHOICE, {"hour_before": True, "day_before": False})
    start = datetime.now(TOKYO).replace(microsecond=0) + timedelta(hours=1, seconds=1)
    gathering = await association.gatherings.announce(
        here.chief, Plan("餅つき", start, start + timedelta(hours=1)), EVERYONE)
    await association.attendance.answer(user, gathering.id, Answer.ACCEPTED)
    assert await association.reminders.look_round() == 0
