"""Texts of templates: found by themselves, and put in another language before a template is compiled.

A message is what stands between two tags, with its values as ``{0}``, ``{1}`` … and with ``<b>`` and ``<br>`` in it;
and every Japanese literal in an expression. So templates are written as plain Japanese, and a page in another
language costs no more than one in Japanese.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from server.web.languages.catalogues import Catalogue
from server.web.languages.furigana import ruby_in_html

_JAPANESE: Final = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
_EXPRESSION: Final = r"\{\{.*?\}\}"
_STATEMENT: Final = r"\{%.*?%\}"
_TOKEN: Final = re.compile(
    rf"(?P<note>\{{#.*?#\}})|(?P<statement>{_STATEMENT})|(?P<expression>{_EXPRESSION})"
    rf'|(?P<tag></?[a-zA-Z!](?:{_EXPRESSION}|{_STATEMENT}|"(?:{_EXPRESSION}|{_STATEMENT}|[^"])*"|[^>"])*>)',
    re.DOTALL,
)
_INLINE: Final = re.compile(r"</?(?:b|br)>")
_LITERAL: Final = re.compile(r"\"([^\"\\]*)\"|'([^'\\]*)'")
_ATTRIBUTE: Final = re.compile(r'="([^"{]*)"')
_IMPORT: Final = re.compile(r"import \"[^\"]+\" as (\w+)")
_OUTER: Final = re.compile(r"\A((?:\s|<br>)*)(.*?)((?:\s|<br>)*)\Z", re.DOTALL)
_PLACE: Final = re.compile(r"\{(\d)\}")
# Where no tags may stand, so no readings either.
_PLAIN_TAGS: Final = ("title", "option", "textarea")


@dataclass(slots=True)
class _Run:
    """Text and values that follow one another."""

    pieces: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)

    def add_value(self, expression: str) -> None:
        self.pieces.append(f"{{{len(self.values)}}}")
        self.values.append(expression)


def messages_of(source: str) -> list[str]:
    """All messages of a template, each once, in their order."""
    found: dict[str, None] = {}

    def note(message: str, _is_plain: bool) -> None:
        found.setdefault(message)

    _walk(source, note, note)
    return list(found)


def translated(source: str, catalogue: Catalogue) -> str:
    """The template in another language."""

    def text(message: str, is_plain: bool) -> str | None:
        if is_plain:
            return catalogue.plain(message)
        answer = catalogue.find(message)
        return None if answer is None else ruby_in_html(answer)

    def literal(message: str, is_plain: bool) -> str | None:
        if is_plain or not catalogue.is_easy:
            return _quoted(catalogue.plain(message))
        return f"({_quoted(catalogue.find(message) or message)}|ruby)"

    return _walk(source, text, literal)


_Say = Callable[[str, bool], "str | None"]


def _walk(source: str, text: _Say, literal: _Say) -> str:
    helpers = {"parts", "super", "caller", *_IMPORT.findall(source)}
    done: list[str] = []
    run, is_plain = _Run(), False
    for kind, token in _tokens(source):
        if kind == "text" or (kind == "tag" and _INLINE.fullmatch(token)):
            run.pieces.append(token)
        elif kind == "expression" and not _is_call(token, helpers):
            run.add_value(_in_expression(token, literal, is_plain))
        else:
            done.append(_finished(run, text, is_plain))
            run = _Run()
            is_plain = _is_plain_after(token, is_plain)
            done.append(_in_other(kind, token, literal, is_plain))
    done.append(_finished(run, text, is_plain))
    return "".join(done)


def _tokens(source: str) -> Iterator[tuple[str, str]]:
    at = 0
    for found in _TOKEN.finditer(source):
        if found.start() > at:
            yield "text", source[at:found.start()]
        yield str(found.lastgroup), found.group()
        at = found.end()
    if at < len(source):
        yield "text", source[at:]


def _is_call(expression: str, helpers: set[str]) -> bool:
    """A component, which stands for itself and is no value within a sentence."""
    name = re.match(r"\{\{-?\s*(\w+)[.(]", expression)
    return name is not None and name.group(1) in helpers


def _is_plain_after(token: str, before: bool) -> bool:
    if re.match(r"\{%-? block title", token):
        return True
    if before and (re.match(r"\{%-? endblock", token) or token.startswith("</")):
        return False
    name = re.match(r"<(\w+)", token)
    return before or (name is not None and name.group(1) in _PLAIN_TAGS)


def _finished(run: _Run, text: _Say, is_plain: bool) -> str:
    before, inner, after = _OUTER.fullmatch("".join(run.pieces)).groups()  # type: ignore[union-attr]
    message = re.sub(r"\s+", " ", inner)
    answer = text(message, is_plain) if _JAPANESE.search(message) else None
    whole = before + (inner if answer is None else answer) + after
    return _PLACE.sub(lambda place: run.values[int(place.group(1))], whole) if run.values else whole


def _in_other(kind: str, token: str, literal: _Say, is_plain: bool) -> str:
    if kind == "note":
        return token
    if kind == "tag":
        token = re.sub(_EXPRESSION + "|" + _STATEMENT, lambda part: _in_expression(part.group(), literal, True), token,
                       flags=re.DOTALL)
        return _ATTRIBUTE.sub(lambda found: _in_attribute(found, literal), token)
    return _in_expression(token, literal, is_plain)


def _in_attribute(found: re.Match[str], literal: _Say) -> str:
    answer = literal(found.group(1), True) if _JAPANESE.search(found.group(1)) else None
    return found.group() if answer is None else f"={answer}"


def _in_expression(token: str, literal: _Say, is_plain: bool) -> str:
    def replaced(found: re.Match[str]) -> str:
        message = found.group(1) if found.group(1) is not None else found.group(2)
        answer = literal(message, is_plain) if _JAPANESE.search(message) else None
        return found.group() if answer is None else answer

    return _LITERAL.sub(replaced, token)


def _quoted(text: str) -> str:
    if '"' in text:
        text = text.replace('"', "”")
    return f'"{text}"'
