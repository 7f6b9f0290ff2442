"""What is reported from Matrix clients beside the board: which officers read it, and what they do not read."""

from __future__ import annotations

from server.association.members.model import Role
from server.rooms.reports import Reports
from server.rooms.send_event import Draft
from tests.web.browser import Browser
from tests.web.conftest import LogIn
from tests.web.site import CHAIR, Site

HANAKO, ICHIRO, MISAKI = "佐藤 花子", "鈴木 一郎", "高橋 美咲"
SAID = "ばかやろう"


def reports(here: Site) -> Reports:
    return Reports(
        here.node.core.database, here.node.services.rooms, here.node.services.history, here.node.core.clock)


async def said_in_block(here: Site, name: str, block: str) -> tuple[str, str]:
    """Somebody has said something bad in the room of their block; answers room and message."""
    room_id = here.node.association.members.block_room(here.block(block))
    assert room_id is not None
    content = {"msgtype": "m.text", "body": SAID}
    event = await here.node.services.sender.send(Draft(room_id, here.user(name), "m.room.message", content))
    return room_id, event.event_id


async def test_officers_read_what_the_reporter_says_and_never_what_was_said(
    here: Site, chair: Browser, log_in: LogIn
) -> None:
    await here.add("役員 二", "2班", [Role.OFFICER])
    room_id, event_id = await said_in_block(here, ICHIRO, "1班")
    await reports(here).report_event(here.user(HANAKO), room_id, event_id, "こわいです")
    home = await chair.get("/desk")
    assert "通報 掲示板の ほかで こまっている人 1" in home.text
    page = await chair.get("/desk/reports")
    for words in (HANAKO, ICHIRO, "こわいです", "1班", "部屋で 言われたこと"):
        assert words in page.text
    assert SAID not in page.text
    page = await (await log_in("役員 二")).get("/desk/reports")
    assert "こわいです" in page.text
    assert "あなたが 入っていない 部屋" in page.text
    assert SAID not in page.text
    looks = await here.node.association.members.looks(here.user(HANAKO))
    assert [look.what for look in looks].count("アプリから 知らされたこと（通報）") == 2


async def test_a_decision_is_kept_and_the_reporter_hears_that_it_was_read(here: Site, chair: Browser) -> None:
    told = reports(here)
    await told.report_user(here.user(HANAKO), here.user(ICHIRO), "いつも おこります")
    await told.report_user(here.user(MISAKI), "@stranger:elsewhere.example", "迷惑です")
    page = await chair.get("/desk/reports")
    assert page.text.index("いつも おこります") < page.text.index("迷惑です")
    assert "@stranger:elsewhere.example" in page.text
    page = await chair.submit("/desk/reports", {"step": "done", "words": "二人と 話しました"})
    assert "保存しました" in page.text
    waiting, _, kept = page.text.partition("決めたことの 記録")
    assert ("いつも おこります" in waiting, "迷惑です" in waiting, "二人と 話しました" in kept) == (False, True, True)
    room_id = here.node.association.members.desk_room_of(here.person(HANAKO).id)
    assert room_id is not None
    room = await here.node.services.rooms.get(room_id)
    assert "役員が読みました" in str(room.timeline[-1].event.content["body"])
    page = await chair.submit("/desk/reports", {"step": "unimportant", "subject": "@stranger:elsewhere.example"})
    assert "いまは ありません" in page.text
    assert "問題ない" in page.text
    assert "通報 掲示板の ほかで こまっている人 1" not in (await chair.get("/desk")).text


async def test_what_cannot_be_decided_is_refused(here: Site, chair: Browser) -> None:
    await reports(here).report_user(here.user(HANAKO), here.user(ICHIRO), "いつも おこります")
    for changes, status in (({"step": "x"}, 400), ({"step": "done", "subject": "$unknown"}, 409),
                            ({"step": "done", "words": "あ" * 501}, 400)):  # fmt: skip
        await chair.get("/desk/reports")
        assert (await chair.submit("/desk/reports", changes)).status == status
    assert "いつも おこります" in (await chair.get("/desk/reports")).text


async def test_nobody_reads_what_is_about_themselves_and_the_board_has_its_own_page(
    here: Site, chair: Browser, log_in: LogIn
) -> None:
    await here.add("役員 二", "2班", [Role.OFFICER])
    told = reports(here)
    await told.report_user(here.user(HANAKO), here.user(CHAIR), "会長が おこります")
    page = await chair.get("/desk/reports")
    assert "会長が おこります" not in page.text
    proof = (await chair.get("/my")).form("/my/calendar").fields
    own = [*proof, ("subject", here.user(CHAIR)), ("step", "unimportant")]
    assert (await chair.post("/desk/reports", own)).status == 409
    officer = await log_in("役員 二")
    assert "会長が おこります" in (await officer.get("/desk/reports")).text
    assert "会長が おこります" not in (await officer.get("/desk/board")).text


async def test_what_is_reported_on_the_board_is_shown_there_only(here: Site, chair: Browser, log_in: LogIn) -> None:
    hanako, ichiro = await log_in(HANAKO), await log_in(ICHIRO)
    await hanako.get("/board/new")
    page = await hanako.submit("/board/new", {
        "category": "give", "title": "机", "text": "80センチ"})
    await ichiro.get(page.url)
    await ichiro.submit(f"{page.url.partition('?')[0]}/report", {"reason": "うそです"})
    assert "うそです" in (await chair.get("/desk/board")).text
    assert "いまは ありません" in (await chair.get("/desk/reports")).text


async def test_only_those_who_look_after_the_board_read_reports(here: Site, log_in: LogIn) -> None:
    await here.add("班長 一", "1班", [Role.BLOCK_LEADER])
    for name in (HANAKO, "班長 一"):
        browser = await log_in(name)
        assert (await browser.get("/desk/reports")).status == 403
        proof = (await browser.get("/my")).form("/my/calendar").fields
        assert (await browser.post("/desk/reports", [*proof, ("subject", "x"), ("step", "done")])).status == 403
        assert "通報" not in (await browser.get("/desk")).text
