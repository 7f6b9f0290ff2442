"""Made-up people."""

from __future__ import annotations

from itertools import islice

from server.association.members.made_up_people import households
from server.demo.town import roster


def test_the_same_seed_makes_the_same_people() -> None:
    assert list(islice(households("a"), 50)) == list(islice(households("a"), 50))
    assert list(islice(households("a"), 50)) != list(islice(households("b"), 50))


def test_nobody_in_a_household_is_called_like_another() -> None:
    for home in islice(households("a"), 500):
        names = [person.name for person in home.persons]
        assert len(set(names)) == len(names)
        assert all(name.startswith(f"{home.family} ") for name in names)


def test_sakuramachi_has_60_households_in_six_blocks_and_every_office() -> None:
    rows = list(roster())
    assert len({row["世帯番号"] for row in rows}) == 60
    assert len({row["班"] for row in rows}) == 6
    assert 130 <= len(rows) <= 180
    offices = [row["役職"] for row in rows if row["役職"]]
    assert sorted(offices) == sorted(["会長", "副会長", "会計", "書記", "デジタル担当", "補助", *["班長"] * 6])
