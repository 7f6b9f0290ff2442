"""What is around 桜町町内会 in the demo: a city, a federation of associations, two neighbours, and the city's news."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from federation.broadcasts.model import Kind, Message, Priority
from federation.links.model import Area, Category, NodeKind
from server.assembly import Node, build
from server.assembly.wide_area import WideArea
from server.association.members.made_up_people import households
from server.association.members.model import Role
from server.demo.almanac import Almanac
from server.demo.faults import DemoFailed
from server.demo.region import Place, Site, all_answering, link
from server.demo.settling import Row, give_accounts, take_in_roster
from server.demo.town import NAME, Login
from server.foundation.clock import SystemClock

_CITY: Final = "99201"
SAKURA: Final = Place("sakura", NAME, NodeKind.ASSOCIATION, Area(f"{_CITY}/kita/sakura", "桜町"))
CITY: Final = Place("city", "花見市", NodeKind.CITY, Area(_CITY, "花見市"))
FEDERATION: Final = Place("federation", "花見市北部連合会", NodeKind.FEDERATION, Area(f"{_CITY}/kita", "北部"))
NEIGHBOURS: Final = (
    Place("ume", "梅町町内会", NodeKind.ASSOCIATION, Area(f"{_CITY}/kita/ume", "梅町")),
    Place("matsu", "松町町内会", NodeKind.ASSOCIATION, Area(f"{_CITY}/kita/matsu", "松町")),
)
# In the order in which their addresses are printed and their ports are chosen.
PLACES: Final = (SAKURA, CITY, FEDERATION, *NEIGHBOURS)

_HOMES: Final = 12
_ARRIVES_WITHIN_S: Final = 30.0
_LOOK_EVERY_S: Final = 0.1
_OFFICES: Final = {NodeKind.CITY: ("市民協働課", "shiyakusho"), NodeKind.FEDERATION: ("役員", "rengo")}

_NOTICES: Final = (
    Message(
        title="水道工事にともなう断水のお知らせ", areas=(_CITY,), category=Category.ADMINISTRATION, office="水道課",
        priority=Priority.IMPORTANT,
        text="来週の火曜日、午後1時から4時まで、水道管の工事のため水が出ません。\n飲み水は、前もってくんでおいてください。",
    ),
    Message(
        title="防災ラジオについてのアンケート", areas=(_CITY,), category=Category.DISASTER, office="防災課",
        kind=Kind.SURVEY, choices=("使っている", "持っているが使っていない", "持っていない"),
        text="市が配った防災ラジオを、いま使っていますか。",
    ),
)


async def settle_surroundings(sites: Sequence[Site], password: str) -> dict[str, Login]:
    """Somebody for every node but 桜町町内会; answers whom one can be, by the place's key."""
    return {site.place.key: await _settle(site, password) for site in sites if site.place is not SAKURA}


async def _settle(site: Site, password: str) -> Login:
    block, localpart = _OFFICES.get(site.place.kind, ("1班", "kaicho"))
    almanac = Almanac()
    async with build(site.settings, almanac) as node:
        await take_in_roster(node, _roster(site.place, block))
        members = node.association.members
        persons = members.persons()
        officer = members.register.with_role([Role.CHAIR])[0]
        with_account = [person for number, person in enumerate(persons) if person is officer or number % 3]
        await give_accounts(node, with_account, lambda _done: None, {officer.id: (localpart, password)})
    return Login(localpart, password, officer.name, "会長" if site.place.kind is not NodeKind.CITY else "担当")


def _roster(place: Place, block: str) -> list[Row]:
    homes = households(place.name)
    count = _HOMES if place.kind is NodeKind.ASSOCIATION else 1
    return [
        {
            "班": block if count == 1 else f"{home // 6 + 1}班", "世帯番号": str(home + 1), "世帯": found.family,
            "氏名": person.name, "ふりがな": person.kana, "役職": "会長" if (home, number) == (0, 0) else "",
        }
        for home, found in zip(range(count), homes, strict=False)
        for number, person in enumerate(found.persons[:1] if count == 1 else found.persons)
    ]


async def come_together(sites: Sequence[Site]) -> None:
    """Link all nodes, and let the city send something to every association. Raises ``DemoFailed``."""
    async with all_answering(sites) as nodes:
        by_place = {site.place: node for site, node in zip(sites, nodes, strict=True)}
        await link(by_place[CITY], by_place[FEDERATION], FEDERATION)
        for place in (SAKURA, *NEIGHBOURS):
            await link(by_place[FEDERATION], by_place[place], place)
        await _send(by_place[CITY])


async def _send(city: Node) -> None:
    wide_area = await city.core.late.wide_area.open()
    me = wide_area.book.us.user_id
    try:
        async with asyncio.timeout(_ARRIVES_WITHIN_S):
            for message in _NOTICES:
                await _until_shown(wide_area, (await wide_area.sending.send(me, message)).key)
    except TimeoutError:
        raise DemoFailed("what the city has sent does not arrive") from None


async def _until_shown(wide_area: WideArea, key: str) -> None:
    clock, wanted = SystemClock(), 1 + len(NEIGHBOURS)
    while True:
        rows = (await wide_area.figures.table(wide_area.book.us.user_id, key)).rows
        if sum(1 for row in rows if row.kind is NodeKind.ASSOCIATION and row.state == "shown") >= wanted:
            return
        await clock.sleep(_LOOK_EVERY_S)
