"""The ``If`` header (RFC 4918 section 10.4): lists of ETags and state tokens, one of which must hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from server.caldav.paths import path_of_href, read_path
from server.calendars.model import StateClause
from server.foundation.errors import BadRequest, NotFound

_MAX: Final = 8 * 1024
_LIST: Final = re.compile(r"\s*(?:<(?P<tag>[^>]*)>\s*)?\((?P<inner>[^()]*)\)\s*")
_CLAUSE: Final = re.compile(r'\s*(?P<no>Not\s+)?(?:<(?P<token>[^>]+)>|\[(?:W/)?"(?P<etag>[^"]*)"\])\s*', re.IGNORECASE)


def read_if(header: str | None, path: str) -> tuple[tuple[StateClause, ...], ...] | None:
    """The lists that are about ``path``. ``None``: no condition; empty: none of the lists is about it."""
    if header is None:
        return None
    if len(header) > _MAX:
        raise BadRequest("The If header is too long")
    found, about = [], True
    for tag, inner in _lists(header):
        if tag is not None:
            about = _is_same(tag, path)
        if about:
            found.append(tuple(_clauses(inner)))
    return tuple(found)


def _lists(header: str) -> Iterator[tuple[str | None, str]]:
    at = 0
    while at < len(header):
        match = _LIST.match(header, at)
        if match is None:
            raise BadRequest("The If header cannot be read")
        yield match["tag"], match["inner"]
        at = match.end()


def _clauses(inner: str) -> Iterator[StateClause]:
    at = 0
    while at < len(inner) or at == 0:
        match = _CLAUSE.match(inner, at)
        if match is None:
            raise BadRequest("The If header cannot be read")
        # There are no locks here, so no state token is ever true of anything.
        yield StateClause(match["etag"], match["no"] is None)
        at = match.end()


def _is_same(tag: str, path: str) -> bool:
    try:
        return read_path(path_of_href(tag)) == read_path(path)
    except (NotFound, ValueError):
        return False
