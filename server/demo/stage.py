"""Setting the stage of a replay: a city, a federation of six associations, and their people. None of it is measured."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from federation.links.model import Area, NodeKind
from server.assembly import build
from server.association.members import made_up_people as people
from server.association.members.model import Person
from server.demo import noto
from server.demo.certificates import make_certificates
from server.demo.crowd import Role
from server.demo.faults import DemoFailed
from server.demo.machine import free_ports
from server.demo.region import Place, Site, all_answering, link, make_site
from server.demo.settling import Row, give_accounts, take_in_roster
from server.demo.show import ProgressBar
from server.foundation.ids import random_token

OFFICER: Final = "kaicho"
CITY_AREA: Final = "17201"
_FEDERATION_AREA: Final = f"{CITY_AREA}/rengo"
_ABOVE: Final = (
    Place("city", noto.CITY, NodeKind.CITY, Area(CITY_AREA, noto.CITY)),
    Place("federation", noto.FEDERATION, NodeKind.FEDERATION, Area(_FEDERATION_AREA, noto.FEDERATION)),
)


@dataclass(frozen=True, slots=True)
class Troupe:
    """One association: its node, who plays there, and what its table must show in the end."""

    site: Site
    roles: Sequence[Role]
    played: noto.Table


@dataclass(frozen=True, slots=True)
class Stage:
    """All nodes before they run."""

    city: Site
    federation: Site
    troupes: Sequence[Troupe]
    officer_password: str

    @property
    def sites(self) -> list[Site]:
        """All of them."""
        return [self.city, self.federation, *(troupe.site for troupe in self.troupes)]

    @property
    def roles(self) -> list[Role]:
        """Everybody, the people of all associations in turn."""
        return sorted((role for troupe in self.troupes for role in troupe.roles), key=lambda role: role.number)


async def set_stage(folder: Path, played: noto.Table) -> Stage:
    """Folders in ``folder``, everybody's account and 窓口, and the links. Raises ``DemoFailed``."""
    names = noto.ASSOCIATIONS[:played.total]
    places = [*_ABOVE, *(
        Place(f"association{number}", name, NodeKind.ASSOCIATION, Area(f"{_FEDERATION_AREA}/{number}", name))
        for number, name in enumerate(names, 1)
    )]
    certificates, ports = make_certificates(folder), free_ports(2 * len(places))
    sites = []
    for place, port, federation_port in zip(places, ports[::2], ports[1::2], strict=True):
        sites.append(await asyncio.to_thread(
            make_site, folder, place, certificates, port=port, federation_port=federation_port,
            chosen={"limits.enabled": False},
        ))
    bar, password, settled = ProgressBar("setting up people", played.total), random_token(), 0
    troupes = []
    parts = played.parts()
    for site, rows in zip(sites[2:], _rosters(names, played.total), strict=True):
        numbers = [number for number, _ in rows]
        roles = await _settle(site, [row for _, row in rows], numbers, [parts[number].value for number in numbers],
                              password)
        settled += len(roles)
        bar.reach(settled)
        troupes.append(Troupe(site, roles, _table_of(roles)))
    await _link_all(sites)
    return Stage(sites[0], sites[1], troupes, password)


async def _settle(
    site: Site, rows: Sequence[Row], numbers: Sequence[int], parts: Sequence[str], password: str
) -> list[Role]:
    async with build(site.settings) as node:
        await take_in_roster(node, rows)
        persons = node.association.members.persons()
        await give_accounts(node, persons, lambda _done: None, {persons[0].id: (OFFICER, password)})
        persons = node.association.members.persons()
        tokens = await asyncio.gather(*(
            node.accounts.create_session(person.user_id or "", f"REPLAY{number}")
            for person, number in zip(persons, numbers, strict=True)
        ))
        desk_room_of = node.association.members.desk_room_of
        return [
            _role(site.url, person, token, desk_room_of(person.id), part, number)
            for person, (token, _), part, number in zip(persons, tokens, parts, numbers, strict=True)
        ]


def _role(url: str, person: Person, token: str, room_id: str | None, part: str, number: int) -> Role:
    if person.user_id is None or room_id is None:
        raise DemoFailed("somebody has no room of their own")
    return Role(url, person.user_id, token, room_id, part, number)


async def _link_all(sites: Sequence[Site]) -> None:
    bar = ProgressBar("linking associations", len(sites) - 1)
    async with all_answering(sites) as (city, federation, *associations):
        await link(city, federation, sites[1].place)
        for done, (node, site) in enumerate(zip(associations, sites[2:], strict=True), 1):
            bar.reach(done)
            await link(federation, node, site.place)
        bar.reach(len(sites) - 1)


def _table_of(roles: Sequence[Role]) -> noto.Table:
    counts: Mapping[str, int] = Counter(role.part for role in roles)
    return noto.Table(**{part.value: counts.get(part.value, 0) for part in noto.Part})


def _rosters(names: Sequence[str], persons: int) -> list[list[tuple[int, Row]]]:
    """A roster for each association; with every line the number of the person among all. Households stay together."""
    found: list[list[tuple[int, Row]]] = [[] for _ in names]
    for number, (home, row) in zip(range(persons), _lines(len(names)), strict=False):
        roster = found[home % len(names)]
        roster.append((number, {**row, "役職": "" if roster else "会長"}))
    return found


def _lines(associations: int) -> Iterator[tuple[int, Row]]:
    """First one person of each association, so that none is empty; then household by household."""
    homes = people.households("能登")
    for number, home in enumerate(homes):
        for person in home.persons[:1] if number < associations else home.persons:
            yield number, {
                "班": f"{number // associations % 8 + 1}班", "世帯番号": str(number + 1), "世帯": home.family,
                "氏名": person.name, "ふりがな": person.kana,
            }
