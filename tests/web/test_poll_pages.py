"""Polls on the pages."""

from __future__ import annotations

from tests.web.browser import Browser
from tests.web.conftest import LogIn
from tests.web.site import Site


async def asked(chair: Browser, **more: str | list[str]) -> str:
    """Ask; answers the poll's id."""
    await chair.get("/desk/polls/new")
    page = await chair.submit("/desk/polls/new", {"question": "夏まつりに 来ますか", "choices": "はい\nいいえ", **more})
    assert page.status == 200, page.text
    return page.url.split("?")[0].rpartition("/")[2]


async def test_one_tap_answers_and_the_officer_sees_it(chair: Browser, log_in: LogIn) -> None:
    poll = await asked(chair)
    hanako = await log_in("佐藤 花子")
    page = await hanako.get("/")
    assert "夏まつりに 来ますか" in page.text
    assert f"/polls/{poll}" in page.links
    await hanako.get(f"/polls/{poll}")
    page = await hanako.submit(f"/polls/{poll}", {"choice": "c1"})
    assert "届きました" in page.text
    assert "「はい」" in page.text
    page = await chair.get(f"/desk/polls/{poll}")
    assert "1 / 5人" in page.text
    await hanako.submit(f"/polls/{poll}", {"choice": "c2"})
    page = await chair.submit(f"/desk/polls/{poll}/file")
    assert "佐藤 花子,いいえ" in page.html


async def test_what_cannot_be_chosen_is_refused(chair: Browser, log_in: LogIn) -> None:
    poll = await asked(chair)
    hanako = await log_in("佐藤 花子")
    await hanako.get(f"/polls/{poll}")
    page = await hanako.submit(f"/polls/{poll}", {"choice": ["c9"]})
    assert page.status == 400
    assert "選択肢はありません" in page.text


async def test_an_answer_on_paper_is_written_down(here: Site, chair: Browser) -> None:
    poll = await asked(chair)
    person = here.person("田中 実")
    await chair.get(f"/desk/polls/{poll}/persons/{person.id}")
    page = await chair.submit(f"/desk/polls/{poll}/persons/{person.id}", {"choice": "c2", "channel": "paper"})
    assert "書きました" in page.text
    assert "いいえ" in page.text


async def test_a_closed_poll_shows_figures_and_takes_no_answer(chair: Browser, log_in: LogIn) -> None:
    poll = await asked(chair)
    hanako = await log_in("佐藤 花子")
    await hanako.get(f"/polls/{poll}")
    open_page = hanako.page
    await chair.get(f"/desk/polls/{poll}")
    await chair.submit(f"/desk/polls/{poll}/close")
    page = await hanako.get(f"/polls/{poll}")
    assert "おわりました" in page.text
    hanako.page = open_page
    page = await hanako.submit(f"/polls/{poll}", {"choice": "c1"})
    assert page.status in (400, 404)
    assert "終わ" in page.text


async def test_a_poll_for_one_block_is_not_shown_to_another(here: Site, chair: Browser, log_in: LogIn) -> None:
    block = here.block("2班")
    poll = await asked(chair, audience="blocks", block=[block])
    hanako = await log_in("佐藤 花子")
    assert "夏まつり" not in (await hanako.get("/")).text
    assert (await hanako.get(f"/polls/{poll}")).status == 403
    misaki = await log_in("高橋 美咲")
    assert "夏まつり" in (await misaki.get("/")).text


async def test_a_question_without_choices_is_refused_in_japanese(chair: Browser) -> None:
    await chair.get("/desk/polls/new")
    page = await chair.submit("/desk/polls/new", {"question": "?", "choices": "はい"})
    assert page.status == 400
    assert "選択肢" in page.text
