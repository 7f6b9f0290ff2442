"""The only part that sees everything: builds, wires, starts and stops a node, and decides nothing.

The commands call it; nothing in the tree imports it but them, the demo and the tests. What it joins is
written down in the layers of ``pyproject.toml``.
"""

from server.assembly.node import Node, build
from server.assembly.running import answering, prepare_database, run
from server.assembly.web_application import make_app

__all__ = ["Node", "answering", "build", "make_app", "prepare_database", "run"]
