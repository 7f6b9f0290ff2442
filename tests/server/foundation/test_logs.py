"""server/foundation/logs.py"""

from __future__ import annotations

import asyncio
import gc
import io
import logging
from collections.abc import Iterator

import pytest

from federation.identity.servers import refusal
from server.foundation.logs import set_up_logs, without_personal_data


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """The process's log in memory; put back afterwards."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    root.handlers = []
    set_up_logs(stream=stream)
    yield stream
    root.handlers = before
    root.setLevel(level)
    logging.captureWarnings(False)


def test_a_line_has_time_level_place_sentence_and_fields(log: io.StringIO) -> None:
    logging.getLogger("server.outbox").info("Delivered.", extra={"fields": {"rows": 12, "to": "kaga city"}})
    time, rest = log.getvalue().split(" ", 1)
    assert time.endswith("+09:00")
    assert rest == "INFO server.outbox: Delivered. rows=12 to='kaga city'\n"


def test_of_an_exception_its_kind_and_its_place_are_told_and_not_its_words(log: io.StringIO) -> None:
    name = "花子"

    def fail() -> None:
        try:
            raise ValueError(name)
        except ValueError as fault:
            raise ExceptionGroup(name, [KeyError(name), RuntimeError(name)]) from fault

    try:
        fail()
    except ExceptionGroup:
        logging.getLogger("bridges.mail").exception("failed")
    told = log.getvalue()
    assert name not in told
    kinds = [line for line in told.splitlines() if not line.startswith(" ")][1:]
    assert kinds == ["ValueError", "KeyError", "RuntimeError", "ExceptionGroup"]
    assert "in fail" in told


async def test_a_task_that_nobody_waited_for_tells_no_words(log: io.StringIO) -> None:
    async def fail() -> None:
        raise ValueError(name)

    name = "花子"
    task = asyncio.get_running_loop().create_task(fail())
    await asyncio.wait([task])
    del task
    gc.collect()
    assert "Task exception was never retrieved" in log.getvalue()
    assert "exception=ValueError(…)" in log.getvalue()
    assert name not in log.getvalue()


def test_nobody_makes_lines_of_their_own(log: io.StringIO) -> None:
    logging.getLogger("federation").info("refused: %s", "no\r\n2026-01-01 ERROR: all is lost")
    assert len(log.getvalue().splitlines()) == 1


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("joined by @taro.yamada:sakura.example.jp", "joined by @…:sakura.example.jp"),
        ("GET /sync?access_token=syt_abc&since=s1", "GET /sync?access_token=…&since=s1"),
        ('{"password": "himitsu", "type": "m.login.password"}', '{"password": "…", "type": "m.login.password"}'),
        ("Authorization: Bearer syt_abc.def", "Authorization: Bearer …"),
        ("call 076-123-4567 or +81-90-1234-5678", "call … or …"),
        ("taro@example.jp wrote", "…@example.jp wrote"),
    ],
)
def test_people_and_secrets_are_made_unreadable(said: str, written: str) -> None:
    assert without_personal_data(said) == written


@pytest.mark.parametrize(
    "line",
    [
        "room !Q3sT0SvxAlPzGGqVYXnBGXfmeJ9r6oxZsCEGPEGWFUA event $kq0123456789012 stored in 0.012 s",
        "listening on 127.0.0.1:8008 for sakura.example.jp",
        "stream position 104857600, 1704093009000",
    ],
)
def test_what_an_operator_needs_stays(line: str) -> None:
    assert without_personal_data(line) == line


@pytest.mark.parametrize("code", ["M_FORBIDDEN", "花子さんの こと", ""])
def test_what_another_server_says_does_not_stand_in_our_log(log: io.StringIO, code: str) -> None:
    refused = refusal(403, {"errcode": code, "error": "花子さんは だめです"})
    logging.getLogger("server.rooms").info("a gap could not be closed: %s", refused)
    assert "the other server refuses (403 " in log.getvalue()
    assert "花子" not in log.getvalue()
    assert refused.reason == "花子さんは だめです", "whoever asked is told it"
