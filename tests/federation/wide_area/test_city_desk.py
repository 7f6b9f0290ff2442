"""The city's desk: who has not received a notice, what a survey says, what was asked of associations in a year."""

from __future__ import annotations

from pathlib import Path

from federation.broadcasts.model import Kind
from federation.links.model import Category
from tests.federation.wide_area.desks import officer_at, resident_at, site_of
from tests.federation.wide_area.places import Place, comes, link, message, until, wide_area
from tests.web.browser import Browser

EVIL = '=HYPERLINK("http://evil.example")'


async def shows(desk: Browser, address: str, words: str) -> str:
    """The text of a page, once these words are on it."""

    async def does() -> bool:
        return words in (await desk.get(address)).text

    await until(does)
    assert desk.page is not None
    return desk.page.text


async def test_who_has_not_received_it_and_since_when_their_server_is_away(tmp_path: Path) -> None:
    async with (
        wide_area(tmp_path, city="city", sakura="association", ume="association") as (city, sakura, ume),
        officer_at(city) as desk,
    ):
        await link(city, sakura, "17201/sakura")
        await link(city, ume, "17201/ume")
        await ume.stop()
        sent = await city.verbs.sending.send(city.me, message())
        notice = f"/desk/notices/{sent.key}"
        await shows(desk, f"{notice}/figures", "まだ 届いていない 相手（1）")
        text = await shows(desk, f"{notice}/figures", "から 返事を しません")
        assert "梅町町内会" in text.partition("町内会ごと")[0]
        assert "桜町町内会" not in text.partition("町内会ごと")[0]
        page = await desk.get(notice)
        assert f'data-live="{notice}/figures"' in page.html
        assert any(script.startswith("/static/live.js") for script in page.scripts)
        assert "新しい数を 見る" in page.text
        page = await desk.submit(f"{notice}/file")
        row = next(line for line in page.html.splitlines() if line.startswith("梅町町内会"))
        assert "から返事がありません" in row
        await ume.start()
        await shows(desk, f"{notice}/figures", "全部に 届きました")
        await comes(ume)


async def answers(place: Place, choices: list[str]) -> None:
    """One person each votes on the poll that is there."""
    inside, polls = site_of(place), place.node.inside.association.polls
    for number in range(len(choices)):
        await inside.add(f"住民{number}", "1班")

    async def there() -> bool:
        return bool(await polls.results.polls(place.me))

    await until(there)
    (poll,) = await polls.results.polls(place.me)
    for number, choice in enumerate(choices):
        await polls.answer(inside.user(f"住民{number}"), poll.id, [choice])


async def test_the_result_of_a_survey_is_a_table_and_a_file_that_runs_nothing(tmp_path: Path) -> None:
    async with (
        wide_area(tmp_path, city="city", sakura="association") as (city, sakura), officer_at(city) as desk,
    ):
        await link(city, sakura, "17201/sakura")
        await sakura.verbs.book.hide_below(sakura.me, 0)
        sent = await city.verbs.sending.send(city.me, message(
            kind=Kind.SURVEY, title="公園のこと", choices=(EVIL, "そのまま")))
        await answers(sakura, ["c1", "c1", "c2"])
        await sakura.verbs.figures.report_now()
        notice = f"/desk/notices/{sent.key}"
        text = await shows(desk, notice, "こたえた人： 3 / 3")
        assert "そのまま 1 33%" in text
        assert "2 67%" in text
        page = await desk.submit(f"{notice}/file")
        assert page.html.splitlines()[0].count(f"'{EVIL}".replace('"', '""')) == 1
        assert not any(cell.startswith("=") for line in page.html.splitlines() for cell in line.split(","))


async def test_what_was_asked_in_a_year_is_listed_with_how_many_have_answered(tmp_path: Path) -> None:
    async with (
        wide_area(
            tmp_path, city="city", federation="federation", sakura="association", ume="association"
        ) as (city, federation, sakura, ume),
        officer_at(city) as desk, officer_at(sakura) as officer,
    ):
        await link(city, federation, "17201/mori")
        await link(federation, sakura, "17201/mori/sakura")
        await link(city, ume, "17201/ume")
        await sakura.verbs.book.hide_below(sakura.me, 0)
        await city.verbs.sending.send(city.me, message(title=EVIL, category=Category.GARBAGE))
        await comes(sakura)
        survey = await city.verbs.sending.send(city.me, message(
            kind=Kind.SURVEY, title="公園のこと", choices=("ひろく", "そのまま"), category=Category.CHILDREN))
        await answers(sakura, ["c2"])
        await sakura.verbs.figures.report_now()

        async def all_told() -> bool:
            table = await city.verbs.figures.table(city.me, survey.key)
            return table.missing == [] and len(table.rows) == 3 and any(
                row.report is not None and row.report.below for row in table.rows)

        await until(all_told)
        text = await shows(desk, "/desk/asked", "（1 / 2人）")
        first, _, second = text.partition("公園のこと")[2].partition(EVIL)
        assert "アンケート" in first
        assert "子育て" in first
        assert "2 / 2 2 1 （1 / 2人）" in first
        assert "ごみ" in second
        page = await desk.submit("/desk/asked/file")
        lines = page.html.lstrip("\ufeff").splitlines()
        assert len(lines) == 3
        assert lines[1].split(",")[1:4] == ["公園のこと", "アンケート", "子育て"]
        assert lines[1].endswith(",2,2,2,1,1,2")
        assert lines[2].split(",", 1)[1].startswith('"\'=HYPERLINK')
        # Other years, and what is none.
        page = await desk.get("/desk/asked", params={"year": "2001"})
        assert (page.status, "まだ ありません" in page.text) == (200, True)
        for year in ("1999", "9999", "２００１", "x"):
            assert (await desk.get("/desk/asked", params={"year": year})).status == 400, year
        assert "まだ ありません" in (await officer.get("/desk/asked")).text
        inside = site_of(sakura)
        async with resident_at(inside, "住民0") as resident:
            assert (await resident.get("/desk/asked")).status == 403
            assert (await resident.get(f"/desk/notices/{survey.key}/figures")).status == 403
