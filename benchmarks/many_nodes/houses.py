"""The nodes of a run: each an association with a roster, accounts, rooms, and phones that are logged in."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from server.assembly import Node, build
from server.association.members.made_up_people import households
from server.association.members.model import Person
from server.config import load_settings
from server.demo.machine import free_ports
from server.demo.node_folder import SETTINGS_FILE, make_node_folder
from server.demo.settling import Row, give_accounts, take_in_roster

OFFICER: Final = "kaicho"
PASSWORD: Final = "cherry-blossom-in-april"
_BLOCKS: Final = 6


@dataclass(frozen=True, slots=True)
class Phone:
    """A resident's app: who, with which token, and their own room with the officers."""

    user_id: str
    token: str
    room_id: str


@dataclass(frozen=True, slots=True)
class House:
    """One association's node before it runs."""

    folder: Path
    port: int
    phones: tuple[Phone, ...]

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings_file(self) -> Path:
        """Its kairan.toml."""
        return self.folder / SETTINGS_FILE


def make_houses(folder: Path, nodes: int, persons: int, workers: int) -> list[House]:
    """So many nodes below ``folder``, each with ``persons`` people; not measured."""
    ports = free_ports(nodes)
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        works = [
            pool.submit(_make_house, folder / f"node{number:03}", number, port, persons)
            for number, port in enumerate(ports)
        ]
        return [work.result() for work in works]


def _make_house(folder: Path, number: int, port: int, persons: int) -> House:
    chosen = {"http.listen": f"127.0.0.1:{port}", "limits.enabled": False, "passwords.cost": 4,
              "http.public_url": f"http://127.0.0.1:{port}"}
    make_node_folder(folder, f"第{number + 1}町内会", chosen, f"association{number}.city.example")
    return House(folder, port, tuple(asyncio.run(_settle(folder, number, persons))))


async def _settle(folder: Path, number: int, persons: int) -> list[Phone]:
    async with build(load_settings(folder / SETTINGS_FILE)) as node:
        await take_in_roster(node, list(itertools.islice(_rows(f"association {number}"), persons)))
        members = node.association.members
        await give_accounts(node, members.persons(), lambda _done: None, {members.persons()[0].id: (OFFICER, PASSWORD)})
        return [await _phone(node, person) for person in members.persons()]


async def _phone(node: Node, person: Person) -> Phone:
    user_id, room_id = person.user_id, node.association.members.desk_room_of(person.id)
    if user_id is None or room_id is None:
        raise RuntimeError("somebody has no account or no room of their own")
    token, _ = await node.accounts.create_session(user_id, "PHONE")
    return Phone(user_id, token, room_id)


def _rows(seed: str) -> Iterator[Row]:
    """The lines of a roster without end; the first one is the chair's."""
    for number, home in enumerate(households(seed)):
        for place, person in enumerate(home.persons):
            yield {
                "班": f"{number % _BLOCKS + 1}班", "世帯番号": str(number + 1), "世帯": home.family,
                "氏名": person.name, "ふりがな": person.kana, "役職": "会長" if (number, place) == (0, 0) else "",
            }
