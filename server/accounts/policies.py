"""The association's texts that people agree to: a folder with one file for each text, version and language.

``privacy.2026-04.ja.txt`` is the version ``2026-04`` of the text ``privacy`` in Japanese; its first line is the title.
Of several versions the last in the order of their names is in force; the earlier ones stay readable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_NAME: Final = re.compile(r"([a-z0-9_]{1,40})\.([A-Za-z0-9_-]{1,40})\.([a-z]{2,3})\.txt")
_MAX_BYTES: Final = 512 * 1024


@dataclass(frozen=True, slots=True)
class PolicyText:
    """A text in one language."""

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of a text, by language."""

    name: str
    version: str
    texts: Mapping[str, PolicyText]

    def nearest(self, language: str) -> str:
        """This language if the text is written in it, or else Japanese, or else any."""
        return next(name for name in (language, "ja", *self.texts) if name in self.texts)


def read_policies(folder: Path | None) -> list[Policy]:
    """All versions of all texts in a folder, in the order of name and version; none without a folder.

    Raises ``ValueError`` for a file that is no such text, ``OSError`` where the folder cannot be read.
    """
    found: dict[tuple[str, str], dict[str, PolicyText]] = {}
    for file in sorted(folder.glob("*.txt")) if folder is not None and folder.is_dir() else ():
        name = _NAME.fullmatch(file.name)
        if name is None:
            raise ValueError(f"{file.name} must be called like privacy.2026-04.ja.txt")
        found.setdefault((name[1], name[2]), {})[name[3]] = _read(file)
    if folder is not None and not found:
        raise ValueError(f"{folder} holds no texts")
    return [Policy(*key, texts) for key, texts in sorted(found.items())]


def in_force(policies: Sequence[Policy]) -> list[Policy]:
    """The last version of each text."""
    return list({policy.name: policy for policy in policies}.values())


def _read(file: Path) -> PolicyText:
    data = file.read_bytes()
    if len(data) > _MAX_BYTES:
        raise ValueError(f"{file.name} is longer than {_MAX_BYTES} bytes")
    try:
        title, _, body = data.decode("utf-8-sig").strip().partition("\n")
    except UnicodeDecodeError:
        raise ValueError(f"{file.name} is not UTF-8") from None
    if not title.strip():
        raise ValueError(f"{file.name} is empty")
    return PolicyText(title.strip(), body.strip())
