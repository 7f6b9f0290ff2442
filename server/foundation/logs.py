"""The log: one plain line per fact, ``key=value`` behind the sentence, and nobody's name in it.

Who writes a log line leaves personal data out; ``without_personal_data`` is the net below, for what comes out of
libraries. Of an exception the log says where it was and of what kind, never its message: that may quote what a person
has written. Room ids, event ids and server names stay: an operator needs them.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from typing import Final, TextIO

from server.foundation.clock import tokyo_time

_MASKS: Final = (
    # @taro:example.jp: the server stays, the person goes.
    (re.compile(r"@[^\s:@'\"<>]+:(?=[A-Za-z0-9\[])"), "@…:"),
    # taro@example.jp
    (re.compile(r"[\w.+-]+@(?=[\w-]+\.[\w.-]+)"), "…@"),
    # ?access_token=…, "password": "…", Authorization: Bearer …
    (re.compile(r"(?i)\b(\w*token|\w*password|\w*secret|code)(['\"]?\s*[=:]\s*['\"]?)[^\s&'\",;]+"), r"\1\2…"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+"), r"\1 …"),
    # What asyncio says of a task that nobody has asked for its end: <Task finished … exception=ValueError('…')>
    (re.compile(r"\b(exception=\w+)\(.*\)", re.DOTALL), r"\1(…)"),
    # Japanese telephone numbers, at home and abroad.
    (re.compile(r"(?<![\w.$!-])(?:\+81|0)[\d-]{8,13}\d(?![\w.-])"), "…"),
)


def without_personal_data(line: str) -> str:
    """``line`` with user ids, mail addresses, telephone numbers, tokens and passwords made unreadable."""
    for pattern, replacement in _MASKS:
        line = pattern.sub(replacement, line)
    return line


def where_it_failed(fault: BaseException) -> str:
    """The calls that led to an exception and its kind; before it, the exceptions from which it came."""
    chain: list[BaseException] = []
    cause: BaseException | None = fault
    while cause is not None and cause not in chain:
        chain.insert(0, cause)
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "\n".join(_of_one(one) for one in chain)


def _of_one(fault: BaseException) -> str:
    inside = [where_it_failed(one) for one in fault.exceptions] if isinstance(fault, BaseExceptionGroup) else []
    return "\n".join([*inside, "".join(traceback.format_tb(fault.__traceback__)) + type(fault).__qualname__])


class PlainLines(logging.Formatter):
    """``2024-01-01T16:10:09+09:00 INFO server.outbox.worker: Delivered. rows=12 took_ms=8``.

    Fields come from ``extra={"fields": {"rows": 12}}``. Time as in Japan; a traceback follows on lines of its own.
    """

    def format(self, record: logging.LogRecord) -> str:
        time = tokyo_time(int(record.created * 1000)).isoformat(timespec="seconds")
        fields = "".join(f" {key}={_as_word(value)}" for key, value in getattr(record, "fields", {}).items())
        line = f"{time} {record.levelname} {record.name}: {_on_one_line(_message(record))}{fields}"
        if fault := _fault_of(record):
            line += "\n" + where_it_failed(fault)
        return without_personal_data(line)


class JsonLines(logging.Formatter):
    """``{"time": …, "level": "INFO", "from": "server.outbox.worker", "text": "Delivered.", "rows": 12}``, a line each;
    without personal data, as ``PlainLines``.
    """

    def format(self, record: logging.LogRecord) -> str:
        time = tokyo_time(int(record.created * 1000)).isoformat(timespec="milliseconds")
        said = {"time": time, "level": record.levelname, "from": record.name, "text": _message(record)}
        said |= {str(key): str(value) for key, value in getattr(record, "fields", {}).items()}
        if fault := _fault_of(record):
            said["traceback"] = where_it_failed(fault)
        # Each value by itself: a mask must not swallow the quotes of the next.
        return json.dumps({key: without_personal_data(value) for key, value in said.items()}, ensure_ascii=False)


def _fault_of(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if record.exc_info else None


def _message(record: logging.LogRecord) -> str:
    """The sentence; an exception that speaks in words of others has other ones for the log (``in_the_log``)."""
    if not isinstance(record.args, tuple) or not record.args:
        return record.getMessage()
    return str(record.msg) % tuple(getattr(argument, "in_the_log", argument) for argument in record.args)


def _on_one_line(message: str) -> str:
    """Nobody makes lines of their own by what they send us."""
    return message.replace("\r", " ").replace("\n", " ")


def _as_word(value: object) -> str:
    word = str(value)
    return repr(word) if not word or any(char.isspace() or char in "\"'=" for char in word) else word


def set_up_logs(level: int = logging.INFO, stream: TextIO | None = None, *, as_json: bool = False) -> None:
    """Send the whole process's log to ``stream`` (standard error unless told otherwise). Call once, at the start."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if as_json else PlainLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)  # paths hold user ids
    logging.captureWarnings(True)
