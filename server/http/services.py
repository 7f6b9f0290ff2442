"""Gives an application what the doors of accounts ask for."""

from __future__ import annotations

from aiohttp import web

from server.accounts.accounts import Accounts
from server.accounts.interactive_auth import InteractiveAuth
from server.accounts.shared_secret import SharedSecretRegistration
from server.config import Settings
from server.foundation.clock import Clock
from server.http.keys import ACCOUNTS, CLOCK, INTERACTIVE_AUTH, RATE_LIMITS, SETTINGS, SHARED_SECRET
from server.http.rate_limits import RateLimits


def provide_accounts(app: web.Application, accounts: Accounts, settings: Settings, clock: Clock) -> None:
    """Put the services of accounts under their keys."""
    app[ACCOUNTS] = accounts
    app[CLOCK] = clock
    app[SETTINGS] = settings
    app[RATE_LIMITS] = RateLimits(clock, settings)
    app[INTERACTIVE_AUTH] = InteractiveAuth(clock)
    app[SHARED_SECRET] = SharedSecretRegistration(clock, settings.registration.shared_secret)
