"""「問題はありませんか」: each fact in plain words, what is to be looked at first, and for officers only."""

from __future__ import annotations

from dataclasses import replace

import pytest

from server.assembly.upkeep import note_upkeep
from server.association.members.model import Channel, Role
from server.web.well_being import Facts, Queue, Work, lines_of
from tests.web.browser import Browser
from tests.web.conftest import LogIn
from tests.web.site import Site

NOW = 1_800_000_000_000
HOUR = 3_600_000
WELL = Facts(
    now_ms=NOW, writes=True, free_bytes=50 * 2**30, backs_up=True, backup=Work(NOW - HOUR), check=Work(NOW - HOUR),
    copy=Work(NOW - HOUR), queues=[Queue("桜市")], people=10, apps=7, apps_failing=0, unreached=0,
)
TECHNICAL = ("SQL", "データベース", "ノード", "サーバーエラー", "HTTP", "federation", "push", "kairan ", "UTF", "ログ ")


def test_where_all_is_well_nothing_is_to_be_done() -> None:
    lines = lines_of(WELL)
    assert all(line.is_good for line in lines)
    assert not any(line.to_do for line in lines)


@pytest.mark.parametrize(("facts", "what", "text"), [
    (replace(WELL, writes=False), "この機械", "しまえません"),
    (replace(WELL, free_bytes=2**30), "しまう ところ", "1.0ギガバイトしか"),
    (replace(WELL, backs_up=False), "控え", "きまっていません"),
    (replace(WELL, backup=Work()), "控え", "いちども"),
    (replace(WELL, backup=Work(NOW - 90 * HOUR)), "控え", "3日 していません"),
    (replace(WELL, backup=Work(NOW - HOUR, has_failed=True)), "控え", "とれませんでした"),
    (replace(WELL, copy=Work()), "べつの 場所", "いちども"),
    (replace(WELL, copy=Work(NOW - 90 * HOUR)), "べつの 場所", "3日 していません"),
    (replace(WELL, copy=Work(NOW - HOUR, has_failed=True)), "べつの 場所", "写せませんでした"),
    (replace(WELL, check=Work(NOW - HOUR, has_failed=True)), "けんさ", "きずが 見つかりました"),
    (replace(WELL, queues=[Queue("桜市", 3, NOW - 5 * HOUR)]), "桜市との つながり", "5時間 とどいていません（3件）"),
    (replace(WELL, queues=[Queue("", 3, NOW - 30 * HOUR)]), "ほかの サーバー", "1か所"),
    (replace(WELL, apps=0), "電話への しらせ", "まだ ありません"),
    (replace(WELL, apps_failing=2), "電話への しらせ", "2台"),
    (replace(WELL, unreached=4), "とどかない家", "4世帯"),
    (replace(WELL, stuck_handovers=1), "役員交代", "できませんでした"),
])  # fmt: skip
def test_what_is_not_well_comes_first_and_says_what_to_do(facts: Facts, what: str, text: str) -> None:
    first, *others = lines_of(facts)
    assert not first.is_good
    assert what in first.what
    assert text in first.text
    assert first.to_do
    assert all(line.is_good for line in others)
    assert not [word for word in TECHNICAL if word in first.what + first.text + first.to_do]


def test_without_a_place_far_away_that_is_said_and_nothing_is_wrong() -> None:
    lines = lines_of(replace(WELL, copy=None))
    assert all(line.is_good for line in lines)
    assert any("写していません" in line.text for line in lines)


@pytest.mark.parametrize("queue", [Queue("桜市", 3, NOW - HOUR // 2), Queue("", 3, NOW - 5 * HOUR), Queue("桜市", 1)])
def test_what_is_only_on_its_way_is_no_trouble(queue: Queue) -> None:
    assert all(line.is_good for line in lines_of(replace(WELL, queues=[queue])))


async def test_an_officer_sees_what_the_nightly_work_has_found(here: Site, chair: Browser) -> None:
    await note_upkeep(here.node, {"work": "check", "trouble": ""})
    page = await chair.get("/desk/well")
    assert "きずは ありません" in page.text
    assert "控えを しまう ところが きまっていません" in page.text
    await note_upkeep(here.node, {"work": "check", "trouble": "page 7 is broken"})
    page = await chair.get("/desk/well")
    assert "データに きずが 見つかりました" in page.text
    assert "page 7" not in page.text


async def test_households_in_which_nothing_rings_are_counted(here: Site, chair: Browser) -> None:
    home = here.node.association.members.household(here.person("高橋 美咲").household_id)
    await here.node.association.editor.set_channel(here.chief, home.id, Channel.DIGITAL)
    assert "1世帯 あります" in (await chair.get("/desk/well")).text


async def test_it_is_for_officers_only(here: Site, log_in: LogIn) -> None:
    resident = await log_in("高橋 美咲")
    assert (await resident.get("/desk/well")).status == 403
    await here.node.association.editor.give_role(here.chief, here.person("鈴木 一郎").id, Role.BLOCK_LEADER)
    leader = await log_in("鈴木 一郎")
    assert (await leader.get("/desk/well")).status == 200
