"""Who comes to a telephone that a family shares, who is at its screen, and who leaves it."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from server.foundation.errors import Refused
from server.notifications.web_subscriptions import share_subscription
from server.web.family import Family, Member, end, tokens_of
from server.web.visit import Visit

MOST: Final = 8
_FULL: Final = f"1台の 電話を 使えるのは、{MOST}人までです。"


async def family_of(visit: Visit) -> Family:
    """Who uses this telephone. Sessions that have ended are left out; in use they cost no SQL."""
    found: list[Member] = []
    for token in visit.jar.family(visit.request)[:MOST]:
        session = await visit.services.node.sessions.find(token)
        person = None if session is None else visit.services.members.person_of_user(session.user_id)
        if session is not None and person is not None and person not in [member.person for member in found]:
            found.append(Member(person, session, token))
    return Family(tuple(found))


async def add(visit: Visit, user_id: str) -> web.Response:
    """Somebody of the household has come in with their own card: from now on they use this telephone, too.

    Whoever is at the screen stays there. Raises ``Refused`` (409) for one too many.
    """
    node = visit.services.node
    here = await _with_oneself(visit)
    known = [member for member in here if member.session.user_id == user_id]
    if not known and len(here) >= MOST:
        raise Refused(_FULL, status=409)
    token = await node.sessions.begin(user_id)
    session = await node.sessions.find(token)
    assert session is not None
    for old in known:
        await end(node, old.session, old.token)
    await share_subscription(node.pushers, (visit.user_id, visit.here), (user_id, session.hash))
    response = visit.go("/my/family", done="family_added")
    visit.jar.set_family(response, [*(member.token for member in here if member not in known), token])
    return response


def switch(visit: Visit, person_id: str) -> web.Response:
    """Another one of them is at the screen now."""
    response = visit.go("/")
    visit.jar.set(response, visit.family.member(person_id).token)
    return response


async def remove(visit: Visit, person_id: str) -> web.Response:
    """Somebody uses this telephone no more; whoever is at the screen logs out instead."""
    member = visit.family.member(person_id)
    if member.session.user_id == visit.user_id:
        return await visit.log_out()
    await end(visit.services.node, member.session, member.token)
    response = visit.go("/my/family", done="family_removed")
    visit.jar.set_family(response, tokens_of(visit.family.others(member.session.user_id)))
    return response


async def _with_oneself(visit: Visit) -> list[Member]:
    if visit.family.members:
        return list(visit.family.members)
    assert visit.session is not None
    assert visit.cookie is not None
    return [Member(visit.person, visit.session, visit.cookie)]
