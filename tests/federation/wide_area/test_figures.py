"""Figures that go up: counted, hidden where they are small, summed on each level, refused from strangers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from federation.broadcasts.model import Kind
from federation.figures.model import FIGURES, REACH, SAFETY, Figures, Report, hide_small
from federation.links.model import Category, NodeKind, Told
from server.association.members.came_by import CameBy
from server.association.safety_checks.actions import Given
from server.association.safety_checks.model import Status
from server.foundation.signatures import sign_json
from server.rooms.send_event import Draft
from tests.federation.wide_area.places import Place, comes, link, message, refused, until, wide_area


async def live(place: Place, count: int) -> list[str]:
    """So many people on the roster, without accounts."""
    editor = place.node.inside.association.editor
    block = await editor.add_block(place.me, "1班")
    found = []
    for number in range(count):
        home = await editor.add_household(place.me, block.id, f"{number}番")
        found.append((await editor.add_person(place.me, home.id, f"住民{number}")).id)
    return found


async def test_a_safety_check_of_the_city_rolls_up_over_all_levels(tmp_path: Path) -> None:
    async with wide_area(
        tmp_path, city="city", federation="federation", sakura="association", ume="association"
    ) as (city, federation, sakura, ume):
        await link(city, federation, "17201/mori")
        await link(federation, sakura, "17201/mori/sakura")
        await link(city, ume, "17201/ume")
        people = {place.server: await live(place, count) for place, count in ((sakura, 5), (ume, 3))}
        sent = await city.verbs.sending.send(city.me, message(kind=Kind.SAFETY_CHECK, text="", drill=True))

        async def asked(place: Place) -> bool:
            found = await place.verbs.desk.received(place.me)
            return bool(found) and found[0].twin_id != ""

        for place in (sakura, ume):
            await until(lambda place=place: asked(place))  # type: ignore[misc]
            check_id = (await place.verbs.desk.received(place.me))[0].twin_id
            for person, status in zip(people[place.server], (Status.SAFE, Status.SAFE, Status.HELP), strict=False):
                await place.node.inside.association.safety_checks.enter(
                    place.me, check_id, [person], Given(status=status), CameBy.DOOR)
            await place.verbs.figures.report_now()

        async def all_there() -> bool:
            table = await city.verbs.figures.table(city.me, sent.key)
            return table.total.get(Told.SAFETY).get("answered") == 6

        await until(all_there)
        table = await city.verbs.figures.table(city.me, sent.key)
        total = table.total.get(Told.SAFETY)
        assert (total["safe"], total["help"], total["no_app"], total["total"]) == (4, 2, 2, 8)
        through = table.groups["森の里連合会"].get(Told.SAFETY)
        assert (through["answered"], through["total"]) == (3, 5)
        assert {row.name: row.via for row in table.rows} == {
            "森の里連合会": "", "桜町町内会": "森の里連合会", "梅町町内会": ""}
        assert table.missing == []
        assert (await federation.verbs.figures.table(federation.me, sent.key)).total.get(Told.SAFETY)["total"] == 5
        assert "住民" not in str(table.as_json())
        rows = (await city.verbs.figures.csv(city.me, sent.key)).decode("utf-8-sig").splitlines()
        assert rows[0].startswith("町内会,連合会,状態,合計,回答,無事")
        assert rows[-1] == "合計,,,8,6,4,0,2,0,0,2"


async def test_reading_is_counted_and_small_figures_are_hidden(tmp_path: Path) -> None:
    async with wide_area(tmp_path, city="city", sakura="association") as (city, sakura):
        await link(city, sakura, "17201/sakura")
        await live(sakura, 9)
        sent = await city.verbs.sending.send(city.me, message())
        (circular,) = await comes(sakura)

        async def reach() -> Mapping[str, int | None]:
            await sakura.verbs.figures.report_now()
            rows = (await city.verbs.figures.table(city.me, sent.key)).rows
            return rows[0].report.sections.get(Told.REACH, {}) if rows[0].report else {}

        async def nobody_yet() -> bool:
            return (await reach()).get("not_yet") == 9

        await until(nobody_yet)
        home = sakura.node.inside.association.members.households()[0]
        await sakura.node.inside.association.circulars.enter_paper(sakura.me, circular.id, home.id)

        async def is_hidden() -> bool:
            found = await reach()
            return found.get("paper", 0) is None and found.get("delivered", 0) is None and found["total"] == 9

        await until(is_hidden)
        assert (await city.verbs.figures.table(city.me, sent.key)).total.hidden == 1
        await sakura.verbs.book.hide_below(sakura.me, 0)

        async def is_told() -> bool:
            return (await reach()).get("paper") == 1

        await until(is_told)


async def test_who_has_not_received_it_is_seen(tmp_path: Path) -> None:
    async with wide_area(tmp_path, city="city", sakura="association", ume="association") as (city, sakura, ume):
        await link(city, sakura, "17201/sakura")
        await link(city, ume, "17201/ume")
        await ume.verbs.book.hold(ume.me, [Category.ADMINISTRATION])
        await sakura.stop()
        sent = await city.verbs.sending.send(city.me, message())

        async def states() -> dict[str, str]:
            return {row.name: row.state for row in (await city.verbs.figures.table(city.me, sent.key)).rows}

        async def ume_has_it() -> bool:
            return (await states()) == {"桜町町内会": "waiting", "梅町町内会": "held"}

        await until(ume_has_it)

        async def is_known_to_be_away() -> bool:
            (row,) = (await city.verbs.figures.table(city.me, sent.key)).missing
            return row.down_since_ts is not None

        await until(is_known_to_be_away)
        await ume.verbs.desk.decline(ume.me, sent.key)
        await sakura.start()

        async def both_have() -> bool:
            return (await states()) == {"桜町町内会": "shown", "梅町町内会": "declined"}

        await until(both_have)


async def test_figures_of_strangers_of_others_and_forged_ones_are_refused(tmp_path: Path) -> None:
    async with wide_area(tmp_path, city="city", sakura="association", ume="association") as (city, sakura, ume):
        room = (await link(city, sakura, "17201/sakura")).room_id
        await link(city, ume, "17201/ume")
        sent = await city.verbs.sending.send(city.me, message("17201/sakura"))
        await comes(sakura)
        await sakura.verbs.figures.report_now()
        now = city.node.inside.core.clock.now_ms()
        report = Report(
            server=sakura.server, name="桜町", kind=NodeKind.ASSOCIATION, areas=("17201/sakura",), key=sent.key,
            revision=1, state="shown", seq=1_000, ts=now, sections={Told.REACH: {"total": 3, "seen": 2}},
        )

        async def tell(place: Place, room_id: str, told: dict[str, Any]) -> None:
            content = {"reports": [told], "body": "人数"}
            await place.node.inside.services.sender.send(Draft(room_id, place.me, FIGURES, content))

        def signed(place: Place, told: Report) -> dict[str, Any]:
            identity = place.node.inside.services.sender.identity
            return sign_json(told.as_json(), told.server, identity.key)

        ume_room = ume.verbs.book.links()[0].room_id
        await tell(ume, ume_room, signed(ume, replace(report, server=ume.server)))
        await refused(city, "そこへ送っていない知らせ")
        await tell(sakura, room, {**signed(sakura, report), "seq": 2_000})
        await refused(city, "署名が正しくありません")
        await tell(sakura, room, signed(ume, replace(report, server=ume.server)))
        await refused(city, "ほかの町内会の人数")
        await tell(sakura, room, signed(sakura, replace(report, sections={Told.REACH: {"total": 1, "seen": 2}})))
        await refused(city, "読めない人数")
        hanako, taro = await city.node.user("hanako"), await ume.node.user("taro")
        square = await hanako.creates_room(preset="public_chat")
        assert (await taro.post(f"v3/join/{square}", via=city.server)).status == 200
        await taro.sends(square, FIGURES, {"reports": [signed(sakura, report)]})
        await refused(city, "つながりのない相手が、人数")
        assert (await city.verbs.figures.table(city.me, sent.key)).total.get(Told.REACH).get("seen", 0) == 0
        await tell(sakura, room, signed(sakura, report))

        async def is_told() -> bool:
            return (await city.verbs.figures.table(city.me, sent.key)).total.get(Told.REACH).get("seen") == 2

        await until(is_told)


figures = st.integers(0, 30)


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(figures, min_size=len(SAFETY), max_size=len(SAFETY)), st.integers(2, 10))
def test_no_small_figure_can_be_worked_out(counts: list[int], smallest: int) -> None:
    section = dict(zip(SAFETY, counts, strict=True))
    section["total"] = sum(counts)
    section["answered"] = sum(counts[:3])
    shown = hide_small(Told.SAFETY, section, smallest)
    assert all(shown[name] is None for name in SAFETY if 0 < section[name] < smallest)
    hidden = [name for name in SAFETY if shown[name] is None]
    assert len(hidden) != 1
    if shown["answered"] is not None:
        assert not set(hidden) & {"safe", "contact", "help"}


@pytest.mark.parametrize(("told", "section", "hidden"), [
    (Told.REACH, dict.fromkeys(REACH, 7) | {"total": 35, "delivered": 30}, set()),
    (Told.REACH, dict.fromkeys(REACH, 0) | {"total": 3, "delivered": 0, "seen": 3}, {"all"}),
    (Told.ANSWERS, {"c1": 1, "c2": 9, "c3": 20, "answered": 30, "unanswered": 8, "total": 38}, {"c1", "c2"}),
    (Told.ANSWERS, {"c1": 3, "c2": 0, "answered": 3, "unanswered": 8, "total": 11},
     {"c1", "c2", "answered", "unanswered"}),
])
def test_what_is_hidden(told: Told, section: dict[str, int], hidden: set[str]) -> None:
    shown = hide_small(told, section, 5)
    expected = set(section) if hidden == {"all"} else hidden
    assert {name for name, figure in shown.items() if figure is None} == expected
    assert hide_small(told, section, 0) == section


def test_sums_say_how_many_hide_something() -> None:
    report = Report(
        server="a", name="a", kind=NodeKind.ASSOCIATION, areas=(), key="c/1", revision=1, state="shown", seq=1, ts=1,
        sections={Told.REACH: {"total": 9, "seen": None}},
    )
    total = Figures.of([report, replace(report, server="b", sections={Told.REACH: {"total": 5, "seen": 5}})])
    assert (total.get(Told.REACH), total.hidden, total.associations) == ({"total": 14, "seen": 5}, 1, 2)


async def test_who_has_two_ways_stands_in_the_table_once(tmp_path: Path) -> None:
    async with wide_area(
        tmp_path, city="city", federation="federation", ume="association"
    ) as (city, federation, ume):
        await link(city, federation, "17201/mori")
        await link(federation, ume, "17201/mori/ume")
        await link(city, ume, "17201/mori/ume")
        sent = await city.verbs.sending.send(city.me, message("17201/mori"))

        async def is_complete() -> bool:
            table = await city.verbs.figures.table(city.me, sent.key)
            return table.missing == [] and len(table.rows) == 2

        await until(is_complete)
        assert (await city.verbs.figures.table(city.me, sent.key)).total.associations == 2
        assert await city.reasons() == []
