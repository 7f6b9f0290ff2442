"""What people write or react with, and what it chooses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.association.members.model import EVERYONE
from server.association.polls.model import Poll, Question
from server.association.polls.native import edited_start, read_start
from server.foundation.errors import InvalidParam
from server.rooms.numbered_answers import number_of_key, numbers_in, reaction_of, reply_target, spoken_text
from server.rooms.poll_events import Choice, read_response, start_content

CHOICES = tuple(Choice(f"c{number}", f"選択{number}") for number in range(1, 13))


def _poll(most: int = 1, choices: int = 3) -> Poll:
    return Poll(id="p", question="?", choices=CHOICES[:choices], most=most, disclosed=True, audience=EVERYONE,
                issuer="@a:b", created_ts=0)


@pytest.mark.parametrize(("text", "numbers"), [
    ("2", (2,)), ("２", (2,)), ("②", (2,)), ("2️⃣", (2,)), (" 2番です。", (2,)), ("２番でお願いします", (2,)),
    ("1,3", (1, 3)), ("１、３", (1, 3)), ("1と3", (1, 3)), ("10", (10,)), ("１２", (12,)), ("⑫", (12,)), ("2！", (2,)),
    ("2時", ()), ("2人で行きます", ()), ("", ()), ("123", ()), ("1-2-3", ()), ("はい", ()), ("-1", ()),
    ("1 2 3 に行きます", ()), ("2.5", ()), ("二", ()), ("No.2", ()),
])
def test_only_numbers_are_numbers(text: str, numbers: tuple[int, ...]) -> None:
    assert numbers_in(text) == numbers


@pytest.mark.parametrize(("key", "number"), [
    ("1️⃣", 1), ("9️⃣", 9), ("🔟", 10), ("1", 1), ("１", 1), ("①", 1), ("⑳", 20), ("👍", None), ("❤️", None), ("", None),
    ("1️⃣2️⃣3️⃣", None), ("一", None),
])
def test_a_reaction_is_a_number_or_nothing(key: str, number: int | None) -> None:
    assert number_of_key(key) == number


@pytest.mark.parametrize(("text", "chosen"), [
    ("2", ("c2",)), ("選択3", ("c3",)), ("選択３", ("c3",)), (" 選択1 ", ("c1",)), ("4", None), ("0", None),
    ("1、2", None), ("選択", None), ("選択1です", None),
])
def test_an_answer_is_a_number_or_the_words_of_a_choice(text: str, chosen: tuple[str, ...] | None) -> None:
    assert _poll().chosen_by_text(text) == chosen


def test_words_that_are_a_number_win_over_the_place_of_another_choice() -> None:
    choices = (Choice("c1", "2"), Choice("c2", "1"))
    poll = Poll(id="p", question="何人", choices=choices, most=1, disclosed=True, audience=EVERYONE, issuer="@a:b",
                created_ts=0)
    assert poll.chosen_by_text("2") == ("c1",)


def test_several_numbers_are_several_choices() -> None:
    assert _poll(3).chosen_by_text("1、3、1") == ("c1", "c3")
    assert _poll(2).chosen_by_text("1 2 3") is None
    assert _poll(1, 12).chosen_by_text("12") == ("c12",)


def test_a_vote_for_what_cannot_be_chosen_is_spoiled_and_too_many_are_cut() -> None:
    assert _poll(2).chosen_natively(["c1", "c9"]) == ()
    assert _poll(2).chosen_natively(["c3", "c2", "c1"]) == ("c3", "c2")
    assert _poll(2).chosen_natively(["c1", "c1", "c2"]) == ("c1", "c2")
    assert _poll().chosen_natively([]) == ()
    for bad in ([], ["c9"], ["c1", "c2"]):
        with pytest.raises(InvalidParam):
            _poll().chosen_on_a_form(bad)


def test_choices_that_look_alike_are_refused() -> None:
    for pair in (("出る", "出る "), ("1", "１"), ("a", "a\n")):
        with pytest.raises(InvalidParam):
            Question(text="?", choices=pair, audience=EVERYONE).check(0)


@pytest.mark.parametrize("content", [
    start_content("花見は", [Choice("x", "行く"), Choice("y", "行かない")]),
    {"m.poll.start": {"question": {"m.text": "花見は"}, "kind": "m.poll.disclosed",
                      "answers": [{"id": "x", "m.text": "行く"}, {"id": "y", "m.text": "行かない"}]}},
    {"m.poll": {"question": {"m.text": [{"body": "花見は"}]}, "kind": "m.poll.disclosed", "max_selections": 1,
                "answers": [{"m.id": "x", "m.text": [{"body": "行く", "mimetype": "text/plain"}]},
                            {"m.id": "y", "m.text": [{"body": "行かない"}]}]}},
])
def test_a_native_poll_is_read_under_every_name(content: dict[str, object]) -> None:
    read = read_start(content)
    assert read is not None
    assert (read.question, read.most, read.disclosed) == ("花見は", 1, True)
    assert read.choices == (Choice("x", "行く"), Choice("y", "行かない"))


def test_a_native_poll_is_cut_to_what_clients_show() -> None:
    choices = [Choice(str(number), "あ\nい" * 300) for number in range(30)]
    read = read_start(start_content("?" * 999, choices, most=99, disclosed=False))
    assert read is not None
    assert (len(read.question), len(read.choices), read.most, read.disclosed) == (340, 20, 20, False)
    assert all("\n" not in choice.text and len(choice.text) == 200 for choice in read.choices)


def test_an_edit_names_the_poll_and_the_new_question() -> None:
    new = start_content("海は", [Choice("x", "行く")])
    content = {**new, "m.new_content": new, "m.relates_to": {"rel_type": "m.replace", "event_id": "$poll"}}
    edit = edited_start(content)
    assert edit is not None
    assert (edit[0], edit[1].question) == ("$poll", "海は")
    assert edited_start(new) is None


_KEYS = ["m.relates_to", "m.poll.response", "m.selections", "msgtype", "body", "m.new_content", "m.poll",
         "m.poll.start", "org.matrix.msc3381.poll.response", "org.matrix.msc3381.poll.start"]
_INNER = ["event_id", "rel_type", "answers", "m.in_reply_to", "key", "question", "id", "m.text", "kind", "body",
          "max_selections"]
contents = st.dictionaries(st.sampled_from(_KEYS), st.recursive(
    st.none() | st.text(max_size=5) | st.integers() | st.sampled_from(["m.replace", "m.reference", "m.annotation"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(_INNER), inner, max_size=3),
    max_leaves=8))


@given(contents)
def test_any_content_is_read_without_a_fault(content: dict[str, object]) -> None:
    response, text, read = read_response(content), spoken_text(content), read_start(content)
    assert response is None or isinstance(response.target, str)
    assert text is None or isinstance(text, str)
    assert read is None or (read.question and 1 <= read.most <= len(read.choices) <= 20)
    edited_start(content)
    reaction_of(content)
    reply_target(content)


@given(st.text(max_size=40))
def test_any_text_is_read_without_a_fault(text: str) -> None:
    assert all(0 <= number <= 99 for number in numbers_in(text))
    number = number_of_key(text)
    assert number is None or 0 <= number <= 99
    chosen = _poll().chosen_by_text(text)
    assert chosen is None or (len(chosen) == 1 and chosen[0] in {"c1", "c2", "c3"})
