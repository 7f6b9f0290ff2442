"""What is dangerous: the board leads to the hazard reports, which have photos, places and how far they were seen to."""

from __future__ import annotations

from tests.web.conftest import LogIn
from tests.web.pictures import photo
from tests.web.site import CHAIR, Site

SEEN = {"kind": "tree", "place": "桜公園の北", "text": "枝が 折れています"}


async def test_the_board_leads_to_hazard_reports_and_takes_none_itself(here: Site, log_in: LogIn) -> None:
    hanako = await log_in("佐藤 花子")
    assert "/hazards" in (await hanako.get("/board")).links
    assert "/hazards/new" in (await hanako.get("/board/new")).links
    danger = {"category": "danger", "title": "坂の 穴", "text": "ころびます"}
    page = await hanako.submit("/board/new", danger, files=[])
    assert page.status == 400
    assert "しゅるいを えらんでください" in page.text
    assert "danger" not in (await (await log_in(CHAIR)).get("/desk/board/rules")).html.replace("button danger", "")


async def test_a_report_is_listed_with_its_photo_its_place_and_its_state(here: Site, log_in: LogIn) -> None:
    hanako, chair = await log_in("佐藤 花子"), await log_in(CHAIR)
    await hanako.get("/hazards/new")
    page = await hanako.submit("/hazards/new", SEEN, files=[("upload", "a.jpg", "image/jpeg", photo())])
    address = page.url.partition("?")[0]
    page = await chair.get("/hazards")
    assert "木・枝：桜公園の北" in page.text
    assert "知らせを うけました" in page.text
    assert f'src="{address}/photo?size=small"' in page.html
    picture = await chair.get(f"{address}/photo?size=small")
    assert picture.headers["Content-Type"] == "image/jpeg"
    for state, words in (("seen", "役員が 見ました"), ("fixed", "なおりました")):
        await chair.get(address)
        await chair.submit(address, {"state": state, "note": ""})
        assert words in (await hanako.get("/hazards")).text
    assert "なにが あぶないですか" not in (await hanako.get("/board")).text
    assert "桜公園" not in (await hanako.get("/board")).text
