"""How figures add up, and which answer counts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.association.safety_checks.model import (
    NEXT,
    Answer,
    Figures,
    Standing,
    State,
    Status,
    current_of,
    standing_of,
    standing_of_household,
)

standings = st.lists(st.sampled_from(list(Standing)))
answers = st.lists(st.builds(
    Answer, st.uuids().map(str), st.integers(1, 9), st.integers(0, 9), st.none() | st.sampled_from(list(Status)),
    st.text(max_size=5),
))


def _figures(found: list[Standing]) -> Figures:
    return Figures({standing: found.count(standing) for standing in set(found)})


@given(standings, standings)
def test_the_columns_always_add_up_to_the_total(one: list[Standing], other: list[Standing]) -> None:
    figures = _figures(one) + _figures(other)
    assert figures.total == len(one) + len(other)
    told = figures.as_content()
    columns = [told[standing.value] for standing in Standing]
    assert sum(columns) == told["total"]
    assert told["answered"] + told["read"] + told["unread"] + told["no_app"] == told["total"]


@given(answers)
def test_the_last_answer_counts_and_a_remark_changes_nothing(given_: list[Answer]) -> None:
    said = [answer for answer in given_ if answer.status is not None]
    current = current_of(given_)
    assert current.status is (said[-1].status if said else None)
    assert current.place == (said[-1].place if said else 0)


@given(standings.filter(bool))
def test_a_household_stands_where_its_most_serious_answer_stands(found: list[Standing]) -> None:
    standing = standing_of_household(found)
    assert standing in found
    if any(item.is_answer for item in found):
        assert standing.is_answer
    if Standing.HELP in found:
        assert standing is Standing.HELP


def test_reading_is_no_answer() -> None:
    assert standing_of(None, has_read=True, has_app=True) is Standing.READ
    assert not Standing.READ.is_answer
    assert standing_of(Status.SAFE, has_read=False, has_app=False) is Standing.SAFE


def test_a_closed_check_is_never_opened_again() -> None:
    assert NEXT[State.CLOSED] == frozenset()
    assert set(NEXT) == set(State)
