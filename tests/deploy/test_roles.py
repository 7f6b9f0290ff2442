"""What the roles say of themselves agrees; looked at without running them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from server.config import settings_page

ROLES = Path(__file__).parents[2] / "deploy/ansible/roles"
NAMES = sorted(folder.name for folder in ROLES.iterdir())


def read(role: str, file: str) -> Any:
    return yaml.safe_load((ROLES / role / file).read_text("utf-8")) or {}


@pytest.mark.parametrize("role", NAMES)
def test_every_variable_is_described_and_has_the_default_that_is_told(role: str) -> None:
    options = read(role, "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    defaults = read(role, "defaults/main.yml")
    assert defaults.keys() <= options.keys()
    told = {name: option["default"] for name, option in options.items() if "default" in option}
    assert {name: defaults.get(name) for name in told} == told
    assert all(option.get("description") for option in options.values())


@pytest.mark.parametrize("role", ["kairan_machine", "kairan_node", "kairan_postgresql", "kairan_proxy"])
def test_renamed_variables_lead_to_some_that_exist(role: str) -> None:
    options = read(role, "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    renamed = read(role, "vars/main.yml")[f"{role}_renamed"]
    assert renamed
    assert set(renamed.values()) <= options.keys()
    assert not renamed.keys() & options.keys()


def test_the_role_sets_only_settings_that_exist() -> None:
    page = settings_page()
    for section, values in read("kairan_node", "vars/main.yml")["kairan_node_own_settings"].items():
        described = page.partition(f"## [{section}]")[2].partition("\n## ")[0]
        assert described, section
        assert [name for name in values if f"| `{name}` |" not in described] == []
