"""How much is kept of what devices know, and for how long; no node is needed for it."""

from __future__ import annotations

import pytest

from server.sync.sliding.asked import RoomWish
from server.sync.sliding.connections import (
    KEPT_CONNECTIONS,
    KEPT_S,
    Connection,
    Connections,
    Told,
    ToldRoom,
    UnknownPos,
)
from server.sync.tokens import SyncToken
from tests.fakes.clock import FakeClock


def told(rooms: int = 0) -> Told:
    return Told(SyncToken(5, 7), rooms={str(number): ToldRoom(RoomWish(1), 1) for number in range(rooms)})


def test_a_position_begins_as_a_token_of_sync() -> None:
    pos = Connection().answered(None, told())
    assert SyncToken.parse(pos).stream == 5


def test_what_was_answered_since_is_kept_until_the_device_comes_back() -> None:
    connection = Connection()
    first = connection.answered(None, told())
    lost = [connection.answered(first, told()) for _ in range(4)]
    assert connection.at(first).token == connection.at(lost[-1]).token
    for unknown in (first, lost[0], lost[1]):
        with pytest.raises(UnknownPos):
            connection.at(unknown)


def test_positions_of_other_connections_are_unknown() -> None:
    one, other = Connection(), Connection()
    pos = one.answered(None, told())
    other.answered(None, told())
    for wrong in (pos, "", "~", "~~", "s5_7~x~1", f"{pos}1", pos.rpartition("~")[0], f"{pos}~", "s5_7~~-1"):
        with pytest.raises(UnknownPos):
            other.at(wrong)


def test_a_device_has_so_many_connections() -> None:
    connections = Connections(FakeClock())
    for number in range(KEPT_CONNECTIONS + 1):
        connections.begin("@a:x", "D", str(number))
    with pytest.raises(UnknownPos):
        connections.find("@a:x", "D", "0")
    connections.find("@a:x", "D", "1")


async def test_whoever_does_not_come_back_for_a_week_is_forgotten() -> None:
    clock = FakeClock()
    connections = Connections(clock)
    connections.begin("@a:x", "D", "")
    connections.begin("@b:x", "D", "")
    await clock.advance(KEPT_S / 2)
    connections.find("@b:x", "D", "")
    await clock.advance(KEPT_S / 2 + 1)
    connections.begin("@c:x", "D", "")
    connections.find("@b:x", "D", "")
    with pytest.raises(UnknownPos):
        connections.find("@a:x", "D", "")


def test_where_much_is_known_those_who_came_longest_ago_are_forgotten() -> None:
    connections = Connections(FakeClock(), rooms=250)
    for user_id in ("@a:x", "@b:x", "@c:x"):
        connections.begin(user_id, "D", "").answered(None, told(100))
        connections.find(user_id, "D", "")
    connections.begin("@d:x", "D", "")
    with pytest.raises(UnknownPos):
        connections.find("@a:x", "D", "")
    for user_id in ("@b:x", "@c:x", "@d:x"):
        connections.find(user_id, "D", "")


def test_a_device_that_knows_too_much_is_not_forgotten_while_it_is_here() -> None:
    connections = Connections(FakeClock(), rooms=50)
    connections.begin("@a:x", "D", "").answered(None, told(100))
    connections.find("@a:x", "D", "")
    connections.begin("@a:x", "D", "other")
    connections.find("@a:x", "D", "")
