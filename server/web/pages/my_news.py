"""What rings on one's telephone: this browser on or off, which news, when not; and answers from notifications."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from aiohttp import web

from server.association.gatherings.answers import Answer as Coming
from server.association.members.model import Right
from server.association.safety_checks.actions import Given
from server.association.safety_checks.model import Status
from server.foundation.errors import Forbidden, InvalidParam
from server.http.arriving import patiently
from server.notifications.web_push_words import KINDS
from server.notifications.web_subscriptions import is_subscribed, is_web, share_subscription, subscribe, unsubscribe
from server.web.reach import unreached
from server.web.routing import Routes
from server.web.visit import Visit

_COMING: Final = {item.value: item for item in Coming}
_STATUSES: Final = {status.value: status for status in Status}


def add_routes(routes: Routes) -> None:
    """Settings, the switch, answers, and whom nothing reaches."""
    routes.get("/my/news", show_settings)
    routes.post("/my/news", choose)
    routes.post("/my/news/on", switch_on)
    routes.post("/my/news/off", switch_off)
    routes.post("/push/answer", answer)
    routes.get("/desk/unreached", show_unreached)


async def show_settings(visit: Visit) -> web.StreamResponse:
    """What rings, and when not."""
    session = visit.here
    pushers = visit.services.node.pushers
    browsers = [pusher for pusher in pushers.of(visit.user_id) if is_web(pusher)]
    return visit.page(
        "my_news.html", look=visit.look, kinds=KINDS,
        key=(await visit.services.node.push_keys()).public, others=len(browsers),
        is_on=is_subscribed(pushers, visit.user_id, session), hours=range(24),
    )


async def choose(visit: Visit) -> web.StreamResponse:
    """Kinds of news that ring, and quiet hours."""
    form = await visit.form()
    since = form.number("quiet_from", "時刻", least=0, most=23) or 0
    until = form.number("quiet_to", "時刻", least=0, most=23) or 0
    muted = frozenset(KINDS) - set(form.lines("ring"))
    look = replace(visit.look, quiet_from=since * 60, quiet_to=until * 60, muted=muted)
    await visit.services.node.looks.set(visit.user_id, look)
    return visit.go("/my/news", done="saved")


async def switch_on(visit: Visit) -> web.StreamResponse:
    """This browser wants to be told; static/push.js brings what the browser has made for it."""
    form = await visit.form()
    given = {name: form.line(name) for name in ("endpoint", "p256dh", "auth")}
    services = visit.services
    for member in visit.family.members:
        await unsubscribe(services.node.pushers, member.session.user_id, member.session.hash)
    await subscribe(
        services.node.pushers, visit.user_id, visit.here, given, services.settings.outgoing.allowed_networks,
        services.clock.now_ms(),
    )
    for member in visit.family.others(visit.user_id):
        told = (member.session.user_id, member.session.hash)
        await share_subscription(services.node.pushers, (visit.user_id, visit.here), told)
    return visit.go("/my/news", done="saved")


async def switch_off(visit: Visit) -> web.StreamResponse:
    """It does not want to any more."""
    await visit.form()
    for member in visit.family.others(visit.user_id):
        await unsubscribe(visit.services.node.pushers, member.session.user_id, member.session.hash)
    await unsubscribe(visit.services.node.pushers, visit.user_id, visit.here)
    return visit.go("/my/news", done="saved")


async def answer(visit: Visit) -> web.StreamResponse:
    """A button inside a notification. What it carries says who answers what, so it works without a login, too."""
    given = await patiently(visit.request.post())
    token, choice = given.get("token"), given.get("choice")
    if not isinstance(token, str) or not isinstance(choice, str):
        raise InvalidParam("ボタンを ひとつ おしてください。")
    asked = (await visit.services.node.push_keys()).read_answer_token(token, visit.services.clock.now_ms())
    visit.services.node.limits.requests.take(asked.user_id)
    user = await visit.services.node.accounts.users.find(asked.user_id)
    if user is None or user.is_deactivated or user.is_locked:
        raise Forbidden("この操作は できません。")
    if asked.kind == "safety" and choice in _STATUSES:
        given_status = Given(status=_STATUSES[choice])
        await visit.services.safety.checks.answer(asked.user_id, asked.question, given_status)
    elif asked.kind == "gathering" and choice in _COMING:
        await visit.services.gatherings.attendance.answer(asked.user_id, asked.question, _COMING[choice])
    elif asked.kind == "poll":
        await visit.services.polls.answer(asked.user_id, asked.question, [choice])
    else:
        raise InvalidParam("ボタンを ひとつ おしてください。")
    return visit.go("/")


async def show_unreached(visit: Visit) -> web.StreamResponse:
    """Households that get circulars on a screen and have none that rings: somebody should call or bring paper."""
    visit.require(Right.SEE_ROSTER)
    return visit.page("desk_unreached.html", rows=unreached(visit.services.members, visit.services.node.pushers))
