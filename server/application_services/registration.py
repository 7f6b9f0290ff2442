"""A registration: what the operator allows an application service (spec, "Registration"). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from server.foundation.ids import is_new_localpart

_NAMESPACES: Final = ("users", "aliases", "rooms")


@dataclass(frozen=True, slots=True)
class Namespace:
    """Names that begin as ``pattern`` says; nobody else may make such ones where it is ``exclusive``."""

    pattern: re.Pattern[str]
    exclusive: bool

    def holds(self, name: str) -> bool:
        """Whether ``name`` is one of them."""
        return self.pattern.match(name) is not None


Namespaces = tuple[Namespace, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """One application service. Without a ``url`` nothing is pushed to it and it is asked nothing.

    ``receives_ephemeral`` is ``receive_ephemeral`` (and MSC2409), ``receives_encryption`` is MSC3202 and
    ``makes_devices`` MSC4190.
    """

    id: str
    url: str | None
    as_token: str = field(repr=False)
    hs_token: str = field(repr=False)
    sender_localpart: str
    users: Namespaces = ()
    aliases: Namespaces = ()
    rooms: Namespaces = ()
    rate_limited: bool = True
    protocols: tuple[str, ...] = ()
    receives_ephemeral: bool = False
    receives_encryption: bool = False
    makes_devices: bool = False


class RegistrationError(Exception):
    """A registration cannot be used; ``problems`` are ends of sentences, all of them at once."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def parse_registration(value: object) -> Registration:
    """A registration from what a file says; raises ``RegistrationError``. Unknown fields are let be."""
    if not isinstance(value, dict):
        raise RegistrationError(["must be a table of settings"])
    reader = _Reader(value)
    namespaces = reader.namespaces()
    registration = Registration(
        id=reader.text("id"),
        url=reader.url(),
        as_token=reader.text("as_token"),
        hs_token=reader.text("hs_token"),
        sender_localpart=reader.localpart(),
        users=namespaces["users"],
        aliases=namespaces["aliases"],
        rooms=namespaces["rooms"],
        rate_limited=reader.flag("rate_limited", default=True),
        protocols=reader.protocols(),
        receives_ephemeral=reader.flag("receive_ephemeral") | reader.flag("de.sorunome.msc2409.push_ephemeral"),
        receives_encryption=reader.flag("org.matrix.msc3202"),
        makes_devices=reader.flag("io.element.msc4190"),
    )
    if reader.problems:
        raise RegistrationError(reader.problems)
    return registration


class _Reader:
    """Reads fields and gathers what is wrong with them."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        self._said = said
        self.problems: list[str] = []

    def text(self, name: str) -> str:
        value = self._said.get(name)
        if isinstance(value, str) and value:
            return value
        self.problems.append(f"{name} is missing" if value is None else f"{name} must be a text")
        return ""

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self._said.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.problems.append(f"{name} must be true or false")
        return value is True

    def url(self) -> str | None:
        value = self._said.get("url")
        if not value:
            if "url" not in self._said:
                self.problems.append("url is missing (null, if nothing is to be pushed)")
            return None
        parts = urlsplit(value) if isinstance(value, str) else None
        if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
            self.problems.append('url must be an address such as "http://localhost:29317", or null')
        return str(value).rstrip("/")

    def localpart(self) -> str:
        value = self.text("sender_localpart").lower()
        if value and not is_new_localpart(value):
            self.problems.append("sender_localpart has only a-z, 0-9 and ._=/+-")
        return value

    def protocols(self) -> tuple[str, ...]:
        value = self._said.get("protocols")
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.problems.append("protocols must be a list of texts")
            return ()
        return tuple(dict.fromkeys(value))

    def namespaces(self) -> dict[str, Namespaces]:
        value = self._said.get("namespaces")
        if not isinstance(value, dict):
            self.problems.append("namespaces is missing" if value is None else "namespaces must be a table")
            value = {}
        return {kind: self._namespace(kind, value.get(kind)) for kind in _NAMESPACES}

    def _namespace(self, kind: str, value: object) -> Namespaces:
        if value is None:
            return ()
        if not isinstance(value, list):
            self.problems.append(f"namespaces.{kind} must be a list")
            return ()
        found = [self._one(f"namespaces.{kind}[{place}]", item) for place, item in enumerate(value)]
        return tuple(item for item in found if item is not None)

    def _one(self, where: str, value: object) -> Namespace | None:
        if not isinstance(value, dict):
            self.problems.append(f"{where} must have regex and exclusive")
            return None
        regex, exclusive = value.get("regex"), value.get("exclusive", False)
        if not isinstance(regex, str) or not isinstance(exclusive, bool):
            self.problems.append(f"{where} must have regex (a text) and exclusive (true or false)")
            return None
        try:
            return Namespace(re.compile(regex), exclusive)
        except re.error as fault:
            self.problems.append(f"{where}: {regex!r} is no regular expression ({fault})")
            return None
