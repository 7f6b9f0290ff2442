"""Door: what this server is."""

from __future__ import annotations

import importlib.metadata
from typing import Final

from aiohttp import web

from server.http.answers import json_answer
from server.http.routes import Doors

_NAME: Final = "Kairan"


def add_routes(doors: Doors) -> None:
    """Register the door of this file."""
    doors.get("/_matrix/federation/v1/version", server_version)


async def server_version(_request: web.Request) -> web.Response:
    """Name and version; some clients ask for them, too."""
    return json_answer({"server": {"name": _NAME, "version": _installed_version()}})


def _installed_version() -> str:
    try:
        return importlib.metadata.version("kairan")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
