"""A node that asks and answers until it is killed. It says on standard output what it has acknowledged."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from server.association.members.model import EVERYONE
from server.foundation.clock import SystemClock
from tests.association.safety_checks.checks import checks


async def run(file: Path) -> None:
    """Start a check, ask, and let everybody answer in turn, again and again."""
    people = [(f"会員 {number}", "1班") for number in range(30)]
    async with checks(file, people, clock=SystemClock()) as found:
        check = await found.verbs.announce(found.chair, "地震", EVERYONE, drill=False)
        print(f"check {check.id}", flush=True)
        await found.verbs.ask(check.id)
        while True:
            for name, _ in people:
                await found.street.say(name, found.street.desk(name), "3")
                print(f"answered {name}", flush=True)


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1])))
