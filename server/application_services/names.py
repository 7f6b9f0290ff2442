"""Who may make which users and give rooms which names (spec, "Server admin style permissions")."""

from __future__ import annotations

from collections.abc import Sequence

from server.accounts.accounts import Accounts
from server.application_services.service import Service
from server.foundation.errors import InvalidParam, Refused


class Names:
    """What is reserved, and making ghosts."""

    def __init__(self, services: Sequence[Service], accounts: Accounts) -> None:
        self._services = services
        self._accounts = accounts

    def require_user_unreserved(self, user_id: str) -> None:
        """Raise ``M_EXCLUSIVE`` where only an application service may make this user."""
        if any(service.reserves_user(user_id) for service in self._services):
            raise _exclusive("This name is kept for an application service")

    def require_alias_allowed(self, alias: str, service_id: str | None) -> None:
        """Raise ``M_EXCLUSIVE`` where somebody (a service, or with ``None`` a person) may not use this alias."""
        for service in self._services:
            if service.id != service_id and service.reserves_alias(alias):
                raise _exclusive("This name is kept for an application service")
            if service.id == service_id and not service.owns_alias(alias):
                raise _exclusive("This name does not belong to the application service")

    async def register(self, service: Service, localpart: str) -> str:
        """Make a ghost and answer its id. Raises ``M_EXCLUSIVE``, ``M_USER_IN_USE``, ``M_INVALID_USERNAME``."""
        user_id = self._accounts.users.user_id(localpart)
        self._require_own(service, user_id)
        return await self._accounts.create_user(localpart)

    def ghost(self, service: Service, name: str) -> str:
        """The id of a user whom a service logs in, full or only the localpart; raises ``M_EXCLUSIVE``."""
        try:
            user_id = self._accounts.users.named(name)
        except InvalidParam:
            raise InvalidParam("Not a user id", code="M_INVALID_USERNAME") from None
        self._require_own(service, user_id)
        return user_id

    def _require_own(self, service: Service, user_id: str) -> None:
        if not service.owns_user(user_id):
            raise _exclusive("This user does not belong to the application service")
        for other in self._services:
            if other is not service and other.reserves_user(user_id):
                raise _exclusive("This name is kept for another application service")


def _exclusive(reason: str) -> Refused:
    return Refused(reason, code="M_EXCLUSIVE")
