"""What documents say of the code: doors, kinds of events, examples, files. Each is compared with what there is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from functools import cache
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from tests.architecture.source import ROOT, sources, text_files

EVENTS = ROOT / "docs/events"
SCHEMAS = {file.name.removesuffix(".schema.json"): file for file in sorted(EVENTS.glob("*.schema.json"))}
PAGES = sorted([*EVENTS.glob("*.md"), ROOT / "docs/protocol.md"])
_KIND = re.compile(r"jp\.kairan(?:\.[a-z_]+)+")
_EXAMPLE = re.compile(r"```json\n(.*?)```", re.DOTALL)
_FILE = re.compile(r"`((?:server|federation|bridges|tests|deploy|benchmarks)/[\w./-]+|[\w/]+\.py)`")
# Apps that are told of news; and requests between servers.
_APPS = {"jp.kairan.web"}
_NO_EVENTS = {"jp.kairan.link.agree", "jp.kairan.link.summary", "jp.kairan.share.agree", "jp.kairan.share.summary"}


@cache
def _texts_in_code() -> frozenset[str]:
    return frozenset(
        node.value for source in sources() for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


@cache
def _kinds_in_code() -> frozenset[str]:
    return frozenset(_kinds_in(_texts_in_code()))


def _kinds_in(texts: Iterable[str]) -> set[str]:
    """Without the names of the files about them."""
    return {re.sub(r"(\.schema)?(\.json|\.md)?$", "", kind) for text in texts for kind in _KIND.findall(text)}


def test_every_kind_of_event_is_described_and_every_description_is_of_one() -> None:
    said = _kinds_in(page.read_text("utf-8") for page in PAGES)
    assert _kinds_in_code() - said - _APPS == set(), "nobody has written down what these are"
    assert said - _kinds_in_code() - _NO_EVENTS == set(), "the node knows nothing of these"


def test_every_schema_is_found_from_the_list_of_events() -> None:
    listed = (EVENTS / "README.md").read_text("utf-8")
    assert [name for name, file in SCHEMAS.items() if f"({file.name})" not in listed] == []


def test_the_doors_of_the_protocol_are_doors() -> None:
    said = set(re.findall(r"`(?:POST|GET|PUT) (/_matrix/[^`]+)`", (ROOT / "docs/protocol.md").read_text("utf-8")))
    assert len(said) >= 3
    assert said - _texts_in_code() == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_examples_are_as_their_schemas_say(page: Any) -> None:
    for example in _EXAMPLE.findall(page.read_text("utf-8")):
        for kind, content in _contents(orjson.loads(example)):
            Draft202012Validator(orjson.loads(SCHEMAS[kind].read_bytes())).validate(content)


def _contents(value: Any) -> Iterator[tuple[str, Any]]:
    """Whatever in an example has a schema: keys of contents, and contents of events."""
    if isinstance(value, dict):
        yield from ((kind, content) for kind, content in value.items() if kind in SCHEMAS)
        if value.get("type") in SCHEMAS and "content" in value:
            yield value["type"], value["content"]
        for inner in value.values():
            yield from _contents(inner)


def test_files_that_documents_name_are_there() -> None:
    names = {path for folder in ("server", "federation", "bridges", "tests", "deploy", "benchmarks")
             for path in (item.relative_to(ROOT).as_posix() for item in (ROOT / folder).rglob("*"))}
    made = {"tests/screenshots"}  # by whoever wants to look at them
    missing = [
        f"{page.name}: {name}"
        for page in (*(ROOT / "docs").glob("*.md"), *(ROOT / "docs/decisions").glob("*.md"), *PAGES)
        for name in {*_FILE.findall(page.read_text("utf-8"))} - made
        if not any(f"/{path}".endswith(f"/{name.rstrip('/')}") for path in names)
    ]
    assert missing == []


def test_the_map_names_every_file_of_the_assembly() -> None:
    page = (ROOT / "docs/architecture.md").read_text("utf-8")
    table = page.partition("## Inside the assembly")[2].partition("\n## ")[0]
    named = re.findall(r"`([\w*]+\.py)`", table)
    files = [file.name for file in (ROOT / "server/assembly").glob("*.py") if file.name != "__init__.py"]
    patterns = [*named, "*_pages.py", "*_there_store.py"]
    assert [name for name in files if not any(fnmatch(name, pattern) for pattern in patterns)] == []
    assert [pattern for pattern in named if not any(fnmatch(name, pattern) for name in files)] == []


def test_names_in_the_list_of_words_are_names_in_the_code() -> None:
    scripts = [text for path, text in text_files() if path.endswith(".js")]
    known = set(re.findall(r"\w+", "\n".join([*(source.text for source in sources()), *scripts])))
    said = re.findall(r"`([A-Z]\w+(?:\.\w+)?|[a-z]+_\w+)`", (ROOT / "docs/words.md").read_text("utf-8"))
    assert len(said) > 100
    assert [name for name in said if not known.issuperset(name.split("."))] == []


def test_tables_are_whole_and_no_word_stands_there_twice() -> None:
    for path, text in text_files():
        if path.startswith("docs/") and path.endswith(".md"):
            for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
                rows = table.splitlines()
                assert len({row.count("|") - row.count("\\|") for row in rows}) == 1, f"{path}: {rows[0]}"
                assert path != "docs/words.md" or len(set(rows)) == len(rows), f"{path}: {rows[0]}"
