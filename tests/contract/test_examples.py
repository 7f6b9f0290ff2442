"""What the specification gives as examples of requests is taken, or refused with a reason."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import RunningNode
from tests.contract.examples import request_examples
from tests.contract.specification import Operation, operations
from tests.contract.world import furnish

EXAMPLES = [
    pytest.param(operation, example, id=f"{operation.name}-{number}")
    for operation in operations() if operation.is_stable
    for number, example in enumerate(request_examples(operation))
]  # fmt: skip


@pytest.mark.parametrize(("operation", "example"), EXAMPLES)
async def test_an_example_of_the_specification_is_taken_or_refused_with_a_reason(
    node: RunningNode, operation: Operation, example: Any
) -> None:
    world = await furnish(node)
    answer = await world.person.ask(operation.method, world.path(operation), example)
    assert answer.status < 500
    if answer.status >= 400:
        assert str(answer.code).startswith("M_") or "flows" in answer.body
