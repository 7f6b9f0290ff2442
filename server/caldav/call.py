"""One request, read as far as every method needs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from server.caldav.conditions import read_if
from server.caldav.paths import Place, Target, collection_href, home_href, principal_href
from server.caldav.settings import CaldavSettings
from server.calendars.actions import Calendars, Shelf
from server.calendars.model import Expected
from server.calendars.refusals import Condition, refuse
from server.foundation.errors import BadRequest, NotFound


@dataclass(frozen=True, slots=True)
class Call:
    """Who calls what with which body.

    ``localpart`` is the caller's, as it stands in the caller's own paths; ``headers`` is case-insensitive; ``path`` as
    it was sent, without a query.
    """

    user_id: str
    localpart: str
    method: str
    path: str
    target: Target
    headers: Mapping[str, str]
    body: bytes
    calendars: Calendars
    settings: CaldavSettings

    @property
    def principal(self) -> str:
        """The caller's principal."""
        return principal_href(self.localpart)

    @property
    def home(self) -> str:
        """The caller's calendar home."""
        return home_href(self.localpart)

    @property
    def collection_path(self) -> str:
        """The collection that the target is or lies in."""
        return collection_href(self.localpart, self.target.collection)

    @property
    def minimal(self) -> bool:
        """Whether properties that do not exist shall not be listed (RFC 8144; ``Brief`` is Apple's older way)."""
        return "return=minimal" in self.headers.get("Prefer", "") or self.headers.get("Brief", "").lower() == "t"

    def require_own(self, target: Target | None = None) -> Target:
        """The target, unless it belongs to somebody else: then it does not exist for the caller."""
        target = target or self.target
        if target.user and not self._is_caller(target.user):
            raise NotFound("There is nothing here")
        return target

    async def shelf(self) -> Shelf:
        """The collection that the target is or lies in; raises ``NotFound``."""
        return await self.calendars.find(self.user_id, self.require_own().collection)

    def require_place(self, *places: Place) -> Target:
        """The target if it is of one of these kinds; else 405."""
        target = self.require_own()
        if target.place not in places:
            raise refuse(Condition.NONE, f"{self.method} is not possible here", status=405)
        return target

    def depth(self, default: str) -> str:
        """The Depth header."""
        depth = self.headers.get("Depth", default).strip().lower()
        if depth not in ("0", "1", "infinity"):
            raise BadRequest("The Depth header must be 0, 1 or infinity")
        return depth

    def expected(self) -> Expected:
        """What If-Match, If-None-Match and If say of the target."""
        match = read_etags(self.headers.get("If-Match"))
        # Our schedule tags are ETags: a copy has one attendee, so whatever changes it matters to that one.
        scheduled = read_etags(self.headers.get("If-Schedule-Tag-Match"))
        if scheduled is not None:
            match = scheduled if match is None or "*" in match else match & scheduled
        return Expected(match, read_etags(self.headers.get("If-None-Match")),
                        read_if(self.headers.get("If"), self.path))

    def _is_caller(self, user: str) -> bool:
        return user in (self.localpart, self.user_id)


def read_etags(header: str | None) -> frozenset[str] | None:
    """The bare ETags of a condition (weak marks are a proxy's work and do not count). ``None``: no condition."""
    if header is None:
        return None
    return frozenset(part.strip().removeprefix("W/").strip().strip('"') for part in header.split(",")) - {""}
