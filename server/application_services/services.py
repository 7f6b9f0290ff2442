"""Everything about application services in one place, for doors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from server.accounts.sessions import Caller
from server.application_services.callers import Callers
from server.application_services.couriers import Couriers
from server.application_services.names import Names
from server.application_services.pings import Pings
from server.application_services.room_lists import RoomLists
from server.application_services.service import Service
from server.application_services.third_party import ThirdParties
from server.foundation.errors import Forbidden, UnknownToken


class Registry:
    """The services, by what they call themselves with."""

    def __init__(self, services: Sequence[Service]) -> None:
        self._by_token = {service.registration.as_token: service for service in services}
        self._by_id = {service.id: service for service in services}

    def with_token(self, token: str) -> Service | None:
        """The service whose ``as_token`` this is."""
        return self._by_token.get(token)

    def with_id(self, service_id: str) -> Service | None:
        """The service of this id."""
        return self._by_id.get(service_id)


@dataclass(frozen=True, slots=True)
class ApplicationServices:
    """The verbs of application services."""

    registry: Registry
    callers: Callers
    names: Names
    couriers: Couriers
    third_parties: ThirdParties
    room_lists: RoomLists
    pings: Pings

    def with_token(self, token: str) -> Service | None:
        """The service whose ``as_token`` this is."""
        return self.registry.with_token(token)

    def require_token(self, token: str) -> Service:
        """The same; raises ``UnknownToken``."""
        service = self.registry.with_token(token)
        if service is None:
            raise UnknownToken("This is not the token of an application service")
        return service

    def require_service(self, service_id: str | None) -> Service:
        """The service for which a caller acts; raises ``Forbidden`` for people."""
        service = self.registry.with_id(service_id) if service_id is not None else None
        if service is None:
            raise Forbidden("Only an application service may do this")
        return service

    async def caller(self, service: Service, query: Mapping[str, str]) -> Caller:
        """The caller that a request of a service means, see ``Callers``. What waits for the service goes out now."""
        self.couriers.seen(service.id)
        return await self.callers.caller(service, query)

    async def ping(self, service: Service, txn_id: str | None) -> int:
        """Ping a service, see ``Pings``."""
        return await self.pings.ping(service, txn_id)
