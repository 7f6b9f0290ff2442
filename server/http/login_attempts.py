"""Wrong passwords: who guesses waits, and the owner of the account does not.

Three counts. The narrow one is of an account tried from one address; whoever guesses there locks out nobody who comes
from elsewhere. The wide ones hold back an address that tries many accounts, and an account that is tried from very
many addresses at once. All doors of one node count together.
"""

from __future__ import annotations

import ipaddress
from typing import Final

from server.accounts.users import Users
from server.accounts.users_store import User
from server.foundation.clock import Clock
from server.http.limiter import Limiter

_OF_ADDRESS: Final = 5
_OF_ACCOUNT: Final = 30
_NETWORK_BITS: Final = 64


class LoginAttempts:
    """Lets people try passwords, ``per_minute`` for each account and address; 0 is without a limit."""

    def __init__(self, clock: Clock, per_minute: int) -> None:
        self._pairs = _limiter(clock, per_minute)
        self._addresses = _limiter(clock, per_minute * _OF_ADDRESS)
        self._accounts = _limiter(clock, per_minute * _OF_ACCOUNT)

    async def authenticate(self, users: Users, user_id: str, password: str, address: str) -> User | None:
        """The user whose password this is, or ``None``, both after the same time; there may be no such user at all.

        Raises ``LimitExceeded`` after too many wrong ones.
        """
        place = network_of(address)
        pair = f"{place} {user_id}"
        self._addresses.check(place)
        self._accounts.check(user_id)
        # Counted beforehand, so that many guesses at once are no more than one after the other.
        self._pairs.take(pair)
        user = await users.authenticate(user_id, password)
        if user is None:
            self._addresses.count(place)
            self._accounts.count(user_id)
        else:
            self._pairs.give_back(pair)
        return user


def network_of(address: str) -> str:
    """What one caller can choose freely: a whole /64 of IPv6, one address of IPv4 (also where IPv6 carries it)."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((found, _NETWORK_BITS), strict=False))


def _limiter(clock: Clock, per_minute: int) -> Limiter:
    return Limiter(clock, per_minute / 60, per_minute)
