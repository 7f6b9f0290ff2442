"""What can go wrong in a demo, as one sentence for whoever tries it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from server.foundation.errors import Refused


class DemoFailed(Exception):
    """The node, its pages or the people did not do what they should."""


@contextmanager
def as_refusal() -> Iterator[None]:
    """Turn a ``DemoFailed`` into the ``Refused`` that the command prints, also where task groups have wrapped it."""
    try:
        yield
    except (DemoFailed, ExceptionGroup) as fault:
        reason = _first(fault)
        if isinstance(reason, DemoFailed):
            raise Refused(f"The demo could not go on: {reason}") from fault
        raise


def _first(fault: BaseException) -> BaseException:
    while isinstance(fault, BaseExceptionGroup):
        fault = fault.exceptions[0]
    return fault
