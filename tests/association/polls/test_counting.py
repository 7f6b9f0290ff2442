"""Which answer counts, and how answers add up."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.association.members.model import EVERYONE
from server.association.polls.counting import Answer, Voice, Voter, count
from server.association.polls.export import as_plain_cell
from server.association.polls.model import NEXT, Counting, Poll, State
from server.rooms.poll_events import Choice

PERSON, HOUSEHOLD = Counting.PERSON, Counting.HOUSEHOLD
CHOICES = tuple(Choice(f"c{number}", f"選択{number}") for number in range(1, 4))
VOTERS = [Voter("a", "h1", "b"), Voter("b", "h1", "b"), Voter("c", "h2", "b"), Voter("d", "h3", "b")]
voices = st.sampled_from([Voice(PERSON, person) for person in "abcdx"]
                         + [Voice(HOUSEHOLD, home) for home in ("h1", "h2", "h3", "h9")])
answers = st.lists(st.builds(
    Answer, id=st.uuids().map(str), voice=voices, place=st.integers(1, 99), ts=st.integers(0, 9),
    chosen=st.lists(st.sampled_from(["c1", "c2", "c3"]), max_size=1, unique=True).map(tuple), adds=st.booleans(),
))


def _poll(most: int = 1, closed_ts: int | None = None) -> Poll:
    return Poll(
        id="p", question="?", choices=CHOICES, most=most, disclosed=True, audience=EVERYONE, issuer="@a:b",
        created_ts=0, state=State.OPEN if closed_ts is None else State.CLOSED, closed_ts=closed_ts,
    )


def _answer(unit: Counting, who: str, ts: int, *chosen: str, adds: bool = False) -> Answer:
    return Answer(id=f"{who}{ts}", voice=Voice(unit, who), place=ts, ts=ts, chosen=chosen, adds=adds)


def _said(found: list[Answer], most: int = 1) -> tuple[dict[str, str], dict[str, str]]:
    counted = count(_poll(most), VOTERS, found)
    return ({who: ",".join(answer.chosen) for who, answer in counted.of_person.items()},
            {who: ",".join(answer.chosen) for who, answer in counted.of_household.items()})


@given(answers, st.integers(1, 3))
def test_answered_and_unanswered_always_add_up_to_all(found: list[Answer], most: int) -> None:
    counted = count(_poll(most), VOTERS, found)
    assert counted.persons.answered + counted.persons.unanswered == counted.persons.total == 4
    assert counted.households.answered + counted.households.unanswered == counted.households.total == 3
    for tally, holding in ((counted.persons, counted.of_person), (counted.households, counted.of_household)):
        assert tally.answered == len(holding)
        assert sum(tally.votes.values()) == sum(len(answer.chosen) for answer in holding.values())
        assert all(1 <= len(answer.chosen) <= most for answer in holding.values())
    assert set(counted.of_person) <= set("abcd")


@given(answers)
def test_a_household_answers_if_and_only_if_somebody_there_or_its_sheet_does(found: list[Answer]) -> None:
    counted = count(_poll(), VOTERS, found)
    for person_id in counted.of_person:
        home = next(voter.household_id for voter in VOTERS if voter.person_id == person_id)
        assert home in counted.of_household


@given(answers)
def test_the_order_in_which_answers_are_read_changes_nothing(found: list[Answer]) -> None:
    distinct = [replace(answer, place=number) for number, answer in enumerate(found)]
    assert count(_poll(), VOTERS, distinct) == count(_poll(), VOTERS, distinct[::-1])


def test_a_households_answer_is_the_latest_of_its_people_or_its_sheet() -> None:
    first, second = _answer(PERSON, "a", 1, "c1"), _answer(PERSON, "b", 2, "c2")
    assert _said([first, second])[1] == {"h1": "c2"}
    assert _said([first, second, _answer(HOUSEHOLD, "h1", 3, "c3")])[1] == {"h1": "c3"}
    assert _said([first, _answer(HOUSEHOLD, "h1", 3, "c3"), _answer(PERSON, "b", 4, "c2")])[1] == {"h1": "c2"}


def test_a_sheet_holds_for_everybody_who_has_said_nothing_since() -> None:
    found = [_answer(PERSON, "a", 1, "c1"), _answer(HOUSEHOLD, "h1", 2, "c3"), _answer(PERSON, "b", 3, "c2")]
    assert _said(found)[0] == {"a": "c3", "b": "c2"}


def test_an_answer_taken_back_leaves_what_others_at_home_have_said() -> None:
    found = [_answer(PERSON, "a", 1, "c1"), _answer(PERSON, "b", 2, "c2"), _answer(PERSON, "b", 3)]
    assert _said(found) == ({"a": "c1"}, {"h1": "c1"})
    assert _said([_answer(HOUSEHOLD, "h2", 1, "c1"), _answer(PERSON, "c", 2)]) == ({}, {"h2": "c1"})


def test_reactions_stand_beside_each_other_where_several_may_be_chosen() -> None:
    found = [_answer(PERSON, "a", ts, f"c{ts}", adds=True) for ts in (1, 2, 3)]
    assert _said(found[:2], most=2)[0] == {"a": "c1,c2"}
    assert _said(found, most=2)[0] == {"a": "c2,c3"}
    assert _said(found)[0] == {"a": "c3"}
    assert _said([*found, _answer(PERSON, "a", 4, "c1")], most=3)[0] == {"a": "c1"}


def test_what_is_said_after_the_end_is_nothing() -> None:
    found = [_answer(PERSON, "a", 1, "c1"), _answer(PERSON, "a", 5, "c2"), _answer(PERSON, "c", 6, "c2")]
    assert dict(count(_poll(closed_ts=4), VOTERS, found).persons.votes) == {"c1": 1, "c2": 0, "c3": 0}


@pytest.mark.parametrize("text", ["=1+1", "+81", "-1", "@SUM(1)", "\t=1", " =1", "＝1", "　=1", "\r\n=1"])
def test_a_cell_is_never_a_formula(text: str) -> None:
    assert as_plain_cell(text) == f"'{text}"


@given(st.text(max_size=10))
def test_other_cells_stay_as_they_are(text: str) -> None:
    assert as_plain_cell(text).lstrip("'") == text.lstrip("'")


def test_a_poll_that_is_over_is_never_opened_again() -> None:
    assert NEXT[State.CLOSED] == NEXT[State.WITHDRAWN] == frozenset()
    assert set(NEXT) == set(State)
