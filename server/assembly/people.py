"""What an operator does with accounts from the command line, on the node's database.

A node that runs meanwhile keeps its own memory of sessions: it learns of new accounts at once, of closed ones at
its next start.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

from server.assembly.node import Node, build
from server.config import Settings


def add_user(settings: Settings, localpart: str, password: str, *, is_admin: bool = False) -> int:
    """Make an account."""

    async def add(node: Node) -> None:
        user_id = await node.accounts.create_user(localpart, password, admin=is_admin)
        _say(f"{user_id} can log in now.")

    return _with_node(settings, add)


def list_users(settings: Settings) -> int:
    """Print all accounts, one a line."""

    async def show(node: Node) -> None:
        for user in await node.accounts.list_users():
            _say(str(user.user_id))

    return _with_node(settings, show)


def deactivate_user(settings: Settings, localpart: str) -> int:
    """Close an account for ever."""

    async def close(node: Node) -> None:
        user_id = node.accounts.users.named(localpart)
        await node.accounts.deactivate(user_id)
        _say(f"{user_id} is closed.")

    return _with_node(settings, close)


def change_password(settings: Settings, localpart: str, password: str) -> int:
    """Set a new password and log all devices out."""

    async def change(node: Node) -> None:
        user_id = node.accounts.users.named(localpart)
        await node.accounts.set_password(user_id, password)
        _say(f"{user_id} has a new password and is logged out everywhere.")

    return _with_node(settings, change)


def invite(settings: Settings, *, name: str, block: str, role: str) -> int:
    """Print an invitation: a link and a short code."""
    raise NotImplementedError


def _with_node(settings: Settings, act: Callable[[Node], Awaitable[None]]) -> int:
    async def go() -> None:
        async with build(settings) as node:
            await act(node)

    asyncio.run(go())
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
