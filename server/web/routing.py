"""Finding the page of a path: like the doors of Matrix, segment by segment, without the framework's router."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from aiohttp import web

from server.foundation.errors import NotFound, Refused

if TYPE_CHECKING:
    from server.web.visit import Visit

_UNKNOWN: Final = "このページは ありません。"

Page = Callable[["Visit"], Awaitable[web.StreamResponse]]


class Routes:
    """Pages by method and path. ``{name}`` stands for one segment, told decoded in ``Visit.parts``."""

    def __init__(self) -> None:
        self._pages: dict[tuple[str, ...], dict[str, Page]] = {}
        self._names: dict[tuple[str, ...], tuple[str, ...]] = {}

    def get(self, path: str, page: Page) -> None:
        """Answer GET and HEAD."""
        self._add("GET", path, page)

    def post(self, path: str, page: Page) -> None:
        """Answer POST: a form was sent."""
        self._add("POST", path, page)

    def _add(self, method: str, path: str, page: Page) -> None:
        segments = path.strip("/").split("/")
        shape = tuple("*" if segment.startswith("{") else segment for segment in segments)
        if method in self._pages.setdefault(shape, {}):
            raise ValueError(f"{method} {path} has a page already")
        self._pages[shape][method] = page
        self._names[shape] = tuple(segment[1:-1] for segment in segments if segment.startswith("{"))

    def find(self, method: str, raw_path: str) -> tuple[Page, dict[str, str]]:
        """The page of an encoded path and its variable segments; raises ``NotFound``, or ``Refused`` (405)."""
        segments = [unquote(segment) for segment in raw_path.strip("/").split("/")]
        if not "".join(segments).isprintable():
            raise NotFound(_UNKNOWN)
        for shape in _shapes(segments):
            pages = self._pages.get(shape)
            if pages is not None:
                page = pages.get("GET" if method == "HEAD" else method)
                if page is None:
                    raise Refused("このページは、この方法では使えません。", status=405)
                values = [segment for segment, kind in zip(segments, shape, strict=True) if kind == "*"]
                return page, dict(zip(self._names[shape], values, strict=True))
        raise NotFound(_UNKNOWN)


def _shapes(segments: list[str]) -> list[tuple[str, ...]]:
    """The ways to read a path, fixed words before variable ones; a path of ours has at most five segments."""
    if len(segments) > 5:
        return []
    shapes: list[tuple[str, ...]] = [()]
    for segment in segments:
        choices = (segment, "*") if segment and segment != "*" else (segment,) if not segment else ("*",)
        shapes = [(*shape, choice) for shape in shapes for choice in choices]
    return shapes
