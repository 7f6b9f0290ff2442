"""A site whose neighbours share something, and the addresses of its pages."""

from __future__ import annotations

from server.assembly.common_pages import common_services
from server.association.board.model import Category, Post, Rules, Writing
from server.association.groups.proposal import checked_wish
from server.media.pictures import Picture
from server.rooms.reports import Reports
from tests.web.pictures import photo
from tests.web.site import CHAIR, Site


async def picture(here: Site, name: str) -> Picture:
    data = photo()
    url = await here.node.media.media.keep(here.user(name), "image/jpeg", "まつり.jpg", data)
    return Picture(url, "まつり.jpg", "image/jpeg", len(data))


async def pages_of_common_life(here: Site) -> list[str]:
    """One of each page whose address has variables, with something on it, and something to decide at the desk."""
    common, chair, hanako = common_services(here.node), here.user(CHAIR), here.user("佐藤 花子")
    await common.moderation.set_rules(chair, Rules(anonymous=True))
    question = Writing(category=Category.QUESTION, title="となりの音", text="どうすれば いいですか")
    gift = Writing(category=Category.GIVE, title="机", text="80センチです", photos=(await picture(here, CHAIR),))
    asked = await common.board.write(hanako, question, anonymous=True)
    given = await common.board.write(chair, gift)
    wanted = await common.board.write(hanako, Writing(category=Category.GIVE, title="いす", text="2つ"))
    assert isinstance(asked, Post)
    assert isinstance(given, Post)
    assert isinstance(wanted, Post)
    await common.board.comment(hanako, asked.id, "夜の10時です")
    await common.board.report(chair, asked.id, "名前が わかります")
    core, services = here.node.core, here.node.services
    reports = Reports(core.database, services.rooms, services.history, core.clock)
    await reports.report_user(hanako, here.user("鈴木 一郎"), "夜に 電話が きます")
    await common.giving.ask(hanako, given.id, "取りに行けます")
    await common.moderation.set_rules(chair, Rules(anonymous=True, approve=True))
    await common.board.write(hanako, question)
    group = await common.groups.found(chair, "囲碁の会", here.person(CHAIR).id, "毎週土曜日")
    await common.groups.ask(hanako, group.id, "はじめてです")
    await common.groups.add_files(chair, group.id, [await picture(here, CHAIR)])
    await common.proposals.propose(hanako, checked_wish("将棋の会", "日曜日に", "hobby"))
    album = await common.gallery.begin(hanako, "夏まつり", "8月9日")
    await common.gallery.add(hanako, album.id, [await picture(here, "佐藤 花子") for _ in range(2)], has_consent=True)
    first, second = await common.gallery.photos(chair, album.id)
    await common.gallery.object_to(chair, album.id, second.id, "写っています")
    return [
        f"/board/{asked.id}", f"/board/{given.id}", f"/board/{wanted.id}", "/board?category=give", "/board?q=机",
        f"/groups/{group.id}", f"/desk/groups/{group.id}", f"/gallery/{album.id}", f"/gallery/{album.id}/{first.id}",
        f"/gallery/{album.id}/{second.id}", "/gallery?gathering=x",
    ]
