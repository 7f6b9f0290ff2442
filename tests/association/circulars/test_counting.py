"""How the marks of a circular add up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.association.circulars.model import NEXT, Counts, Progress, State, furthest, is_acknowledging

progresses = st.lists(st.sampled_from(list(Progress)))


@given(progresses)
def test_the_numbers_add_up_to_the_roster(found: list[Progress]) -> None:
    counts = Counts.of_all(found)
    assert counts.total == len(found) == sum(counts.of(progress) for progress in Progress)
    assert counts.reached + counts.of(Progress.NOT_YET) == counts.total


@given(progresses)
def test_a_household_is_as_far_as_its_furthest_person(found: list[Progress]) -> None:
    order = list(Progress)
    assert all(order.index(furthest(found)) <= order.index(progress) for progress in found)
    assert furthest([]) is Progress.NOT_YET


@given(st.text(max_size=6))
def test_any_key_of_a_reaction_is_read(key: str) -> None:
    assert is_acknowledging(key) in (True, False)


def test_a_withdrawn_circular_stays_withdrawn() -> None:
    assert NEXT[State.WITHDRAWN] == frozenset()
    assert set(NEXT) == set(State)
    assert all(State.WITHDRAWN in after for state, after in NEXT.items() if state is not State.WITHDRAWN)
