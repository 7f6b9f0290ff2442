"""Lists of the desk as files for a spreadsheet: who has a circular, who is safe, what was asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aiohttp import web

from server.association.inquiries.model import Inquiry
from server.association.polls.export import csv_file
from server.association.safety_checks.desk import PersonRow
from server.foundation.clock import tokyo_time
from server.web.routing import Routes
from server.web.visit import Visit

_CSV: Final = "text/csv"


def add_routes(routes: Routes) -> None:
    """By POST: that names were taken along is written down."""
    routes.post("/desk/circulars/{circular}/file", give_readers)
    routes.post("/desk/safety/{check}/file", give_answers)
    routes.post("/desk/inquiries/file", give_inquiries)


async def give_readers(visit: Visit) -> web.StreamResponse:
    """How far a circular has come with each person whom the officer looks after."""
    await visit.form()
    reach = await visit.services.circulars.reader.reach(visit.user_id, visit.parts["circular"])
    await visit.services.members.log_look(visit.user_id, "回覧を読んだ人の 一覧（ファイル）")
    lines = (
        (row.block, row.household.name, row.progress.label, person.name, progress.label)
        for row in reach.rows for person, progress in row.persons
    )
    head = ("班", "世帯", "世帯として", "名前", "この人")
    return visit.download(csv_file(head, lines), _CSV, f"{reach.circular.title}.csv")


async def give_answers(visit: Visit) -> web.StreamResponse:
    """What everybody has answered to a safety check."""
    await visit.form()
    desk = visit.services.safety.desk
    table = await desk.table(visit.user_id, visit.parts["check"])
    rows = await desk.people(visit.user_id, visit.parts["check"])
    await visit.services.members.log_look(visit.user_id, "安否確認の一覧（ファイル）")
    head = ("班", "世帯", "名前", "こたえ", "時刻", "方法", "人数", "ひとこと")
    return visit.download(csv_file(head, map(_answer_cells, rows)), _CSV, f"{table.check.title}.csv")


async def give_inquiries(visit: Visit) -> web.StreamResponse:
    """What was asked and how it stands; what was said stays on its page."""
    await visit.form()
    lines = (list(_inquiry_cells(visit, item)) for item in visit.services.inquiries.inbox(visit.user_id))
    await visit.services.members.log_look(visit.user_id, "質問・相談の一覧（ファイル）")
    head = ("聞いた日時", "だれ", "方法", "いま", "担当", "さいごの動き")
    return visit.download(csv_file(head, lines), _CSV, "質問・相談.csv")


def _answer_cells(row: PersonRow) -> list[str]:
    now = row.current
    return [
        row.block, row.household, row.name, row.standing.label, _moment(now.ts),
        now.channel.label if now.channel else "", "" if now.people is None else str(now.people), now.comment,
    ]


def _inquiry_cells(visit: Visit, item: Inquiry) -> Iterator[str]:
    members = visit.services.members
    owner = members.person_of_user(item.owner) if item.owner else None
    yield _moment(item.opened_ts)
    yield members.person(item.person_id).name if item.person_id else item.asker
    yield item.way_label
    yield item.state.label
    yield "" if owner is None else owner.name
    yield _moment(item.changed_ts)


def _moment(ms: int | None) -> str:
    return f"{tokyo_time(ms):%Y-%m-%d %H:%M}" if ms else ""
