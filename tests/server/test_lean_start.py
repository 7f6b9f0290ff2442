"""server/lean_start.py: a node never compiles libraries while it starts."""

from __future__ import annotations

import importlib.util
import os
import py_compile
import subprocess
import sys
import textwrap
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from server import lean_start


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library that stands for all of them."""
    source = tmp_path / "library.py"
    source.write_text('"""A docstring."""\n')
    find: Callable[[str], ModuleSpec] = lambda name: ModuleSpec(name, None, origin=str(source))  # noqa: E731
    monkeypatch.setattr(lean_start.importlib.util, "find_spec", find)  # type: ignore[attr-defined]
    return source


def compile_without_docstrings(source: Path) -> Path:
    target = importlib.util.cache_from_source(str(source), optimization="2")
    py_compile.compile(str(source), target, optimize=2)
    return Path(target)


def test_without_compiled_files_a_node_starts_as_it_is(library: Path) -> None:
    assert not lean_start.is_compiled()


def test_with_compiled_files_it_may_leave_the_docstrings_out(library: Path) -> None:
    compile_without_docstrings(library)
    assert lean_start.is_compiled()


def test_compiled_files_older_than_the_source_do_not_count(library: Path) -> None:
    compiled = compile_without_docstrings(library)
    os.utime(compiled, (0, 0))
    assert not lean_start.is_compiled()


def test_a_library_that_is_not_there_is_not_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lean_start, "_LARGEST", ("a_library_that_does_not_exist",))
    assert not lean_start.is_compiled()


def test_a_package_opens_when_it_is_asked_for_a_name() -> None:
    told = _in_a_process_of_its_own("""
        from server.lean_start import open_slowly
        open_slowly("aiohttp")
        import aiohttp.web
        print("aiohttp.client" in sys.modules)
        print(aiohttp.ClientSession.__name__, aiohttp.__version__ == aiohttp.http.__version__)
        print("aiohttp.client" in sys.modules)
    """)
    assert told.split() == ["False", "ClientSession", "True", "True"]


def test_a_node_starts_without_what_it_seldom_needs() -> None:
    told = _in_a_process_of_its_own("""
        from server.lean_start import open_slowly
        open_slowly("aiohttp")
        import server.assembly
        heavy = ("aiohttp.client", "jinja2", "lxml", "icalendar", "PIL", "reportlab", "segno", "dateutil", "asyncpg",
                 "sqlalchemy.orm", "server.web", "server.caldav")
        print([name for name in heavy if name in sys.modules])
    """)
    assert told.strip() == "[]"


def _in_a_process_of_its_own(code: str) -> str:
    lines = "import sys\n" + textwrap.dedent(code)
    done = subprocess.run([sys.executable, "-c", lines], check=True, capture_output=True, text=True, timeout=60)
    return done.stdout
