"""How answers are read and counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.association.members.model import EVERYONE
from server.association.polls.model import NEXT, Answer, Poll, State, household_answer, last_answers, tally_of
from server.association.polls.results import as_plain_cell
from server.rooms.numbered_answers import number_of_key, numbers_in, spoken_text
from server.rooms.poll_events import Choice, read_response

PEOPLE = ["a", "b", "c", "d"]
CHOICES = tuple(Choice(f"c{number}", f"選択{number}") for number in range(1, 4))
answers = st.lists(st.builds(
    Answer, st.uuids().map(str), st.sampled_from(PEOPLE), st.integers(1, 99), st.integers(0, 9),
    st.lists(st.sampled_from(["c1", "c2", "c3"]), max_size=3, unique=True).map(tuple),
))


def _poll(most: int = 1) -> Poll:
    return Poll("p", "?", CHOICES, most, True, EVERYONE, "@a:b", State.OPEN, 0)


@given(answers)
def test_answered_and_unanswered_always_add_up_to_all(found: list[Answer]) -> None:
    last = last_answers(found)
    persons = tally_of(_poll(), [last.get(person) for person in PEOPLE])
    assert persons.answered + persons.unanswered == persons.total == len(PEOPLE)
    assert sum(persons.votes.values()) == sum(len(answer.chosen) for answer in last.values())
    homes = [household_answer(home, last) for home in (PEOPLE[:2], PEOPLE[2:])]
    households = tally_of(_poll(), homes)
    assert households.answered <= min(persons.answered, 2)
    assert bool(households.answered) == bool(persons.answered)


@pytest.mark.parametrize(("text", "numbers"), [
    ("2", (2,)), ("２", (2,)), ("②", (2,)), ("2️⃣", (2,)), (" 2番です。", (2,)), ("1,3", (1, 3)), ("１、３", (1, 3)),
    ("1と3", (1, 3)), ("10", (10,)), ("2時", ()), ("2人で行きます", ()), ("", ()), ("123", ()), ("1-2-3", ()),
    ("はい", ()), ("-1", ()), ("1 2 3 に行きます", ()),
])
def test_only_numbers_are_numbers(text: str, numbers: tuple[int, ...]) -> None:
    assert numbers_in(text) == numbers


@given(st.text(max_size=40))
def test_any_text_is_read_without_a_fault(text: str) -> None:
    assert all(0 <= number <= 99 for number in numbers_in(text))
    number = number_of_key(text)
    assert number is None or 0 <= number <= 99
    chosen = _poll().chosen_by_text(text)
    assert chosen is None or (len(chosen) == 1 and chosen[0] in {"c1", "c2", "c3"})


@given(st.dictionaries(st.sampled_from(["m.relates_to", "m.poll.response", "m.selections", "msgtype", "body",
                                        "org.matrix.msc3381.poll.response", "m.new_content"]),
                       st.recursive(st.none() | st.text(max_size=5) | st.integers(),
                                    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(
                                        st.sampled_from(["event_id", "rel_type", "answers", "m.in_reply_to", "key"]),
                                        inner, max_size=3), max_leaves=5)))
def test_any_content_is_read_without_a_fault(content: dict[str, object]) -> None:
    response = read_response(content)
    assert response is None or isinstance(response.target, str)
    text = spoken_text(content)
    assert text is None or isinstance(text, str)


def test_a_vote_for_what_cannot_be_chosen_is_spoiled_and_too_many_are_cut() -> None:
    assert _poll(2).checked(["c1", "c9"]) is None
    assert _poll(2).checked(["c3", "c2", "c1"]) == ("c3", "c2")
    assert _poll().checked([]) == ()


@pytest.mark.parametrize("text", ["=1+1", "+81", "-1", "@SUM(1)", "\t=1", " =1", "＝1"])
def test_a_cell_is_never_a_formula(text: str) -> None:
    assert as_plain_cell(text) == f"'{text}"


@given(st.text(max_size=10))
def test_other_cells_stay_as_they_are(text: str) -> None:
    assert as_plain_cell(text).lstrip("'") == text.lstrip("'")


def test_a_closed_poll_is_never_opened_again() -> None:
    assert NEXT[State.CLOSED] == frozenset()
