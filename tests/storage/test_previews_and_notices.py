"""Previews, their pictures, announced files and server notices on each database."""

from __future__ import annotations

from pathlib import Path

from server.assembly.notices import notices_of
from server.media import media_store, preview_store
from server.media.model import Mxc
from tests.builders import RunningNode, settings_for


async def test_previews_are_kept_renewed_and_forgotten_on_either_database(database_url: str, tmp_path: Path) -> None:
    async with RunningNode(settings_for(tmp_path, database=database_url)) as node:
        database = node.inside.core.database
        for number in range(6):
            await preview_store.put(database, f"page {number}", {"og:title": "\x00題"}, 1_000 + number)
        await preview_store.put(database, "page 0", {"og:title": "new"}, 2_000)
        assert await preview_store.find(database, "page 0", 1_500) == {"og:title": "new"}
        assert await preview_store.find(database, "page 1", 0) == {"og:title": "\x00題"}
        assert await preview_store.find(database, "page 1", 1_500) is None
        await preview_store.forget_before(database, 1_003, most=100)
        assert await preview_store.find(database, "page 2", 0) is None
        await preview_store.forget_before(database, 0, most=1)
        assert await preview_store.find(database, "page 5", 0) is None
        assert await preview_store.find(database, "page 0", 0) is not None


async def test_files_of_an_owner_are_forgotten_on_either_database(database_url: str, tmp_path: Path) -> None:
    async with RunningNode(settings_for(tmp_path, database=database_url)) as node:
        media, database = node.inside.media.media, node.inside.core.database
        kept = await media.keep("@hanako:sakura.example", None, None, b"x")
        await media.keep("previews", "image/png", None, b"x")
        now = node.inside.core.clock.now_ms() + 1_000
        assert await media.delete_before("previews", now) == 1
        assert await media_store.of_owner_before(database, "@hanako:sakura.example", now, 10) == [
            Mxc.parse(kept).media_id
        ]


async def test_notices_find_their_room_on_either_database(database_url: str, tmp_path: Path) -> None:
    async with RunningNode(settings_for(tmp_path, database=database_url)) as node:
        hanako = await node.user("hanako")
        for text in ("一", "二"):
            await notices_of(node.inside).send(hanako.user_id, text)
        (room,) = (await hanako.syncs()).rooms("invite")
        await hanako.joins(room)
        assert (await hanako.syncs()).texts(room) == ["一", "二"]
