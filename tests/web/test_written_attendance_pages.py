"""Who comes, on paper, by telephone and at the door: written down by officers and helpers, called when it is off."""

from __future__ import annotations

from server.association.gatherings.model import Gathering
from server.association.members.model import Role
from tests.web.browser import Browser
from tests.web.conftest import LogIn
from tests.web.site import CHAIR, Site
from tests.web.test_attendance_pages import announced


def homes_of(here: Site, *names: str) -> list[str]:
    return [here.person(name).household_id for name in names]


async def write(browser: Browser, gathering: Gathering, home: str, **fields: str) -> None:
    path = f"/desk/gatherings/{gathering.id}/homes/{home}"
    await browser.get(path)
    page = await browser.submit(path, {"answer": "accepted", "who": "", "came_by": "phone", **fields})
    assert page.url.startswith(f"/desk/gatherings/{gathering.id}/answers"), page.text
    assert "書きました" in page.text


async def test_a_helper_writes_down_what_was_said_by_telephone(here: Site, log_in: LogIn, chair: Browser) -> None:
    await here.add("手伝う 人", "1班", [Role.HELPER])
    (hanako,), gathering, helper = homes_of(here, "佐藤 花子"), await announced(here), await log_in("手伝う 人")
    assert "行事の出欠" in (await helper.get("/desk")).text
    page = await helper.get("/desk/attendance")
    assert f"/desk/gatherings/{gathering.id}/answers" in page.links
    await write(helper, gathering, hanako, people="３")
    page = await chair.get(f"/desk/gatherings/{gathering.id}/answers")
    assert "家の こたえ： 行きます" in page.text
    assert "電話（手伝う 人）" in page.text
    assert "来る 3人 1世帯" in page.text
    assert "来る：佐藤 花子" in (await chair.get(f"/gatherings/{gathering.id}")).text
    resident = await log_in("佐藤 花子")
    page = await resident.get(f"/gatherings/{gathering.id}")
    assert "役員が 書きました（電話）" in page.text
    for path in ("/desk/attendance", f"/desk/gatherings/{gathering.id}/answers",
                 f"/desk/gatherings/{gathering.id}/calls", f"/desk/gatherings/{gathering.id}/homes/{hanako}"):
        assert (await resident.get(path)).status in (403, 404)


async def test_the_file_has_a_line_for_each_sheet_and_person(here: Site, chair: Browser, log_in: LogIn) -> None:
    hanako, ichiro = homes_of(here, "佐藤 花子", "鈴木 一郎")
    gathering = await announced(here)
    await write(chair, gathering, hanako, people="4", came_by="paper")
    await write(chair, gathering, ichiro, answer="declined", who=here.person("鈴木 一郎").id)
    page = await chair.submit(f"/desk/gatherings/{gathering.id}/answers")
    assert page.headers["Content-Type"].startswith("text/csv")
    lines = [line.split(",") for line in page.html.removeprefix("\ufeff").split("\r\n")]
    cells = {(line[1], line[3]): line for line in lines if len(line) > 4}
    assert cells["佐藤 花子", "（世帯）"][4:6] == ["行きます", "4"]
    assert cells["佐藤 花子", "（世帯）"][7:] == ["紙", CHAIR]
    assert cells["鈴木 一郎", "鈴木 一郎"][4:6] == ["行きません", ""]
    assert cells["高橋 美咲", "高橋 美咲"][4] == ""


async def test_nonsense_is_refused_and_what_was_typed_stays(here: Site, chair: Browser) -> None:
    (hanako,), gathering = homes_of(here, "佐藤 花子"), await announced(here)
    path = f"/desk/gatherings/{gathering.id}/homes/{hanako}"
    for wrong in ({"answer": ""}, {"answer": "accepted", "came_by": "app"}, {"answer": "accepted", "people": "1000"},
                  {"answer": "accepted", "people": "x"}):
        await chair.get(path)
        page = await chair.submit(path, {"came_by": "door", "who": "", **wrong})
        assert page.status == 400, wrong
    assert ("people", "x") in page.form(path).fields
    assert (await chair.get(f"/desk/gatherings/{gathering.id}/homes/nothing")).status == 404
    assert (await chair.get("/desk/gatherings/nothing/answers")).status == 404
    assert (await chair.get(f"/desk/gatherings/{gathering.id}/calls")).status == 404


async def test_after_calling_off_the_officer_is_led_to_those_who_must_be_called(here: Site, chair: Browser) -> None:
    hanako, minoru = homes_of(here, "佐藤 花子", "田中 実")
    await here.node.association.editor.change_person(here.chief, here.person("田中 実").id, phone="076-111-2222")
    gathering = await announced(here)
    await write(chair, gathering, minoru, people="2")
    await write(chair, gathering, hanako, came_by="door")
    page = await chair.get(f"/desk/gatherings/{gathering.id}/cancel")
    assert "2世帯 には、電話で 知らせてください" in page.text
    page = await chair.submit(f"/desk/gatherings/{gathering.id}/cancel", {"reason": "雨のため"})
    assert page.url.startswith(f"/desk/gatherings/{gathering.id}/calls")
    assert "中止にしました" in page.text
    assert page.text.index("佐藤 花子") < page.text.index("田中 実")
    assert "076-111-2222" in page.text
    calls = f"/desk/gatherings/{gathering.id}/calls"
    page = await chair.submit(calls, {"home": minoru})
    assert "あと 1 世帯です" in page.text
    assert "知らせた" in page.text
    assert CHAIR in page.text
    page = await chair.submit(f"{calls}/sheet")
    assert page.headers["Content-Type"] == "application/pdf"
    assert page.html.startswith("%PDF")
    await chair.get(calls)
    page = await chair.submit(calls, {"home": minoru, "step": "undo"})
    assert "あと 2 世帯です" in page.text
    assert "電話で 知らせる人" in (await chair.get(f"/desk/gatherings/{gathering.id}")).text
    page = await chair.get(f"/desk/gatherings/{gathering.id}/homes/{hanako}")
    assert "もう 書けません" in page.text


async def test_what_was_written_by_mistake_is_taken_back(here: Site, chair: Browser) -> None:
    (hanako,), gathering = homes_of(here, "佐藤 花子"), await announced(here)
    for people in ("2", "4"):
        await write(chair, gathering, hanako, people=people)
    path = f"/desk/gatherings/{gathering.id}/homes/{hanako}"
    await chair.get(path)
    page = await chair.submit(path, {"step": "take_back"})
    assert "答えを取り消しました" in page.text
    homes = await here.node.association.attendance.homes(gathering)
    assert not any(home.last for home in homes)
