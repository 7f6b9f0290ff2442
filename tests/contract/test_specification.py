"""The table of endpoints and the specification's files name the same things."""

from __future__ import annotations

import pytest

from tests.contract.deviations import deviations
from tests.contract.schemas import answer_schema, request_schema
from tests.contract.specification import (
    CLIENT_SERVER,
    SERVER_SERVER,
    Operation,
    described,
    find,
    operations,
    server_operations,
)

STABLE = [operation for operation in operations() if operation.is_stable]


def test_the_table_holds_every_operation_of_the_specification_and_no_other() -> None:
    written = {
        (method, path, found["operationId"], file.name, str(found.get("x-addedInMatrixVersion", "")))
        for file in CLIENT_SERVER.glob("*.yaml")
        for method, path, found in described(file)
    }
    assert {(row.method, row.path, row.name, row.file, row.added) for row in STABLE} == written


def test_the_table_for_servers_holds_every_operation_of_the_specification_and_no_other() -> None:
    written = {
        (method, path, found["operationId"], file.name)
        for file in SERVER_SERVER.glob("*.yaml")
        for method, path, found in described(file)
    }
    assert {(row.method, row.path, row.name, row.file) for row in server_operations()} == written


def test_the_table_names_no_operation_twice() -> None:
    names = [operation.name for operation in STABLE]
    assert len(names) == len(set(names))
    routes = [operation.route for operation in operations() if not operation.is_stable]
    assert len(routes) == len(set(routes))


def test_every_operation_has_a_tier() -> None:
    assert {operation.tier for operation in operations()} == {"T1", "T2", "T3", "T4"}


@pytest.mark.parametrize("operation", [*STABLE, *server_operations()], ids=lambda operation: operation.label)
def test_every_schema_can_be_used_and_every_path_is_found(operation: Operation) -> None:
    request_schema(operation)
    for status in operation.description["responses"]:
        answer_schema(operation, int(status))
    assert operation in find(operation.method, operation.path.replace("{", "").replace("}", ""))


def test_old_names_and_missing_state_keys_are_found() -> None:
    for path, name in (
        ("r0/login", "getLoginFlows"), ("v3/rooms/%21a/state/m.room.name", "getRoomStateWithKey"),
        ("v3/rooms/%21a/state", "getRoomState"), ("v3/rooms/%21a/state/", "getRoomState"),
    ):
        assert [found.name for found in find("GET", f"/_matrix/client/{path}")] == [name]
    assert find("GET", "/_matrix/client/v3/nothing") == find("PUT", "/_matrix/client/v3/devices") == []


def test_every_deviation_has_a_reason_a_source_and_an_operation_that_exists() -> None:
    names = {operation.name for operation in STABLE} | {".*"}
    for deviation in deviations():
        assert deviation.reason
        assert deviation.source
        assert deviation.operation.partition(" ")[0] in names or not deviation.operation.isidentifier()
