"""The sheets of an export: questions to the tables, and the headings under which the answers stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple, Protocol

from server.association.board import model as board
from server.association.bookings import model as bookings
from server.association.circulars import model as circulars
from server.association.duties.model import Rhythm
from server.association.gatherings.answers import Answer
from server.association.hazards.model import HazardKind, HazardState
from server.association.inquiries import model as inquiries
from server.association.members.came_by import CameBy
from server.association.members.model import Audience, Channel, Role
from server.association.polls.model import Counting
from server.association.safety_checks.model import Status
from server.operation.tables_store import Tables

_ROSTER: Final = """
SELECT blocks.name AS block, households.number AS number, households.name AS household, persons.name AS name,
 persons.kana AS kana, persons.phone AS phone, households.channel AS channel, persons.user_id AS user_id,
 (SELECT group_concat(role, ' ') FROM roles WHERE person_id = persons.id) AS roles,
 (SELECT group_concat(member_groups.name, ' ') FROM group_members
  JOIN member_groups ON member_groups.id = group_id WHERE person_id = persons.id) AS groups
FROM persons JOIN households ON households.id = household_id JOIN blocks ON blocks.id = block_id
ORDER BY blocks.place, households.place, persons.place
"""
_CIRCULARS: Final = """
SELECT datetime(created_ts / 1000, 'unixepoch', '+9 hours') AS made, title, category, audience, issuer, state, text,
 (SELECT count(*) FROM circular_marks WHERE circular_id = circulars.id AND kind = 'acknowledged') AS acknowledged
FROM circulars ORDER BY created_ts
"""
_POLLS: Final = """
SELECT datetime(poll_answers.ts / 1000, 'unixepoch', '+9 hours') AS at, question, voice, unit, channel, entered_by,
 (SELECT group_concat(json_extract(choice.value, '$[1]'), '、') FROM json_each(polls.choices) AS choice
  WHERE EXISTS (SELECT 1 FROM json_each(poll_answers.chosen) AS one
   WHERE one.value = json_extract(choice.value, '$[0]'))) AS chosen
FROM poll_answers JOIN polls ON polls.id = poll_id ORDER BY polls.created_ts, poll_answers.place
"""
_SAFETY: Final = """
SELECT datetime(safety_answers.ts / 1000, 'unixepoch', '+9 hours') AS at, safety_checks.title AS title,
 coalesce(persons.name, '') AS name, safety_answers.status AS status, comment, people, geo_uri, channel, entered_by
FROM safety_answers JOIN safety_checks ON safety_checks.id = check_id
LEFT JOIN persons ON persons.id = safety_answers.person_id ORDER BY safety_checks.started_ts, safety_answers.place
"""
_CONSENTS: Final = """
SELECT user_id AS who, user_id, policy, version, datetime(accepted_ts / 1000, 'unixepoch', '+9 hours') AS accepted
FROM consents ORDER BY user_id, policy, accepted_ts
"""
_LOOKS: Final = """
SELECT datetime(ts / 1000, 'unixepoch', '+9 hours') AS at, viewer, what FROM access_log ORDER BY ts
"""
_ATTENDANCE: Final = """
SELECT gatherings.title AS title, replace(substr(gatherings.starts, 1, 16), 'T', ' ') AS starts,
 coalesce(persons.name, households.name, '') AS name,
 answer, people, datetime(said_ms / 1000, 'unixepoch', '+9 hours') AS at, came_by, entered_by
FROM gathering_answers JOIN gatherings ON gatherings.id = gathering_id
LEFT JOIN persons ON persons.id = person_id OR (person_id = '' AND persons.user_id = gathering_answers.user_id)
LEFT JOIN households ON households.id = gathering_answers.household_id
ORDER BY gatherings.starts, said_ms
"""
_BOOKINGS: Final = """
SELECT json_extract(facilities.content, '$.name') AS facility,
 replace(substr(json_extract(bookings.content, '$.start'), 1, 16), 'T', ' ') AS starts,
 replace(substr(json_extract(bookings.content, '$.end'), 1, 16), 'T', ' ') AS ends, coalesce(persons.name, '') AS name,
 json_extract(bookings.content, '$.title') AS title, json_extract(bookings.content, '$.note') AS note,
 json_extract(bookings.content, '$.state') AS state
FROM bookings LEFT JOIN facilities ON facilities.id = json_extract(bookings.content, '$.facility')
LEFT JOIN persons ON persons.id = json_extract(bookings.content, '$.person') ORDER BY starts, bookings.id
"""
_DUTIES: Final = """
SELECT json_extract(content, '$.title') AS title, json_extract(content, '$.first') AS first,
 json_extract(content, '$.rhythm') AS rhythm, json_extract(content, '$.note') AS note,
 (SELECT group_concat(households.name, '、') FROM json_each(content, '$.order')
  JOIN households ON households.id = json_each.value) AS turns
FROM duties ORDER BY created_ms
"""
_INQUIRIES: Final = """
SELECT datetime(inquiry_lines.ts / 1000, 'unixepoch', '+9 hours') AS at, inquiries.id AS number,
 coalesce(nullif(asker, ''), persons.name, '') AS name, channel, side, text, inquiries.state AS state
FROM inquiry_lines JOIN inquiries ON inquiries.id = inquiry_id LEFT JOIN persons ON persons.id = inquiries.person_id
WHERE gone = 0 ORDER BY inquiries.opened_ts, inquiries.id, inquiry_lines.place
"""
_NAMES: Final = """
SELECT id, name FROM blocks UNION ALL SELECT id, name FROM member_groups UNION ALL SELECT id, name FROM households
UNION ALL SELECT id, name FROM persons UNION ALL SELECT user_id, name FROM persons WHERE user_id IS NOT NULL
"""
# Columns in which people or households stand by a number or an address.
_NAMED: Final = frozenset({"issuer", "entered_by", "viewer", "voice", "who"})
_BOARD: Final = """
SELECT datetime(created_ms / 1000, 'unixepoch', '+9 hours') AS at, category, title, body, board_posts.place AS place,
 board_posts.state AS state, CASE anonymous WHEN 0 THEN coalesce(persons.name, '') ELSE '（名前なし）' END AS name
