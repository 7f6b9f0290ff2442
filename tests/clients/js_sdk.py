"""Runs a flow of matrix-js-sdk (tests/clients/js/flows) against a node, and hears what it has seen."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.builders import PASSWORD, RunningNode
from tests.real import require_real

FOLDER: Final = Path(__file__).with_name("js")
LIMIT_S: Final = 60
Deed = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Flow:
    """What a flow printed: the sentences that held, and why it stopped if it did."""

    held: list[str]
    failure: str | None

    @classmethod
    def of(cls, said: Sequence[Mapping[str, Any]], errors: str) -> Flow:
        held = [line["check"] for line in said if "check" in line]
        last: Mapping[str, Any] = said[-1] if said else {}
        if held and last.get("done") == len(held):
            return cls(held, None)
        return cls(held, f"{last.get('failed', 'it ended early')}\n{errors[-4000:]}")


async def run_flow(node: RunningNode, name: str, *people: str, deeds: Mapping[str, Deed] | None = None) -> list[str]:
    """Let ``name`` (file/function) run with ``people`` who have accounts; the sentences that held.

    ``deeds``: what is done with the node where the flow asks for it. Raises ``AssertionError`` where a check failed.
    """
    program = require_real("node")
    require_real("matrix-js-sdk")
    for person in people:
        await node.inside.accounts.create_user(person, PASSWORD)
    world = {"url": node.url, "serverName": node.settings.server_name, "password": PASSWORD}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        program, FOLDER / "run.mjs", name, stdin=pipe, stdout=pipe, stderr=pipe,
        env={"PATH": os.defpath, "KAIRAN_WORLD": json.dumps(world)},
    )
    try:
        flow = await asyncio.wait_for(_follow(process, deeds or {}), LIMIT_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert flow.failure is None, "\n".join(["it held:", *flow.held, "then:", str(flow.failure)])
    return flow.held


async def _follow(process: asyncio.subprocess.Process, deeds: Mapping[str, Deed]) -> Flow:
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    errors = asyncio.ensure_future(process.stderr.read())
    said: list[dict[str, Any]] = []
    async for line in process.stdout:
        said.append(json.loads(line))
        if "ask" in said[-1]:
            await deeds[said[-1]["ask"]]()
            process.stdin.write(b"done\n")
    return Flow.of(said, (await errors).decode())
