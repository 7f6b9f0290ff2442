"""The internet between a city and an association is cut: two processes, two networks, one cable that is pulled.

The association goes on with its life; what the city sends meanwhile arrives once, the alert first. A long test,
mostly of waiting, run by ``make faults`` as root.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from federation.links.model import LinkState
from server.assembly import build
from server.demo.settling import give_accounts, take_in_roster
from server.foundation.clock import SystemClock
from tests.faults.namespaces import Node, reason_to_skip, two_networks

_PATIENCE_S = 180.0
_CLOCK = SystemClock()
_ROSTER = [
    {"班": "1班", "世帯番号": str(number), "世帯": name[:2], "氏名": name, "ふりがな": "やまだ", "役職": role}
    for number, (name, role) in enumerate([("山田 花子", "会長"), ("田中 太郎", "")], 1)
]


@dataclass
class Phone:
    """A resident's app, which syncs all the time; ``events`` in the order in which they came."""

    url: str
    token: str
    http: aiohttp.ClientSession
    events: list[dict[str, Any]] = field(default_factory=list)
    rooms: dict[str, str] = field(default_factory=dict)
    number: int = 0

    async def ask(self, method: str, path: str, body: Any = None, **query: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}"}
        url = f"{self.url}/_matrix/client/v3/{path}"
        async with self.http.request(method, url, json=body, params=query, headers=headers) as response:
            told = await response.json()
            assert response.status == 200, told
            return dict(told)

    async def sync_for_ever(self) -> None:
        since: dict[str, str] = {}
        while True:
            news = await self.ask("GET", "sync", timeout="10000", **since)
            since = {"since": news["next_batch"]}
            for room, told in news.get("rooms", {}).get("join", {}).items():
                for event in (*told.get("state", {}).get("events", []), *told["timeline"]["events"]):
                    if event["type"] == "m.room.name":
                        self.rooms[event["content"]["name"]] = room
                self.events += [{**event, "room_id": room} for event in told["timeline"]["events"]]

    async def sends(self, room: str, kind: str, content: dict[str, Any]) -> str:
        self.number += 1
        return str((await self.ask("PUT", f"rooms/{room}/send/{kind}/t{self.number}", content))["event_id"])

    async def hears(self, event_id: str) -> None:
        await until(lambda: _now(any(event["event_id"] == event_id for event in self.events)))

    def circulars(self) -> list[dict[str, Any]]:
        """Circulars from above in the order in which they came."""
        return [event for event in self.events if self.upstream(event)]

    @staticmethod
    def upstream(event: dict[str, Any]) -> str:
        return str(event["content"].get("jp.kairan.circular", {}).get("upstream", ""))


async def _now(answer: bool) -> bool:
    return answer


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something has come about."""
    async with asyncio.timeout(_PATIENCE_S):
        while not await holds():
            await _CLOCK.sleep(0.1)


async def settle(node: Node) -> list[str]:
    """Two residents with accounts and phones, before the node runs; answers the phones' tokens."""
    async with build(node.settings) as inside:
        await take_in_roster(inside, _ROSTER)
        persons = inside.association.members.persons()
        await give_accounts(inside, persons, lambda _done: None)
        found = inside.association.members.persons()
        return [(await inside.accounts.create_session(person.user_id or "", "PHONE"))[0] for person in found]


@asynccontextmanager
async def phones(node: Node, tokens: list[str]) -> AsyncIterator[list[Phone]]:
    """The residents' apps, syncing."""
    async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as group:
        made = [Phone(node.url, token, http) for token in tokens]
        tasks = [group.create_task(phone.sync_for_ever()) for phone in made]
        yield made
        for task in tasks:
            task.cancel()


async def they_talk(hanako: Phone, taro: Phone) -> None:
    """Inside of the association; what is said is read and answered."""
    board = hanako.rooms["掲示板"]
    said = await hanako.sends(board, "m.room.message", {"msgtype": "m.text", "body": "ネットが つながりませんね"})
    await taro.hears(said)
    await taro.ask("POST", f"rooms/{board}/receipt/m.read/{said}", {})
    reply = {"msgtype": "m.text", "body": "うちも です", "m.relates_to": {"m.in_reply_to": {"event_id": said}}}
    await hanako.hears(await taro.sends(board, "m.room.message", reply))


async def acknowledges(phone: Phone) -> None:
    """The circular that came before the cable was pulled."""
    (circular,) = phone.circulars()
    yes = {"m.relates_to": {"rel_type": "m.annotation", "event_id": circular["event_id"], "key": "✅"}}
    await phone.hears(await phone.sends(circular["room_id"], "m.reaction", yes))


async def test_what_the_city_sent_while_the_cable_was_pulled_arrives_once_and_the_alert_first(tmp_path: Path) -> None:
    if reason := reason_to_skip():
        pytest.skip(reason)
    async with two_networks(tmp_path) as (city, sakura, cable):
        tokens = await settle(sakura)
        await city.start()
        await sakura.start()
        offered = await city.does(
            "link_invite", kind="association", name="桜町町内会", areas=["17201/sakura=桜町"], categories=[], days=14)
        await sakura.does("link_accept", code=offered[0], categories=[])
        await until(lambda: _is_linked(city))
        async with phones(sakura, tokens) as (hanako, taro):
            first = await city.sends("つながって いるとき")
            await until(lambda: _now(bool(hanako.circulars()) and bool(taro.circulars())))
            await until(lambda: _now("掲示板" in hanako.rooms))
            await cable.pull()
            await they_talk(hanako, taro)
            await acknowledges(taro)
            ordinary = await city.sends("ふつうの お知らせ")
            alert = await city.sends("川が あふれそうです", "alert")
            # The city's desk sees that nobody answers.
            await until(lambda: _is_down(city, alert))
            await they_talk(hanako, taro)
            assert len(hanako.circulars()) == 1
            await cable.plug_in()
            await until(lambda: _now(len(hanako.circulars()) >= 3 and len(taro.circulars()) >= 3))
            for key in (first, ordinary, alert):
                await until(lambda key=key: _is_shown(city, key))  # type: ignore[misc]
            last = await city.sends("もう一度 ふつうの お知らせ")
            await until(lambda: _now(len(hanako.circulars()) >= 4 and len(taro.circulars()) >= 4))
            for phone in (hanako, taro):
                assert [phone.upstream(event) for event in phone.circulars()] == [first, alert, ordinary, last]


async def _is_linked(city: Node) -> bool:
    return any(LinkState.IN_FORCE.label in line for line in await city.does("link_list"))


async def _is_down(city: Node, key: str) -> bool:
    return (await city.row(key))["down_since_ts"] is not None


async def _is_shown(city: Node, key: str) -> bool:
    row = await city.row(key)
    return row["state"] == "shown" and row["down_since_ts"] is None
