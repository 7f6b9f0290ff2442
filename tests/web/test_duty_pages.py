"""Duties on the pages: arranged for a block, one's own turn, another's turn, changed places."""

from __future__ import annotations

from server.association.duties.model import Duty
from tests.web.browser import Browser
from tests.web.conftest import LogIn
from tests.web.site import Site


async def arranged(chair: Browser, here: Site, **more: str) -> Duty:
    await chair.get("/desk/duties/new")
    duties = here.node.association.daily_life.duties
    page = await chair.submit("/desk/duties/new", {
        "title": "ごみ置き場の掃除", "audience": "blocks", "block": here.block("1班"),
        "first": duties.today.isoformat(), **more,
    })
    assert "おくりました" in page.text, page.text
    return duties.all()[-1]


async def test_whose_turn_it_is_is_seen_and_said_to_be_done(chair: Browser, log_in: LogIn, here: Site) -> None:
    duty = await arranged(chair, here)
    hanako, misaki = await log_in("佐藤 花子"), await log_in("高橋 美咲")
    assert "ごみ置き場の掃除" in (await hanako.get("/duties")).text
    assert "ごみ置き場の掃除" not in (await misaki.get("/duties")).text
    assert (await misaki.get(f"/duties/{duty.id}")).status == 404
    page = await hanako.get(f"/duties/{duty.id}")
    assert "町田 会長" in page.text
    assert "うちの番" in page.text
    page = await hanako.submit(f"/duties/{duty.id}/take", {"turn": "0"})
    assert "うちが" in page.text
    duties = here.node.association.daily_life.duties
    assert duties.all()[0].taken == {0: here.person("佐藤 花子").household_id}
    page = await hanako.submit(f"/duties/{duty.id}/done", {"turn": "0"})
    assert "おわりました" in page.text
    assert duties.all()[0].done == {0}
    assert "当番" in (await hanako.get("/daily")).text


async def test_an_order_is_changed_and_ended_by_those_who_may(chair: Browser, log_in: LogIn, here: Site) -> None:
    duty = await arranged(chair, here)
    await chair.get(f"/desk/duties/{duty.id}")
    page = await chair.submit(f"/desk/duties/{duty.id}/swap", {"one": "0", "other": "1"})
    assert "なおしました" in page.text
    homes = [here.person(name).household_id for name in ("鈴木 一郎", "佐藤 花子")]
    order = {f"at-{home}": str(number) for number, home in enumerate(homes, 1)}
    order[f"at-{here.person('町田 会長').household_id}"] = "0"
    page = await chair.submit(f"/desk/duties/{duty.id}", order)
    assert here.node.association.daily_life.duties.all()[0].plan.order == tuple(homes)
    stale = chair.page
    await chair.submit(f"/desk/duties/{duty.id}", {"title": "そうじ"})
    chair.page = stale
    assert (await chair.submit(f"/desk/duties/{duty.id}", {"title": "掃除"})).status == 412
    await chair.get(f"/desk/duties/{duty.id}")
    assert (await chair.submit(f"/desk/duties/{duty.id}", {"title": ""})).status == 400
    assert (await chair.submit(f"/desk/duties/{duty.id}", {f"at-{homes[0]}": "x"})).status == 400
    hanako = await log_in("佐藤 花子")
    for path in ("/desk/duties", "/desk/duties/new", f"/desk/duties/{duty.id}"):
        assert (await hanako.get(path)).status == 403
    await chair.get(f"/desk/duties/{duty.id}")
    await chair.submit(f"/desk/duties/{duty.id}/end")
    assert "うちの番" in (await hanako.get("/duties")).text
    assert "そうじ" not in (await hanako.get("/duties")).text


async def test_what_cannot_be_is_refused_and_the_form_keeps_its_words(chair: Browser, here: Site) -> None:
    wrong: list[dict[str, str | list[str]]] = [
        {"title": ""}, {"first": "x"}, {"rhythm": "often"}, {"audience": "blocks", "block": []}, {"last": "2001-01-01"},
    ]
    for fields in wrong:
        await chair.get("/desk/duties/new")
        page = await chair.submit("/desk/duties/new", {
            "title": "掃除", "note": "朝8時", "audience": "blocks", "block": here.block("1班"), **fields})
        assert page.status == 400, fields
        assert dict(page.form("/desk/duties/new").fields)["note"] == "朝8時"
