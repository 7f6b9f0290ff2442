"""A street with a board, groups and a gallery."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from server.association.board.actions import Board, Ground
from server.association.board.giving import Giving
from server.association.board.holding import Held
from server.association.board.model import Category, Post, Writing
from server.association.board.moderation import Moderation
from server.association.board.projection import BoardProjection
from server.association.board.reader import BoardReader
from server.association.gallery.actions import Gallery, GalleryGround
from server.association.gallery.projection import GalleryProjection
from server.association.groups.actions import GroupGround, Groups
from server.association.groups.projection import GroupProjection, Knock
from server.association.members.model import Purpose
from server.media.pictures import Picture
from server.rooms.reports import Reports
from server.rooms.search import Search
from tests.association.speaking import Street, street

CHAIR, HANAKO, ICHIRO, MISAKI, MINORU = "町田 会長", "佐藤 花子", "鈴木 一郎", "高橋 美咲", "田中 実"
PHOTO = Picture("mxc://sakura.example/AAAA", "猫.jpg", "image/jpeg", 1000)
OTHER_PHOTO = Picture("mxc://sakura.example/BBBB", "犬.jpg", "image/jpeg", 2000)


@dataclass(slots=True)
class Neighbours:
    """The verbs of one node; ``forgotten`` are the files that were removed."""

    street: Street
    board: Board
    giving: Giving
    moderation: Moderation
    reader: BoardReader
    gallery: Gallery
    groups: Groups
    forgotten: list[str] = field(default_factory=list)
    knocks: list[Knock] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)

    @property
    def room_id(self) -> str:
        return self.street.node.members.hall_room(Purpose.BOARD)

    def user(self, name: str) -> str:
        return self.street.user(name)

    async def write(self, name: str, title: str = "ねこを さがしています", **more: Any) -> Post:
        category = more.pop("category", Category.LOST)
        anonymous = more.pop("anonymous", False)
        writing = Writing(category=category, title=title, text=more.pop("text", "白い猫です。"), **more)
        made = await self.board.write(self.user(name), writing, anonymous=anonymous)
        assert isinstance(made, Post)
        return made

    async def titles(self, name: str, category: Category | None = None) -> list[str]:
        page = await self.reader.page(self.user(name), category)
        return [post.writing.title for post in page.posts]

    async def said(self, room_id: str) -> list[dict[str, Any]]:
        room = await self.street.room(room_id)
        return [item.event.content for item in room.timeline if item.event.type == "m.room.message"]

    async def group(self, name: str, leader: str) -> str:
        chair = self.user(CHAIR)
        found = await self.groups.found(chair, name, self.street.person(leader).id, "毎週土曜日")
        return found.id


@asynccontextmanager
async def neighbours(folder: Path) -> AsyncIterator[Neighbours]:
    names = ((HANAKO, "1班"), (ICHIRO, "1班"), (MISAKI, "2班"), (MINORU, "2班"))
    async with street(folder / "node.db", names) as here:
        node, forgotten, knocks = here.node, list[str](), list[Knock]()
        held, passing = list[Held](), set[str]()

        async def forget(url: str) -> None:
            forgotten.append(url)

        reports = Reports(node.database, node.rooms, node.history, node.clock)
        ground = Ground(node.database, node.clock, node.members, node.sender, node.membership, reports, forget, passing)
        board = Board(ground)
        moderation = Moderation(ground, board)
        search = Search(node.database, node.rooms, node.history)
        BoardProjection(node.members, passing, held.append).attach(node.acceptor)
        GalleryProjection(node.members).attach(node.acceptor)
        GroupProjection(node.members, knocks.append).attach(node.acceptor)
        gallery = Gallery(
            GalleryGround(node.database, node.clock, node.members, node.sender, node.membership, forget)
        )
        groups = Groups(GroupGround(node.database, node.members, node.editor, node.sender, node.membership, forget))
        yield Neighbours(
            here, board, Giving(ground), moderation, BoardReader(ground, moderation, search, here.receipts),
            gallery, groups, forgotten, knocks, held,
        )
