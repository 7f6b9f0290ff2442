"""HTTP to one application service.

Paths are those of ``/_matrix/app/v1``. One that does not know them is asked again in the old way: other paths, and the
token in the query (spec, "Legacy routes").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

import orjson

from server.application_services.registration import Registration
from server.foundation.outgoing import Fetched, Outgoing

_V1: Final = "/_matrix/app/v1"
_MOST_BYTES: Final = 1024 * 1024
# Old paths, by the first segment.
_LEGACY: Final = {"transactions": "", "users": "", "rooms": "", "thirdparty": "/_matrix/app/unstable"}


class ServiceClient:
    """Asks one application service, which must have a URL."""

    def __init__(self, outgoing: Outgoing, registration: Registration) -> None:
        self._outgoing = outgoing
        self._base = registration.url or ""
        self._token = registration.hs_token
        # Learned from its answers: which kinds of paths it knows by their old names only.
        self._old: set[str] = set()

    async def ask(
        self, method: str, path: tuple[str, ...], *, body: bytes | None = None,
        query: Mapping[str, str] | None = None, timeout_s: float,
    ) -> Fetched:
        """One request and its answer, whatever its status; raises ``Unreachable``. ``path`` is in segments."""
        kind = path[0]
        if kind in self._old:
            older = await self._ask(method, path, body, query, timeout_s, legacy=True)
            if not _is_unknown_path(older):
                return older
            self._old.discard(kind)
        answer = await self._ask(method, path, body, query, timeout_s, legacy=False)
        if kind not in _LEGACY or not _is_unknown_path(answer):
            return answer
        older = await self._ask(method, path, body, query, timeout_s, legacy=True)
        if _is_unknown_path(older):
            return answer
        self._old.add(kind)
        return older

    async def _ask(
        self, method: str, path: tuple[str, ...], body: bytes | None, query: Mapping[str, str] | None,
        timeout_s: float, *, legacy: bool,
    ) -> Fetched:
        given = {**(query or {}), **({"access_token": self._token} if legacy else {})}
        segments = "/".join(quote(segment, safe="") for segment in path)
        url = f"{self._base}{_LEGACY[path[0]] if legacy else _V1}/{segments}"
        headers = {"Authorization": f"Bearer {self._token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        return await self._outgoing.fetch(
            method, f"{url}?{urlencode(given)}" if given else url, body=body, headers=headers, limit=_MOST_BYTES,
            timeout_s=timeout_s,
        )


def json_of(answer: Fetched) -> Any:
    """What an answer says, or ``None`` where it is no JSON."""
    try:
        return orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return None


def _is_unknown_path(answer: Fetched) -> bool:
    """Whether it does not know the path, in contrast to a thing that it does not know."""
    if answer.status not in (404, 405):
        return False
    said = json_of(answer)
    return not isinstance(said, dict) or said.get("errcode") == "M_UNRECOGNIZED"
