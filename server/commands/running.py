"""Running a node: ``run``, ``check-config``."""

from __future__ import annotations

import argparse
import gc
import importlib
from typing import Any

from server.commands.adding import add_command, settings_of


def add_to(commands: Any) -> None:
    """Add ``run`` and ``check-config``."""
    add_command(commands, "run", "run the node until it is told to stop", _run)
    add_command(commands, "check-config", "look for mistakes in the settings", _check_config)


def _run(options: argparse.Namespace) -> int:
    settings = settings_of(options)
    gc.collect()  # the parser of the command line is one large circle, and would be kept for ever below
    gc.disable()  # importing makes no garbage, and looking for it takes a fifth of the start
    assembly = importlib.import_module("server.assembly")
    gc.freeze()
    gc.enable()
    status: int = assembly.run(settings)
    return status


def _check_config(options: argparse.Namespace) -> int:
    settings = settings_of(options)
    if settings.application_service_files:
        registrations = importlib.import_module("server.application_services.registration_files")
        registrations.read_registrations(settings.application_service_files)
    print(f"{options.config} is right: {settings.association.name}, {settings.server_name}, {settings.http.public_url}")
    return 0
