"""Nothing of the pages is kept that no page has any more: looks, components, templates, translations."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest

from server.web.languages.catalogues import HERE, read_po
from server.web.languages.template_texts import messages_of
from tests.architecture.source import ROOT, sources

_WEB = ROOT / "server/web"
_JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
_PLACE = re.compile(r"\{\d\}")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
# They are made of a word and a number.
_MADE = {"letters-2", "letters-3"}


@cache
def templates() -> dict[str, str]:
    return {file.name: file.read_text("utf-8") for file in sorted((_WEB / "templates").glob("*.html"))}


@cache
def literals() -> frozenset[str]:
    """What Python says in Japanese, with ``{}`` for values."""
    speaking = [source for source in sources() if _JAPANESE.search(source.text)]
    return frozenset(text for source in speaking for node in ast.walk(source.tree) for text in _literal(node))


def written() -> str:
    """The Python of the pages as it is written."""
    return "".join(source.text for source in sources("server/web"))


def _literal(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)  # type: ignore[misc]


def test_every_class_of_the_style_is_on_a_page() -> None:
    style = _COMMENT.sub("", (_WEB / "static/style.css").read_text("utf-8"))
    classes = set(re.findall(r"\.([a-z][\w-]*)", " ".join(re.findall(r"([^{}]+)\{", style))))
    scripts = [file.read_text("utf-8") for file in (_WEB / "static").glob("*.js")]
    pages = [text for name, text in templates().items() if name != "design.html"]
    words = set(re.findall(r"[\w-]+", " ".join([*pages, *scripts, written()])))
    assert classes - words - _MADE == set()


def test_every_component_is_used() -> None:
    everywhere = "".join(templates().values())
    macros = [name for text in templates().values() for name in re.findall(r"{%-? macro (\w+)\(", text)]
    assert [name for name in macros if len(re.findall(rf"\b{name}\(", everywhere)) < 2] == []


def test_every_template_is_shown_or_is_a_part_of_one() -> None:
    named = re.findall(r'"(\w+\.html)"', "".join([*templates().values(), written()]))
    assert set(templates()) - set(named) == set()


@pytest.mark.parametrize("code", ["en", "zh", "vi", "ja-easy"])
def test_every_translation_is_of_something_that_is_said(code: str) -> None:
    """A text of a template or of Python; what Python puts together of several is found piece by piece."""
    shown = {_PLACE.sub("{}", text) for source in templates().values() for text in messages_of(source)}
    said, pieces = shown | literals(), "\n".join(literals())
    messages = [_PLACE.sub("{}", message) for message in read_po((HERE / f"{code}.po").read_text("utf-8"))]
    assert [item for item in messages if item not in said and not all(
        piece in pieces for piece in re.split(r"\{\}|(?<=。)", item))] == []
