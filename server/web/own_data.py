"""What the node keeps of somebody, in tables that they can read and take along."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from server.association.inquiries.model import Side
from server.association.polls.export import csv_file
from server.foundation.clock import tokyo_time
from server.web.visit import Visit

_MOST_PAGES: Final = 20
_PER_PAGE: Final = 100

Rows = list[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Table:
    """One kind of things: its name, why it is kept, the heads of its columns, its rows."""

    name: str
    why: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


async def own_data(visit: Visit) -> list[Table]:
    """Everything, the roster first. What others wrote is in it only where it was written to this person."""
    return [Table(name, why, head, await read(visit)) for name, why, head, read in _TABLES]


def as_zip(tables: Sequence[Table]) -> bytes:
    """A file for a spreadsheet of each, in one archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, table in enumerate(tables, start=1):
            archive.writestr(f"{number:02}_{table.name}.csv", csv_file(table.head, table.rows))
    return out.getvalue()


async def _roster(visit: Visit) -> Rows:
    members, person = visit.services.members, visit.person
    home = members.household(person.household_id)
    return [
        ("名前", person.name), ("ふりがな", person.kana), ("電話", person.phone), ("世帯", home.name),
        ("世帯番号", home.number), ("班", members.block_of(person.id).name), ("ユーザーID", visit.user_id),
        ("役", "・".join(sorted(role.label for role in members.roles_of(person.id)))),
        ("紙でも ほしい", "はい" if person.wants_paper else "いいえ"), ("ことば", visit.tongue.name),
    ]


async def _consents(visit: Visit) -> Rows:
    consents = visit.services.node.accounts.consents
    titles = {(policy.name, policy.version): policy.texts[policy.nearest("ja")].title
              for policy in consents.all_policies}
    return [(titles.get((given.policy, given.version), given.policy), given.version, _moment(given.accepted_ts))
            for given in await consents.given_by(visit.user_id)]


async def _logins(visit: Visit) -> Rows:
    node = visit.services.node
    browsers = [("この画面", _moment(one.created_ts), _moment(one.seen_ts))
                for one in await node.sessions.of(visit.user_id)]
    apps = [(f"アプリ {one.display_name or ''}", _moment(one.created_ts), _moment(one.last_seen_ts))
            for one in await node.accounts.devices(visit.user_id)]
    calendars = [(f"カレンダー {one.label}", _moment(one.created_ms), _moment(one.used_ms))
                 for one in await node.app_passwords.list(visit.user_id)]
    return [*browsers, *apps, *calendars]


async def _circulars(visit: Visit) -> Rows:
    reader, found, after = visit.services.circulars.reader, Rows(), None
    for _ in range(_MOST_PAGES):
        page = await reader.page(visit.user_id, _PER_PAGE, after)
        found += [(item.circular.title, _moment(item.circular.created_ts), item.progress.label) for item in page.items]
        after = page.next
        if after is None:
            break
    return found


async def _polls(visit: Visit) -> Rows:
    results = visit.services.polls.results
    polls = [*await results.polls_for(visit.user_id), *await results.past_polls_for(visit.user_id, _PER_PAGE)]
    texts = [(item, {choice.id: choice.text for choice in item.poll.choices}) for item in polls if item.chosen]
    return [(item.poll.question, "、".join(words.get(one, "") for one in item.chosen)) for item, words in texts]


async def _attendance(visit: Visit) -> Rows:
    gatherings = visit.services.gatherings
    said = (await gatherings.attendance.of_user(visit.user_id)).by_gathering
    named = [(gatherings.verbs.find(gathering_id), one) for gathering_id, one in said.items()]
    return [(gathering.plan.title if gathering else "", one.answer.label, _moment(one.said_ms))
            for gathering, one in named]


async def _safety(visit: Visit) -> Rows:
    return [
        (check.title, _moment(entered.answer.ts), entered.answer.status.label if entered.answer.status else "",
         entered.answer.comment)
        for check, entered in await visit.services.safety.desk.own_answers(visit.user_id)
    ]


async def _talk(visit: Visit) -> Rows:
    _, lines = await visit.services.inquiries.talk(visit.user_id)
    return [(_moment(line.ts), "あなた" if line.side is Side.RESIDENT else "役員", line.text) for line in lines]


async def _board(visit: Visit) -> Rows:
    posts, waiting = await visit.services.common.reader.own(visit.user_id)
    return [*((_moment(post.created_ms), post.writing.title, post.writing.text) for post in posts),
            *(("確認待ち", one.writing.title, one.writing.text) for one in waiting)]


async def _bookings(visit: Visit) -> Rows:
    schedule = visit.services.daily.bookings.schedule
    return [
        (schedule.facility(one.wish.facility_id).name, f"{one.wish.start:%Y-%m-%d %H:%M}", one.wish.title,
         one.wish.note)
        for one in schedule.of_person(visit.person.id)
    ]


def _moment(ms: int | None) -> str:
    return f"{tokyo_time(ms):%Y-%m-%d %H:%M}" if ms else ""


_TABLES: Final[Sequence[tuple[str, str, tuple[str, ...], Callable[[Visit], Awaitable[Rows]]]]] = (
    ("名簿", "回覧や 安否確認を 届けるため", ("こと", "内容"), _roster),
    ("同意した文", "いつ 同意したか、あとで わかるように", ("文", "版", "いつ"), _consents),
    ("ログイン", "だれの 電話か 見分けるため", ("どこで", "はじめ", "さいご"), _logins),
    ("回覧", "まだの人に もう一度 知らせるため", ("題名", "いつ", "どこまで"), _circulars),
    ("アンケートの答え", "数えるため", ("質問", "こたえ"), _polls),
    ("行事の答え", "来る人を 数えるため", ("行事", "こたえ", "いつ"), _attendance),
    ("安否確認の答え", "助けが いる人を 見つけるため", ("安否確認", "いつ", "こたえ", "ひとこと"), _safety),
    ("窓口で話したこと", "役員が 返事を するため", ("いつ", "だれ", "文"), _talk),
    ("掲示板に書いたもの", "みんなに 見せるため", ("いつ", "題名", "文"), _board),
    ("予約", "ほかの人と ぶつからないように", ("なに", "いつ", "目的", "メモ"), _bookings),
)
