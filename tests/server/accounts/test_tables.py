"""What the stores declare is what the migration makes."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Table, text

from server.accounts import (
    account_data_store,
    consents_store,
    cross_signing_store,
    dehydrated_store,
    device_keys_store,
    device_lists_store,
    key_backup_store,
    profiles_store,
    sessions_store,
    to_device_store,
    users_store,
)
from tests.empty_database import empty_database

_STORES = (
    account_data_store, consents_store, cross_signing_store, dehydrated_store, device_keys_store, device_lists_store,
    key_backup_store, profiles_store, sessions_store, to_device_store, users_store,
)
TABLES = {value.name: value for store in _STORES for value in vars(store).values() if isinstance(value, Table)}


@pytest.mark.parametrize("name", sorted(TABLES))
async def test_a_table_is_declared_as_it_was_made(tmp_path: Path, name: str) -> None:
    async with empty_database(tmp_path / "node.db") as database:
        made = await database.fetch_all(text(f"PRAGMA table_info({name})"))
    columns = {(row[1], bool(row[3]) and not row[5], bool(row[5])) for row in made}
    declared = {
        (column.name, not column.nullable and not column.primary_key, column.primary_key)
        for column in TABLES[name].columns
    }
    assert columns == declared
