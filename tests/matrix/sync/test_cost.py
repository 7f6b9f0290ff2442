"""What asking again and again may cost."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.builders import RunningNode


async def test_who_is_up_to_date_costs_no_sql(node: RunningNode, monkeypatch: pytest.MonkeyPatch) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    for person in (hanako, taro):
        await person.reads(room, await person.says(room, "x"))
    since = (await hanako.syncs()).token
    since = (await hanako.syncs(since)).token

    async def no_sql(*_args: Any, **_kinds: Any) -> None:
        raise AssertionError("a statement")

    database = node.inside.core.database
    for verb in ("fetch_all", "fetch_one"):
        monkeypatch.setattr(database, verb, no_sql)
    assert (await hanako.syncs(since)).rooms() == {}
    waiting = asyncio.ensure_future(hanako.syncs(since, timeout=200))
    assert (await waiting).rooms() == {}
