"""How far associations have come: told only where their desk says so, to whom it says, until it says otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from federation.figures import progress_store
from federation.figures.model import FIGURES
from federation.figures.progress import COLUMNS, Progress, hide_small
from federation.figures.progress_tables import shares_of
from server.association.circulars.model import Letter
from server.association.members.model import EVERYONE
from server.foundation.errors import Forbidden, InvalidParam
from server.foundation.signatures import sign_json
from server.rooms.send_event import Draft
from tests.federation.wide_area.desks import officer_at, resident_at, site_of
from tests.federation.wide_area.places import Place, link, refused, until, wide_area
from tests.federation.wide_area.test_figures import live
from tests.federation.wide_area.test_protocol import is_as_documented


async def told(place: Place) -> list[tuple[str, str, int | None]]:
    """What a desk reads: name, through whom, residents."""
    rows = await place.verbs.progress.tables.rows(place.me)
    return [(row.name, row.via, row.progress.figures["residents"]) for row in rows if row.progress is not None]


async def reads(place: Place, *wanted: tuple[str, str, int | None]) -> None:
    async def does() -> bool:
        return await told(place) == list(wanted)

    await until(does)


async def test_nothing_is_told_until_the_desk_says_so_and_then_to_whom_it_says(tmp_path: Path) -> None:
    async with wide_area(
        tmp_path, city="city", federation="federation", sakura="association"
    ) as (city, federation, sakura):
        await link(city, federation, "17201/mori")
        await link(federation, sakura, "17201/mori/sakura")
        await live(sakura, 8)
        telling = sakura.verbs.progress.telling
        await telling.step()
        assert await told(federation) == await told(city) == []

        async def city_is_above() -> bool:
            return len(telling.readers(sakura.me)) == 2

        await until(city_is_above)
        assert [(reader.name, reader.via, reader.is_chosen) for reader in telling.readers(sakura.me)] == [
            ("森の里連合会", "", False), ("金沢市", "森の里連合会", False)]
        # Only those above, and through a federation only with it.
        for servers in (["elsewhere.example"], [city.server]):
            with pytest.raises(InvalidParam):
                await telling.choose(sakura.me, servers)
        with pytest.raises(Forbidden):
            await telling.choose("@someone:elsewhere.example", [])

        await telling.choose(sakura.me, [federation.server])
        await reads(federation, ("桜町町内会", "", 8))
        assert await told(city) == []
        await telling.choose(sakura.me, [federation.server, city.server])
        await reads(city, ("桜町町内会", "森の里連合会", 8))
        # The city has it no more, the federation still has.
        await telling.choose(sakura.me, [federation.server])
        await reads(city)
        await reads(federation, ("桜町町内会", "", 8))
        # Off, for good: what was said before does not come back.
        await telling.choose(sakura.me, [])
        await reads(federation)
        await telling.step()
        assert await told(federation) == []
        kept = await progress_store.every(federation.node.inside.core.database)
        assert [(item.progress.is_shared, dict(item.progress.figures)) for item in kept] == [(False, {})]


async def test_strangers_forgeries_and_old_consents_are_refused(tmp_path: Path) -> None:
    async with wide_area(
        tmp_path, city="city", sakura="association", ume="association"
    ) as (city, sakura, ume):
        room = (await link(city, sakura, "17201/sakura")).room_id
        other_room = (await link(city, ume, "17201/ume")).room_id
        await live(sakura, 6)
        await sakura.verbs.progress.telling.choose(sakura.me, [city.server])
        await reads(city, ("桜町町内会", "", 6))
        (row,) = [row for row in await city.verbs.progress.tables.rows(city.me) if row.progress is not None]
        good = row.progress
        assert good is not None

        async def say(place: Place, room_id: str, *progress: Progress, key: Place | None = None) -> None:
            identity = (key or place).node.inside.services.sender.identity
            signed = [sign_json(item.as_json(), item.server, identity.key) for item in progress]
            content = {"reports": [], "progress": signed, "body": "x"}
            await place.node.inside.services.sender.send(Draft(room_id, place.me, FIGURES, content))

        forged = replace(good, ts=good.ts + 10, figures={**good.figures, "residents": 999, "registered": 0})
        await say(ume, other_room, forged, key=sakura)
        await refused(city, "ほかの町内会のようす")
        await say(sakura, room, forged, key=ume)
        await refused(city, "町内会のようすの署名")
        await say(sakura, room, replace(good, ts=good.ts + 86_400_000))
        await refused(city, "時計が合っていません")
        await say(sakura, room, replace(good, to=("elsewhere.example",), ts=good.ts + 10))
        await refused(city, "こちらあてでない")
        await say(sakura, room, replace(good, ts=good.ts + 10, figures={**good.figures, "registered": 7}))
        await refused(city, "読めない、町内会のようす")
        assert await told(city) == [("桜町町内会", "", 6)]
        # A consent that was taken back does not come back by itself.
        await sakura.verbs.progress.telling.choose(sakura.me, [])
        await reads(city)
        await say(sakura, room, good)
        await sakura.verbs.progress.telling.choose(sakura.me, [city.server])
        await reads(city, ("桜町町内会", "", 6))
        # Who ends the link is not read any more.
        await sakura.verbs.halves.end(sakura.me, room)
        await reads(city)


async def test_what_is_told_is_as_documented_and_counts_what_there_is(tmp_path: Path) -> None:
    async with wide_area(tmp_path, city="city", sakura="association") as (city, sakura):
        room = (await link(city, sakura, "17201/sakura")).room_id
        inside = site_of(sakura)
        for number in range(3):
            await inside.add(f"住民{number}", "1班")
        await inside.add("電話のない人", "1班", account=False)
        post = sakura.node.inside.association.circulars.post
        circular = await post(sakura.me, Letter(title="夏まつり", text="します。", audience=EVERYONE))
        await sakura.node.inside.association.circulars.acknowledge(inside.user("住民0"), circular.id)
        async with resident_at(inside, "住民1"):
            await sakura.verbs.book.hide_below(sakura.me, 0)
            await sakura.verbs.progress.telling.choose(sakura.me, [city.server])
        await reads(city, ("桜町町内会", "", 4))
        (row,) = await city.verbs.progress.tables.rows(city.me)
        assert row.progress is not None
        assert row.progress.figures == {
            "households": 4, "residents": 4, "registered": 3, "active": 1, "circulars": 1, "expected": 4, "read": 1}
        is_as_documented("jp.kairan.progress", row.progress.as_json() | {"signatures": {"a": {"ed25519:1": "x"}}})
        await sakura.verbs.progress.telling.choose(sakura.me, [])
        live_room = await sakura.node.inside.services.rooms.get(room)
        said = [entry.event for entry in live_room.timeline if entry.event.type == FIGURES]
        assert len([event for event in said if "progress" in event.content]) == 2
        for event in said:
            is_as_documented(FIGURES, event.content)
            for one in event.content.get("progress", ()):
                is_as_documented("jp.kairan.progress", one)
        # Below the threshold nothing but that there are circulars.
        await sakura.verbs.book.hide_below(sakura.me, 5)
        shown = await sakura.verbs.progress.telling.preview(sakura.me)
        assert {name for name, figure in shown.items() if figure is not None} == {"circulars"}


@pytest.mark.parametrize("smallest", [0, 2, 5])
def test_nothing_small_can_be_worked_out(smallest: int) -> None:
    for residents, registered, active, read in product(range(12), range(12), range(12), (0, 1, 6, 11)):
        if active <= registered <= residents >= read:
            _nothing_small(residents, registered, active, read, smallest)


def _nothing_small(residents: int, registered: int, active: int, read: int, smallest: int) -> None:
    counted = {
        "households": (residents + 1) // 2, "residents": residents, "registered": registered, "active": active,
        "circulars": 2, "expected": residents, "read": read,
    }
    shown = hide_small(counted, smallest)
    assert set(shown) == set(COLUMNS)
    for name, figure in shown.items():
        assert figure is None or figure == counted[name]
        assert name == "circulars" or figure is None or not 0 < figure < smallest
    for part, whole in (
        ("registered", "residents"), ("active", "registered"), ("active", "residents"), ("read", "expected"),
    ):
        some, every = shown[part], shown[whole]
        assert some is None or every is None or not 0 < every - some < smallest


def test_shares_are_of_those_who_tell_both_parts() -> None:
    def one(**figures: int | None) -> Progress:
        return Progress(server="a", name="a", areas=(), to=(), ts=1, is_shared=True,
                        figures={**dict.fromkeys(COLUMNS), **figures})

    many: Sequence[Progress] = [one(residents=10, registered=5), one(residents=100, registered=None)]
    assert shares_of(many)["registered"] == 50
    assert shares_of(many)["read"] is None
    assert shares_of([])["active"] is None


async def test_the_pages_of_both_sides(tmp_path: Path) -> None:
    async with (
        wide_area(tmp_path, city="city", sakura="association", ume="association") as (city, sakura, ume),
        officer_at(city) as desk, officer_at(sakura) as officer,
    ):
        await link(city, sakura, "17201/sakura")
        await link(city, ume, "17201/ume")
        inside = site_of(sakura)
        for number in range(9):
            await inside.add(f"住民{number}", "1班", account=number > 1)
        page = await officer.get("/desk/progress")
        assert "はじめは だれにも つたえません" in page.text
        assert "会員：10" in page.text
        assert "登録した人： 非公開" in page.text
        page = await officer.submit("/desk/progress", {"server": city.server})
        assert "保存しました" in page.text
        assert dict(page.form("/desk/progress").fields)["server"] == city.server

        async def is_there() -> bool:
            return "非公開" in (await desk.get("/desk/progress")).text.partition("合計")[0]

        await until(is_there)
        page = await desk.get("/desk/progress")
        assert "共有していません" in page.text
        assert page.text.index("桜町町内会") < page.text.index("梅町町内会")
        page = await desk.submit("/desk/progress/file")
        lines = page.html.lstrip("\ufeff").splitlines()
        assert lines[1].startswith("桜町町内会,,10,10,非公開,非公開,")
        assert lines[2].startswith("梅町町内会,,,,")
        assert lines[-1].startswith("合計,,10,10,")
        await officer.get("/desk/progress")
        page = await officer.submit("/desk/progress", {"server": "elsewhere.example"})
        assert page.status == 400
        await officer.get("/desk/progress")
        await officer.submit("/desk/progress", {"server": []})

        async def is_gone() -> bool:
            return "非公開" not in (await desk.get("/desk/progress")).text.partition("合計")[0]

        await until(is_gone)
        async with resident_at(inside, "住民5") as resident:
            assert (await resident.get("/desk/progress")).status == 403
            assert (await resident.post("/desk/progress", {"server": city.server})).status == 403
