"""What neighbours write on the board, in groups and beside photos is shown as text, whatever it is; also what they say
in their own clients, where nothing is cleaned before.
"""

from __future__ import annotations

from server.assembly.common_pages import common_services
from server.association.board.model import Category, Post, Rules, Writing
from server.association.members.model import Purpose
from server.rooms.send_event import Draft
from tests.web.browser import Browser
from tests.web.common_life import picture
from tests.web.conftest import LogIn
from tests.web.site import CHAIR, Site
from tests.web.test_hostile_texts import TEXTS, require_harmless


async def test_hostile_texts_of_neighbours(here: Site, chair: Browser, log_in: LogIn) -> None:
    common, hanako, room = common_services(here.node), here.user("佐藤 花子"), here.node.association.members
    board, officer = room.hall_room(Purpose.BOARD), here.user(CHAIR)
    ichiro = await log_in("鈴木 一郎")
    sender, pages = here.node.services.sender, ["/board", "/gallery", "/groups", "/desk/board", "/desk/groups"]
    for text in TEXTS[::25]:
        words = " ".join(text.replace("\0", "").split())
        title = words[:60] or "x"
        post = await common.board.write(
            hanako, Writing(category=Category.GIVE, title=title, text=words or "x", place=words[:100]))
        assert isinstance(post, Post)
        await common.board.comment(officer, post.id, words or "x")
        await common.giving.ask(officer, post.id, words[:300])
        await common.board.report(officer, post.id, words or "x")
        said = await sender.send(Draft(board, hanako, "m.room.message", {"msgtype": "m.text", "body": text}))
        album = await common.gallery.begin(hanako, title, words[:500])
        await common.gallery.add(hanako, album.id, [await picture(here, "佐藤 花子")], has_consent=True)
        (photo,) = await common.gallery.photos(officer, album.id)
        await common.gallery.object_to(here.user("鈴木 一郎"), album.id, photo.id, words[:500])
        pages += [f"/board/{post.id}", f"/board/{said.event_id[1:]}", f"/gallery/{album.id}"]
    await common.moderation.set_rules(officer, Rules(approve=True))
    await common.board.write(hanako, Writing(category=Category.TALK, title=title, text=words or "x"))
    group = await common.groups.found(officer, "囲碁", here.person("佐藤 花子").id, TEXTS[0][:500])
    await common.groups.ask(here.user("鈴木 一郎"), group.id, TEXTS[1][:200])
    hanako_browser = await log_in("佐藤 花子")
    for path in [*pages, f"/groups/{group.id}", f"/board?q={TEXTS[2]}"]:
        for browser in (ichiro, chair, hanako_browser):
            page = await browser.get(path)
            if page.status not in (403, 404):
                require_harmless(page)
