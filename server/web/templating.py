"""Templates: everything that comes from people is escaped; the few words that all pages share are functions here."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from server.web import dates
from server.web.security import form_proof

_HERE: Final = Path(__file__).parent
STATIC: Final = _HERE / "static"
_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_ADDRESS: Final = re.compile(r"https?://[A-Za-z0-9\-._~:/?#@!$&()*+,;=%]+")
_END_OF_SENTENCE: Final = ".,;:!?)"


@dataclass(frozen=True)
class StaticFile:
    """A file that pages load: its bytes, type, and a mark that changes with them."""

    data: bytes
    content_type: str

    @cached_property
    def mark(self) -> str:
        """Goes into the address, so that browsers may keep the file for a year."""
        return hashlib.sha256(self.data).hexdigest()[:12]


class Templates:
    """Renders pages; templates are compiled at their first use."""

    def __init__(self, association: str) -> None:
        self.files = {
            path.name: StaticFile(path.read_bytes(), _TYPES[path.suffix])
            for path in sorted(STATIC.iterdir()) if path.suffix in _TYPES
        }
        self._environment = Environment(
            loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True, auto_reload=False,
        )
        self._environment.globals.update(association=association, static=self.address_of, form_proof=form_proof)
        self._environment.filters.update(
            day=dates.full_date_of, short_day=dates.short_date_of, clock=dates.time_of, moment=dates.moment_of,
            year=dates.year_of_moment, linked=linked, size=size_in_words,
        )

    def render(self, name: str, values: dict[str, Any]) -> str:
        """The page ``name`` with ``values``."""
        return self._environment.get_template(name).render(values)

    def address_of(self, name: str) -> str:
        """Where browsers find a static file."""
        return f"/static/{name}?v={self.files[name].mark}"


def linked(text: str) -> Markup:
    """``text`` with its web addresses as links; everything else in it stays text."""
    parts: list[Markup] = []
    done = 0
    for found in _ADDRESS.finditer(text):
        address = found.group().rstrip(_END_OF_SENTENCE)
        parts.append(escape(text[done:found.start()]))
        parts.append(Markup('<a href="{0}" rel="noopener noreferrer">{0}</a>').format(address))
        done = found.start() + len(address)
    return Markup("").join([*parts, escape(text[done:])])


def size_in_words(count: int) -> str:
    """How large a file is: 1.2メガバイト."""
    if count >= 1024 * 1024:
        return f"{count / 1024 / 1024:.1f}メガバイト"
    return f"{max(1, count // 1024)}キロバイト"
