"""Asking application services for users and rooms that may exist as soon as somebody wants them (spec, "Querying").

One that knows the name makes the user or the room before it answers. Each is asked for a few seconds at most.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final

from server.application_services.client import ServiceClient
from server.application_services.service import Service
from server.foundation.ids import server_name_of
from server.foundation.outgoing import Unreachable

logger = logging.getLogger(__name__)

_TIMEOUT_S: Final = 5.0


class Queries:
    """Asks those services that own a name. ``clients`` holds those that can be asked."""

    def __init__(self, services: Sequence[Service], clients: dict[str, ServiceClient], server_name: str) -> None:
        self._services = [service for service in services if service.id in clients]
        self._clients = clients
        self._server_name = server_name

    async def user(self, user_id: str) -> bool:
        """Whether a service says that this unknown user exists now."""
        return await self._ask("users", user_id, lambda service: service.owns_user(user_id))

    async def alias(self, alias: str) -> bool:
        """Whether a service says that a room of this unknown name exists now."""
        if server_name_of(alias) != self._server_name:
            return False
        return await self._ask("rooms", alias, lambda service: service.owns_alias(alias))

    async def _ask(self, kind: str, name: str, owns: Callable[[Service], bool]) -> bool:
        for service in self._services:
            if owns(service) and await self._knows(service, kind, name):
                return True
        return False

    async def _knows(self, service: Service, kind: str, name: str) -> bool:
        try:
            answer = await self._clients[service.id].ask("GET", (kind, name), timeout_s=_TIMEOUT_S)
        except Unreachable as fault:
            logger.info("the application service %s cannot be asked: %s", service.id, fault)
            return False
        return answer.status == 200
