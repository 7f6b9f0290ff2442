"""The page of conformance says what is true."""

from __future__ import annotations

from pathlib import Path

from tests.contract.conformance import PAGE, not_offered, page, state, tried
from tests.contract.doors import doors_of_a_node
from tests.contract.specification import find, operations

# Open to everybody, so that there is nothing to refuse.
PUBLIC = frozenset({
    "GET /.well-known/matrix/client", "GET /_matrix/client/v3/login", "GET /_matrix/client/versions",
})  # fmt: skip
# Doors that only say that there is no such scope of push rules.
_SCOPES = "/_matrix/client/v3/pushrules/x"


async def test_every_door_for_clients_is_in_the_table_of_endpoints(tmp_path: Path) -> None:
    doors = await doors_of_a_node(tmp_path)
    unknown = {route for route in doors.routes() if not find(*route.replace("HEAD", "GET").split(" "))}
    assert {route for route in unknown if _SCOPES not in f"{route}/x"} == set()


async def test_what_was_tried_with_success_has_a_door_and_what_has_none_says_why(tmp_path: Path) -> None:
    doors = await doors_of_a_node(tmp_path)
    found = tried()
    for operation in operations():
        if operation.name in not_offered() or doors.has(operation.method, operation.path):
            continue
        assert operation.tier == "T4", f"{operation.route} has no door"
        assert operation.route not in found, f"{operation.route} has lost its door; run: make conformance"


def test_every_endpoint_that_clients_use_was_seen_to_succeed_and_to_refuse() -> None:
    found = tried()
    wanted = [row for row in operations() if row.tier in ("T1", "T2") and row.route not in PUBLIC]
    bare = {row.route for row in wanted if row.route not in found or state(row, found[row.route]) != "tested"}
    assert bare - {row.route for row in wanted if row.name in not_offered()} == set()


def test_what_is_said_not_to_be_offered_is_an_operation_that_never_succeeds() -> None:
    found = tried()
    routes = {row.name: row.route for row in operations()}
    names = not_offered().keys() - {"inviteBy3PID"}  # shares its route with inviteUser
    assert {name for name in names if (numbers := found.get(routes[name])) and numbers.successes} == set()


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: make docs"
