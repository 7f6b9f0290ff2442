"""Wrong passwords: counted per account and address, and more loosely per address and per account."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.accounts.accounts import Accounts
from server.accounts.passwords import Passwords
from server.foundation.clock import SystemClock
from server.foundation.errors import LimitExceeded
from server.http.login_attempts import LoginAttempts
from server.storage.streams import StreamPositions
from tests.empty_database import empty_database

HANA = "@hana:test.example"
RIGHT = "cherry-blossom-4"
HOME, ELSEWHERE = "192.0.2.1", "203.0.113.9"


class Doorstep:
    """Tries passwords; ``None`` where one must wait."""

    def __init__(self, accounts: Accounts, per_minute: int) -> None:
        self._users = accounts.users
        self._attempts = LoginAttempts(SystemClock(), per_minute)

    async def tries(self, password: str, address: str, user_id: str = HANA) -> bool | None:
        try:
            return await self._attempts.authenticate(self._users, user_id, password, address) is not None
        except LimitExceeded:
            return None


@pytest.fixture
async def accounts(tmp_path: Path) -> AsyncIterator[Accounts]:
    async with empty_database(tmp_path / "node.db") as database:
        found = Accounts(database, StreamPositions(0), SystemClock(), "test.example", passwords=Passwords(4))
        await found.open()
        await found.create_user("hana", RIGHT)
        yield found


async def test_who_guesses_waits_and_the_owner_comes_in_from_elsewhere(accounts: Accounts) -> None:
    doorstep = Doorstep(accounts, 3)
    assert [await doorstep.tries("guess", ELSEWHERE) for _ in range(4)] == [False, False, False, None]
    assert await doorstep.tries(RIGHT, ELSEWHERE) is None
    assert await doorstep.tries(RIGHT, HOME) is True


async def test_guesses_at_the_same_moment_are_counted_like_others(accounts: Accounts) -> None:
    doorstep = Doorstep(accounts, 3)
    found = await asyncio.gather(*[doorstep.tries("guess", ELSEWHERE) for _ in range(50)])
    assert found.count(False) == 3


async def test_right_passwords_are_never_too_many(accounts: Accounts) -> None:
    doorstep = Doorstep(accounts, 3)
    assert [await doorstep.tries(RIGHT, HOME) for _ in range(20)] == [True] * 20


async def test_an_address_that_tries_many_accounts_waits(accounts: Accounts) -> None:
    doorstep = Doorstep(accounts, 3)
    found = [await doorstep.tries("guess", ELSEWHERE, f"@user{number}:test.example") for number in range(30)]
    assert found == [False] * 15 + [None] * 15
    assert await doorstep.tries(RIGHT, HOME) is True


async def test_an_account_that_very_many_addresses_try_waits(accounts: Accounts) -> None:
    doorstep = Doorstep(accounts, 1)
    found = [await doorstep.tries("guess", f"203.0.113.{number}") for number in range(40)]
    assert found == [False] * 30 + [None] * 10


async def test_unknown_users_are_counted_in_the_same_way(accounts: Accounts) -> None:
    doorstep = Doorstep(accounts, 3)
    for user_id in (HANA, "@nobody:test.example"):
        assert [await doorstep.tries("guess", ELSEWHERE, user_id) for _ in range(4)] == [False, False, False, None]


async def test_without_limits_nobody_waits(accounts: Accounts) -> None:
    doorstep = Doorstep(accounts, 0)
    assert [await doorstep.tries("guess", HOME) for _ in range(50)] == [False] * 50
