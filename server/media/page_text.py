"""The letters of a web page: which encoding it is in (Japanese pages of twenty years, too), and its text."""

from __future__ import annotations

import re
from typing import Final

_LOOKED_AT: Final = 4096
_META: Final = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_:.-]{1,40})""", re.IGNORECASE)
_HEADER: Final = re.compile(r"""charset\s*=\s*["']?\s*([A-Za-z0-9_:.-]{1,40})""", re.IGNORECASE)
_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_JIS_SHIFTS: Final = (b"\x1b$B", b"\x1b$@")

# Names that pages use, and the codec that browsers take for them (WHATWG Encoding). Nothing else is looked up: Python
# knows codecs that are no encodings of letters.
_CODECS: Final = {
    "utf-8": "utf-8", "utf8": "utf-8", "unicode-1-1-utf-8": "utf-8",
    "shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932", "windows-31j": "cp932",
    "ms_kanji": "cp932", "ms932": "cp932", "cp932": "cp932",
    "euc-jp": "euc_jp", "x-euc-jp": "euc_jp", "eucjp": "euc_jp",
    "iso-2022-jp": "iso2022_jp", "csiso2022jp": "iso2022_jp",
    "us-ascii": "cp1252", "ascii": "cp1252", "iso-8859-1": "cp1252", "latin1": "cp1252", "windows-1252": "cp1252",
    "iso-8859-2": "iso8859_2", "iso-8859-15": "iso8859_15", "windows-1250": "cp1250", "windows-1251": "cp1251",
    "koi8-r": "koi8_r",
    "gb2312": "gb18030", "gbk": "gb18030", "gb18030": "gb18030", "big5": "big5hkscs",
    "euc-kr": "cp949", "ks_c_5601-1987": "cp949", "utf-16": "utf-16-le", "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
}
# Tried in this order where a page says nothing; strict, so that the wrong one shows itself.
_GUESSES: Final = ("utf-8", "euc_jp", "cp932")


def decoded(data: bytes, content_type: str) -> str:
    """``data`` as text; what cannot be read becomes the replacement character. Never raises."""
    for mark, codec in _MARKS:
        if data.startswith(mark):
            return data[len(mark):].decode(codec, "replace")
    codec = _named(_HEADER.search(content_type)) or _named_by_page(data) or _guessed(data)
    return data.decode(codec, "replace")


def squeezed(text: str, most: int) -> str:
    """``text`` in one line of at most ``most`` letters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def _named(found: re.Match[str] | None) -> str | None:
    return None if found is None else _CODECS.get(found[1].lower())


def _named_by_page(data: bytes) -> str | None:
    found = _META.search(data[:_LOOKED_AT])
    codec = None if found is None else _CODECS.get(found[1].decode("ascii").lower())
    # A page whose declaration could be read as ASCII is not in UTF-16.
    return "utf-8" if codec is not None and codec.startswith("utf-16") else codec


def _guessed(data: bytes) -> str:
    if any(shift in data[:_LOOKED_AT] for shift in _JIS_SHIFTS):
        return "iso2022_jp"
    for codec in _GUESSES:
        if _reads_as(data, codec):
            return codec
    return "cp1252"


def _reads_as(data: bytes, codec: str) -> bool:
    """Whether all of it is in ``codec``, a letter that is cut at the end aside."""
    try:
        data.decode(codec)
    except UnicodeDecodeError as fault:
        return fault.start >= len(data) - 4
    return True
