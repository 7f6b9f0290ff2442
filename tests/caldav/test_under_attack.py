"""While somebody sends what is meant to hurt, everybody else is served (issue 6, G11): a node in a process of its own,
so that its memory can be looked at. How long neighbours wait meanwhile is measured by
``python -m benchmarks.calendars``, where nothing else runs.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.accounting import resident_mb
from benchmarks.calendar_attacks import REFUSALS, attacks, entry, in_time, query, send
from benchmarks.calendar_client import Client

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
MINE, THEIRS = "/dav/calendars/hanako/personal/", "/dav/calendars/taro/personal/"
CHILD = """
import json, sys
from pathlib import Path
from tests.caldav.node import Node
node = Node(Path(sys.argv[1]))
people = [node.account(name) for name in ("hanako", "taro")]
print(json.dumps([node.port, *((item.name, item.secret) for item in people)]), flush=True)
sys.stdin.read()
node.close()
"""
MONTH = query(in_time("20260501T000000Z", "20260601T000000Z"))


@dataclass
class World:
    """The node, and who attacks or is served there."""

    process: subprocess.Popen[str]
    port: int
    secrets: dict[str, str]

    def client(self, name: str) -> Client:
        return Client(self.port, name, self.secrets[name])


@pytest.fixture
def attacked(tmp_path: Path) -> Iterator[World]:
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout
    port, *people = json.loads(process.stdout.readline())
    yield World(process, port, dict(people))
    process.communicate(timeout=60)


def test_others_are_served_while_somebody_tries_to_hurt(attacked: World) -> None:
    hanako, taro = attacked.client("hanako"), attacked.client("taro")
    for number in range(20):
        body = entry(f"e{number}", "DTSTART;TZID=Asia/Tokyo:20260105T100000", "RRULE:FREQ=DAILY")
        for client, calendar in ((hanako, MINE), (taro, THEIRS)):
            status, _ = client.ask("PUT", f"{calendar}e{number}.ics", body, Content_Type="text/calendar")
            assert status == 201
    before, statuses = resident_mb(attacked.process.pid), set[int]()

    def attack() -> None:
        client = attacked.client("taro")
        statuses.update(send(client, THEIRS, one) for one in attacks())

    attackers = [threading.Thread(target=attack) for _ in range(2)]
    for thread in attackers:
        thread.start()
    answered: list[int] = []
    while any(thread.is_alive() for thread in attackers) or not answered:
        answered.append(hanako.ask("REPORT", MINE, MONTH, Depth="1")[0])
        answered.append(hanako.ask("PROPFIND", MINE, Depth="0")[0])
    assert set(answered) == {207}
    # 0: the server hung up on whoever sends too much.
    assert statuses - {0} <= REFUSALS, statuses
    assert resident_mb(attacked.process.pid) - before < 100
    assert taro.ask("PROPFIND", THEIRS, Depth="0")[0] == 207
