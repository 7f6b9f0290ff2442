"""A replay of a safety check in small, with real node processes on three levels and real clients."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from server.demo import run_demo
from server.demo.noto import ASSOCIATIONS, played
from server.demo.replay import replay
from server.foundation.errors import Refused

_FIGURES = ("users", "answered", "safe", "contact", "help", "read_unanswered", "unread")
_COSTS = {"asked_s", "asked_cpu_s", "answers_s", "answers_cpu_s", "memory_mb"}


def test_the_node_counts_what_48_people_have_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_demo(replay="noto", users=48, as_json=True) == 0
    result = json.loads(capsys.readouterr().out)
    assert {name: result[name] for name in _FIGURES} == {
        "users": 48, "answered": 28, "safe": 28, "contact": 0, "help": 0, "read_unanswered": 3, "unread": 17,
    }
    assert [place["name"] for place in result["associations"]] == list(ASSOCIATIONS)
    for level in (result["federation"], result["city"]):
        assert {name: level[name] for name in _FIGURES} == {name: result[name] for name in _FIGURES}
    for name in _FIGURES:
        assert sum(place[name] for place in result["associations"]) == result[name]
    assert all(result[name] > 0 for name in _COSTS)
    assert result["restarts"] == 0


async def test_nothing_is_lost_when_a_node_is_killed_in_the_middle(tmp_path: Path) -> None:
    outcome = await replay(tmp_path, played(60), kill_after=10)
    assert outcome.is_right
    assert outcome.tables.city == outcome.tables.federation == played(60)
    assert outcome.restarts == 1


@pytest.mark.parametrize("users", [0, -1, 10_001])
def test_a_replay_of_nobody_is_refused(users: int) -> None:
    with pytest.raises(Refused):
        run_demo(replay="noto", users=users)