FROM board_posts LEFT JOIN persons ON persons.user_id = author ORDER BY created_ms
"""
_HAZARDS: Final = """
SELECT datetime(reported_ts / 1000, 'unixepoch', '+9 hours') AS at, kind, hazards.place AS place, words, state, note,
 coalesce(persons.name, '') AS name FROM hazards LEFT JOIN persons ON persons.user_id = reporter ORDER BY reported_ts
"""


class Sheet(NamedTuple):
    """A file for a spreadsheet: its name, the question, what stands above the columns, and the words for what stands in
    some of them (of several words with spaces between them each).
    """

    name: str
    question: str
    headings: Mapping[str, str]
    words: Mapping[str, Mapping[str, str]] = {}

    def rows(self, tables: Tables, called: Mapping[str, str]) -> Iterator[list[str]]:
        """The cells, as people read them; ``called`` is what ``names_of_all`` has answered."""
        for row in tables.ask(self.question):
            yield [self._cell(name, "" if row[name] is None else str(row[name]), called) for name in self.headings]

    def _cell(self, column: str, value: str, called: Mapping[str, str]) -> str:
        if column in _NAMED:
            return called.get(value, value)
        if column == "audience":
            return Audience.parse(value).describe(lambda place: called.get(place, place))
        known = self.words.get(column)
        return " ".join(known.get(word, word) for word in value.split(" ")) if known else value


def names_of_all(tables: Tables) -> dict[str, str]:
    """What people, households, blocks and groups are called, by their numbers; people by their addresses, too."""
    return {str(row["id"]): str(row["name"]) for row in tables.ask(_NAMES)}


class _Labelled(Protocol):
    @property
    def value(self) -> str: ...
    @property
    def label(self) -> str: ...


def _words(members: Iterable[_Labelled]) -> Mapping[str, str]:
    return {member.value: member.label for member in members}


_WAYS: Final = _words(CameBy)

SHEETS: Final = (
    Sheet("名簿.csv", _ROSTER, {
        "block": "班", "number": "世帯番号", "household": "世帯", "name": "氏名", "kana": "ふりがな", "phone": "電話",
        "channel": "連絡方法", "roles": "役職", "groups": "グループ", "user_id": "アカウント",
    }, {"channel": _words(Channel), "roles": _words(Role)}),
    Sheet("回覧.csv", _CIRCULARS, {
        "made": "日時", "title": "題", "category": "種類", "audience": "宛先", "issuer": "出した人", "state": "状態",
        "acknowledged": "確認した人数", "text": "本文",
    }, {"category": _words(circulars.Category), "state": _words(circulars.State)}),
    Sheet("アンケート.csv", _POLLS, {
        "at": "日時", "question": "しつもん", "voice": "だれ", "unit": "数え方", "chosen": "こたえ", "channel": "方法",
        "entered_by": "書いた人",
    }, {"unit": _words(Counting), "channel": _WAYS}),
    Sheet("安否確認.csv", _SAFETY, {
        "at": "日時", "title": "なに", "name": "氏名", "status": "こたえ", "comment": "ひとこと", "people": "人数",
        "geo_uri": "場所", "channel": "方法", "entered_by": "書いた人",
    }, {"status": _words(Status), "channel": _WAYS}),
    Sheet("集まりの返事.csv", _ATTENDANCE, {
        "title": "集まり", "starts": "はじまり", "name": "氏名", "answer": "返事", "people": "人数", "at": "日時",
        "came_by": "方法", "entered_by": "書いた人",
    }, {"answer": _words(Answer), "came_by": _WAYS}),
    Sheet("予約.csv", _BOOKINGS, {
        "facility": "場所やもの", "starts": "はじまり", "ends": "おわり", "name": "氏名", "title": "目的",
        "note": "メモ", "state": "状態",
    }, {"state": _words(bookings.State)}),
    Sheet("当番.csv", _DUTIES, {
        "title": "当番", "first": "はじまり", "rhythm": "間", "note": "メモ", "turns": "順番",
    }, {"rhythm": _words(Rhythm)}),
    Sheet("質問.csv", _INQUIRIES, {
        "at": "日時", "number": "番号", "name": "質問した人", "channel": "方法", "side": "言った人", "text": "ことば",
        "state": "状態",
    }, {"channel": _WAYS, "state": _words(inquiries.State), "side": {"resident": "質問", "officers": "役員"}}),
    Sheet("掲示板.csv", _BOARD, {
        "at": "日時", "category": "種類", "title": "題", "body": "本文", "place": "場所", "state": "状態",
        "name": "氏名",
    }, {"category": _words(board.Category), "state": _words(board.State)}),
    Sheet("危ない場所.csv", _HAZARDS, {
        "at": "日時", "kind": "種類", "place": "場所", "words": "ことば", "state": "状態", "note": "役員のメモ",
        "name": "氏名",
    }, {"kind": _words(HazardKind), "state": _words(HazardState)}),
    Sheet("同意.csv", _CONSENTS, {
        "who": "氏名", "user_id": "アカウント", "policy": "文書", "version": "版", "accepted": "日時",
    }),
    Sheet("名簿を見た人.csv", _LOOKS, {"at": "日時", "viewer": "見た人", "what": "なに"}),
)
