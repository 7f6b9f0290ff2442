"""Reading what a form sends, strictly: sizes, number of fields, no control characters in lines."""

from __future__ import annotations

import unicodedata
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import BadHttpMessage

from server.foundation.errors import BadRequest, InvalidParam, Refused, TooLarge
from server.http.arriving import patiently
from server.http.requests import body_bytes

PROOF_FIELD: Final = "form_proof"
_MOST_TEXT_BYTES: Final = 512 * 1024
_MOST_FIELDS: Final = 3_000
_KEPT: Final = "\n\t\u200d"  # the last one joins pictures of people
_HIDDEN: Final = ("Cc", "Cf", "Cs", "Co")
_BROKEN: Final = "送られた内容を読めませんでした。もう一度おねがいします。"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with a form and is kept: ``mxc`` is its address, or ``data`` its bytes where it is only read."""

    field: str
    filename: str
    content_type: str
    mxc: str = ""
    data: bytes = b""


# What the framework raises for bodies that are not what they say they are.
_NO_PARTS: Final = (ValueError, LookupError, AssertionError, BadHttpMessage)

Keeper = Callable[[BodyPartReader], Awaitable[Upload]]


@dataclass(slots=True)
class Form:
    """The fields of a form, in their order."""

    fields: list[tuple[str, str]] = field(default_factory=list)
    uploads: list[Upload] = field(default_factory=list)

    def text(self, name: str) -> str:
        """A field of several lines, without control characters; empty where it is missing."""
        return next((_clean(value) for key, value in self.fields if key == name), "").strip()

    def line(self, name: str) -> str:
        """A field of one line."""
        return clean_line(self.text(name))

    def raw(self, name: str) -> str:
        """A field as it came: passwords and proofs."""
        return next((value for key, value in self.fields if key == name), "")

    def lines(self, name: str) -> list[str]:
        """All fields of this name, empty ones left out: ticked boxes."""
        found = [clean_line(value) for key, value in self.fields if key == name]
        return [value for value in found if value]

    def has(self, name: str) -> bool:
        """Whether a box is ticked, or a button pressed."""
        return any(key == name for key, _ in self.fields)

    def number(self, name: str, what: str, *, least: int, most: int) -> int:
        """A whole number; raises ``InvalidParam``."""
        text = unicodedata.normalize("NFKC", self.line(name))
        if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
            raise InvalidParam(f"{what}は、{least}から{most}の数字で書いてください。", field=name)
        return int(text)


@contextmanager
def about(field: str) -> Iterator[None]:
    """What is refused inside is about this field of the form."""
    try:
        yield
    except Refused as fault:
        fault.field = field
        raise


async def read_form(request: web.Request, check_proof: Callable[[str], None], keeper: Keeper | None = None) -> Form:
    """The form that a request carries. ``check_proof`` gets its first field before anything else is taken in.

    Files are handed to ``keeper`` as they arrive; without one, files are not expected and are refused.
    """
    if request.content_type == "multipart/form-data":
        try:
            return await _read_parts(request, check_proof, keeper)
        except _NO_PARTS:
            raise BadRequest(_BROKEN) from None
    if request.content_type != "application/x-www-form-urlencoded":
        raise BadRequest(_BROKEN, status=415)
    data = await body_bytes(request, _MOST_TEXT_BYTES)
    try:
        fields = parse_qsl(data.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise BadRequest(_BROKEN) from None
    form = Form(fields)
    check_proof(form.raw(PROOF_FIELD))
    return form


async def _read_parts(request: web.Request, check_proof: Callable[[str], None], keeper: Keeper | None) -> Form:
    form = Form()
    is_proved = False
    room = _MOST_TEXT_BYTES
    async for part in _parts(request):
        if part.filename is not None:
            if not is_proved:
                check_proof("")
            if keeper is None:
                raise BadRequest(_BROKEN)
            if part.filename:
                form.uploads.append(await keeper(part))
            continue
        value = (await bytes_of(part, room)).decode("utf-8")
        room -= len(value.encode())
        form.fields.append((part.name or "", value))
        if len(form.fields) > _MOST_FIELDS:
            raise TooLarge(_BROKEN)
        if part.name == PROOF_FIELD and not is_proved:
            check_proof(value)
            is_proved = True
    if not is_proved:
        check_proof("")
    return form


async def _parts(request: web.Request) -> AsyncIterator[BodyPartReader]:
    reader = await request.multipart()
    while (part := await patiently(reader.next())) is not None:
        if isinstance(part, MultipartReader):
            raise BadRequest(_BROKEN)
        yield part


async def bytes_of(part: BodyPartReader, most: int) -> bytes:
    """The whole of a part; raises ``TooLarge`` above ``most`` bytes."""
    data = bytearray()
    while piece := await patiently(part.read_chunk()):
        data += piece
        if len(data) > most:
            raise TooLarge(f"大きすぎます。{_size(most)}までです。")
    return bytes(data)


async def chunks_of(part: BodyPartReader) -> AsyncIterator[bytes]:
    """A part piece by piece, as a file is kept."""
    while piece := await patiently(part.read_chunk(64 * 1024)):
        yield piece


def _size(count: int) -> str:
    return f"{count // (1024 * 1024)}メガバイト" if count >= 1024 * 1024 else f"{count // 1024}キロバイト"


def clean_line(text: str) -> str:
    """``text`` as one line, without control characters."""
    return " ".join(_clean(text).split())


def _clean(text: str) -> str:
    """Line breaks as one character, and nothing that is not seen but changes what is seen."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(char for char in lines if char in _KEPT or unicodedata.category(char) not in _HIDDEN)
