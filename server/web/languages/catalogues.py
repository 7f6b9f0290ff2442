"""Catalogues in gettext's .po files, read when somebody first asks for their language; nothing is compiled before.

A message is a Japanese text of a template or of a refusal; values stand in it as ``{0}``, ``{1}`` …
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final

from server.web.languages.furigana import easy, without_readings
from server.web.languages.tongues import EASY, JAPANESE

HERE: Final = Path(__file__).parent
_PLACE: Final = re.compile(r"\{(\d)\}")
_LINE: Final = re.compile(r'(msgid|msgstr|)\s*(".*")\s*')


class Catalogue:
    """The messages of one language. What is missing stays Japanese."""

    def __init__(self, code: str, messages: Mapping[str, str]) -> None:
        self.code = code
        self._messages = messages

    @property
    def is_easy(self) -> bool:
        """Whether it is Japanese with readings."""
        return self.code == EASY.code

    def find(self, message: str) -> str | None:
        """A message in this language, with readings in 《》 where it is easy Japanese; ``None``: there is none."""
        found = self._messages.get(message) or None
        return easy(found or message) if self.is_easy else found

    def plain(self, message: str) -> str:
        """The same where no readings can be shown: in the title of a page, in a list to choose from."""
        found = self.find(message)
        return message if found is None else without_readings(found)

    def say(self, text: str) -> str:
        """A text of ours that may carry values already: ``題名は100字までです``."""
        found = self.find(text) if text in self._messages else next(self._with_values(text), None)
        if found is None:
            return easy(text) if self.is_easy else text
        return found

    def _with_values(self, text: str) -> Iterator[str]:
        for pattern, message, answer in self._patterns:
            found = pattern.fullmatch(text)
            if found is not None:
                yield _filled(easy(answer or message) if self.is_easy else answer, found.groups())

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], str, str]]:
        return [
            (re.compile("(.*)".join(map(re.escape, _PLACE.split(message)[::2])), re.DOTALL), message, answer)
            for message, answer in self._messages.items() if "{0}" in message and (answer or self.is_easy)
        ]


def _filled(answer: str, values: tuple[str, ...]) -> str:
    return _PLACE.sub(lambda place: values[int(place.group(1))], answer)


@lru_cache(maxsize=8)
def catalogue_of(code: str) -> Catalogue:
    """The catalogue of a language."""
    if code == JAPANESE.code:
        return Catalogue(code, {})
    messages = read_po((HERE / f"{code}.po").read_text("utf-8"))
    if code == EASY.code:
        # What is not said otherwise is said as in Japanese; it is known from where all messages are.
        messages = dict.fromkeys(read_po((HERE / "en.po").read_text("utf-8")), "") | messages
    return Catalogue(code, messages)


def read_po(text: str) -> dict[str, str]:
    """Messages and their translations: the part of the format that we write. Empty ones are left out."""
    messages: dict[str, str] = {}
    parts = {"msgid": "", "msgstr": ""}
    where = "msgid"
    for line in [*text.splitlines(), 'msgid ""']:
        found = _LINE.fullmatch(line)
        if found is None:
            continue
        keyword, quoted = found.groups()
        if keyword == "msgid":
            if parts["msgid"] and parts["msgstr"]:
                messages[parts["msgid"]] = parts["msgstr"]
            parts = {"msgid": "", "msgstr": ""}
        where = keyword or where
        parts[where] += ast.literal_eval(quoted)
    return messages
