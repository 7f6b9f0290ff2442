"""Pages that a Matrix client opens: to confirm what matters, to read and accept what is asked before an account is made
(spec, "User-Interactive Authentication API", "Fallback"; docs/decisions/0011).
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from server.accounts.interactive_auth import DUMMY, PASSWORD, TERMS, TOKEN, WEB, AuthSession
from server.foundation.errors import InvalidParam, NotFound, Refused
from server.web.forms import Form
from server.web.routing import Routes
from server.web.visit import Visit

_GONE: Final = "この画面は 古くなりました。アプリに もどって、もう一度 おねがいします。"
_NOT_RIGHT: Final = "パスワードが ちがいます。"
_OTHER_PERSON: Final = "この招待番号は、ほかの人のものです。"
_UNKNOWN_NUMBER: Final = "この登録番号は 使えません。"
_TEMPLATES: Final = {
    WEB: "auth_web.html", PASSWORD: "auth_web.html", TERMS: "auth_terms.html", TOKEN: "auth_token.html",
    DUMMY: "auth_dummy.html",
}
# What a request is about, by a piece of its path.
_DEEDS: Final = (
    ("delete_devices", "ほかの機器の ログインを けします。"),
    ("/devices/", "機器の ログインを けします。"),
    ("account/password", "アプリの パスワードを 変えます。"),
    ("account/deactivate", "あなたのアカウントを けします。もとに もどせません。"),
    ("device_signing", "暗号の かぎを つくりなおします。"),
    ("login/get_token", "もう1つの機器を、あなたの名前で ログインさせます。"),
    ("account/3pid", "連絡先を 変えます。"),
)


def add_routes(routes: Routes) -> None:
    """One address for all stages."""
    routes.get("/auth/{stage}/{session}", show_stage)
    routes.post("/auth/{stage}/{session}", do_stage)


async def show_stage(visit: Visit) -> web.StreamResponse:
    """What is asked for, or that it is done."""
    return _stage_page(visit, _session(visit))


async def do_stage(visit: Visit) -> web.StreamResponse:
    """Somebody confirms, agrees, or gives a number."""
    session, stage, form = _session(visit), visit.parts["stage"], await visit.form()
    try:
        if stage in (WEB, PASSWORD):
            await _require_owner(visit, session, form)
        elif stage == TOKEN:
            session.found["token"] = await _good_token(visit, form.line("token"))
    except Refused as fault:
        if fault.status not in (400, 403, 404):
            raise
        return _stage_page(visit, session, fault.reason)
    session.complete(stage)
    return _stage_page(visit, session)


def _session(visit: Visit) -> AuthSession:
    session = visit.services.node.interactive_auth.find(visit.parts["session"])
    if session is None or not session.demand.has_stage(visit.parts["stage"]):
        raise NotFound(_GONE)
    return session


def _stage_page(visit: Visit, session: AuthSession, fault: str = "") -> web.Response:
    stage = visit.parts["stage"]
    if stage in session.completed:
        return _opened(visit.page("auth_done.html"))
    user_id = session.demand.user_id
    is_owner = visit.session is not None and visit.session.user_id == user_id
    return _opened(visit.page(
        _TEMPLATES[stage], status=403 if fault else 200, fault=fault, address=f"/auth/{stage}/{session.id}",
        user_id=user_id, deed=_deed(session), is_here=stage == WEB and is_owner,
        takes_code=stage == WEB, policies=visit.services.node.accounts.consents.policies,
    ))


def _opened(response: web.Response) -> web.Response:
    """A client in a browser waits for word from the window that it has opened; that takes this header."""
    response.headers["Cross-Origin-Opener-Policy"] = "unsafe-none"
    return response


def _deed(session: AuthSession) -> str:
    return next((text for part, text in _DEEDS if part in session.demand.operation), "だいじな操作を します。")


async def _require_owner(visit: Visit, session: AuthSession, form: Form) -> None:
    """Raise ``Refused`` unless whoever sits here is the one whose account it is: by the browser in which they are
    logged in, by password, or by an invitation that an officer has printed for them.
    """
    user_id, how = session.demand.user_id, form.line("how")
    if how == "here" and visit.parts["stage"] == WEB:
        if visit.user_id != user_id:
            raise InvalidParam("ほかの人が ログインしています。")
    elif how == "code" and visit.parts["stage"] == WEB:
        await _use_invitation(visit, user_id, form.line("code"))
    elif how == "password":
        users = visit.services.node.accounts.users
        if await visit.services.node.limits.logins.authenticate(
            users, user_id, form.raw("password"), visit.address
        ) is None:
            raise InvalidParam(_NOT_RIGHT)
    else:
        raise InvalidParam("どれかを えらんでください。")


async def _use_invitation(visit: Visit, user_id: str, code: str) -> None:
    invitations = visit.services.roster.invitations
    _, person = await invitations.look_at(code, visit.address)
    if person is None or person.user_id != user_id:
        raise InvalidParam(_OTHER_PERSON)
    await invitations.redeem(code, visit.address)


async def _good_token(visit: Visit, token: str) -> str:
    """A registration token that is good now; wrong ones are counted."""
    attempts = visit.services.node.limits.attempts
    attempts.check(visit.address)
    if not await visit.services.node.accounts.users.may_register(token):
        attempts.count(visit.address)
        raise InvalidParam(_UNKNOWN_NUMBER)
    return token
