"""Whether an application service can be reached, asked by itself (spec, ``POST /_matrix/app/v1/ping``)."""

from __future__ import annotations

from typing import Any, Final

import orjson

from server.application_services.client import ServiceClient
from server.application_services.service import Service
from server.foundation.clock import Clock
from server.foundation.errors import Refused
from server.foundation.outgoing import Unreachable

_TIMEOUT_S: Final = 15.0
_SHOWN_BYTES: Final = 2_000


class Pings:
    """Asks services for a sign of life."""

    def __init__(self, clients: dict[str, ServiceClient], clock: Clock) -> None:
        self._clients = clients
        self._clock = clock

    async def ping(self, service: Service, txn_id: str | None) -> int:
        """How long the answer took, in ms.

        Raises ``Refused`` with ``M_URL_NOT_SET``, ``M_BAD_STATUS``, ``M_CONNECTION_FAILED``, ``M_CONNECTION_TIMEOUT``.
        """
        client = self._clients.get(service.id)
        if client is None:
            raise Refused("The application service has no URL", code="M_URL_NOT_SET")
        body: dict[str, Any] = {} if txn_id is None else {"transaction_id": txn_id}
        began = self._clock.monotonic()
        try:
            answer = await client.ask("POST", ("ping",), body=orjson.dumps(body), timeout_s=_TIMEOUT_S)
        except Unreachable as fault:
            if self._clock.monotonic() - began >= _TIMEOUT_S:
                raise Refused("No answer in time", code="M_CONNECTION_TIMEOUT", status=504) from None
            raise Refused(f"No connection: {fault}", code="M_CONNECTION_FAILED", status=502) from None
        if answer.status != 200:
            told = {"status": answer.status, "body": answer.body[:_SHOWN_BYTES].decode("utf-8", "replace")}
            raise Refused(f"Ping returned status {answer.status}", code="M_BAD_STATUS", status=502, extra=told)
        return round((self._clock.monotonic() - began) * 1000)
