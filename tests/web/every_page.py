"""Addresses of every page, on a site where something has happened; for what must hold on all of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from server.assembly.handing_over import handovers_of
from server.association.circulars.model import Letter
from server.association.gatherings.answers import Answer
from server.association.gatherings.model import Plan
from server.association.members.came_by import CameBy
from server.association.members.model import EVERYONE
from server.association.polls.model import Question
from server.association.polls.slip import Slip
from server.association.polls.slips_store import add_slip
from server.foundation.clock import tokyo_time
from server.storage.database import Writes
from server.web.pages import all_pages
from server.web.routing import Page, Routes
from tests.web.common_life import pages_of_common_life
from tests.web.daily_life import pages_of_daily_life
from tests.web.site import CHAIR, Site

# Their answers are no pages, or they need what a test of their own brings along.
NO_PAGES = {
    "/login", "/code", "/sw.js", "/manifest.webmanifest", "/desk/roster/file", "/desk/roster/export",
    "/feeds", "/kept/who",
}


class _Paths(Routes):
    """Notes addresses instead of answering them."""

    def __init__(self) -> None:
        super().__init__()
        self.paths: list[str] = []

    def get(self, path: str, page: Page) -> None:
        self.paths.append(path)


async def every_page(here: Site) -> list[str]:
    """Addresses without variables, and one for each page that has them."""
    return [path for path in paths_without_variables() if path not in NO_PAGES] + await _with_variables(here)


def paths_without_variables() -> list[str]:
    """As they are told to the pages' routes."""
    routes = _Paths()
    all_pages.add_routes(routes)
    return [path for path in routes.paths if "{" not in path]


async def _with_variables(here: Site) -> list[str]:
    association, chair = here.node.association, here.user(CHAIR)
    letter = Letter(title="夏まつりの お知らせ", text="8月9日に します。", audience=EVERYONE)
    circular = await association.circulars.post(chair, letter)
    question = Question(text="夏まつりに 来ますか", choices=("はい", "いいえ"), audience=EVERYONE)
    poll = await association.polls.start(chair, question)
    day = date(2030, 8, 9)
    gathering = await association.gatherings.announce(
        chair, Plan("夏まつり", day, day + timedelta(days=1), "中央公園"), EVERYONE
    )
    asking = await association.gatherings.announce(
        chair, Plan("餅つき", day, day + timedelta(days=1), asks=True), EVERYONE)
    off = await association.gatherings.announce(
        chair, Plan("清掃", day, day + timedelta(days=1), asks=True), EVERYONE)
    await association.attendance.answer(here.user("佐藤 花子"), off.id, Answer.ACCEPTED)
    await association.gatherings.cancel(chair, off.id, "雨のため")
    check = await association.safety_checks.start(chair, "地震", EVERYONE, drill=True)
    person = here.person("佐藤 花子")
    inquiry = await association.inquiries.verbs.enter(chair, "街灯が きれています", CameBy.PHONE, person_id=person.id)
    today = tokyo_time(here.node.core.clock.now_ms()).date()
    handover = await handovers_of(here.node.core, association).begin(chair, today)
    slip = Slip("abcdefgh1234", poll.id, person.household_id)
    writes = Writes()
    add_slip(writes, slip)
    await here.node.core.database.submit(writes)
    planned = await association.officers_work.planned.plan(
        chair, replace(letter, title="あとで"), here.node.core.clock.now_ms() + 86_400_000)
    return [
        "/desk/year?year=2026", f"/desk/circulars/new?like={circular.id}", f"/slips/{slip.id}",
        f"/desk/circulars/planned/{planned.id}", f"/desk/gatherings/{gathering.id}/cancel",
        f"/gatherings/{asking.id}", f"/desk/gatherings/{asking.id}/answers", f"/desk/gatherings/{off.id}/calls",
        f"/desk/gatherings/{asking.id}/homes/{person.household_id}",
        f"/desk/inquiries/{inquiry.id}", f"/desk/inquiries/new?person={person.id}",
        "/", "/circulars", f"/circulars/{circular.id}", f"/desk/circulars/{circular.id}",
        f"/desk/circulars/{circular.id}/correct", "/polls", f"/polls/{poll.id}", f"/desk/polls/{poll.id}",
        f"/gatherings/{gathering.id}", f"/desk/gatherings/{gathering.id}", "/safety", f"/desk/safety/{check.id}",
        f"/desk/safety/{check.id}/visits",
        f"/desk/safety/{check.id}/people", f"/desk/safety/{check.id}/close", f"/desk/roster/persons/{person.id}",
        f"/desk/polls/{poll.id}/persons/{person.id}",
        f"/desk/roster/persons/{person.id}/erase", f"/desk/roster/blocks/{here.block('1班')}",
        f"/desk/roster/homes/{person.household_id}",
        f"/desk/handover/{handover.id}?q=佐藤", f"/desk/handover/{handover.id}/sure", f"/desk/phones/{person.id}",
        *await pages_of_daily_life(here), *await pages_of_common_life(here),
    ]
