"""Writes that share a commit are gathered by statement, and yet each table is written in the order of asking."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sqlalchemy import BigInteger, Column, Executable, MetaData, Table, delete, insert, text, update

from server.storage.transaction import grouped
from tests.builders import RunningNode, settings_for

things = Table("things", MetaData(), Column("id", BigInteger, primary_key=True), Column("size", BigInteger))
others = Table("others", MetaData(), Column("id", BigInteger, primary_key=True))
ADD: Executable = insert(things)
GROW: Executable = update(things)
DROP: Executable = delete(things)
OTHER: Executable = insert(others)
PUT: Executable = text("INSERT INTO things (id) VALUES (:id) ON CONFLICT (id) DO NOTHING")


def test_rows_of_one_statement_are_run_together() -> None:
    rows = [(ADD, {"id": 1}), (OTHER, {"id": 1}), (ADD, {"id": 2}), (OTHER, {"id": 2})]
    assert grouped(rows) == [(ADD, [{"id": 1}, {"id": 2}]), (OTHER, [{"id": 1}, {"id": 2}])]


def test_a_table_is_written_in_the_order_of_asking() -> None:
    rows = [(GROW, {"id": 1}), (OTHER, {"id": 1}), (ADD, {"id": 2}), (OTHER, {"id": 2}), (GROW, {"id": 2}),
            (PUT, {"id": 3}), (DROP, {"id": 3}), (PUT, {"id": 3})]
    found = [(statement, row["id"]) for statement, group in grouped(rows) for row in group if statement is not OTHER]
    assert found == [(GROW, 1), (ADD, 2), (GROW, 2), (PUT, 3), (DROP, 3), (PUT, 3)]


async def test_a_room_that_is_made_while_others_talk_is_whole_after_a_restart(
    database_url: str, tmp_path: Path
) -> None:
    async with RunningNode(settings_for(tmp_path, database=database_url)) as node:
        hanako, taro = await node.users("hanako", "taro")
        busy = await hanako.creates_room()
        rooms = []
        for _ in range(5):
            talking = [hanako.says(busy, "ね") for _ in range(5)]
            rooms.append((await asyncio.gather(*talking, taro.creates_room(name="静か")))[-1])
        await node.restart()
        for room in rooms:
            live = await node.inside.services.rooms.get(room)
            assert len(live.tip.extremities) == 1
            assert live.tip.snapshot > 0
            await taro.says(room, "こんにちは")
            assert (await taro.get(f"v3/rooms/{room}/state/m.room.name"))["name"] == "静か"
