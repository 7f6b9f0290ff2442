"""SRV records by dnspython; loaded only where the node talks to other servers."""

from __future__ import annotations

import logging
import random

import dns.asyncresolver
import dns.exception
import dns.resolver
from dns.rdtypes.IN.SRV import SRV

logger = logging.getLogger(__name__)
_SECONDS = 5.0
_KEPT = 2_000


class ServiceRecords:
    """Asks the system's name servers; what they say is kept for as long as they say."""

    def __init__(self, resolver: dns.asyncresolver.Resolver | None = None) -> None:
        self._resolver = resolver

    async def find(self, name: str) -> list[tuple[str, int]]:
        """``(host, port)`` by priority and weight (RFC 2782); empty where there is none."""
        try:
            answer = await self._resolver_of_system().resolve(name, "SRV", lifetime=_SECONDS)
        except (dns.exception.DNSException, OSError) as fault:
            logger.debug("no service record: %s", type(fault).__name__)
            return []
        records = [record for record in answer if isinstance(record, SRV)]
        # A weighted shuffle inside one priority; nobody here needs the letter of the RFC's algorithm.
        records.sort(key=lambda record: (record.priority, -random.random() * (record.weight + 1)))  # noqa: S311
        return [(str(record.target).rstrip("."), record.port) for record in records if str(record.target) != "."]

    def _resolver_of_system(self) -> dns.asyncresolver.Resolver:
        if self._resolver is None:
            self._resolver = dns.asyncresolver.Resolver()
            self._resolver.cache = dns.resolver.LRUCache(_KEPT)
        return self._resolver
