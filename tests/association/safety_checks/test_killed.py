"""``kill -9`` in the middle."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.association.safety_checks.checks import checks

ROOT = Path(__file__).parents[3]
PROGRAM = "tests.association.safety_checks.node_to_kill"


def _killed_after(file: Path, lines: int) -> list[str]:
    """What a node had acknowledged when it was killed after so many lines."""
    child = subprocess.Popen([sys.executable, "-m", PROGRAM, str(file)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        said = [child.stdout.readline().strip() for _ in range(lines)]
    finally:
        child.kill()
        rest = child.communicate()[0]
    # The last line may be cut off.
    return [line for line in [*said, *rest.splitlines(keepends=False)] if line]


@pytest.mark.slow
@pytest.mark.parametrize("lines", [1, 8])
async def test_what_was_acknowledged_is_counted_and_nobody_is_asked_twice(tmp_path: Path, lines: int) -> None:
    said = _killed_after(tmp_path / "node.db", lines)
    check_id = said[0].removeprefix("check ")
    answered = {line.removeprefix("answered ") for line in said[1:-1] if line.startswith("answered ")}
    async with checks(tmp_path / "node.db") as found:
        await found.verbs.ask(check_id)
        rows = await found.desk.people(found.chair, check_id)
        assert len(rows) == 31
        assert answered <= {row.name for row in rows if row.standing.value == "help"}
        for row in rows:
            bodies = await found.street.bodies(found.street.desk(row.name))
            assert len([body for body in bodies if "番号で答えてください" in body]) == 1
