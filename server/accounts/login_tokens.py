"""Tokens that log in one more device of somebody, once and soon (spec, "Login": ``m.login.token``)."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from server.foundation.clock import Clock
from server.foundation.errors import Forbidden
from server.foundation.ids import random_token

LIFETIME_MS: Final = 120_000
_KEPT: Final = 10_000


class LoginTokens:
    """All tokens, in memory: one that a restart has lost is asked for again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._owners: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def issue(self, user_id: str) -> str:
        """A token for one login within ``LIFETIME_MS``."""
        token = random_token()
        self._owners[token] = (user_id, self._clock.monotonic() + LIFETIME_MS / 1000)
        if len(self._owners) > _KEPT:
            self._owners.popitem(last=False)
        return token

    def spend(self, token: str) -> str:
        """Whose token this is; it is used up. Raises ``Forbidden``."""
        user_id, good_until = self._owners.pop(token, ("", 0.0))
        if not user_id or good_until < self._clock.monotonic():
            raise Forbidden("This login token is not known, used or too old")
        return user_id

    def forget(self, user_id: str) -> None:
        """Make all tokens of somebody void."""
        self._owners = OrderedDict((token, item) for token, item in self._owners.items() if item[0] != user_id)
