"""Polls on the pages."""

from __future__ import annotations

from server.association.members.model import Purpose
from server.rooms.poll_events import START, Choice, start_content
from server.rooms.send_event import Draft
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
    assert (await hanako.get(f"/polls/{poll}")).status == 404
    misaki = await log_in("高橋 美咲")
    assert "夏まつり" in (await misaki.get("/")).text


async def test_a_question_without_choices_is_refused_in_japanese(chair: Browser) -> None:
    await chair.get("/desk/polls/new")
    page = await chair.submit("/desk/polls/new", {"question": "?", "choices": "はい"})
    assert page.status == 400
    assert "こたえを2つから" in page.text


async def test_an_answer_is_taken_back(chair: Browser, log_in: LogIn) -> None:
    poll = await asked(chair)
    hanako = await log_in("佐藤 花子")
    page = await hanako.get(f"/polls/{poll}")
    assert "取り消す" not in page.text
    await hanako.submit(f"/polls/{poll}", {"choice": "c1"})
    page = await hanako.submit(f"/polls/{poll}/take-back")
    assert "答えを取り消しました" in page.text
    assert "あなたの こたえ" not in page.text
    assert "0 / 5人" in (await chair.get(f"/desk/polls/{poll}")).text


async def test_figures_are_live_where_they_are_disclosed_and_hidden_where_not(chair: Browser, log_in: LogIn) -> None:
    shown, hidden = await asked(chair), await asked(chair, hidden="1")
    hanako, misaki = await log_in("佐藤 花子"), await log_in("高橋 美咲")
    for poll in (shown, hidden):
        await hanako.get(f"/polls/{poll}")
        await hanako.submit(f"/polls/{poll}", {"choice": "c1"})
    page = await misaki.get(f"/polls/{shown}")
    assert "いまの 数" in page.text
    assert "回答 1人 / 5人" in page.text
    page = await misaki.get(f"/polls/{hidden}")
    assert "回答 1人" not in page.text
    assert "おわってから" in page.text
    await chair.get(f"/desk/polls/{hidden}")
    await chair.submit(f"/desk/polls/{hidden}/close")
    assert "回答 1人 / 5人" in (await misaki.get(f"/polls/{hidden}")).text


async def test_households_count_once_and_their_sheet_is_written_down(here: Site, chair: Browser, log_in: LogIn) -> None:
    poll = await asked(chair, counting="household")
    page = await chair.get(f"/desk/polls/{poll}")
    assert "0 / 5世帯" in page.text
    home = here.person("田中 実").household_id
    assert f"/desk/polls/{poll}/households/{home}" in page.links
    await chair.get(f"/desk/polls/{poll}/households/{home}")
    page = await chair.submit(f"/desk/polls/{poll}/households/{home}", {"choice": "c2", "channel": "door"})
    assert "書きました" in page.text
    assert "1 / 5世帯" in page.text
    assert "訪問" in page.text
    minoru = await log_in("田中 実")
    page = await minoru.get(f"/polls/{poll}")
    assert "世帯で ひとつの こたえ" in page.text
    assert "「いいえ」" in page.text
    assert "回答 1世帯 / 5世帯" in page.text


async def test_what_is_no_counting_no_channel_and_no_household_is_refused(here: Site, chair: Browser) -> None:
    await chair.get("/desk/polls/new")
    page = await chair.submit("/desk/polls/new", {"question": "?", "choices": "はい\nいいえ", "counting": "votes"})
    assert (page.status, "数えかた" in page.text) == (400, True)
    poll = await asked(chair)
    home = here.person("田中 実").household_id
    await chair.get(f"/desk/polls/{poll}/households/{home}")
    page = await chair.submit(f"/desk/polls/{poll}/households/{home}", {"choice": "c2", "channel": "app"})
    assert page.status == 400
    assert (await chair.get(f"/desk/polls/{poll}/households/no-such-household")).status == 404


async def test_a_resident_writes_down_nothing_for_others(here: Site, chair: Browser, log_in: LogIn) -> None:
    poll = await asked(chair)
    home = here.person("田中 実").household_id
    hanako = await log_in("佐藤 花子")
    assert (await hanako.get(f"/desk/polls/{poll}/households/{home}")).status == 403
    await hanako.get(f"/polls/{poll}")
    proof = dict(hanako.page.form(f"/polls/{poll}").fields) if hanako.page else {}
    sheet = {**proof, "choice": "c1", "channel": "paper"}
    assert (await hanako.post(f"/desk/polls/{poll}/households/{home}", sheet)).status == 403
    assert (await hanako.post(f"/polls/{poll}/close", proof)).status == 403
    assert "おわりにする" not in (await hanako.get(f"/polls/{poll}")).text


async def test_past_polls_stay_readable(chair: Browser, log_in: LogIn) -> None:
    poll = await asked(chair)
    hanako = await log_in("佐藤 花子")
    await hanako.get(f"/polls/{poll}")
    await hanako.submit(f"/polls/{poll}", {"choice": "c1"})
    await chair.get(f"/desk/polls/{poll}")
    await chair.submit(f"/desk/polls/{poll}/close")
    assert "/polls" in (await hanako.get("/")).links
    page = await hanako.get("/polls")
    assert "おわった アンケート" in page.text
    assert f"/polls/{poll}" in page.links
    assert "結果" in (await hanako.get(f"/polls/{poll}")).text


async def test_a_resident_ends_a_poll_of_their_own(here: Site, log_in: LogIn) -> None:
    hanako, misaki = await log_in("佐藤 花子"), await log_in("高橋 美咲")
    board = here.node.association.members.hall_room(Purpose.BOARD)
    question = start_content("もちよりで 何を つくりますか", [Choice("a", "なべ"), Choice("b", "カレー")])
    await here.node.services.sender.send(Draft(board, here.user("佐藤 花子"), START, question))
    page = await hanako.get("/")
    poll = next(link for link in page.links if link.startswith("/polls/"))
    await misaki.get(poll)
    page = await misaki.submit(poll, {"choice": "b"})
    assert f"{poll}/close" not in [form.action for form in page.read.forms]
    await hanako.get(poll)
    page = await hanako.submit(f"{poll}/close")
    assert "おわりました" in page.text
    assert "回答 1人 / 5人" in page.text
