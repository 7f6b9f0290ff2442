"""All doors of accounts, for the assembly."""

from __future__ import annotations

from server.http.routes import Doors
from server.matrix_api import (
    account,
    account_data,
    devices,
    filters,
    login,
    profile,
    register,
    shared_secret_register,
    versions,
)

_GROUPS = (
    account, account_data, devices, filters, login, profile, register, shared_secret_register, versions,
)


def add_routes(doors: Doors) -> None:
    """Register every door of accounts."""
    for group in _GROUPS:
        group.add_routes(doors)
