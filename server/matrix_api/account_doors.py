"""All doors of accounts, for the assembly."""

from __future__ import annotations

from server.http.routes import Doors
from server.matrix_api import (
    account,
    account_data,
    devices,
    filters,
    key_backup,
    keys,
    keys_changes,
    login,
    profile,
    push_rules,
    rare_account_doors,
    shared_secret_register,
    tags,
    to_device,
    versions,
)

_GROUPS = (
    account, account_data, devices, filters, key_backup, keys, keys_changes, login,
    profile, push_rules, rare_account_doors, shared_secret_register, tags, to_device, versions,
)


def add_routes(doors: Doors) -> None:
    """Register every door of accounts."""
    for group in _GROUPS:
        group.add_routes(doors)
