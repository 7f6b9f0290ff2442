"""Where the doors for keys find other servers. The port is here; ``federation.outbound`` brings it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from aiohttp import web

Json = dict[str, Any]


class FarKeys(Protocol):
    """Asking other servers for the keys of their users. Nothing raises: who does not answer is in ``failures``."""

    async def query_keys(self, reader: str, wanted: Mapping[str, Sequence[str]], timeout_s: float) -> Json:
        """As ``keys/query`` answers: devices and cross-signing keys by user, and ``failures`` by server."""

    async def claim_keys(self, wanted: Mapping[str, Mapping[str, str]], timeout_s: float) -> Json:
        """As ``keys/claim`` answers: ``one_time_keys`` by user and device, and ``failures`` by server."""


# There only where the node talks to other servers.
FAR_KEYS: web.AppKey[FarKeys] = web.AppKey("far_keys")
