"""SQL is compiled once a process: the node of every test would compile the same hundred statements anew otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from sqlalchemy import Dialect, Engine, create_engine

from server.storage import engines


@contextmanager
def sql_is_compiled_once() -> Iterator[None]:
    """Within it all databases in files share what they have compiled, as those of one driver speak one dialect."""
    dialects: dict[str, Dialect] = {}
    compiled: dict[Any, Any] = {}

    def create(url: str, **wishes: Any) -> Engine:
        engine = create_engine(url, **wishes)
        if engine.dialect.name == "sqlite":
            engine.dialect = dialects.setdefault(engine.dialect.driver, engine.dialect)
            engine.update_execution_options(compiled_cache=compiled)
        return engine

    with patch.object(engines, "create_engine", create):
        yield
