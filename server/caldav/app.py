"""The one entry into the CalDAV door: who, which method, and refusals as HTTP."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from aiohttp import web

from server.caldav.answers import CLASSES, error_answer
from server.caldav.authentication import AddressOf, Authentication, RequireStanding, everybody, peer_address
from server.caldav.call import Call
from server.caldav.copy_move import copy, move
from server.caldav.delete import delete
from server.caldav.get import get
from server.caldav.mkcalendar import mkcalendar
from server.caldav.options import options
from server.caldav.outbox import post
from server.caldav.paths import ROOT_HREF, Place, collection_href, read_path
from server.caldav.propfind import propfind
from server.caldav.proppatch import proppatch
from server.caldav.put import put
from server.caldav.report import report
from server.caldav.settings import CaldavSettings
from server.calendars.actions import Calendars
from server.calendars.app_passwords import AppPasswords
from server.calendars.opening import open_calendars
from server.calendars.refusals import Condition, refuse
from server.foundation.clock import Clock
from server.foundation.errors import BadRequest, Refused, TooLarge
from server.foundation.ids import UserId
from server.http.arriving import pieces

__all__ = ["CaldavDoor", "make_caldav_app", "open_calendars"]

logger = logging.getLogger(__name__)

WELL_KNOWN: Final = "/.well-known/caldav"

Method = Callable[[Call], Awaitable[web.Response]]

METHODS: Final[Mapping[str, Method]] = {
    "OPTIONS": options, "PROPFIND": propfind, "PROPPATCH": proppatch, "REPORT": report, "GET": get, "HEAD": get,
    "PUT": put, "DELETE": delete, "MKCALENDAR": mkcalendar, "MKCOL": mkcalendar,
    "COPY": copy, "MOVE": move, "POST": post,
}


_WRITING: Final = frozenset({"PUT", "DELETE", "PROPPATCH", "MKCALENDAR", "MKCOL", "COPY", "MOVE"})


class CaldavDoor:
    """Answers every request below ``/dav/`` and of ``/.well-known/caldav`` (and PROPFIND of ``/``)."""

    def __init__(
        self, calendars: Calendars, authentication: Authentication, require_standing: RequireStanding,
        settings: CaldavSettings,
    ) -> None:
        self.calendars = calendars
        self._authentication = authentication
        self._require_standing = require_standing
        self._settings = settings

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """The aiohttp handler, for every method."""
        path = request.rel_url.raw_path
        if path.rstrip("/") == WELL_KNOWN:
            # RFC 6764 section 5; for every method, before anybody logs in.
            return web.Response(status=301, headers={"Location": ROOT_HREF})
        try:
            return await self._answer(request, path)
        except Refused as refusal:
            # The reason may quote what somebody wrote into a calendar; it goes to the caller, not to the log.
            logger.info("refused %s: %d %s", request.method, refusal.status, refusal.detail)
            return error_answer(refusal, _collection_path(path))

    async def _answer(self, request: web.Request, path: str) -> web.Response:
        user_id = await self._authentication.caller(request)
        await self._require_standing(user_id, request.method in _WRITING)
        method = METHODS.get(request.method)
        if method is None:
            raise refuse(Condition.NONE, "This method is not offered", status=405)
        body = await _body(request, self._settings.body_bytes)
        call = Call(user_id, UserId.parse(user_id).localpart, request.method, path, read_path(path), request.headers,
                    body, self.calendars, self._settings)
        answer = await method(call)
        answer.headers.setdefault("DAV", CLASSES)
        return answer


def make_caldav_app(
    calendars: Calendars, app_passwords: AppPasswords, clock: Clock, settings: CaldavSettings,
    address_of: AddressOf = peer_address, require_standing: RequireStanding = everybody,
) -> CaldavDoor:
    """Build the door; call once, on the first request, since all of iCalendar and XML is loaded with this module.

    ``calendars`` come from ``open_calendars``, which this module hands on; ``address_of`` tells where a request comes
    from, for counting wrong passwords; ``require_standing`` turns away whom an officer has locked out.
    """
    authentication = Authentication(app_passwords, clock, settings, address_of)
    return CaldavDoor(calendars, authentication, require_standing, settings)


async def _body(request: web.Request, limit: int) -> bytes:
    """The whole body, unless it is longer than anything we take; a broken encoding is the caller's fault."""
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in pieces(request.content):
            size += len(chunk)
            if size > limit:
                raise TooLarge("The request is too large")
            chunks.append(chunk)
    except (web.RequestPayloadError, ValueError) as fault:
        raise BadRequest("The body cannot be read", detail=str(fault)[:100]) from None
    return b"".join(chunks)


def _collection_path(path: str) -> str:
    """Where the names in a refusal lie."""
    try:
        target = read_path(path)
    except Refused:
        return ""
    return collection_href(target.user, target.collection) if target.place in (Place.ITEM, Place.COLLECTION) else ""
