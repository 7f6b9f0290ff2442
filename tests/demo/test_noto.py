"""The figures of the replay, and how an officer's page is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.demo import noto
from server.demo.browser import PageReader, figures_on
from server.demo.faults import DemoFailed
from server.demo.noto import Part, Table, apportioned, played

_PAGE = """<table><tr class="all"><th scope="row">全体</th><td>6</td><td>1</td><td>2</td><td>3</td><td>4</td><td>5</td>
<td>{no_app}</td><td>{total}</td></tr><tr><th>1班</th><td>6</td></tr></table>"""


def test_the_whole_replay_has_the_figures_of_the_handbook() -> None:
    assert played() == Table(safe=909, contact=1, help=0, read=79, unread=547)
    assert played().answered == 910
    assert played().total == noto.PEOPLE


@given(st.integers(1, noto.MOST_PEOPLE))
def test_a_smaller_replay_has_everybody_and_the_same_proportions(people: int) -> None:
    table = played(people)
    assert table.total == people
    assert abs(table.answered - 910 * people / 1536) < 1
    assert abs(table.read - 79 * people / 1536) < 1
    assert abs(table.unread - 547 * people / 1536) < 1


@given(st.integers(0, 10_000), st.lists(st.integers(0, 1000), min_size=1).filter(any))
def test_parts_add_up_to_the_whole(whole: int, weights: list[int]) -> None:
    assert sum(apportioned(whole, dict(enumerate(weights))).values()) == whole


def test_everybody_has_a_part() -> None:
    parts = Table(safe=2, contact=1, help=0, read=1, unread=2).parts()
    assert parts == [Part.SAFE, Part.SAFE, Part.CONTACT, Part.READ, Part.UNREAD, Part.UNREAD]


def test_the_row_of_all_is_read_from_the_page() -> None:
    assert figures_on(_PAGE.format(no_app=7, total=22)) == Table(safe=3, contact=2, help=1, read=4, unread=5)


@pytest.mark.parametrize("page", ["", "<p>ログインしてください</p>", _PAGE.format(no_app=7, total=23)])
def test_a_page_without_a_sound_table_is_no_result(page: str) -> None:
    with pytest.raises(DemoFailed):
        figures_on(page)


def test_forms_come_with_their_hidden_fields() -> None:
    reader = PageReader()
    reader.feed('<form action="/a"><input type="hidden" name="x" value="1"><input name="y"></form><form action="/b">')
    assert [(form.action, form.fields) for form in reader.forms] == [("/a", {"x": "1"}), ("/b", {})]
