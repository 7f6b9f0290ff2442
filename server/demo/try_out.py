"""``kairan demo``: five nodes with made-up people in the folder ``demo-data``, to be tried with any client.

桜町町内会 is the one with news; around it are its city, its federation of associations and two neighbours.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import shutil
import signal
import sys
import webbrowser
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from server.assembly import Node, build
from server.assembly.pages import invitations_of
from server.calendars.app_passwords import AppPasswords
from server.config import Settings, load_settings
from server.demo.almanac import Almanac
from server.demo.certificates import make_certificates
from server.demo.faults import as_refusal
from server.demo.machine import free_port, free_ports
from server.demo.news import News
from server.demo.node_folder import SETTINGS_FILE
from server.demo.node_process import running_node
from server.demo.region import Site, make_site
from server.demo.show import say
from server.demo.surroundings import PLACES, SAKURA, come_together, settle_surroundings
from server.demo.town import NAME, Login, settle_town
from server.foundation.clock import SystemClock
from server.foundation.errors import Refused
from server.foundation.folder_lock import folder_lock
from server.foundation.ids import random_letters

FOLDER: Final = Path("demo-data")
# From the first port of clients to the first of other servers.
_FEDERATION: Final = 442
_LOGINS: Final = "demo.json"
_BEGINNING: Final = -40
_FAREWELL: Final = ("Ctrl-C で止まります。もう一度 kairan demo で、つづきから動きます。", "")


@dataclass(frozen=True, slots=True)
class Keys:
    """How to get in: logins, somebody without an account (by person id), and the chair's calendar password.

    ``around``: whom one can be on the other nodes, by the key of the place.
    """

    logins: Sequence[Login]
    invited: str
    calendar_password: str
    around: Mapping[str, Login]


@dataclass(frozen=True, slots=True)
class Card:
    """A one-time invitation; without a link, it has been used."""

    name: str
    link: str = ""
    code: str = ""


def try_out(port: int, folder: Path = FOLDER) -> int:
    """Make the demo's nodes, or go on with them, and run them until Ctrl-C; answers the exit status.

    ``port``: the first that new nodes try; 0 for any.
    """
    folder = folder.absolute()
    if folder.exists() and not ((folder / _LOGINS).exists() and (folder / SAKURA.key).exists()):
        raise Refused(f"{folder} holds something else; please try the demo from another folder.")
    if importlib.util.find_spec("trustme") is None:
        raise Refused("The demo needs trustme: pip install 'kairan[demo]'.")
    with as_refusal():
        if not folder.exists():
            sys.stderr.write(f"Setting up {NAME} and its neighbours in {folder} …\n")
            make_demo(folder, port)
        asyncio.run(_run(folder, read_keys(folder)))
    return 0


# ---- making it -----------------------------------------------------------------------------------------------------


def make_demo(folder: Path, port: int) -> None:
    """Nodes with their people and their news. ``folder`` appears when all of it is there."""
    unfinished = folder.with_name(folder.name + ".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    certificates = make_certificates(unfinished)
    sites = [
        make_site(unfinished, place, certificates, port=own, federation_port=federation_port, chosen={})
        for place, (own, federation_port) in zip(PLACES, _ports(port), strict=True)
    ]
    keys = asyncio.run(_seed_all(sites))
    with os.fdopen(os.open(unfinished / _LOGINS, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
        json.dump(asdict(keys), file, ensure_ascii=False, indent=1)
    unfinished.rename(folder)


def _ports(first: int) -> list[tuple[int, int]]:
    """For every place one for clients and one for other servers."""
    if not first:
        found = free_ports(2 * len(PLACES))
        return list(zip(found[::2], found[1::2], strict=True))
    pairs, here, there = [], first, first + _FEDERATION
    for _ in PLACES:
        here, there = free_port(here), free_port(there)
        pairs.append((here, there))
        here, there = here + 1, there + 1
    return pairs


async def _seed_all(sites: Sequence[Site]) -> Keys:
    keys = await _seed(sites[0].settings)
    around = await settle_surroundings(sites, keys.logins[0].password)
    await come_together(sites)
    return replace(keys, around=around)


async def _seed(settings: Settings) -> Keys:
    almanac = Almanac()
    almanac.turn_to(_BEGINNING, 9)
    async with build(settings, almanac) as node:
        town = await settle_town(node, random_letters(10).lower())
        await News(node, town, almanac).happen()
        assert town.chair.user_id is not None
        _, secret = await AppPasswords(node.core.database, almanac).create(town.chair.user_id, "カレンダーアプリ")
    return Keys(town.logins, town.paper.id, secret, {})


def read_keys(folder: Path) -> Keys:
    """What ``make_demo`` has kept."""
    kept = json.loads((folder / _LOGINS).read_text("utf-8"))
    around = {key: Login(**login) for key, login in kept["around"].items()}
    return Keys([Login(**login) for login in kept["logins"]], kept["invited"], kept["calendar_password"], around)


def on_free_port(file: Path) -> Settings:
    """The settings, on the next free port where the one that they name is taken."""
    listen = load_settings(file).http.listen
    port = free_port(listen.port)
    if port != listen.port:
        file.write_text(file.read_text("utf-8").replace(f'"{listen}"', f'"{listen.host}:{port}"', 1), "utf-8")
    return load_settings(file)


# ---- running it ----------------------------------------------------------------------------------------------------


async def _run(folder: Path, keys: Keys) -> None:
    sites = [Site(place, folder / place.key / SETTINGS_FILE) for place in PLACES]
    for site in sites:
        with folder_lock(site.settings_file.parent):  # nobody else runs this node meanwhile
            on_free_port(site.settings_file)
    async with build(sites[0].settings) as node:
        card = await _new_card(node, keys)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as closing:
        for site in sites:
            await closing.enter_async_context(running_node(site.settings_file, SystemClock()))
        for line in [*welcome(sites[0].settings, keys, card), *around_lines(sites[1:], keys), *_FAREWELL]:
            say(line)
        _open_browser(f"{sites[0].url}/")
        await stop.wait()
        sys.stderr.write("\n")


async def _new_card(node: Node, keys: Keys) -> Card:
    """An invitation for somebody who has no account; a new one at each start, for it works only once."""
    members = node.association.members
    if not members.register.has_person(keys.invited):
        return Card("")
    person = members.person(keys.invited)
    if person.user_id is not None:
        return Card(person.name)
    found = await invitations_of(node).cards_for(members.node_user_id, [person])
    return Card(person.name, found[0].link, found[0].code)


def _open_browser(url: str) -> None:
    """Only where somebody could see it."""
    if sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(url)


def welcome(settings: Settings, keys: Keys, card: Card) -> list[str]:
    """What one needs to know, in Japanese for those who try it and in English for those who build it."""
    url = f"http://{settings.http.listen}"
    chair = keys.logins[0]
    lines = [
        "", f"{NAME} が動いています。　ブラウザ（Pages）: {url}/", "",
        "ログイン（name / password）",
        *(f"  {login.role}　{login.name}: {login.localpart} / {login.password}" for login in keys.logins), "",
    ]
    if card.link:
        lines += [f"招待カード（まだ登録していない {card.name} さん）: {card.link}", f"  番号: {card.code}", ""]
    elif card.name:
        lines += [f"招待カード: {card.name} さんは、もう登録ずみです。", ""]
    return [
        *lines,
        "Matrix client（Element など）",
        f"  homeserver: {url}",
        f"  user id: @{chair.localpart}:{settings.server_name}   password: {chair.password}", "",
        "カレンダー（CalDAV）",
        f"  URL: {url}/dav/   user: {chair.localpart}   password: {keys.calendar_password}", "",
    ]


def around_lines(sites: Sequence[Site], keys: Keys) -> list[str]:
    """The other nodes, and who one can be there."""
    lines = ["まわりのノード（name / password）"]
    for site in sites:
        login = keys.around[site.place.key]
        who = f"{login.role}　{login.name}: {login.localpart} / {login.password}"
        lines.append(f"  {site.place.name}　{site.url}/　{who}")
    return [*lines, ""]
