"""「問題はありませんか」: what is known of the node, and how officers are told: each line good or to be looked at, with
what to do about it. Pure; the assembly gathers the facts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS
_LITTLE_ROOM: Final = 2 * 2**30
_LATE_DAYS: Final = 3
# A linked node that is late for so long is told of; other servers, with whom only residents talk, after a day.
_LINK_LATE_MS: Final = _HOUR_MS
_OTHERS_LATE_MS: Final = _DAY_MS

_KEEPER: Final = "機械を みている人に 知らせてください。"
_DISK_TO_DO: Final = (
    "いらない ファイルを けすか、大きい ディスクに かえます。機械を みている人に 知らせてください。"
)
_BACKUP: Final = "控え（バックアップ）"
_CHECK: Final = "データの けんさ"
_COPY: Final = "べつの 場所の 控え"
_DAILY_TO_DO: Final = "機械を みている人に、毎日の けんさと 控えを うごかすように たのんでください。"
_COPY_TO_DO: Final = (
    "インターネットに つながっているか、見てください。つづくときは、機械を みている人に 知らせてください。"
)
_PEER_TO_DO: Final = (
    "あいての 機械が 止まっているようです。もどれば、自分で おくります。1日 つづくときは、電話で たしかめてください。"
)


@dataclass(frozen=True, slots=True)
class Work:
    """A work of every night: when it last went well (ms; ``None``: never), and whether the last attempt failed."""

    done_ms: int | None = None
    has_failed: bool = False


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits for another server. ``name`` is what its link is called, empty where there is none."""

    name: str
    waiting: int = 0
    oldest_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known. ``copy``: of backups to places far away, ``None`` where there are no such places. ``apps``:
    telephones and browsers that are told of news; ``apps_failing``: those of them whose service does not answer;
    ``unreached``: households without paper in which no telephone rings.
    """

    now_ms: int
    writes: bool
    free_bytes: int
    backs_up: bool
    backup: Work
    check: Work
    copy: Work | None = None
    queues: Sequence[Queue]
    people: int
    apps: int
    apps_failing: int
    unreached: int
    stuck_handovers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the page. ``at_ms``: when it last went well. ``address``: where more of it is. ``is_optional``: it is
    not there, and need not be.
    """

    what: str
    is_good: bool
    text: str
    to_do: str = ""
    at_ms: int | None = None
    address: str = ""
    is_optional: bool = False


def lines_of(facts: Facts) -> list[Line]:
    """All lines, what is to be looked at first."""
    lines = [
        _node(facts), _disk(facts), _backup(facts), _copy(facts), _check(facts), *_links(facts), _telephones(facts),
        _unreached(facts), *_handovers(facts),
    ]
    return sorted(lines, key=lambda line: line.is_good)


def _node(facts: Facts) -> Line:
    if facts.writes:
        return Line(what="この機械", is_good=True, text="うごいています。")
    return Line(what="この機械", is_good=False, text="書いたものを しまえません。読むことは できます。", to_do=_KEEPER)


def _disk(facts: Facts) -> Line:
    free = f"{facts.free_bytes / 2**30:.1f}"
    if facts.free_bytes >= _LITTLE_ROOM:
        return Line(what="しまう ところ（ディスク）", is_good=True, text=f"あと {free}ギガバイト 入ります。")
    text = f"あと {free}ギガバイトしか 入りません。"
    return Line(what="しまう ところ（ディスク）", is_good=False, text=text, to_do=_DISK_TO_DO)


def _backup(facts: Facts) -> Line:
    work = facts.backup
    if not facts.backs_up:
        return Line(
            what=_BACKUP, is_good=False, text="控えを しまう ところが きまっていません。",
            to_do="USBの ディスクなどを つないで、機械を みている人に たのんでください。",
        )
    if work.has_failed:
        return Line(
            what=_BACKUP, is_good=False, text="この前は とれませんでした。", at_ms=work.done_ms,
            to_do="控えの ディスク（USBなど）が ささっているか、いっぱいでないかを 見てください。",
        )
    return _nightly(facts, _BACKUP, work, "とれています。")


