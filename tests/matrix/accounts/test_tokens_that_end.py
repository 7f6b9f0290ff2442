"""Access tokens that end, renewing them, soft logout."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from server.storage.database import Database
from tests.matrix.accounts.conftest import PASSWORD, Answer, Node, StartNode

HOUR_MS = 3_600_000
LOGIN = {"type": "m.login.password", "user": "hana", "password": PASSWORD, "device_id": "PHONE", "refresh_token": True}


async def logged_in(node: Node) -> dict[str, Any]:
    """Hana's tokens on her telephone."""
    await node.accounts.create_user("hana", PASSWORD)
    status, answer = await node.ask("POST", "v3/login", LOGIN)
    assert status == 200
    found: dict[str, Any] = answer
    return found


async def whoami(node: Node, token: str) -> Answer:
    return await node.ask("GET", "v3/account/whoami", token=token)


async def renew(node: Node, token: Any) -> Answer:
    return await node.ask("POST", "v3/refresh", {"refresh_token": token})


async def rows(database: Database) -> list[tuple[Any, ...]]:
    """All tokens, as they are kept."""
    found = [await database.fetch_all(text(f"SELECT * FROM {name}")) for name in ("access_tokens", "refresh_tokens")]
    return sorted(tuple(row) for table in found for row in table)


async def test_who_does_not_ask_gets_a_token_for_ever(node: Node) -> None:
    await node.accounts.create_user("hana", PASSWORD)
    _, answer = await node.ask("POST", "v3/login", {**LOGIN, "refresh_token": False})
    assert not {"refresh_token", "expires_in_ms"} & answer.keys()
    node.clock.ahead_s = 10 * 366 * 86_400
    assert (await whoami(node, answer["access_token"]))[0] == 200


async def test_a_token_ends_softly_and_is_renewed(node: Node) -> None:
    first = await logged_in(node)
    assert first["expires_in_ms"] == HOUR_MS
    assert (await whoami(node, first["access_token"]))[0] == 200
    node.clock.ahead_s += 3_600
    status, answer = await whoami(node, first["access_token"])
    assert (status, answer["errcode"], answer["soft_logout"]) == (401, "M_UNKNOWN_TOKEN", True)
    status, second = await renew(node, first["refresh_token"])
    assert (status, second.keys()) == (200, {"access_token", "refresh_token", "expires_in_ms"})
    status, who = await whoami(node, second["access_token"])
    assert (status, who["device_id"]) == (200, "PHONE")


async def test_old_tokens_are_good_until_a_new_one_is_used(node: Node) -> None:
    first = await logged_in(node)
    _, lost = await renew(node, first["refresh_token"])
    assert (await whoami(node, first["access_token"]))[0] == 200
    status, second = await renew(node, first["refresh_token"])
    assert status == 200, "the answer to the first renewal may have been lost"
    assert (await whoami(node, second["access_token"]))[0] == 200
    assert (await whoami(node, first["access_token"]))[0] == 401
    assert (await whoami(node, lost["access_token"]))[0] == 401
    assert (await renew(node, first["refresh_token"]))[0] == 401
    assert (await renew(node, second["refresh_token"]))[0] == 200


async def test_a_new_refresh_token_ends_the_old_ones_too(node: Node) -> None:
    first = await logged_in(node)
    _, second = await renew(node, first["refresh_token"])
    status, third = await renew(node, second["refresh_token"])
    assert status == 200
    status, answer = await renew(node, first["refresh_token"])
    assert (status, answer["errcode"]) == (401, "M_UNKNOWN_TOKEN")
    assert (await whoami(node, first["access_token"]))[0] == 401
    assert (await whoami(node, second["access_token"]))[0] == 200
    assert (await whoami(node, third["access_token"]))[0] == 200


