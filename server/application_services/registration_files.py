"""Reading the registration files that the settings name, in YAML or JSON (which is YAML too)."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from pathlib import Path
from typing import Final

import yaml

from server.application_services.registration import Registration, RegistrationError, parse_registration
from server.foundation.settings import SettingsError

_UNIQUE: Final = ("id", "as_token", "hs_token", "sender_localpart")
_SECRET: Final = ("as_token", "hs_token")


def read_registrations(files: Sequence[Path]) -> list[Registration]:
    """All registrations in the order of the settings; raises ``SettingsError`` with everything that is wrong."""
    found: list[tuple[Path, Registration]] = []
    problems: list[str] = []
    for file in files:
        try:
            found.append((file, parse_registration(_content(file))))
        except RegistrationError as fault:
            problems += [f"{file}: {problem}." for problem in fault.problems]
    problems += _given_twice(found)
    if problems:
        raise SettingsError(problems)
    return [registration for _file, registration in found]


def _content(file: Path) -> object:
    try:
        return yaml.safe_load(file.read_bytes())
    except OSError as fault:
        raise RegistrationError([f"cannot be read: {fault.strerror}"]) from None
    except yaml.MarkedYAMLError as fault:
        # Its own message quotes the line, which may hold a token.
        where = f" (line {fault.problem_mark.line + 1})" if fault.problem_mark is not None else ""
        raise RegistrationError([f"is neither YAML nor JSON{where}"]) from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise RegistrationError(["is neither YAML nor JSON"]) from None


def _given_twice(found: Sequence[tuple[Path, Registration]]) -> list[str]:
    problems = []
    for name in _UNIQUE:
        first: dict[str, Path] = {}
        for file, registration in found:
            value: str = attrgetter(name)(registration)
            if value in first:
                shown = name if name in _SECRET else f'{name} "{value}"'
                problems.append(f"{file}: {shown} is also that of {first[value]}.")
            first.setdefault(value, file)
    return problems
