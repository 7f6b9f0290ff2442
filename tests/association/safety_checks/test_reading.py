"""What residents write, and what it means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.association.safety_checks.model import MAX_COMMENT, Status
from server.association.safety_checks.reading import (
    is_geo_uri,
    meaning_of_event,
    meaning_of_text,
    status_of_choice,
    status_of_reaction,
)

SAFE, CONTACT, HELP = Status.SAFE, Status.CONTACT, Status.HELP


@pytest.mark.parametrize(("text", "status"), [
    ("1", SAFE), ("１", SAFE), ("１。", SAFE), ("①", SAFE), ("1️⃣", SAFE), ("1番です", SAFE), ("無事", SAFE),
    ("無事です", SAFE), ("無事です！", SAFE), ("ぶじ", SAFE), ("全員無事です。", SAFE), ("家族全員無事", SAFE),
    ("私は大丈夫です", SAFE), ("大丈夫", SAFE), ("1無事です", SAFE), ("ＯＫ", SAFE),
    ("2", CONTACT), ("２番です", CONTACT), ("連絡", CONTACT), ("連絡ください", CONTACT), ("電話してください", CONTACT),
    ("連絡がほしい", CONTACT), ("３", HELP), ("助けて", HELP), ("助けてください！！", HELP), ("たすけて", HELP),
    ("助けがほしい", HELP), ("SOS", HELP), ("救助", HELP), ("動けません", HELP),
])
def test_a_plain_answer_is_understood_without_a_comment(text: str, status: Status) -> None:
    assert meaning_of_text(text) == (status, "", None, "")


@pytest.mark.parametrize(("text", "status"), [
    ("1 家族4人、避難所にいます", SAFE), ("無事です。水が出ません", SAFE), ("2 母が歩けません", CONTACT),
    ("3人います 助けて", HELP), ("無事です。助けて", HELP), ("1 助けてください", HELP),
])
def test_the_most_serious_thing_counts_and_the_words_are_kept(text: str, status: Status) -> None:
    meaning = meaning_of_text(text)
    assert meaning.status is status
    assert meaning.comment == text


@pytest.mark.parametrize("text", [
    "無事ではない", "無事じゃないです", "大丈夫？", "無事ですか？", "母は無事です", "田中さんの家は、無事です",
    "1人で困っています", "1 人で困っています", "2時に帰ります", "3階にいます", "1.5時間後に", "123", "1 3", "連絡不要",
    "助けは不要です", "ありがとう",
    "私は大丈夫ですが、災害対応で出勤しています。",
])
def test_a_remark_is_no_answer(text: str) -> None:
    meaning = meaning_of_text(text)
    assert meaning.status is None
    assert meaning.comment == text


def test_silence_is_nothing() -> None:
    assert meaning_of_text(" \n") == (None, "", None, "")


@pytest.mark.parametrize(("key", "status"), [
    ("1️⃣", SAFE), ("2️⃣", CONTACT), ("3️⃣", HELP), ("✅", SAFE), ("✅️", SAFE), ("🆘", HELP), ("🙆🏽", SAFE),
    ("👍", None), ("❤️", None), ("👀", None), ("4️⃣", None), ("0️⃣", None), ("", None), ("1" * 400, None),
])
def test_a_reaction_answers_only_if_it_says_so(key: str, status: Status | None) -> None:
    assert status_of_reaction(key) is status


@given(st.text(max_size=60))
def test_any_text_is_read_without_a_fault(text: str) -> None:
    meaning = meaning_of_text(text)
    assert len(meaning.comment) <= MAX_COMMENT
    assert status_of_reaction(text) in {*Status, None}
    assert status_of_choice(text) in {*Status, None}
    assert is_geo_uri(text) in (True, False)


@given(st.sampled_from(["1人", "2時", "3階", "1人で", "母は無事"]), st.text(max_size=20))
def test_what_begins_with_a_count_is_never_counted_as_safe(begin: str, rest: str) -> None:
    assert meaning_of_text(begin + rest).status is not SAFE


def test_the_event_of_our_own_carries_everything() -> None:
    place = {"people": 2, "geo_uri": "geo:36.5,136.6;u=10"}
    content = {"check_id": "a", "status": "help", "comment": " 足をけが ", **place}
    assert meaning_of_event(content) == ("a", (HELP, "足をけが", 2, "geo:36.5,136.6;u=10"))


@pytest.mark.parametrize("content", [
    {}, {"check_id": "a"}, {"check_id": 1, "status": "safe"}, {"check_id": "a", "status": "fine"},
    {"check_id": "a", "status": ["safe"]},
])
def test_a_malformed_event_is_no_answer(content: dict[str, object]) -> None:
    assert meaning_of_event(content) is None


def test_odd_extras_are_left_out() -> None:
    content = {"check_id": "a", "status": "safe", "comment": 5, "people": True, "geo_uri": "javascript:alert(1)"}
    assert meaning_of_event(content) == ("a", (SAFE, "", None, ""))
