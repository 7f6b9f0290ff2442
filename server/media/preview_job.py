"""Runs in the worker process only: what a stranger's page says of itself, and how large a stranger's picture is.

The page is read as a stream of tags (lxml, which mends broken HTML); no tree of it is ever built, so neither depth nor
number of tags costs memory.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from lxml import etree
from PIL import Image

from server.foundation.errors import Refused
from server.media.page_text import decoded, squeezed
from server.media.picture_formats import picture_format

_PIECE: Final = 65_536
_TITLE_CHARS: Final = 300
_TEXT_CHARS: Final = 500
_MOST_VALUES: Final = 60
_VALUE_CHARS: Final = 2000
# What stands in these is no text for people, or not of this page.
_NO_TEXT: Final = frozenset({
    "script", "style", "noscript", "template", "svg", "nav", "header", "footer", "aside", "form", "button", "select",
    "iframe", "object", "head", "math", "menu",
})
_BREAKS: Final = frozenset({"p", "div", "br", "li", "tr", "td", "h1", "h2", "h3", "h4", "section", "article"})
_MIME: Final = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "WEBP": "image/webp"}


def page(values: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    """What a page of ``content_type`` says of itself: ``og`` (names with ``og:`` to texts), ``image``, ``base``."""
    reader = _PageReader()
    parser = etree.HTMLParser(encoding="utf-8", target=reader, no_network=True, huge_tree=False)
    text = decoded(data, values["content_type"]).encode("utf-8", "replace")
    with suppress(etree.LxmlError, _Enough):  # what was read until then is what there is
        for start in range(0, len(text), _PIECE):
            parser.feed(text[start:start + _PIECE])
            if reader.has_enough():
                raise _Enough
        parser.close()
    return {"og": reader.told(), "image": reader.image(), "base": reader.base}, b""


def text(values: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    """The beginning of a text: ``text``."""
    return {"text": squeezed(decoded(data[:8192], values["content_type"]), _TEXT_CHARS)}, b""


def picture(_values: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    """``width``, ``height`` and ``type`` of a picture, without decoding it. Raises ``Refused`` for what is none."""
    kind = picture_format(data[:12])
    if kind is None:
        raise Refused("This is no picture")
    try:
        with Image.open(io.BytesIO(data), formats=[kind]) as image:
            return {"width": image.width, "height": image.height, "type": _MIME[kind]}, b""
    except Exception as fault:
        raise Refused("This picture cannot be read") from fault


class _Enough(Exception):
    """All that a preview shows has been read."""


class _PageReader:
    """Hears tags and text, keeps the little that a preview shows."""

    def __init__(self) -> None:
        self.base = ""
        self._named: dict[str, str] = {}
        self._title: list[str] = []
        self._titles = 0
        self._in_title = False
        self._heading: list[str] = []
        self._in_heading = False
        self._text: list[str] = []
        self._text_chars = 0
        self._silent = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """A tag opens."""
        if tag in _NO_TEXT:
            self._silent += 1
        elif tag in _BREAKS:
            self.data("\n")
        if tag == "meta":
            self._hear_meta(attributes)
        elif tag == "link" and attributes.get("rel", "").lower() == "image_src":
            self._note("image_src", attributes.get("href"))
        elif tag == "base" and not self.base:
            self.base = attributes.get("href", "")[:_VALUE_CHARS]
        elif tag == "title":
            self._titles += 1
            self._in_title = self._titles == 1
        elif tag == "h1":
            self._in_heading = not self._heading

    def end(self, tag: str) -> None:
        """A tag closes."""
        if tag in _NO_TEXT:
            self._silent -= 1
        elif tag == "title":
            self._in_title = False
        elif tag == "h1":
            self._in_heading = False

    def data(self, text: str) -> None:
        """Text between tags."""
        if self._in_title:
            self._title.append(text[:_VALUE_CHARS])
        if self._in_heading:
            self._heading.append(text[:_VALUE_CHARS])
        if not self._silent and self._text_chars < _VALUE_CHARS:
            self._text.append(text[:_VALUE_CHARS])
            self._text_chars += len(text.strip())

    def close(self) -> None:
        """The page is over."""

    def has_enough(self) -> bool:
        """Whether nothing more can come that would be shown."""
        return self._text_chars >= _VALUE_CHARS

    def told(self) -> dict[str, str]:
        """OpenGraph's names, with what stands for them where the page does not use them."""
        told = {name: value for name, value in self._named.items() if name.startswith("og:")}
        title = self._first("og:title", "twitter:title") or "".join(self._title) or "".join(self._heading)
        about = self._first("og:description", "twitter:description", "description") or "".join(self._text)
        for name, value, most in (("og:title", title, _TITLE_CHARS), ("og:description", about, _TEXT_CHARS)):
            told[name] = squeezed(value, most)
        return {name: value for name, value in told.items() if value and not name.startswith("og:image")}

    def image(self) -> str:
        """The address of the page's picture, as it stands there; empty where there is none."""
        return self._first(
            "og:image:secure_url", "og:image", "og:image:url", "twitter:image", "twitter:image:src", "image_src"
        )

    def _hear_meta(self, attributes: Mapping[str, str]) -> None:
        for key in ("property", "name", "itemprop"):
            name = attributes.get(key, "").strip().lower()
            if name.startswith(("og:", "twitter:")) or name == "description":
                self._note(name, attributes.get("content"))

    def _note(self, name: str, value: str | None) -> None:
        """The first of a name counts; later ones are further pictures and the like."""
        if value and value.strip() and len(self._named) < _MOST_VALUES and len(name) <= 60:
            self._named.setdefault(name, " ".join(value.split())[:_VALUE_CHARS])

    def _first(self, *names: str) -> str:
        return next((self._named[name] for name in names if name in self._named), "")
