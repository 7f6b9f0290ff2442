"""Nodes to be tried: ``kairan demo`` and the replay of a safety check, both with made-up people.

Only the command calls it. Setting up is done with the verbs of the association before the node starts; a replay then
touches the node over HTTP alone. It never reads or changes a node that is not its own.
"""

from __future__ import annotations

import importlib


def run_demo(
    *, replay: str | None = None, users: int | None = None, as_json: bool = False, port: int = 0
) -> int:
    """Run the demo until Ctrl-C, or a replay to its end; answers the exit status.

    ``users`` is the number of people in the replay, ``as_json`` prints its result as one JSON object. ``port`` is the
    first that a new demo tries; with 0, any.
    """
    # By name: the processes of a replay's people live in this package too, and must not load the whole node.
    if replay is None:
        status: int = importlib.import_module("server.demo.try_out").try_out(port)
    else:
        status = importlib.import_module("server.demo.replay").run_replay(users, as_json=as_json)
    return status
