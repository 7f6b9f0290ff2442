"""A PostgreSQL server for those tests that need one."""

from __future__ import annotations

from tests.storage.conftest import cluster

__all__ = ["cluster"]
