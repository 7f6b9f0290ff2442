"""Board, groups and gallery in Debian's Chromium: on a telephone with large letters and on a computer, with and without
JavaScript.
"""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, FilePayload, Page, expect

from server.accounts.looks import Look
from tests.web.pictures import photo
from tests.web.real_browser import COMPUTER, PHONE, window
from tests.web.site import CHAIR, Site
from tests.web.test_in_chromium import log_in, look

pytestmark = pytest.mark.slow

WAYS = pytest.mark.parametrize(
    ("size", "script", "letters"), [(PHONE, True, 3), (COMPUTER, False, 1)], ids=["phone", "computer_no_script"],
)


@WAYS
async def test_neighbours_share_what_they_have(
    here: Site, chrome: Browser, size: dict[str, int], script: bool, letters: int
) -> None:
    """Written, asked for, answered; a group joined; photos brought and taken out; decided at the desk."""
    async with (
        window(chrome, here.url, size, script=script) as hanako,
        window(chrome, here.url, size, script=script) as ichiro,
        window(chrome, here.url, size, script=script) as desk,
    ):
        for page, name in ((hanako, "佐藤 花子"), (ichiro, "鈴木 一郎"), (desk, CHAIR)):
            await log_in(page, here, name)
            await here.node.accounts.looks.set(here.user(name), Look(letters=letters))
        suffix = f"_{letters}"
        address = await give_away(hanako, suffix)
        await ask_for_it(ichiro, address, suffix)
        await promise(hanako, address, suffix)
        await found_group(desk, suffix)
        await join_group(ichiro, hanako, suffix)
        album = await bring_photos(hanako, suffix)
        await object_to_photo(ichiro, album, suffix)
        await decide(desk, suffix)


def pictures(*colors: str) -> list[FilePayload]:
    """Photos that are chosen at once."""
    return [FilePayload(name=f"{color}.jpg", mimeType="image/jpeg", buffer=photo(color)) for color in colors]


async def give_away(page: Page, suffix: str) -> str:
    await page.goto("/daily")
    await look(page, f"daily{suffix}")
    await page.locator("main a[href='/board']").click()
    await look(page, f"board_empty{suffix}")
    await page.locator("main a[href='/board/new']").click()
    await page.get_by_text("譲ります").click()
    await page.get_by_label("題名").fill("ベビーカー")
    await page.get_by_label("本文").fill("2年 つかいました。取りに来られる人に ゆずります。")
    await page.get_by_label("ところ").fill("1班 集会所のとなり")
    await page.set_input_files("#f-photos", pictures("navy", "green"))
    await look(page, f"board_new{suffix}")
    await page.get_by_role("button", name="おくる").click()
    await expect(page.get_by_role("status").first).to_contain_text("おくりました")
    return page.url.partition("?")[0]


async def ask_for_it(page: Page, address: str, suffix: str) -> None:
    await page.goto("/board")
    await look(page, f"board{suffix}")
    await page.goto(address)
    await expect(page.get_by_role("img", name="写真 1")).to_be_visible()
    await page.get_by_label("ひとこと").fill("きょう 行けます")
    await look(page, f"board_gift{suffix}")
    await page.get_by_role("button", name="ほしいです").click()
    await expect(page.get_by_text("申しこみました")).to_be_visible()
    await page.get_by_label("コメントを 書く").fill("色は 何色ですか")
    await page.get_by_role("button", name="おくる").last.click()
    await expect(page.get_by_text("色は 何色ですか")).to_be_visible()


async def promise(page: Page, address: str, suffix: str) -> None:
    await page.goto(address)
    await expect(page.get_by_text("きょう 行けます")).to_be_visible()
    await look(page, f"board_giver{suffix}")
    await page.get_by_role("button", name="この人に ゆずる").click()
    await expect(page.get_by_text("決まりました").first).to_be_visible()
    await page.get_by_role("button", name="わたしました").click()
    await expect(page.get_by_text("ゆずりました").first).to_be_visible()


async def found_group(page: Page, suffix: str) -> None:
    await page.goto("/desk/groups")
    await page.get_by_label("名前").fill("囲碁の会")
    await page.get_by_label("世話役").fill("佐藤 花子")
    await page.get_by_label("紹介").fill("毎週土曜日の 2時から、集会所で。")
    await look(page, f"desk_groups{suffix}")
    await page.get_by_role("button", name="つくる").click()
    await expect(page.get_by_role("status").first).to_contain_text("保存しました")


async def join_group(asking: Page, leader: Page, suffix: str) -> None:
    await asking.goto("/groups")
    await look(asking, f"groups{suffix}")
    await asking.get_by_role("link", name="囲碁の会").click()
    await look(asking, f"group_outside{suffix}")
    await asking.get_by_role("button", name="入りたいです").click()
    await expect(asking.get_by_text("返事を 待っています")).to_be_visible()
    await leader.goto("/groups")
    await leader.get_by_role("link", name="囲碁の会").click()
    await leader.set_input_files("#f-files", [
        FilePayload(name="議事録 11月.pdf", mimeType="application/pdf", buffer=b"%PDF-1.4\n%%EOF\n"),
        *pictures("teal"),
    ])
    await leader.get_by_role("button", name="おくる").click()
    await expect(leader.get_by_role("link", name="議事録 11月.pdf")).to_be_visible()
    await look(leader, f"group{suffix}")
    await leader.get_by_role("button", name="入れる").click()
    await asking.reload()
    await expect(asking.get_by_role("link", name="議事録 11月.pdf")).to_be_visible()


async def bring_photos(page: Page, suffix: str) -> str:
    await page.goto("/gallery")
    await page.locator("main a[href='/gallery/new']").click()
    await page.get_by_label("アルバムの名前").fill("夏まつり")
    await look(page, f"gallery_new{suffix}")
    await page.get_by_role("button", name="つぎへ").click()
    await page.set_input_files("#f-photos", pictures("navy", "green", "maroon", "teal"))
    await page.get_by_text("写っている人に、のせてよいか").click()
    await page.get_by_role("button", name="写真を おくる").click()
    await expect(page.get_by_role("status").first).to_contain_text("おくりました")
    await expect(page.locator(".photos img")).to_have_count(4)
    await look(page, f"gallery_album{suffix}")
    return page.url.partition("?")[0]


async def object_to_photo(page: Page, album: str, suffix: str) -> None:
    await page.goto("/gallery")
    await look(page, f"gallery{suffix}")
    await page.goto(album)
    await page.locator(".photos a").nth(1).click()
    await page.get_by_text("のせないでほしい").click()
    await page.get_by_label("理由").fill("写っています")
    await look(page, f"gallery_photo{suffix}")
    await page.get_by_role("button", name="この写真を かくす").click()
    await expect(page.get_by_role("status").first).to_contain_text("かくしました")
    await expect(page.locator(".photos img")).to_have_count(3)


async def decide(page: Page, suffix: str) -> None:
    await page.goto("/desk")
    await page.locator("main a[href='/desk/board']").click()
    await expect(page.get_by_text("写っています")).to_be_visible()
    await look(page, f"desk_board{suffix}")
    await page.locator("details", has_text="もとに もどす").locator("summary").click()
    await page.locator("details[open] button").click()
    await expect(page.get_by_role("status").first).to_contain_text("保存しました")
    await page.goto("/desk/board/rules")
    await look(page, f"desk_board_rules{suffix}")
