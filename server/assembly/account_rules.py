"""What the settings say about accounts."""

from __future__ import annotations

from typing import Final

from server.accounts.accounts import AccountRules
from server.accounts.policies import read_policies
from server.accounts.tokens import Lifetimes
from server.config import Settings
from server.foundation.settings import SettingsError

_MINUTE_MS: Final = 60_000
_DAY_MS: Final = 86_400_000


def account_rules(settings: Settings) -> AccountRules:
    """Lifetimes of tokens, and the texts that people agree to; raises ``SettingsError`` for files that are none."""
    sessions = settings.sessions
    try:
        policies = read_policies(settings.consent.folder)
    except (OSError, ValueError) as fault:
        raise SettingsError([f"[consent] folder: {fault}."]) from fault
    return AccountRules(
        lifetimes=Lifetimes(
            sessions.access_token_minutes * _MINUTE_MS, sessions.refresh_token_days * _DAY_MS or None,
            sessions.lasting_token_days * _DAY_MS or None,
        ),
        policies=policies,
        consent_is_demanded=settings.consent.demanded,
    )
