"""Jobs for the tests of the worker process: honest ones, and ones that misbehave."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from server.foundation.errors import BadRequest, TooLarge

Answer = tuple[dict[str, Any], bytes]


def echo(values: dict[str, Any], data: bytes) -> Answer:
    return {**values, "process": os.getpid(), "environment": sorted(os.environ)}, data


def chatter(_values: dict[str, Any], _data: bytes) -> Answer:
    print("a library that talks")
    sys.stdout.flush()
    return {}, b"fine"


def refuse(values: dict[str, Any], _data: bytes) -> Answer:
    if values.get("large"):
        raise TooLarge("too large")
    raise BadRequest("not like this", code="M_INVALID_PARAM")


def fail(_values: dict[str, Any], _data: bytes) -> Answer:
    raise ZeroDivisionError("花子 divided by zero")


def crash(_values: dict[str, Any], _data: bytes) -> Answer:
    os.abort()


def hang(_values: dict[str, Any], _data: bytes) -> Answer:
    while True:
        pass


def devour(_values: dict[str, Any], _data: bytes) -> Answer:
    return {}, bytes(2**31)[:1]


def write_a_file(values: dict[str, Any], _data: bytes) -> Answer:
    with Path(values["path"]).open("wb") as file:
        file.write(b"x")
    return {}, b""


def lie(_values: dict[str, Any], _data: bytes) -> Answer:
    """Answers what is no answer, as a decoder that was taken over could."""
    for handle in range(3, 20):
        try:
            os.write(handle, b"\xff" * 64)
        except OSError:
            continue
    return {}, b""
