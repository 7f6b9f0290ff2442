"""One broadcast to many nodes: a quarter of them away, half of them slow, and the city stopped in the middle.

``KAIRAN_BROADCAST_NODES=240`` runs it with as many as a city has.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from federation.broadcasts import sending
from server.rooms.send_event import Draft, EventSender
from tests.federation.wide_area.light import LightNode, light_nodes
from tests.federation.wide_area.places import Place, comes, link, message, until, wide_area

COUNT = int(os.environ.get("KAIRAN_BROADCAST_NODES", "8"))


class Killed(BaseException):
    """The process is gone."""


async def all_have(city: Place, nodes: list[LightNode], count: int) -> None:
    """Wait until each has so many notices."""

    async def there() -> bool:
        return all(len(node.notices(city)) >= count for node in nodes)

    await until(there, tries=1200 + 100 * COUNT)


async def test_nothing_is_lost_or_doubled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        wide_area(tmp_path, city="city", sakura="association") as (city, sakura),
        light_nodes(city, COUNT) as nodes,
    ):
        await link(city, sakura, "17201/sakura")

        async def all_linked() -> bool:
            return sum(one.is_in_force for one in city.verbs.book.links()) == COUNT + 1

        await until(all_linked, tries=1200 + 100 * COUNT)
        away = nodes[::4]
        for node in away:
            await node.server.stop()
        for node in nodes[::2]:
            node.is_slow = True

        real, sent = EventSender.send_many, 0

        async def until_killed(self: EventSender, drafts: list[Draft]) -> object:
            nonlocal sent
            sent += len(drafts)
            if sent > COUNT / 2:
                raise Killed
            return await real(self, drafts)

        monkeypatch.setattr(sending, "_TOGETHER", max(1, COUNT // 5))
        monkeypatch.setattr(EventSender, "send_many", until_killed)
        with pytest.raises(Killed):
            await city.verbs.sending.send(city.me, message(title="一つ目"))
        monkeypatch.setattr(EventSender, "send_many", real)
        await city.stop()
        await city.start()
        await all_have(city, [node for node in nodes if node not in away], 1)
        await city.verbs.sending.send(city.me, message(title="二つ目"))
        for node in away:
            await node.comes_back(city)
        await all_have(city, nodes, 2)
        await comes(sakura, 2)
        for node in nodes:
            assert sorted(notice["title"] for notice in node.notices(city)) == ["一つ目", "二つ目"]
        assert len(await sakura.circulars()) == 2
