"""What a resident means: 「無事」, 「１」, 「連絡ください」, 「助けて」, a reaction, the event of our own.

Whoever is counted as safe is not visited, so only what says so and nothing else is read as safe: 「無事ではない」,
「1人で困っています」 and 「母は無事です」 are remarks for the officers to read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from server.association.safety_checks.model import MAX_COMMENT, MAX_PEOPLE, SEVERITY, Status
from server.rooms.numbered_answers import folded, number_of_key

_WHO: Final = r"(?:(?:私|わたし|僕|自分|うち|我が家|こちら|家族|一家)?(?:全員|皆|みんな|一同)?(?:とも|は|も|の)?)"
_POLITE: Final = r"(?:です|でした|でーす|だ|だよ|ですよ|ですね|でございます|にしています|でおります)?"
_WISH: Final = (
    r"(?:(?:が|を|の)?(?:て|てください|て下さい|てほしい|て欲しい|ほしい|欲しい|必要|希望|要請|お願い|おねがい|ください|下さい"
    r"|して|してください|して下さい|してほしい|して欲しい|待ってます|待っています|求む|求めます)?(?:します|いたします|です)?)"
)
_PHRASES: Final[Mapping[Status, re.Pattern[str]]] = {
    Status.SAFE: re.compile(
        rf"{_WHO}(?:無事|ぶじ|ブジ|大丈夫|だいじょうぶ|だいじょぶ|安全|元気|問題ない|問題なし|異常なし){_POLITE}|safe|ok|okay"
    ),
    Status.CONTACT: re.compile(rf"(?:連絡|れんらく|電話|でんわ|ご連絡|お電話){_WISH}"),
    Status.HELP: re.compile(
        rf"(?:助け|たすけ|手助け|救助|支援|救援|応援){_WISH}|sos|help|help me|動けない|動けません|動けないです"
    ),
}
_CLAUSES: Final = re.compile(r"[\s。、,.!:;~〜()「」]+")  # no "?": 「大丈夫？」 asks
# A number, and then nothing, a separator, or the words of a choice; never a counter (1人, 3階, 2時) or a decimal.
_NUMBERED: Final = re.compile(r"([123])(?:番|ばん)?(?:です|でお願いします)?(?:$|[\s。、,.!:)](?![0-9])\s*)")
_COUNTER: Final = re.compile(r"(?:人|名|時|階|日|月|年|歳|才|分|回|件|丁目|号|つ|個|本|枚|匹|軒|世帯|割|度|m|km|cm)")
_REACTIONS: Final[Mapping[str, Status]] = {
    "✅": Status.SAFE, "🆗": Status.SAFE, "🙆": Status.SAFE, "⭕": Status.SAFE, "📞": Status.CONTACT,
    "☎": Status.CONTACT, "🆘": Status.HELP,
}
_SKIN_TONES: Final = dict.fromkeys(range(0x1F3FB, 0x1F400))
_DEGREES: Final = r"-?[0-9]{1,3}(?:\.[0-9]{1,12})?"
_GEO: Final = re.compile(rf"geo:{_DEGREES},{_DEGREES}(?:[,;][-0-9A-Za-z.;=,]{{0,80}})?")


class Meaning(NamedTuple):
    """What was understood; no status for a mere remark."""

    status: Status | None
    comment: str = ""
    people: int | None = None
    geo_uri: str = ""


def meaning_of_text(text: str) -> Meaning:
    """Read a message. The most serious thing that is said counts; what goes beyond it is kept as a comment."""
    plain = folded(text).lower()
    number, rest = _leading_number(plain)
    clauses = [clause for clause in _CLAUSES.split(rest) if clause]
    said = {_status_of(clause) for clause in clauses} - {Status.SAFE}
    if number is not None:
        said.add(number)
    elif clauses and _status_of(clauses[0]) is Status.SAFE:
        said.add(Status.SAFE)
    status = next((item for item in SEVERITY if item in said), None)
    only = [*([number] if number else []), *(_status_of(clause) for clause in clauses)]
    bare = status is not None and len(clauses) <= 1 and set(only) == {status}
    return Meaning(status, "" if bare else text.strip()[:MAX_COMMENT])


def status_of_choice(choice: str) -> Status | None:
    """The status that a choice of the poll stands for."""
    return Status(choice) if choice in Status.__members__.values() else None


def status_of_reaction(key: str) -> Status | None:
    """1️⃣ 2️⃣ 3️⃣, ✅ … A thumb up or a heart only says that somebody has seen it."""
    number = number_of_key(key)
    if number is not None:
        return _numbered(number)
    return _REACTIONS.get(key.rstrip("\ufe0f").translate(_SKIN_TONES))


def meaning_of_event(content: Mapping[str, Any]) -> tuple[str, Meaning] | None:
    """``(check id, meaning)`` of a ``jp.kairan.safety.response``; ``None`` where it is malformed."""
    check_id, status = content.get("check_id"), content.get("status")
    if not isinstance(check_id, str) or not isinstance(status, str) or status_of_choice(status) is None:
        return None
    comment, people, geo_uri = content.get("comment", ""), content.get("people"), content.get("geo_uri", "")
    return check_id, Meaning(
        Status(status),
        comment.strip()[:MAX_COMMENT] if isinstance(comment, str) else "",
        people if type(people) is int and 0 <= people <= MAX_PEOPLE else None,
        geo_uri if isinstance(geo_uri, str) and is_geo_uri(geo_uri) else "",
    )


def is_geo_uri(text: str) -> bool:
    """Whether ``text`` is a position (RFC 5870)."""
    return _GEO.fullmatch(text) is not None


def _leading_number(plain: str) -> tuple[Status | None, str]:
    found = _NUMBERED.match(plain)
    if found is not None and not _COUNTER.match(plain, found.end()):
        return _numbered(int(found.group(1))), plain[found.end():]
    if plain[:1] in "123" and _status_of(_CLAUSES.split(plain[1:])[0]) is _numbered(int(plain[:1] or 0)):
        return _numbered(int(plain[:1] or 0)), plain[1:]  # 「1無事です」
    return None, plain


def _numbered(number: int) -> Status | None:
    return list(Status)[number - 1] if 1 <= number <= len(Status) else None


def _status_of(clause: str) -> Status | None:
    return next((status for status, phrase in _PHRASES.items() if phrase.fullmatch(clause)), None)
