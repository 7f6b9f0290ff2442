"""Fetching a page for a preview: redirects one by one, each looked at as if somebody had named it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin

from yarl import URL

from server.foundation.clock import Clock
from server.foundation.errors import Refused
from server.foundation.outgoing import Fetched, Outgoing, Unreachable
from server.media.preview_addresses import PreviewRules

_MOST_REDIRECTS: Final = 5
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment (``Clock.monotonic``) when all fetching for one preview ends."""

    clock: Clock
    at_s: float

    def left_s(self) -> float:
        """Seconds that are left; raises ``Unreachable`` where there are none."""
        left = self.at_s - self.clock.monotonic()
        if left <= 0:
            raise Unreachable("no answer in time")
        return left


class PageFetcher:
    """Fetches what ``rules`` allow."""

    def __init__(self, outgoing: Outgoing, rules: PreviewRules) -> None:
        self._outgoing = outgoing
        self.rules = rules

    async def fetch(self, address: str, *, accept: str, limit: int, deadline: Deadline) -> Fetched:
        """The answer, at most ``limit`` bytes. Raises ``Unreachable``, also where a redirect leads astray."""
        headers = {"Accept": accept, "Accept-Language": "ja, en;q=0.7, *;q=0.5"}
        for _ in range(_MOST_REDIRECTS + 1):
            url = str(self._allowed(address))
            answer = await self._outgoing.fetch(
                "GET", url, headers=headers, limit=limit, timeout_s=deadline.left_s()
            )
            onward = answer.headers.get("Location")
            if answer.status in _REDIRECTS and onward:
                address = _joined(url, onward)
            elif answer.status == _OK:
                return answer
            else:
                raise Unreachable(f"status {answer.status}")
        raise Unreachable("too many redirects")

    def _allowed(self, address: str) -> URL:
        try:
            return self.rules.address(address)
        except Refused as refusal:
            raise Unreachable(refusal.reason) from None

    async def close(self) -> None:
        """Close all connections."""
        await self._outgoing.close()


def _joined(base: str, onward: str) -> str:
    try:
        return urljoin(base, onward)
    except ValueError:
        raise Unreachable("a redirect to no address") from None
