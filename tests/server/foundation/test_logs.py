"""server/foundation/logs.py"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

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


def test_a_traceback_carries_no_names_either(log: io.StringIO) -> None:
    try:
        raise ValueError("no mail for hanako@example.jp")
    except ValueError:
        logging.getLogger("bridges.mail").exception("failed")
    assert "ValueError: no mail for …@example.jp" in log.getvalue()


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
