"""What is said in the tree: docstrings of packages, settings, unfinished work, sizes."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from pathlib import PurePosixPath

import pytest

from server.config import settings_page
from tests.architecture.source import ROOT, Source, sources, text_files

_SENTENCE = re.compile(r"[.:;。](?:\s|$)")
_UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(?!\(#\d+\))")
_FOREIGN_PLACES = re.compile(r"/(?:work|root|Users)/[a-z]|\.pkg\.dev\b|\.internal\b|pypi\.org/simple|--index-url")


def test_the_page_of_settings_is_up_to_date() -> None:
    assert (ROOT / "docs/settings.md").read_text("utf-8") == settings_page(), "run: make docs"


@pytest.mark.parametrize("source", [source for source in sources() if source.path.endswith("__init__.py")],
                         ids=lambda source: source.path)  # fmt: skip
def test_a_package_says_what_it_holds_who_may_call_it_and_what_it_never_does(source: Source) -> None:
    text = ast.get_docstring(source.tree) or ""
    assert len(_SENTENCE.findall(text)) >= 3, "three sentences, please"


def test_a_module_says_what_it_is() -> None:
    assert [source.path for source in sources() if not ast.get_docstring(source.tree)] == []


def test_unfinished_work_carries_the_number_of_its_issue() -> None:
    """``TODO(#12)``, not a bare one."""
    assert _lines_with(_UNFINISHED, [".py", ".html", ".js", ".sql", ".md"]) == []


def test_no_machine_and_no_registry_is_named() -> None:
    assert _lines_with(_FOREIGN_PLACES, [".py", ".md", ".toml", ".yml", ".yaml", ".sh", ""]) == []


def _lines_with(pattern: re.Pattern[str], suffixes: list[str]) -> list[str]:
    own = "tests/architecture/"
    return [
        f"{path}:{number}"
        for path, text in text_files()
        if PurePosixPath(path).suffix in suffixes and not path.startswith(own) and path != "LICENSE"
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_links_of_the_documentation_lead_somewhere() -> None:
    links = [
        (path, target)
        for path, text in text_files()
        if path.endswith(".md")
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text)
    ]
    assert [f"{path}: {target}" for path, target in links if not (ROOT / path).parent.joinpath(target).exists()] == []


def test_a_file_can_be_read_in_one_sitting() -> None:
    files = {source.path: source.lines for source in (*sources(), *sources("tests", "benchmarks"))}
    _judge_sizes("lines of a file", files, wished=300, most=500)


def test_a_function_can_be_seen_at_once() -> None:
    _judge_sizes("lines of a function", {name: lines for name, lines, _count in _functions()}, wished=40, most=80)


def test_a_function_takes_few_arguments() -> None:
    """Many collaborators mean two classes in one."""
    _judge_sizes("arguments", {name: count for name, _lines, count in _functions()}, wished=7, most=9)


def _judge_sizes(what: str, sizes: dict[str, int], *, wished: int, most: int) -> None:
    """Beyond ``wished`` it is said at the end of the run; beyond ``most`` it is refused."""
    for name, size in sorted(sizes.items()):
        if wished < size <= most:
            warnings.warn(f"{size} {what}: {name}", stacklevel=2)
    assert {name: size for name, size in sizes.items() if size > most} == {}


def _functions() -> Iterator[tuple[str, int, int]]:
    for source in sources():
        for function in source.functions():
            names = [name.arg for name in (*function.args.args, *function.args.kwonlyargs)]
            count = len([name for name in names if name not in ("self", "cls")])
            yield f"{source.path} {function.name}", (function.end_lineno or 0) - function.lineno + 1, count
