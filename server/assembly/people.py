"""Accounts and invitations from the command line, whether the node is running or not."""

from __future__ import annotations

import asyncio
import http.client
import sys
from collections.abc import Mapping
from typing import Any, Final

import orjson

from server.assembly.node import Node, build
from server.assembly.operator import COMMANDS, DOOR, seal
from server.config import Settings
from server.foundation.clock import SystemClock
from server.foundation.errors import Refused
from server.foundation.folder_lock import FolderInUse
from server.foundation.signatures import SigningKey
from server.storage.faults import for_operators

_TIMEOUT_S: Final = 60.0


def add_user(settings: Settings, localpart: str, password: str, *, is_admin: bool = False) -> int:
    """Make an account."""
    return perform(settings, "add_user", {"localpart": localpart, "password": password, "is_admin": is_admin})


def list_users(settings: Settings) -> int:
    """Print all accounts, one a line."""
    return perform(settings, "list_users", {})


def hold_user(settings: Settings, localpart: str, how: str, *, on: bool) -> int:
    """Lock or suspend an account (``how``: ``locked`` or ``suspended``), or take it back."""
    return perform(settings, "hold_user", {"localpart": localpart, "how": how, "on": on})


def deactivate_user(settings: Settings, localpart: str) -> int:
    """Close an account for ever."""
    return perform(settings, "deactivate_user", {"localpart": localpart})


def erase_user(settings: Settings, localpart: str) -> int:
    """Remove all that is known of somebody."""
    return perform(settings, "erase_user", {"localpart": localpart})


def change_password(settings: Settings, localpart: str, password: str) -> int:
    """Set a new password and log all devices out."""
    return perform(settings, "change_password", {"localpart": localpart, "password": password})


def make_token(settings: Settings, *, uses: int, days: int) -> int:
    """Print a registration token for ``uses`` accounts within ``days``."""
    return perform(settings, "make_token", {"uses": uses, "days": days})


def invite(settings: Settings, *, name: str, block: str, role: str) -> int:
    """Print an invitation: a link and a short code."""
    return perform(settings, "invite", {"name": name, "block": block, "role": role})


def notice(settings: Settings, *, localpart: str, text: str) -> int:
    """Tell one, or everybody, what they must know."""
    return perform(settings, "notice", {"localpart": localpart, "text": text})


def perform(settings: Settings, command: str, said: Mapping[str, Any]) -> int:
    """Carry out one of ``COMMANDS`` on the node, whether it is running or not, and print what it says."""
    try:
        lines = asyncio.run(_on_own_node(settings, command, said))
    except FolderInUse:
        lines = on_running_node(settings, command, said)
    except Exception as fault:
        raise for_operators(fault) or fault from None
    for line in lines:
        sys.stdout.write(line + "\n")
    return 0


async def _on_own_node(settings: Settings, command: str, said: Mapping[str, Any]) -> list[str]:
    async with build(settings) as node:
        return await _carry_out(node, command, said)


async def _carry_out(node: Node, command: str, said: Mapping[str, Any]) -> list[str]:
    return await COMMANDS[command](node, said)


def on_running_node(settings: Settings, command: str, said: Mapping[str, Any]) -> list[str]:
    """Ask the node at its own address; raises what it refuses."""
    seed = SigningKey.read(settings.signing_key_file.read_text()).seed
    listen = settings.http.listen
    connection = http.client.HTTPConnection(listen.host, listen.port, timeout=_TIMEOUT_S)
    try:
        connection.request("POST", DOOR, seal(seed, command, said, SystemClock().now_ms()))
        answer = connection.getresponse()
        told: Any = orjson.loads(answer.read())
        if not isinstance(told, dict):
            raise ValueError("something else answers there")
    except (OSError, ValueError, http.client.HTTPException) as fault:
        raise Refused(f"The node is running, but does not answer at {listen}: {fault}") from None
    finally:
        connection.close()
    if answer.status != 200:
        raise Refused(str(told.get("error")))
    lines: list[str] = told["lines"]
    return lines
