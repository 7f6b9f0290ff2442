"""``/versions`` lists what is true: no version of which an endpoint is missing."""

from __future__ import annotations

from typing import Final

from server.matrix_api.versions import VERSIONS
from tests.contract.conformance import Tried, not_offered, state, tried
from tests.contract.specification import operations

# The version that the files of the specification describe (tests/data/matrix/spec/ORIGIN.md).
LATEST: Final = 19


def missing_since() -> set[int]:
    """The versions 1.x with an endpoint that was never seen to work and is not refused honestly; the old ones apart."""
    found = tried()
    return {
        int(operation.added.partition(".")[2] or 0)
        for operation in operations()
        if operation.is_stable and operation.tier != "T4" and operation.name not in not_offered()
        and not state(operation, found.get(operation.route, Tried())).startswith("tested")
    }  # fmt: skip


def test_the_list_of_versions_ends_before_the_first_of_which_something_is_missing() -> None:
    last = min(missing_since(), default=LATEST + 1) - 1
    assert list(VERSIONS) == ["r0.6.1", *(f"v1.{number}" for number in range(1, last + 1))]


def test_no_endpoint_is_newer_than_the_latest_version() -> None:
    assert {int(row.added.partition(".")[2] or 0) for row in operations() if row.is_stable} <= set(range(LATEST + 1))
