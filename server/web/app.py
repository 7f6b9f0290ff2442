"""The entry to the node's own pages: everything that is not Matrix, CalDAV or another server.

``make_pages(services)`` answers one handler with a dispatch of its own. Import this module only when the first page
is asked for: it brings the template engine along.
"""

from __future__ import annotations

import logging
from typing import Final

from aiohttp import web

from server.accounts.web_sessions import WebSession
from server.foundation.errors import LimitExceeded, NotFound, Refused, TooLarge
from server.web.family import Family
from server.web.family_phone import family_of
from server.web.languages.dates import time_of
from server.web.pages import all_pages
from server.web.pending import PendingFiles
from server.web.repeats import Repeats
from server.web.routing import Routes
from server.web.security import HEADERS, CookieJar, require_own_origin
from server.web.services import WebServices
from server.web.set_up_links import SetUpLinks
from server.web.templating import Templates
from server.web.visit import KEPT_HEADER, Memory, NotLoggedIn, Visit

__all__ = ["Pages", "WebServices", "add_pages", "make_pages"]

logger = logging.getLogger(__name__)

_MISTAKE: Final = "もうしわけありません。うまく いきませんでした。少し まって、もう一度 おねがいします。"
_HEADINGS: Final = {
    400: "入力を たしかめてください", 403: "このページは 使えません", 404: "ページが ありません",
    409: "このままでは できません", 412: "ほかの人と かさなりました", 413: "大きすぎます", 429: "少し まってください",
    500: "うまく いきませんでした",
}
_WORDS: Final = {
    400: "入力された内容が 正しくありません。もう一度 おねがいします。", 403: "この操作は できません。",
    413: "ファイルが 大きすぎます。", 503: "いま こみあっています。少し まって、もう一度 おねがいします。",
    507: "書きこむ場所が いっぱいです。役員に おしらせください。",
}


class Pages:
    """The handler of all pages."""

    def __init__(self, services: WebServices) -> None:
        self._services = services
        self._templates = Templates(services.settings.association.name)
        self._jar = CookieJar(services.settings.http.public_url)
        self._memory = Memory(Repeats(), PendingFiles(services.clock), SetUpLinks(services.clock))
        self._routes = Routes()
        all_pages.add_routes(self._routes)

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        visit = await self._visit(request)
        response = await self._answer(visit)
        if not response.prepared:
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
        return response

    async def _visit(self, request: web.Request) -> Visit:
        cookie = self._jar.value(request)
        session: WebSession | None = None
        if cookie is not None:
            session = await self._services.node.sessions.find(cookie)
        visit = Visit(request, self._services, self._templates, self._jar, session, cookie, self._memory)
        visit.family = await self._family(visit)
        if visit.session is not None:
            visit.look = await self._services.node.looks.of(visit.session.user_id)
        return visit

    async def _family(self, visit: Visit) -> Family:
        """Who uses this telephone; where the session of whoever was at the screen has ended, the next one is there."""
        family = await family_of(visit)
        if visit.session is None and family.members:
            visit.session, visit.cookie = family.members[0].session, family.members[0].token
        is_theirs = visit.session is not None and visit.cookie in [member.token for member in family.members]
        return family if is_theirs else Family()

    async def _answer(self, visit: Visit) -> web.StreamResponse:
        try:
            return _for_worker(visit, await self._page(visit))
        except NotLoggedIn:
            return _to_login(visit)
        except Refused as refusal:
            if refusal.detail:
                logger.info("a page was refused: %s (%s)", refusal.status, refusal.detail)
            return _refusal_page(visit, refusal)
        except web.HTTPRequestEntityTooLarge:
            return _refusal_page(visit, TooLarge("送るものが 大きすぎます。"))
        except (web.HTTPException, ConnectionError):
            raise
        except Exception:
            logger.exception("a page failed")
            return _refusal_page(visit, Refused(_MISTAKE, status=500))

    async def _page(self, visit: Visit) -> web.StreamResponse:
        request = visit.request
        page, visit.parts = self._routes.find(request.method, request.rel_url.raw_path)
        if request.method == "POST":
            require_own_origin(request, self._services.settings.http.public_url)
            if request.headers.get(KEPT_HEADER, "") not in ("", visit.person_mark):
                raise NotLoggedIn("ログインしてください。")  # it waits for whoever has written it
        if visit.session is not None:
            self._services.node.limits.requests.take(visit.session.user_id)
        return await page(visit)


def make_pages(services: WebServices) -> Pages:
    """The handler for everything below ``/`` that has no other door."""
    return Pages(services)


def add_pages(app: web.Application, services: WebServices) -> None:
    """Give an application the pages; call it last, after all other routes."""
    app.router.add_route("*", "/{rest:.*}", make_pages(services).__call__)


def _for_worker(visit: Visit, response: web.StreamResponse) -> web.StreamResponse:
    """An answer that waited for signal (sw.js) is told when it has arrived: after the verb, so after the commit."""
    if not visit.has_waited or response.status != 303:
        return response
    now = visit.services.clock.now_ms()
    return web.json_response({"arrived": now, "clock": time_of(now)}, headers={"Cache-Control": "no-store"})


def _to_login(visit: Visit) -> web.Response:
    if visit.has_waited:
        return web.json_response({"reason": visit.templates.plain("ログインしてください。", visit.tongue)}, status=401)
    path = visit.request.rel_url.raw_path
    return visit.go("/login" if visit.request.method == "POST" or path == "/" else f"/login?next={path}")


def _refusal_page(visit: Visit, refusal: Refused) -> web.Response:
    heading = _HEADINGS.get(refusal.status, _HEADINGS[500 if refusal.status >= 500 else 400])
    reason = refusal.reason if _is_japanese(refusal.reason) else _plain_words(refusal)
    if visit.has_waited:
        return web.json_response({"reason": visit.templates.plain(reason, visit.tongue)}, status=refusal.status)
    response = visit.page("refused.html", status=refusal.status, heading=heading, reason=reason)
    if refusal.retry_after_ms:
        response.headers["Retry-After"] = str(-(-refusal.retry_after_ms // 1000))
    return response


def _is_japanese(text: str) -> bool:
    return not text.isascii()


def _plain_words(refusal: Refused) -> str:
    """For refusals from parts of the node that speak to Matrix clients, in English."""
    if isinstance(refusal, LimitExceeded):
        return f"回数が 多すぎます。{-(-refusal.retry_after_ms // 1000)}秒ぐらい まって、もう一度 おねがいします。"
    if isinstance(refusal, NotFound):
        return "さがしているものが 見つかりません。"
    return _WORDS.get(refusal.status, _MISTAKE if refusal.status >= 500 else _WORDS[400])
