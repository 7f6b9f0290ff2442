"""One request of a browser: who it is, what it sends, how it is answered."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from aiohttp import web

from server.accounts.looks import Look
from server.accounts.web_sessions import WebSession
from server.association.members.model import Person, Right
from server.foundation.errors import Forbidden, Refused
from server.foundation.ids import random_token
from server.web.family import Family, end, tokens_of
from server.web.forms import Form, Keeper, clean_line, read_form
from server.web.languages.tongues import TONGUES, Tongue, nearest
from server.web.pending import PendingFiles
from server.web.repeats import Repeats
from server.web.security import CookieJar, form_proof, person_mark, require_form_proof
from server.web.services import WebServices
from server.web.set_up_links import SetUpLinks
from server.web.templating import Templates

# What a page may say after a form: never words from the address itself.
DONE: Final = {
    "entered": "書きました。",
    "closed": "おわりました。結果を「防災」の部屋に 出しました。",
    "finished": "おわりました。結果を 部屋に 出しました。",
    "acknowledged": "了解しました。",
    "sent": "おくりました。",
    "corrected": "なおしました。",
    "withdrawn": "とりさげました。",
    "saved": "保存しました。",
    "removed": "けしました。",
    "card_void": "カードを 使えなくしました。",
    "answered": "届きました。",
    "cancelled": "中止にしました。",
    "planned": "予約しました。時間に なったら 回覧します。",
    "taken_back": "答えを取り消しました。",
    "erased": "名簿から けしました。",
    "linked": "つなぎました。",
    "link_ended": "つながりを おわりにしました。",
    "sharing": "分け合いを はじめました。",
    "share_ended": "おわりにしました。相手のところからも 消えます。",
    "asked": "お願いを おくりました。",
    "board_entered": "掲示板に 入りました。",
    "notice_closed": "おわりました。",
    "approved": "回覧しました。",
    "declined": "回覧しないことに しました。",
    "trial_begun": "試用を はじめました。",
    "trial_kept": "試用を おわりました。つくったものは のこりました。",
    "handed_over": "役員が かわりました。おつかれさまでした。",
    "handover_cancelled": "役員交代を とりやめました。",
    "reported": "役員に 知らせました。ありがとうございます。",
    "hidden": "写真を かくしました。役員が 決めます。",
    "logged_out": "ログアウトさせました。",
    "family_added": "くわえました。上の 名前を おすと、かわります。",
    "family_removed": "この電話から はずしました。",
    "left": "退会しました。ありがとうございました。",
}
# What sw.js puts on a form that has waited: whose it is.
KEPT_HEADER: Final = "Kairan-Kept"
LANGUAGE_COOKIE: Final = "kairan_language"
_NO_PERSON: Final = "あなたの名前が 名簿に まだありません。役員に おしらせください。"


class NotLoggedIn(Refused):
    """A page for people with an account; becomes the way to the login page."""

    status = 401


@dataclass(frozen=True, slots=True)
class Memory:
    """What the pages remember between two requests: forms that were sent, files that wait for a yes, telephones that
    are being set up.
    """

    repeats: Repeats
    pending: PendingFiles
    set_ups: SetUpLinks


@dataclass(slots=True)
class Visit:
    """``parts`` are the variable segments of the path. ``cookie`` is what the browser brought, or will be given."""

    request: web.Request
    services: WebServices
    templates: Templates
    jar: CookieJar
    session: WebSession | None
    cookie: str | None
    memory: Memory
    parts: Mapping[str, str] = field(default_factory=dict)
    look: Look = field(default_factory=Look)
    family: Family = field(default_factory=Family)

    # ---- who -------------------------------------------------------------------------------------------------------

    @property
    def user_id(self) -> str:
        """Who is logged in; raises ``NotLoggedIn``."""
        if self.session is None:
            raise NotLoggedIn("ログインしてください。")
        return self.session.user_id

    @property
    def here(self) -> bytes:
        """The hash of this browser's session; raises ``NotLoggedIn``."""
        if self.session is None:
            raise NotLoggedIn("ログインしてください。")
        return self.session.hash

    @property
    def person(self) -> Person:
        """Who that is on the roster; raises ``NotLoggedIn`` or ``Forbidden``."""
        person = self.services.members.person_of_user(self.user_id)
        if person is None:
            raise Forbidden(_NO_PERSON)
        return person

    @property
    def person_mark(self) -> str:
        """Who that is, for a browser that keeps what they have written; empty where nobody is logged in."""
        return "" if self.session is None else person_mark(self.session.user_id)

    @property
    def has_waited(self) -> bool:
        """Whether this is a form that has waited for signal; it is answered with words instead of a page."""
        return KEPT_HEADER in self.request.headers

    @property
    def address(self) -> str:
        """Where the request comes from, for counting wrong tries."""
        return self.services.node.limits.address(self.request)

    @property
    def tongue(self) -> Tongue:
        """The language of the answer: chosen on one's page, chosen in this browser, or the browser's own."""
        chosen = self.look.language or self.request.cookies.get(LANGUAGE_COOKIE, "")
        return TONGUES.get(chosen) or nearest(self.request.headers.get("Accept-Language", ""))

    def may(self, right: Right, block_id: str | None = None) -> bool:
        """Whether who is logged in has a right: everywhere, or in one block."""
        return self.session is not None and self.services.members.may(self.session.user_id, right, block_id)

    def may_somewhere(self, right: Right) -> bool:
        """Whether they have it everywhere or at least in one block."""
        members = self.services.members
        return self.may(right) or (self.session is not None and bool(members.blocks_with(self.user_id, right)))

    @property
    def is_at_desk(self) -> bool:
        """Whether there is anything at the officers' desk for them."""
        return any(self.may_somewhere(right) for right in Right)

    def require(self, right: Right) -> None:
        """Raise ``Forbidden`` unless they have the right everywhere."""
        self.services.members.require(self.user_id, right)

    def require_somewhere(self, right: Right) -> None:
        """Raise ``Forbidden`` unless they have the right in at least one block."""
        if not self.may_somewhere(right):
            self.require(right)

    # ---- what ------------------------------------------------------------------------------------------------------

    async def form(self, keeper: Keeper | None = None, *, of_anybody: bool = False) -> Form:
        """What the browser sends; raises ``Forbidden`` where it is not from a page of ours, and unless it may be
        ``of_anybody`` in the family, ``Refused`` where it was shown to another one."""

        def check(given: str) -> None:
            owner = self.family.owner_of(given)
            if owner is None:
                require_form_proof(self.cookie, given)
            elif owner.token != self.cookie and not of_anybody:
                raise self.family.not_theirs(owner)

        return await read_form(self.request, check, keeper)

    def new_once(self) -> str:
        """A number for a form that must not do its work twice; it goes into the field ``once``."""
        return self.memory.repeats.new()

    def once(self, form: Form) -> AbstractContextManager[bool]:
        """``with visit.once(form) as is_first``: whether the form was not sent before. What fails may be sent again."""
        return self.memory.repeats.once(form.line("once"))

    def query(self, name: str) -> str:
        """A line of the address, cut to 200 characters; empty where it is missing."""
        return clean_line(self.request.query.get(name, ""))[:200]

    # ---- answer ----------------------------------------------------------------------------------------------------

    def page(
        self, template: str, *, status: int | None = None, fault: Refused | str | None = None, **values: Any
    ) -> web.Response:
        """A page of HTML. ``fault``: what was wrong with the form on it, which templates have as ``fault`` (a text)
        and ``refusal`` (with the field it is about); it says the status, too."""
        self.cookie = self.cookie or random_token()
        known = fault if isinstance(fault, Refused) else Refused(fault or "", status=200)
        shown = {"visit": self, "proof_value": form_proof(self.cookie), "person_value": self.person_mark,
                 "Right": Right, "done": self._done(), "fault": known.reason, "refusal": known, **values}
        response = web.Response(
            text=self.templates.render(template, shown, self.tongue), content_type="text/html", charset="utf-8",
            status=status or known.status,
        )
        response.headers["Cache-Control"] = "no-store"
        is_home = self.session is not None and self.request.path == "/"
        if is_home or self.jar.value(self.request) != self.cookie:
            # On the home page again and again, so that who comes now and then is never logged out.
            self.jar.set(response, self.cookie)
        return response

    def _done(self) -> str:
        return self.templates.say(DONE.get(self.query("done"), ""), self.tongue)

    def go(self, path: str, *, done: str = "") -> web.Response:
        """On to another page of ours after a form; ``done`` is the key of the sentence that it shows."""
        separator = "&" if "?" in path else "?"
        location = f"{path}{separator}done={quote(done)}" if done else path
        return web.Response(status=303, headers={"Location": location, "Cache-Control": "no-store"})

    def download(self, data: bytes, content_type: str, filename: str) -> web.Response:
        """A file that the browser keeps instead of showing it."""
        disposition = f"attachment; filename*=UTF-8''{quote(filename, safe='')}"
        return web.Response(
            body=data, content_type=content_type,
            headers={"Content-Disposition": disposition, "Cache-Control": "no-store"},
        )

    async def log_in(self, user_id: str, path: str, response: web.Response | None = None) -> web.Response:
        """Begin a session under a new cookie, end all that this browser had, and go on to ``path`` (or show a page)."""
        await self._end()
        for member in self.family.others(self.user_id) if self.session is not None else ():
            await end(self.services.node, member.session, member.token)
        response = response or self.go(path)
        self.jar.set(response, await self.services.node.sessions.begin(user_id))
        self.jar.set_family(response, [])
        return response

    async def _end(self) -> None:
        """End the session of whoever is at the screen."""
        if self.session is not None and self.cookie is not None:
            await end(self.services.node, self.session, self.cookie)

    async def log_out(self, *, done: str = "") -> web.Response:
        """End the session of whoever is at the screen. It is the next one's of the family, or gets a cookie that says
        nothing."""
        others = [] if self.session is None else self.family.others(self.session.user_id)
        await self._end()
        response = self.go("/", done=done)
        if not others:
            # What the service worker keeps, and what it may still want to send, goes with the session.
            response.headers["Clear-Site-Data"] = '"storage"'
        self.jar.set(response, others[0].token if others else random_token())
        self.jar.set_family(response, tokens_of(others))
        return response
