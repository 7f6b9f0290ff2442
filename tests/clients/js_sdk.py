"""Runs a flow of matrix-js-sdk (tests/clients/js/flows) against a node, and hears what it has seen."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.builders import PASSWORD, RunningNode
from tests.real import require_real

FOLDER: Final = Path(__file__).with_name("js")
LIMIT_S: Final = 60


@dataclass(frozen=True, slots=True)
class Flow:
    """What a flow printed: the sentences that held, and why it stopped if it did."""

    held: list[str]
    failure: str | None

    @classmethod
    def read(cls, lines: bytes, errors: bytes) -> Flow:
        said = [json.loads(line) for line in lines.decode().splitlines()]
        held = [line["check"] for line in said if "check" in line]
        last: dict[str, Any] = said[-1] if said else {}
        if last.get("done") == len(held) and held:
            return cls(held, None)
        return cls(held, f"{last.get('failed', 'it ended early')}\n{errors.decode()[-4000:]}")


async def run_flow(node: RunningNode, name: str, *people: str, **more: Any) -> list[str]:
    """Let ``name`` (file/function) run with ``people`` who have accounts; the sentences that held.

    Raises ``AssertionError`` where one did not.
    """
    program = require_real("node")
    require_real("matrix-js-sdk")
    for person in people:
        await node.inside.accounts.create_user(person, PASSWORD)
    world = {"url": node.url, "serverName": node.settings.server_name, "password": PASSWORD, **more}
    process = await asyncio.create_subprocess_exec(
        program, FOLDER / "run.mjs", name, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.defpath, "KAIRAN_WORLD": json.dumps(world)},
    )  # fmt: skip
    try:
        flow = Flow.read(*await asyncio.wait_for(process.communicate(), LIMIT_S))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert flow.failure is None, "\n".join(["it held:", *flow.held, "then:", str(flow.failure)])
    return flow.held
