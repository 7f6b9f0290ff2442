"""Sessions of browsers over a year, and the cookie behind TLS."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web

from server.accounts.accounts import Accounts
from server.accounts.passwords import Passwords
from server.accounts.web_sessions import LIFETIME_S, WebSessions
from server.foundation.errors import NotFound
from server.storage.database import Database
from server.storage.position_store import open_positions
from server.web.security import CookieJar
from tests.empty_database import empty_database
from tests.fakes.clock import FakeClock

DAY_S = 24 * 3600


@dataclass
class Desk:
    clock: FakeClock
    accounts: Accounts
    database: Database
    user_id: str

    def sessions(self) -> WebSessions:
        """Newly opened, as after a restart."""
        return WebSessions(self.database, self.clock, self.accounts.users)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    clock = FakeClock()
    async with empty_database(tmp_path / "kairan.db") as database:
        accounts = Accounts(database, await open_positions(database), clock, "sakura.example", passwords=Passwords(4))
        await accounts.open()
        yield Desk(clock, accounts, database, await accounts.create_user("hanako", "sakura-no-ki"))


async def test_a_session_outlives_a_restart(desk: Desk) -> None:
    token = await desk.sessions().begin(desk.user_id)
    found = await desk.sessions().find(token)
    assert found is not None
    assert found.user_id == desk.user_id


async def test_whoever_comes_now_and_then_is_never_logged_out(desk: Desk) -> None:
    sessions = desk.sessions()
    token = await sessions.begin(desk.user_id)
    for _ in range(3):
        await desk.clock.advance(LIFETIME_S - DAY_S)
        assert await sessions.find(token) is not None
        await sessions.end("somebody else's")  # the note of being seen is on disk before this is
        sessions = desk.sessions()


async def test_after_four_hundred_days_without_use_it_is_over(desk: Desk) -> None:
    sessions = desk.sessions()
    token = await sessions.begin(desk.user_id)
    await desk.clock.advance(LIFETIME_S + 1)
    assert await sessions.find(token) is None
    assert await desk.sessions().find(token) is None


async def test_ending_one_leaves_the_others_and_ending_all_leaves_none(desk: Desk) -> None:
    sessions = desk.sessions()
    first, second, third = [await sessions.begin(desk.user_id) for _ in range(3)]
    await sessions.end(first)
    assert [await sessions.find(token) is not None for token in (first, second, third)] == [False, True, True]
    await sessions.end_all(desk.user_id)
    assert [await sessions.find(token) for token in (first, second, third)] == [None, None, None]
    assert await desk.sessions().find(second) is None


async def test_no_token_is_on_the_disk(desk: Desk, tmp_path: Path) -> None:
    token = await desk.sessions().begin(desk.user_id)
    assert all(token.encode() not in file.read_bytes() for file in tmp_path.iterdir() if file.is_file())


async def test_a_session_needs_an_open_account(desk: Desk) -> None:
    with pytest.raises(NotFound):
        await desk.sessions().begin("@nobody:sakura.example")


def test_behind_tls_the_cookie_is_bound_to_this_host() -> None:
    response = web.Response()
    CookieJar("https://sakura.example").set(response, "secret")
    said = response.cookies["__Host-kairan"].OutputString()
    for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert word in said
    assert "Domain" not in said
