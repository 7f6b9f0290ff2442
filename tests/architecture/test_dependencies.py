"""What the node imports is what it says that it needs: an installation without test tools must work, too."""

from __future__ import annotations

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
OURS = {"server", "federation", "bridges", "benchmarks", "tests"}
# What comes with a package that could do nothing without it.
BROUGHT_BY = {
    "cryptography": "pywebpush", "markupsafe": "jinja2", "multidict": "aiohttp",
    "py_vapid": "pywebpush", "yarl": "aiohttp",
}  # fmt: skip
# Asked for only where it is configured or shown.
OPTIONAL = {"nio", "trustme", "asyncpg", "asyncssh", "minio", "urllib3"}


def test_every_package_that_is_imported_is_named() -> None:
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    named = {_plain(item.split(";")[0]) for item in needed}
    by_module = packages_distributions()
    missing = set()
    for file in (*(ROOT / "server").rglob("*.py"), *(ROOT / "federation").rglob("*.py")):
        for module in _imported(file) - OURS - OPTIONAL - sys.stdlib_module_names:
            packages = {_plain(name) for name in by_module.get(module, [module])}
            if not packages & named and BROUGHT_BY.get(module) not in named:
                missing.add(f"{file.relative_to(ROOT)}: {module}")
    assert missing == set()


def _imported(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def _plain(requirement: str) -> str:
    name = requirement
    for sign in "[<>=!~ ":
        name = name.partition(sign)[0]
    return name.lower().replace("_", "-").replace(".", "-")
