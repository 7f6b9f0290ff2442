"""How a command is added: its name, its purpose, what carries it out."""

from __future__ import annotations

import argparse
import importlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from server.config import Settings, load_settings

Command = Callable[[argparse.Namespace], int]


def add_command(
    commands: Any, name: str, purpose: str, command: Command, *, config: bool = True
) -> argparse.ArgumentParser:
    """Add one; ``config``: it is about a node, whose settings are in a file."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=purpose, description=purpose)
    parser.set_defaults(command=command)
    if config:
        default = Path(os.environ.get("KAIRAN_CONFIG", "kairan.toml"))
        parser.add_argument("--config", type=Path, default=default, metavar="FILE", help=f"default: {default}")
    return parser


def add_group(commands: Any, name: str, purpose: str) -> Any:
    """Add a command that has several actions; answers what they are added to."""
    group = commands.add_parser(name, help=purpose)
    return group.add_subparsers(title="what to do", required=True, metavar="ACTION")


def settings_of(options: argparse.Namespace) -> Settings:
    """The settings of the node that a command is about; raises ``SettingsError``."""
    return load_settings(options.config)


def call(function: str, *arguments: object, **named: object) -> int:
    """Call ``module:function``, imported only now, and answer its exit status."""
    module, _, name = function.partition(":")
    status: int = getattr(importlib.import_module(module), name)(*arguments, **named)
    return status
