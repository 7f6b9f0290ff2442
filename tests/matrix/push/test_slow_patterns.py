"""No pattern of a push rule takes long, however it is made, and long ones are not kept at all."""

from __future__ import annotations

import time

import pytest

from server.notifications.globs import whole, words
from tests.builders import RunningNode

PATTERNS = ["*?" * 500, "*a" * 500, "*a?b" * 250, "*?*a*?*a" * 125, "*a?" * 333 + "b", "?" * 1_000, "b*a" * 300 + "c"]


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("text", ["a" * 60_000, "ab " * 20_000])
def test_a_pattern_made_to_hold_us_up_does_not(pattern: str, text: str) -> None:
    for fits in (whole(pattern), words(pattern)):
        times = []
        for _ in range(3):
            started = time.perf_counter()
            fits(text)
            times.append(time.perf_counter() - started)
        assert min(times) < 0.05


async def test_a_pattern_has_an_end(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    for length, status in ((128, 200), (129, 400), (1_001, 400)):
        rule = {"pattern": ("*?" * length)[:length], "actions": ["notify"]}
        assert (await hanako.put("v3/pushrules/global/content/mine", rule)).status == status
        about = [{"kind": "event_match", "key": "content.body", "pattern": rule["pattern"]}]
        answer = await hanako.put("v3/pushrules/global/override/mine", {"conditions": about, "actions": []})
        assert answer.status == status
