"""The source tree as the architecture tests see it: read once, parsed where somebody asks, asked many times."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("server", "federation", "bridges")
TEXT_FILES = (".py", ".md", ".toml", ".html", ".sql", ".js", ".css", ".yml", ".yaml", ".txt", ".cfg", ".sh", "")
_NOT_OURS = {"__pycache__", "build", "data", "demo-data", "node_modules"}


@dataclass(frozen=True)
class Source:
    """One Python file: ``path`` relative to the repository, its text, and its tree when it is first asked for."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def lines(self) -> int:
        return self.text.count("\n")

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node

    def imports(self) -> Iterator[tuple[int, str]]:
        """Line and full name of everything imported, wherever it stands."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


@cache
def sources(*folders: str) -> tuple[Source, ...]:
    """All Python files below ``folders`` (the packages of the node unless told otherwise)."""
    found = [file for folder in folders or PACKAGES for file in sorted((ROOT / folder).rglob("*.py"))]
    return tuple(_read(file) for file in found)


def _read(file: Path) -> Source:
    return Source(file.relative_to(ROOT).as_posix(), file.read_text("utf-8"))


@cache
def text_files() -> tuple[tuple[str, str], ...]:
    """Path and text of every file that a person writes, recorded data aside."""
    found = []
    for file in sorted(ROOT.rglob("*")):
        parts = file.relative_to(ROOT).parts
        if any(part in _NOT_OURS or (part.startswith(".") and part != ".ci") for part in parts[:-1]):
            continue
        if file.is_file() and file.suffix in TEXT_FILES and not parts[-1].startswith("."):
            found.append(("/".join(parts), file.read_text("utf-8")))
    return tuple(found)
