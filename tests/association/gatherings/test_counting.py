"""How many come, household by household: the rules, without a node."""

from __future__ import annotations

import pytest

from server.association.gatherings.answers import Answer, Said
from server.association.gatherings.counting import Home, figures_of_homes, homes_of
from server.association.members.came_by import CameBy

YES, NO, PERHAPS = Answer.ACCEPTED, Answer.DECLINED, Answer.TENTATIVE
FAMILY = ("mother", "father", "child")


def sheet(position: int, answer: Answer, people: int = 1) -> Said:
    return Said("g", "", answer, 0, f"s{position}", position, household_id="home", people=people,
                came_by=CameBy.PAPER, entered_by="@chair:x")


def own(position: int, who: str, answer: Answer) -> Said:
    return Said("g", f"@{who}:x", answer, 0, f"r{position}", position)


def told(position: int, who: str, answer: Answer) -> Said:
    return Said("g", "", answer, 0, f"t{position}", position, who, came_by=CameBy.PHONE, entered_by="@chair:x")


def home_of(*said: Said) -> Home:
    (found,) = homes_of({"home": FAMILY}, {f"@{who}:x": who for who in FAMILY}, said)
    return found


@pytest.mark.parametrize(("said", "coming", "answer"), [
    ([], 0, None),
    ([own(1, "mother", YES), own(2, "father", NO)], 1, YES),
    ([own(1, "mother", NO)], 0, NO),
    ([sheet(1, YES, 3)], 3, YES),
    ([sheet(1, NO)], 0, NO),
    ([sheet(1, YES, 3), sheet(2, YES, 2)], 2, YES),
    # The sheet came last: it says how many, whatever was said before.
    ([own(1, "mother", YES), own(2, "father", YES), sheet(3, YES, 1)], 1, YES),
    ([own(1, "mother", YES), sheet(2, NO)], 0, NO),
    # Somebody thinks again. Two of three wanted to come, so it may have been the third who stays at home.
    ([sheet(1, YES, 3), own(2, "child", NO)], 2, YES),
    ([sheet(1, YES, 2), own(2, "child", NO)], 2, YES),
    ([sheet(1, YES, 2), own(2, "child", NO), own(3, "father", NO)], 1, YES),
    ([sheet(1, YES, 1), own(2, "mother", YES), own(3, "father", YES)], 2, YES),
    ([sheet(1, NO), own(2, "mother", YES)], 1, YES),
    # Guests who stand in no roster.
    ([sheet(1, YES, 5), own(2, "mother", NO)], 4, YES),
    ([sheet(1, PERHAPS)], 0, PERHAPS),
    # By telephone for one person, and then by that person's own reaction, and the other way round.
    ([told(1, "mother", YES), own(2, "mother", NO)], 0, NO),
    ([own(1, "mother", NO), told(2, "mother", YES)], 1, YES),
])
def test_so_many_of_a_household_come(said: list[Said], coming: int, answer: Answer | None) -> None:
    home = home_of(*said)
    assert (home.coming, home.answer) == (coming, answer)


def test_a_sheet_holds_for_whoever_has_said_nothing_since() -> None:
    home = home_of(own(1, "mother", NO), sheet(2, YES, 2), own(3, "father", NO))
    held = {person: said.answer if (said := home.of(person)) is not None else None for person in FAMILY}
    assert held == {"mother": YES, "father": NO, "child": YES}
    assert home.is_written


def test_households_add_up_and_whoever_is_not_asked_counts_nowhere() -> None:
    asked = {"a": ["anna"], "b": ["ben"], "c": ["cho"], "d": ["dai"]}
    said = [own(1, "anna", YES), told(2, "ben", YES), told(3, "cho", NO), own(4, "stranger", YES)]
    figures = figures_of_homes(homes_of(asked, {"@anna:x": "anna", "@stranger:x": "stranger"}, said))
    assert (figures.people, figures.written, figures.unanswered) == (2, 2, 1)
    assert figures.as_content() == {
        "people": 2, "households": {"accepted": 2, "declined": 1, "tentative": 0, "unanswered": 1}, "written": 2}
