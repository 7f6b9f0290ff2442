"""The database that a release leaves behind, as text: what every later one must open.

    python -m tests.operation.release_fixture 0.2.0

writes ``tests/data/releases/0.2.0.sql.gz`` from a node on which a few things have happened. Run it once, with the code
of the release.
"""

from __future__ import annotations

import asyncio
import gzip
import sqlite3
import sys
import tempfile
from pathlib import Path

from server.accounts.interactive_auth import InteractiveAuth
from server.association.members.model import Role
from tests.builders import RunningNode, settings_for
from tests.web.every_page import every_page
from tests.web.site import CHAIR, NAMES, Site

FOLDER = Path(__file__).parents[1] / "data/releases"
TOKEN_FILE = "{0}.token"
KEY = "ed25519 fixture AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"


async def live(folder: Path) -> str:
    """Let some things happen on a new node; answers an access token."""
    (folder / "signing.key").write_text(KEY)
    async with RunningNode(settings_for(folder)) as node:
        hanako, taro = await node.users("hanako", "taro")
        room = await hanako.creates_room(name="広場", preset="public_chat")
        await taro.joins(room)
        first = await hanako.says(room, "おはよう")
        await taro.says(room, "おはようございます")
        gone = await taro.says(room, "まちがえました")
        await taro.redacts(room, gone)
        await hanako.reads(room, first)
        await hanako.put(f"v3/user/{hanako.user_id}/account_data/jp.example.note", {"note": "あとで"})
        await hanako.ask("POST", "/_matrix/media/v3/upload", b"a picture")
        await _live_together(node)
    return hanako.token


async def _live_together(node: RunningNode) -> None:
    """Something of every kind that an association does."""
    here = Site(node.inside, "http://sakura.example", InteractiveAuth(node.inside.core.clock))
    await here.add(CHAIR, "1班", [Role.CHAIR])
    for name, block in NAMES:
        await here.add(name, block)
    await every_page(here)


def write(name: str) -> None:
    """Make the fixture of a release."""
    with tempfile.TemporaryDirectory() as place:
        token = asyncio.run(live(Path(place)))
        connection = sqlite3.connect(Path(place) / "kairan.db")
        text = "\n".join(connection.iterdump())
        connection.close()
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.sql.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    (FOLDER / TOKEN_FILE.format(name)).write_text(token + "\n")


if __name__ == "__main__":
    write(sys.argv[1])
