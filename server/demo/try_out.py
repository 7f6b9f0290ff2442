"""``kairan demo``: a node with made-up people in the folder ``demo-data``, to be tried with any client."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import webbrowser
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from server.assembly import Node, build
from server.assembly.pages import invitations_of
from server.calendars.app_passwords import AppPasswords
from server.config import Settings, load_settings
from server.demo.almanac import Almanac
from server.demo.faults import as_refusal
from server.demo.machine import free_port
from server.demo.news import News
from server.demo.node_folder import SETTINGS_FILE, make_node_folder
from server.demo.node_process import NodeProcess, running_node
from server.demo.show import say
from server.demo.town import NAME, Login, settle_town
from server.foundation.clock import SystemClock
from server.foundation.errors import Refused
from server.foundation.ids import random_letters

FOLDER: Final = Path("demo-data")
_PORT: Final = 8008
_LOGINS: Final = "demo.json"
_BEGINNING: Final = -40


@dataclass(frozen=True, slots=True)
class Keys:
    """How to get in: logins, somebody without an account (by person id), and the chair's calendar password."""

    logins: Sequence[Login]
    invited: str
    calendar_password: str


@dataclass(frozen=True, slots=True)
class Card:
    """A one-time invitation; without a link, it has been used."""

    name: str
    link: str = ""
    code: str = ""


def try_out(folder: Path = FOLDER) -> int:
    """Make the demo's node, or go on with it, and run it until Ctrl-C; answers the exit status."""
    folder = folder.absolute()
    if folder.exists() and not (folder / _LOGINS).exists():
        raise Refused(f"{folder} holds something else; please try the demo from another folder.")
    if not folder.exists():
        sys.stderr.write(f"Setting up {NAME} in {folder} …\n")
        make_demo(folder)
    with as_refusal():
        asyncio.run(_run(folder, read_keys(folder)))
    return 0


# ---- making it -----------------------------------------------------------------------------------------------------


def make_demo(folder: Path) -> None:
    """A node with its people and their news. ``folder`` appears when all of it is there."""
    unfinished = folder.with_name(folder.name + ".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    chosen = {"http.listen": f"127.0.0.1:{_PORT}", "federation.enabled": False}
    settings = make_node_folder(unfinished, NAME, chosen)
    keys = asyncio.run(_seed(settings))
    with os.fdopen(os.open(unfinished / _LOGINS, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
        json.dump(asdict(keys), file, ensure_ascii=False, indent=1)
    unfinished.rename(folder)


async def _seed(settings: Settings) -> Keys:
    almanac = Almanac()
    almanac.turn_to(_BEGINNING, 9)
    async with build(settings, almanac) as node:
        town = await settle_town(node, random_letters(10).lower())
        await News(node, town, almanac).happen()
        assert town.chair.user_id is not None
        _, secret = await AppPasswords(node.core.database, almanac).create(town.chair.user_id, "カレンダーアプリ")
    return Keys(town.logins, town.paper.id, secret)


def read_keys(folder: Path) -> Keys:
    """What ``make_demo`` has kept."""
    kept = json.loads((folder / _LOGINS).read_text("utf-8"))
    return Keys([Login(**login) for login in kept["logins"]], kept["invited"], kept["calendar_password"])


def on_free_port(file: Path) -> Settings:
    """The settings, on the next free port where the one that they name is taken."""
    listen = load_settings(file).http.listen
    port = free_port(listen.port)
    if port != listen.port:
        file.write_text(file.read_text("utf-8").replace(f'"{listen}"', f'"{listen.host}:{port}"', 1), "utf-8")
    return load_settings(file)


# ---- running it ----------------------------------------------------------------------------------------------------


async def _run(folder: Path, keys: Keys) -> None:
    settings_file = folder / SETTINGS_FILE
    async with build(load_settings(settings_file)):
        settings = on_free_port(settings_file)  # nobody else runs this node meanwhile
    async with build(settings) as node:
        card = await _new_card(node, keys)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running_node(settings_file, SystemClock()) as process:
        for line in welcome(settings, keys, card):
            say(line)
        _open_browser(f"http://{settings.http.listen}/")
        await _until(stop, process)


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


async def _until(stop: asyncio.Event, process: NodeProcess) -> None:
    await stop.wait()
    sys.stderr.write("\n")
    await process.stop()


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
        "Ctrl-C で止まります。もう一度 kairan demo で、つづきから動きます。", "",
    ]
