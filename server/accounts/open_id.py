"""Tokens that prove to a third party who somebody is, and open nothing else (spec, "OpenID")."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from server.foundation.clock import Clock
from server.foundation.errors import UnknownToken
from server.foundation.ids import random_token

LIFETIME_S: Final = 3600
_KEPT: Final = 10_000


class OpenIdTokens:
    """All tokens, in memory: one that a restart has lost is asked for again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._owners: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def issue(self, user_id: str) -> str:
        """A token for ``LIFETIME_S`` seconds."""
        token = random_token()
        self._owners[token] = (user_id, self._clock.monotonic() + LIFETIME_S)
        if len(self._owners) > _KEPT:
            self._owners.popitem(last=False)
        return token

    def owner(self, token: str) -> str:
        """Whose token this is; raises ``UnknownToken``."""
        user_id, good_until = self._owners.get(token, ("", 0.0))
        if not user_id or good_until < self._clock.monotonic():
            raise UnknownToken("This token is not known, or too old")
        return user_id
