"""Templates: everything that comes from people is escaped; the few words that all pages share are functions here.

There is an environment for each language that somebody has asked for: a template is compiled in its words.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.ext import Extension
from markupsafe import Markup, escape

from server.web.languages.catalogues import Catalogue, catalogue_of
from server.web.languages.dates import Dates
from server.web.languages.furigana import ruby, without_readings
from server.web.languages.template_texts import translated
from server.web.languages.tongues import JAPANESE, Tongue
from server.web.security import form_proof

_HERE: Final = Path(__file__).parent
STATIC: Final = _HERE / "static"
_TYPES: Final = {
    ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".png": "image/png",
}
_ADDRESS: Final = re.compile(
    r"https?://[A-Za-z0-9\-._~:/?#@!$&()*+,;=%]+|(?<![0-9\-])0[0-9]{1,4}-[0-9]{1,4}-[0-9]{3,4}(?![0-9\-])"
)
_END_OF_SENTENCE: Final = ".,;:!?)"
_WEB_LINK: Final = Markup('<a href="{0}" rel="noopener noreferrer">{0}</a>')
_CALL: Final = Markup('<a class="call" href="tel:{0}">{0}</a>')


@dataclass(frozen=True)
class StaticFile:
    """A file that pages load: its bytes, type, and a mark that changes with them."""

    data: bytes
    content_type: str

    @cached_property
    def mark(self) -> str:
        """Goes into the address, so that browsers may keep the file for a year."""
        return hashlib.sha256(self.data).hexdigest()[:12]


class _InOtherWords(Extension):
    """Puts the texts of a template into the language of its environment before it is compiled."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """What jinja2 asks of an extension."""
        catalogue: Catalogue = self.environment.globals["catalogue"]  # type: ignore[assignment]
        return source if catalogue.code == JAPANESE.code else translated(source, catalogue)


class Templates:
    """Renders pages; templates are compiled at their first use."""

    def __init__(self, association: str) -> None:
        self.files = {
            path.name: StaticFile(path.read_bytes(), _TYPES[path.suffix])
            for path in sorted(STATIC.iterdir()) if path.suffix in _TYPES
        }
        self.association = association
        self._environments: dict[str, Environment] = {}

    def render(self, name: str, values: dict[str, Any], tongue: Tongue = JAPANESE) -> str:
        """The page ``name`` with ``values``."""
        return self._environment(tongue).get_template(name).render(values)

    def say(self, text: str, tongue: Tongue) -> str:
        """A text of ours in a language; with readings as HTML where that is shown so."""
        return _say(catalogue_of(tongue.code), Dates(tongue.code), text)

    def plain(self, text: str, tongue: Tongue) -> str:
        """The same without readings."""
        return _plain(catalogue_of(tongue.code), Dates(tongue.code), text)

    def address_of(self, name: str) -> str:
        """Where browsers find a static file."""
        return f"/static/{name}?v={self.files[name].mark}"

    def _environment(self, tongue: Tongue) -> Environment:
        if tongue.code not in self._environments:
            self._environments[tongue.code] = self._new_environment(tongue)
        return self._environments[tongue.code]

    def _new_environment(self, tongue: Tongue) -> Environment:
        made = Environment(
            loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True, auto_reload=False, extensions=[_InOtherWords],
        )
        catalogue, words = catalogue_of(tongue.code), Dates(tongue.code)
        made.globals.update(
            association=self.association, static=self.address_of, form_proof=form_proof, catalogue=catalogue,
            tongue=tongue, span_of=words.span, days_of=words.days, plain_days=words.plain_days,
        )
        made.filters.update(words.filters())
        made.filters.update(
            linked=linked, size=lambda count: _say(catalogue, words, size_in_words(count)), ruby=ruby,
            say=lambda text: _say(catalogue, words, text), plain=lambda text: _plain(catalogue, words, text),
        )
        return made


def _say(catalogue: Catalogue, dates: Dates, text: str) -> str:
    """A label or a reason of ours in the language of the page, also the days in it. What is HTML already stays."""
    if isinstance(text, Markup) or catalogue.code == JAPANESE.code:
        return text
    said = catalogue.say(text)
    return ruby(said) if catalogue.is_easy else dates.retold(said)


def _plain(catalogue: Catalogue, dates: Dates, text: str) -> str:
    """The same where no readings can be shown."""
    return dates.retold(without_readings(catalogue.say(text)))


def linked(text: str) -> Markup:
    """``text`` with its web addresses and telephone numbers as links; everything else in it stays text."""
    parts: list[Markup] = []
    done = 0
    for found in _ADDRESS.finditer(text):
        address = found.group().rstrip(_END_OF_SENTENCE)
        parts.append(escape(text[done:found.start()]))
        parts.append((_WEB_LINK if ":" in address else _CALL).format(address))
        done = found.start() + len(address)
    return Markup("").join([*parts, escape(text[done:])])


def size_in_words(count: int) -> str:
    """How large a file is: 1.2メガバイト."""
    if count >= 1024 * 1024:
        return f"{count / 1024 / 1024:.1f}メガバイト"
    return f"{max(1, count // 1024)}キロバイト"