@pytest.mark.parametrize(("token", "status", "code"), [
    ("unknown", 401, "M_UNKNOWN_TOKEN"), (None, 400, "M_MISSING_PARAM"), (5, 400, "M_BAD_JSON"),
])
async def test_a_wrong_renewal_is_refused_and_writes_nothing(node: Node, token: Any, status: int, code: str) -> None:
    await logged_in(node)
    before = await rows(node.database)
    found, answer = await renew(node, token)
    assert (found, answer["errcode"]) == (status, code)
    assert await rows(node.database) == before


async def test_a_refresh_token_may_end_too(start_node: StartNode) -> None:
    node = await start_node("[sessions]\nrefresh_token_days = 2\n")
    first = await logged_in(node)
    node.clock.ahead_s += 2 * 86_400
    before = await rows(node.database)
    status, answer = await renew(node, first["refresh_token"])
    assert (status, answer["errcode"], answer["soft_logout"]) == (401, "M_UNKNOWN_TOKEN", True)
    assert await rows(node.database) == before


async def test_a_token_that_cannot_be_renewed_may_end(start_node: StartNode) -> None:
    node = await start_node("[sessions]\nlasting_token_days = 1\n")
    person = await node.person("hana")
    node.clock.ahead_s += 86_400
    status, answer = await person.get("v3/account/whoami")
    assert (status, answer["soft_logout"]) == (401, True)


async def test_logging_in_again_after_a_soft_logout_keeps_the_keys(node: Node) -> None:
    first = await logged_in(node)
    keys = {"device_keys": {
        "user_id": first["user_id"], "device_id": "PHONE", "algorithms": [], "keys": {"ed25519:PHONE": "x"},
        "signatures": {},
    }}
    assert (await node.ask("POST", "v3/keys/upload", keys, token=first["access_token"]))[0] == 200
    node.clock.ahead_s += 3_600
    _, second = await node.ask("POST", "v3/login", LOGIN)
    wanted: dict[str, object] = {"device_keys": {first["user_id"]: []}}
    _, found = await node.ask("POST", "v3/keys/query", wanted, token=second["access_token"])
    assert found["device_keys"][first["user_id"]]["PHONE"]["keys"] == {"ed25519:PHONE": "x"}
    assert (await renew(node, first["refresh_token"]))[0] == 401


async def test_logging_out_ends_the_refresh_token(node: Node) -> None:
    first = await logged_in(node)
    assert (await node.ask("POST", "v3/logout", {}, token=first["access_token"]))[0] == 200
    assert (await renew(node, first["refresh_token"]))[0] == 401
    assert await rows(node.database) == []


async def test_renewals_survive_a_restart_and_no_token_is_on_disk(node: Node, start_node: StartNode) -> None:
    first = await logged_in(node)
    _, second = await renew(node, first["refresh_token"])
    again = await start_node()
    assert (await whoami(again, second["access_token"]))[0] == 200
    assert (await renew(again, second["refresh_token"]))[0] == 200
    kept = str(await rows(again.database))
    assert not any(token in kept for token in (first["access_token"], second["refresh_token"]))


async def test_a_new_account_may_have_a_renewable_token(node: Node) -> None:
    body = {"username": "hana", "password": PASSWORD, "refresh_token": True, "auth": {"type": "m.login.dummy"}}
    status, answer = await node.ask("POST", "v3/register", body)
    assert (status, answer["expires_in_ms"]) == (200, HOUR_MS)
    assert (await renew(node, answer["refresh_token"]))[0] == 200


async def test_guesses_of_refresh_tokens_are_slowed_down(start_node: StartNode) -> None:
    node = await start_node("[limits]\nlogin_attempts_per_minute = 3\n")
    answers = [await renew(node, f"guess {number}") for number in range(5)]
    assert [status for status, _ in answers] == [401, 401, 401, 429, 429]
    assert answers[-1][1]["errcode"] == "M_LIMIT_EXCEEDED"
    assert answers[-1][1]["retry_after_ms"] > 0
