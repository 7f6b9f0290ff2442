"""Trying it: ``demo``, and ``judge``, which answers questions about room rules."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Callable
from typing import Any

from server.commands.adding import add_command, call
from server.foundation.errors import Refused


def add_to(commands: Any) -> None:
    """Add them."""
    demo = add_command(commands, "demo", "try a node with made-up people on this machine", _demo, config=False)
    demo.add_argument("--replay", choices=["noto"], help="replay a safety check with real Matrix clients")
    demo.add_argument("--users", type=int, help="how many people take part in the replay")
    demo.add_argument("--json", action="store_true", help="print the result as one JSON object")
    demo.add_argument("--port", type=int, default=8008, metavar="N", help="the first port to try (0: any)")
    add_command(commands, "judge", "answer questions about room rules, one JSON object a line", _judge, config=False)


def _demo(options: argparse.Namespace) -> int:
    return call(
        "server.demo:run_demo", replay=options.replay, users=options.users, as_json=options.json, port=options.port)


def _judge(_options: argparse.Namespace) -> int:
    """Questions from standard input, one JSON object a line; as many answers to standard output."""
    answer = importlib.import_module("server.rooms.judge").answer
    for line in sys.stdin.buffer:
        if line.strip():
            print(json.dumps(_judged(answer, line), ensure_ascii=False), flush=True)
    return 0


def _judged(answer: Callable[[dict[str, Any]], dict[str, Any]], line: bytes) -> dict[str, Any]:
    """One answer; a question that is none gets ``error`` instead of a verdict, and the next one its turn."""
    try:
        question = json.loads(line)
    except (ValueError, RecursionError):
        return {"error": "This line is not JSON"}
    if not isinstance(question, dict):
        return {"error": "A question is a JSON object"}
    try:
        return answer(question)
    except Refused as refusal:
        return {"id": question.get("id"), "error": refusal.reason}
