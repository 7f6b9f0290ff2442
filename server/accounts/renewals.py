"""Renewing access tokens (spec, "Refreshing access tokens").

A renewal gives a new access token and a new refresh token. The old ones stay good until one of the new ones is used, so
that a client that never got the answer can ask again; then they end.
"""

from __future__ import annotations

from typing import Final

from server.accounts.sessions import Sessions
from server.accounts.sessions_store import (
    RefreshToken,
    add_renewal,
    find_refresh_token,
    refresh_token_owner,
    settle,
    token_renewed_by,
)
from server.accounts.tokens import Lifetimes, NewSession, hash_of, new_tokens, soft_logout, unknown_token
from server.foundation.clock import Clock
from server.storage.database import Database, Transaction

_UNKNOWN: Final = "This refresh token is not known, or has been used"


class Renewals:
    """Gives new tokens for old ones."""

    def __init__(self, database: Database, clock: Clock, sessions: Sessions, lifetimes: Lifetimes) -> None:
        self._database = database
        self._clock = clock
        self._sessions = sessions
        self._lifetimes = lifetimes

    async def owner(self, refresh_token: str) -> str:
        """Whose token this is; raises ``UnknownToken``."""
        owner = await refresh_token_owner(self._database, hash_of(refresh_token))
        if owner is None:
            raise await unknown_token(self._database, self._clock, _UNKNOWN)
        return owner

    async def renew(self, refresh_token: str) -> NewSession:
        """New tokens; raises ``UnknownToken`` for a token that is unknown, used or too old."""
        now = self._clock.now_ms()
        async with self._database.write() as tx:
            old = await find_refresh_token(tx, hash_of(refresh_token))
            if old is None:
                raise await unknown_token(self._database, self._clock, _UNKNOWN)
            if old.expires_ts is not None and old.expires_ts <= now:
                raise soft_logout("This refresh token has come to its end")
            if old.is_fresh:
                await self._settle(tx, old)
            device = (old.user_id, old.device_id)
            session, token, fresh = new_tokens(device, now, self._lifetimes, renewable=True, is_fresh=True)
            assert fresh is not None
            await add_renewal(tx, token, fresh, now)
        return session

    async def _settle(self, tx: Transaction, refresh: RefreshToken) -> None:
        """A refresh token of an earlier renewal is used: what that renewal replaced ends."""
        device = (refresh.user_id, refresh.device_id)
        await settle(tx, device, await token_renewed_by(tx, refresh.hash), refresh.hash)
        tx.after_commit.append(lambda: self._sessions.forget_tokens(*device))
