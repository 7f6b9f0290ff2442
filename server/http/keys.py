"""Where doors find their services: keys of the web application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from server.accounts.accounts import Accounts
from server.accounts.interactive_auth import InteractiveAuth
from server.accounts.shared_secret import SharedSecretRegistration
from server.config import Settings
from server.foundation.clock import Clock
from server.http.rate_limits import RateLimits
from server.storage.database import Database

if TYPE_CHECKING:
    from server.application_services.services import ApplicationServices

ACCOUNTS = web.AppKey("accounts", Accounts)
# There only where registration files are configured.
APPLICATION_SERVICES: web.AppKey[ApplicationServices] = web.AppKey("application_services")
CLOCK = web.AppKey[Clock]("clock", Clock)
# For the few doors whose verbs are made when they are asked for, see matrix_api/rare_doors.py.
DATABASE = web.AppKey("database", Database)
INTERACTIVE_AUTH = web.AppKey("interactive_auth", InteractiveAuth)
RATE_LIMITS = web.AppKey("rate_limits", RateLimits)
SETTINGS = web.AppKey("settings", Settings)
SHARED_SECRET = web.AppKey("shared_secret", SharedSecretRegistration)
