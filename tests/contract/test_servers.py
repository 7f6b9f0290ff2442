"""The page of conformance for other servers says what is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.contract.doors import doors_of_a_node
from tests.contract.servers import (
    ASKED_BY,
    NOT_OFFERED,
    OPEN,
    PAGE,
    ROOT,
    Tried,
    page,
    state,
    tried,
)
from tests.contract.specification import find, server_operations


async def test_every_endpoint_has_a_door_or_a_reason(tmp_path: Path) -> None:
    doors = await doors_of_a_node(tmp_path)
    without = {row.name for row in server_operations() if not doors.has(row.method, row.path)}
    # Only where an address is configured.
    assert without - {"getWellKnown"} == NOT_OFFERED.keys()


def test_every_endpoint_was_seen_to_succeed_and_to_refuse() -> None:
    found = tried()
    states = {row.name: state(row, found.get(row.route, Tried())) for row in server_operations()}
    bare = {name for name, said in states.items() if said not in ("tested", "not offered", "tested, always refuses")}
    assert bare - OPEN == set()
    assert {states[name] for name in OPEN} <= {"tested", "tested, never refuses"}


@pytest.mark.parametrize(("path", "name"), [
    ("/_matrix/federation/v1/query/profile", "queryProfile"), ("/_matrix/federation/v1/query/other", "queryInfo"),
    ("/_matrix/federation/v1/event/%24abc", "getEvent"), ("/_matrix/federation/v1/event/a/b", None),
    ("/_matrix/key/v2/server", "getServerKey"),
])  # fmt: skip
def test_a_path_is_found_in_the_table(path: str, name: str | None) -> None:
    assert next((row.name for row in find("GET", path)), None) == name


@pytest.mark.parametrize(("name", "file"), sorted(ASKED_BY.items()))
def test_whoever_is_said_to_ask_names_the_path(name: str, file: str) -> None:
    path = next(row.path for row in server_operations() if row.name == name)
    fixed = re.sub(r"^/_matrix/federation/v\d|/\{.*", "", path)
    source = (ROOT / file).read_text("utf-8")
    assert fixed in source or re.sub(r"(make_)\w+", r"\1{membership}", fixed) in source


def test_the_page_for_servers_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: make docs"
