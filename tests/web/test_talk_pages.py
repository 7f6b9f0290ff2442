"""窓口 and the inbox on the pages."""

from __future__ import annotations

from server.association.members.model import Role
from server.rooms.send_event import Draft
from tests.web.browser import Browser
from tests.web.conftest import LogIn
from tests.web.pictures import PLACE, photo
from tests.web.site import CHAIR, Site

HANAKO = "佐藤 花子"


async def asked(log_in: LogIn, text: str) -> Browser:
    browser = await log_in(HANAKO)
    await browser.get("/talk")
    page = await browser.submit("/talk", {"text": text})
    assert "届きました" in page.text
    return browser


def only_question(page_links: list[str]) -> str:
    return next(link for link in page_links if link.startswith("/desk/inquiries/") and not link.endswith("/new"))


async def test_a_resident_asks_and_reads_the_answer(chair: Browser, log_in: LogIn) -> None:
    hanako = await asked(log_in, "ごみは いつですか")
    assert "ごみは いつですか" in (await hanako.get("/talk")).text
    assert "役員に 聞く" in (await hanako.get("/")).text
    page = await chair.get("/desk")
    assert "質問・相談" in page.text
    page = await chair.get("/desk/inquiries")
    assert "1件" in page.text
    assert f"1班 {HANAKO}" in page.text
    address = only_question(page.links)
    await chair.get(address)
    page = await chair.submit(address, {"step": "take"})
    assert "担当がいます" in page.text
    assert f"{CHAIR}さんが 見ています" in (await hanako.get("/talk")).text
    await chair.get(address)
    page = await chair.submit(address, {"step": "answer", "text": "あしたの 朝です"})
    assert "回答ずみ" in page.text
    assert "返事が あります" in (await hanako.get("/")).text
    assert "あしたの 朝です" in (await hanako.get("/talk")).text
    assert "返事が あります" not in (await hanako.get("/")).text
    assert address in (await chair.get("/desk/inquiries?only=answered")).links


async def test_a_photo_is_sent_and_seen_by_the_officers_only(chair: Browser, log_in: LogIn) -> None:
    hanako = await log_in(HANAKO)
    await hanako.get("/talk")
    page = await hanako.submit("/talk", {"text": ""}, files=[("photo", "gutter.jpg", "image/jpeg", photo())])
    own = next(link for link in page.links if link.startswith("/talk/files/"))
    assert (await hanako.get(own)).headers["Content-Type"] == "image/jpeg"
    address = only_question((await chair.get("/desk/inquiries")).links)
    shown = next(link for link in (await chair.get(address)).links if "/files/" in link)
    seen = await chair.get(shown)
    assert seen.status == 200
    assert PLACE.decode() not in seen.html, "where it was taken goes to nobody"
    other = await log_in("鈴木 一郎")
    assert (await other.get(own)).status == 404
    assert (await other.get(shown)).status == 403
    assert (await other.get(address)).status == 403
    assert (await other.get("/desk/inquiries")).status == 403


async def test_pressing_twice_asks_once_and_nothing_is_refused(log_in: LogIn) -> None:
    hanako = await log_in(HANAKO)
    await hanako.get("/talk")
    page = await hanako.submit("/talk", {"text": " "})
    assert page.status == 400
    await hanako.get("/talk")
    open_page = hanako.page
    await hanako.submit("/talk", {"text": "一度だけ"})
    hanako.page = open_page
    page = await hanako.submit("/talk", {"text": "一度だけ"})
    assert page.text.count("一度だけ") == 1


async def test_the_first_words_in_any_client_are_heard_before_anybody_opens_a_page(here: Site) -> None:
    association = here.node.association
    room_id = association.members.desk_room_of(here.person(HANAKO).id)
    assert room_id is not None
    assert association.inquiries._made is None
    content = {"msgtype": "m.text", "body": "街灯が きれています"}
    await here.node.services.sender.send(Draft(room_id, here.user(HANAKO), "m.room.message", content))
    (inquiry,) = association.inquiries.verbs.inbox(here.user(CHAIR))
    assert inquiry.person_id == here.person(HANAKO).id


async def test_what_an_officer_has_typed_is_not_lost_when_another_was_faster(
    here: Site, chair: Browser, log_in: LogIn
) -> None:
    await here.add("役員 二", "2班", [Role.OFFICER])
    await asked(log_in, "ごみは いつですか")
    second = await log_in("役員 二")
    address = only_question((await chair.get("/desk/inquiries")).links)
    await chair.get(address)
    await second.get(address)
    await chair.submit(address, {"step": "answer", "text": "あしたです"})
    page = await second.submit(address, {"step": "answer", "text": "あさってだと おもいます"})
    assert page.status == 412
    assert "ほかの人が先に" in page.text
    assert "あしたです" in page.text
    assert "あさってだと おもいます" in page.html
    page = await second.submit(address, {"step": "answer"})
    assert "おくりました" in page.text
    assert "あさってだと おもいます" in page.text


async def test_a_question_by_telephone_is_written_down(here: Site, chair: Browser) -> None:
    person = await here.add("電話 のみ", "2班", account=False)
    page = await chair.get("/desk/inquiries/new?q=電話")
    assert f"/desk/inquiries/new?person={person.id}" in page.links
    await chair.get(f"/desk/inquiries/new?person={person.id}")
    page = await chair.submit("/desk/inquiries/new", {"channel": "phone", "text": "街灯が きれています"})
    assert "2班 電話 のみ" in page.text
    assert "アプリが ない人です" in page.text
    address = page.url.split("?")[0]
    page = await chair.submit(address, {"step": "answer", "text": "市に 言いました"})
    assert "回答ずみ" in page.text
    await chair.get("/desk/inquiries/new")
    page = await chair.submit("/desk/inquiries/new", {"channel": "paper", "text": "だれでしょう"})
    assert page.status == 400
    assert "だれでしょう" in page.html


async def test_hostile_words_stay_words(chair: Browser, log_in: LogIn) -> None:
    hanako = await asked(log_in, "<script>alert(1)</script>")
    for text in ('"><img src=x onerror=alert(1)>', "{{ 7*7 }}"):
        await hanako.submit("/talk", {"text": text})
    page = await hanako.get("/talk")
    assert "<script>alert" not in page.html
    assert "onerror" not in page.tags
    assert "{{ 7*7 }}" in page.text
    page = await chair.get("/desk/inquiries")
    assert "onerror" not in page.tags
    page = await chair.get(only_question(page.links))
    assert "onerror" not in page.tags
    assert all(not script or script.startswith("/static/") for script in page.scripts)
