"""What the networks behind application services offer (spec, "Third-party networks")."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

from server.application_services.client import ServiceClient, json_of
from server.application_services.service import Service
from server.foundation.clock import Clock
from server.foundation.outgoing import Unreachable

logger = logging.getLogger(__name__)

_TIMEOUT_S: Final = 5.0
_KEPT_S: Final = 3600.0
_FIELDS: Final = {"location": "alias", "user": "userid"}

Json = dict[str, Any]


class ThirdParties:
    """Asks all services that offer a protocol, and puts their answers together."""

    def __init__(self, services: Sequence[Service], clients: dict[str, ServiceClient], clock: Clock) -> None:
        self._services = [service for service in services if service.id in clients]
        self._clients = clients
        self._clock = clock
        # By service and protocol: when it was learned, and what.
        self._known: dict[tuple[str, str], tuple[float, Json]] = {}

    async def protocols(self) -> Json:
        """Every protocol that a service answers for, by its name."""
        names = dict.fromkeys(name for service in self._services for name in service.registration.protocols)
        found = await asyncio.gather(*(self.protocol(name) for name in names))
        return {name: protocol for name, protocol in zip(names, found, strict=True) if protocol is not None}

    async def protocol(self, name: str) -> Json | None:
        """One protocol with the instances of all services that offer it, or ``None``."""
        found = await asyncio.gather(*(self._protocol(service, name) for service in self._offering(name)))
        told = [protocol for protocol in found if protocol is not None]
        if not told:
            return None
        return {**told[0], "instances": [instance for protocol in told for instance in protocol["instances"]]}

    async def find(self, kind: str, name: str | None, query: Mapping[str, str]) -> list[Json]:
        """Locations or users (``kind``) on the far side, by protocol or, with ``None``, by Matrix name."""
        asked = self._services if name is None else self._offering(name)
        found = await asyncio.gather(*(self._find(service, kind, name, query) for service in asked))
        return [item for items in found for item in items]

    def _offering(self, name: str) -> list[Service]:
        return [service for service in self._services if name in service.registration.protocols]

    async def _protocol(self, service: Service, name: str) -> Json | None:
        known = self._known.get((service.id, name))
        if known is not None and self._clock.monotonic() - known[0] < _KEPT_S:
            return known[1]
        told = await self._ask(service, ("protocol", name), {})
        if not isinstance(told, dict):
            return None
        shown = _with_instance_ids(service, told)
        self._known[service.id, name] = (self._clock.monotonic(), shown)
        return shown

    async def _find(self, service: Service, kind: str, name: str | None, query: Mapping[str, str]) -> list[Json]:
        told = await self._ask(service, (kind,) if name is None else (kind, name), query)
        return [item for item in told if _is_result(kind, item)] if isinstance(told, list) else []

    async def _ask(self, service: Service, path: tuple[str, ...], query: Mapping[str, str]) -> Any:
        try:
            answer = await self._clients[service.id].ask(
                "GET", ("thirdparty", *path), query=query, timeout_s=_TIMEOUT_S
            )
        except Unreachable as fault:
            logger.info("the application service %s cannot be asked: %s", service.id, fault)
            return None
        return json_of(answer) if answer.status == 200 else None


def instance_id(service_id: str, network_id: str) -> str:
    """How clients name one network of one service."""
    return f"{service_id}|{network_id}"


def _with_instance_ids(service: Service, told: Json) -> Json:
    instances = told.get("instances")
    shown = [
        {**item, "instance_id": instance_id(service.id, item["network_id"])}
        for item in (instances if isinstance(instances, list) else [])
        if isinstance(item, dict) and isinstance(item.get("network_id"), str)
    ]
    return {"user_fields": [], "location_fields": [], "icon": "", "field_types": {}, **told, "instances": shown}


def _is_result(kind: str, item: Any) -> bool:
    wanted = {_FIELDS[kind]: str, "protocol": str, "fields": dict}
    return isinstance(item, dict) and all(isinstance(item.get(name), value) for name, value in wanted.items())