def _copy(facts: Facts) -> Line:
    work = facts.copy
    if work is None:
        text = "写していません。火事や 水害にも そなえるなら、機械を みている人に たのんでください。"
        return Line(what=_COPY, is_good=True, is_optional=True, text=text)
    if work.has_failed:
        return Line(
            what=_COPY, is_good=False, text="この前は 写せませんでした。", at_ms=work.done_ms, to_do=_COPY_TO_DO,
        )
    return _nightly(facts, _COPY, work, "写せています。")


def _check(facts: Facts) -> Line:
    work = facts.check
    if work.has_failed:
        return Line(
            what=_CHECK, is_good=False, text="データに きずが 見つかりました。", at_ms=work.done_ms,
            to_do="だいじなことは、紙にも 書いてください。電源は 切らずに、機械を みている人に すぐ 知らせてください。",
        )
    return _nightly(facts, _CHECK, work, "きずは ありません。")


def _nightly(facts: Facts, what: str, work: Work, well: str) -> Line:
    if work.done_ms is None:
        return Line(what=what, is_good=False, text="まだ いちども していません。", to_do=_DAILY_TO_DO)
    days = (facts.now_ms - work.done_ms) // _DAY_MS
    if days >= _LATE_DAYS:
        return Line(what=what, is_good=False, text=f"{days}日 していません。", to_do=_DAILY_TO_DO, at_ms=work.done_ms)
    return Line(what=what, is_good=True, text=well, at_ms=work.done_ms)


def _links(facts: Facts) -> Iterator[Line]:
    linked = [queue for queue in facts.queues if queue.name]
    for queue in linked:
        yield _link(queue, facts.now_ms)
    if not linked:
        yield Line(
            what="市や ほかの町内会との つながり", is_good=True, is_optional=True, text="まだ ありません。",
            address="/desk/links",
        )
    late = [queue for queue in facts.queues if not queue.name and _age(queue, facts.now_ms) > _OTHERS_LATE_MS]
    if late:
        text = f"{len(late)}か所に とどいていません。"
        yield Line(what="ほかの サーバーの人への 話", is_good=False, text=text, to_do=_PEER_TO_DO)


def _link(queue: Queue, now_ms: int) -> Line:
    what, age = f"{queue.name}との つながり", _age(queue, now_ms)
    if age > _LINK_LATE_MS:
        text = f"{age // _HOUR_MS}時間 とどいていません（{queue.waiting}件）。"
        return Line(what=what, is_good=False, text=text, to_do=_PEER_TO_DO, address="/desk/links")
    text = f"{queue.waiting}件を おくっている ところです。" if queue.waiting else "すぐ とどいています。"
    return Line(what=what, is_good=True, text=text, address="/desk/links")


def _age(queue: Queue, now_ms: int) -> int:
    return 0 if queue.oldest_ms is None else max(0, now_ms - queue.oldest_ms)


def _telephones(facts: Facts) -> Line:
    what = "電話への しらせ"
    if facts.people and not facts.apps:
        return Line(
            what=what, is_good=False, text="しらせで 鳴る電話が、まだ ありません。",
            to_do="集まりのときに、「自分のページ」の「電話が 鳴るように する」を いっしょに やってみてください。",
        )
    if facts.apps_failing:
        text = f"{facts.apps_failing}台の 電話に、いま しらせが とどきません。"
        to_do = "この機械の インターネットを 見てください。急ぐことは、電話や 訪問で 知らせてください。"
        return Line(what=what, is_good=False, text=text, to_do=to_do)
    return Line(what=what, is_good=True, text=f"{facts.apps}台の 電話や パソコンが 鳴ります。")


def _unreached(facts: Facts) -> Line:
    what = "しらせが とどかない家"
    if not facts.unreached:
        return Line(what=what, is_good=True, text="ありません。", address="/desk/unreached")
    return Line(
        what=what, is_good=False, text=f"{facts.unreached}世帯 あります。", address="/desk/unreached",
        to_do="紙でも とどけるか、電話が 鳴るように してもらってください。",
    )


def _handovers(facts: Facts) -> Iterator[Line]:
    if facts.stuck_handovers:
        yield Line(
            what="役員交代", is_good=False, text="きめた日に できませんでした。なにも 変わっていません。",
            to_do="役員交代の ページを ひらいて、わけを 見てください。", address="/desk/handover",
        )
