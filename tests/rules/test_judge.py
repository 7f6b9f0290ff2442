"""Every question of the oracle, and questions that are none."""

from __future__ import annotations

import gzip
from typing import Any

import orjson
import pytest

from server.foundation.errors import BadRequest, Refused
from server.rooms.judge import answer
from tests.rules.rooms import DATA

CASES = [orjson.loads(line) for line in gzip.decompress((DATA / "judge.jsonl.gz").read_bytes()).splitlines()]


def cases_of(kind: str) -> list[Any]:
    return [pytest.param(case, id=case["question"]["id"]) for case in CASES if case["question"]["kind"] == kind]


def in_any_order(given: dict[str, Any]) -> dict[str, Any]:
    rows = {name: sorted(given[name]) for name in ("state_of_heads", "current_state")}
    return {**given, **rows, "resolutions": [sorted(state) for state in given["resolutions"]]}


@pytest.mark.parametrize("case", cases_of("auth"))
def test_an_event_is_allowed_where_others_allow_it(case: dict[str, Any]) -> None:
    assert answer(case["question"]) == case["answer"], case["about"]


@pytest.mark.parametrize("case", cases_of("pdu"))
def test_a_damaged_event_is_treated_as_others_treat_it(case: dict[str, Any]) -> None:
    assert answer(case["question"]) == case["answer"], case["about"]


@pytest.mark.parametrize("case", cases_of("dag"))
def test_a_forked_room_comes_to_the_state_that_others_see(case: dict[str, Any]) -> None:
    assert in_any_order(answer(case["question"])) == in_any_order(case["answer"])


@pytest.mark.parametrize("question", [{}, {"format": 1, "kind": "weather"}, {"format": 2, "kind": "auth"},
                                      {"format": 1, "kind": "auth", "id": "x", "version": "11"}])
def test_what_is_no_question_gets_no_answer(question: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        answer(question)


def test_an_unknown_room_version_is_named_as_such() -> None:
    with pytest.raises(Refused) as refusal:
        answer({"format": 1, "kind": "auth", "id": "x", "version": "99"})
    assert refusal.value.code == "M_UNSUPPORTED_ROOM_VERSION"
