"""Who sends a request between servers: the ``X-Matrix`` header (spec: "Request Authentication")."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from server.foundation.canonical_json import canonical_json
from server.foundation.errors import Refused
from server.foundation.ids import is_server_name
from server.foundation.signatures import SigningKey

Json = dict[str, Any]

# RFC 9110, section 11.4: token or quoted string, names in any case, blanks around "=" and ",".
_PARAMETER: Final = re.compile(r'([A-Za-z0-9!#$%&\'*+.^_`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*(?:,|$)\s*')
_SCHEME: Final = "x-matrix"


class Unauthorized(Refused):
    """Nobody has signed this request, or not as they must: 401."""

    status = 401
    code = "M_UNAUTHORIZED"


@dataclass(frozen=True, slots=True)
class Claim:
    """What one header says. ``destination`` is empty where old servers leave it out."""

    origin: str
    destination: str
    key_id: str
    signature: str


def read_claims(headers: Iterable[str]) -> list[Claim]:
    """The claims of all ``Authorization`` headers, all of one origin. Raises ``Unauthorized``."""
    claims = [_read_claim(header) for header in headers]
    if not claims:
        raise Unauthorized("The request is not signed")
    if len({claim.origin for claim in claims}) != 1:
        raise Unauthorized("The request is signed by two servers")
    return claims


def _read_claim(header: str) -> Claim:
    scheme, _, rest = header.strip().partition(" ")
    if scheme.lower() != _SCHEME:
        raise Unauthorized("The request is not signed in the way of servers")
    values: dict[str, str] = {}
    rest = rest.strip()
    while rest:
        found = _PARAMETER.match(rest)
        if found is None:
            raise Unauthorized("The signature of the request cannot be read")
        quoted, name = found[2], found[1].lower()
        if name in values:
            raise Unauthorized("The signature of the request says one thing twice")
        values[name] = found[3] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        rest = rest[found.end():]
    origin, key_id, signature = values.get("origin", ""), values.get("key", ""), values.get("sig", "")
    if not is_server_name(origin) or _is_absolute(origin) or not key_id.startswith("ed25519:") or not signature:
        raise Unauthorized("The signature of the request cannot be read")
    return Claim(origin, values.get("destination", ""), key_id, signature)


def _is_absolute(server: str) -> bool:
    """Whether a name ends with a dot: the same host by another name, which no list of servers of a room would know."""
    return server.partition(":")[0].endswith(".")


def signed_object(method: str, uri: str, origin: str, destination: str, content: object = None) -> Json:
    """What is signed of a request; ``uri`` is the path as it is sent, with its query."""
    covered: Json = {"method": method, "uri": uri, "origin": origin, "destination": destination}
    if content is not None:
        covered["content"] = content
    return covered


def authorization(
    key: SigningKey, method: str, uri: str, origin: str, destination: str, content: object = None
) -> str:
    """The header for a request of ours."""
    signature = key.sign(canonical_json(signed_object(method, uri, origin, destination, content)))
    return _header(key, origin, destination, signature)


def authorization_of_bytes(
    key: SigningKey, method: str, uri: str, origin: str, destination: str, content: bytes
) -> str:
    """The same for a content that is canonical JSON already."""
    rest = canonical_json({"destination": destination, "method": method, "origin": origin, "uri": uri})
    return _header(key, origin, destination, key.sign(b'{"content":%b,%b' % (content, rest[1:])))


def _header(key: SigningKey, origin: str, destination: str, signature: str) -> str:
    return f'X-Matrix origin="{origin}",destination="{destination}",key="{key.key_id}",sig="{signature}"'
