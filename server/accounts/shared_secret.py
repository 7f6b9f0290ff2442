"""Registration by a shared secret: for tools that know it (Synapse's ``/_synapse/admin/v1/register``)."""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from typing import Final

from server.foundation.clock import Clock
from server.foundation.errors import Forbidden, InvalidParam
from server.foundation.ids import random_token

_NONCE_SECONDS: Final = 60.0
_MOST_NONCES: Final = 10_000


class SharedSecretRegistration:
    """Hands out nonces, and checks that somebody who knows the secret has signed a request for an account."""

    def __init__(self, clock: Clock, secret: str) -> None:
        self._clock = clock
        self._secret = secret.encode()
        self._nonces: OrderedDict[str, float] = OrderedDict()

    def nonce(self) -> str:
        """A text to be signed, good for a minute and one request; raises ``Forbidden`` where no secret is set."""
        self._require_secret()
        nonce = random_token()
        self._nonces[nonce] = self._clock.monotonic() + _NONCE_SECONDS
        if len(self._nonces) > _MOST_NONCES:
            self._nonces.popitem(last=False)
        return nonce

    def check(self, nonce: str, parts: list[str], mac: str) -> None:
        """Raise ``Refused`` unless ``mac`` is the HMAC-SHA1 of nonce and parts, joined by NUL. Uses the nonce up."""
        self._require_secret()
        good_until = self._nonces.pop(nonce, None)
        if good_until is None or good_until < self._clock.monotonic():
            raise InvalidParam("unrecognised nonce", code="M_UNKNOWN")
        if any("\0" in part for part in parts):
            raise InvalidParam("NUL is not allowed here")
        signed = "\0".join([nonce, *parts]).encode("utf-8", "surrogatepass")
        wanted = hmac.new(self._secret, signed, hashlib.sha1).hexdigest()
        if not hmac.compare_digest(wanted.encode(), mac.encode("utf-8", "replace")):
            raise Forbidden("HMAC incorrect")

    def _require_secret(self) -> None:
        if not self._secret:
            raise Forbidden("Registration by a shared secret is not enabled")
