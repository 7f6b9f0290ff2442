"""Family on one telephone: everybody has a session of their own, and one of them is at the screen.

The cookie of whoever is at the screen is the same as on any telephone; a second one, as well kept, holds the sessions
of all. A form carries the proof of the session in which it was shown, so nobody answers as somebody else by mistake.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aiohttp import web

from server.accounts.web_sessions import WebSession
from server.association.members.model import Person
from server.foundation.errors import NotFound, Refused
from server.notifications.web_subscriptions import share_subscription, unsubscribe
from server.web.security import is_form_proof

if TYPE_CHECKING:
    from server.web.visit import Visit

MOST: Final = 8
_FULL: Final = f"1台の 電話を 使えるのは、{MOST}人までです。"


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who is logged in on this telephone; ``token`` is the cookie of their session."""

    person: Person
    session: WebSession
    token: str


@dataclass(frozen=True, slots=True)
class Family:
    """All who use this telephone, in the order in which they came; nobody where it is one person's own."""

    members: tuple[Member, ...] = ()

    def __bool__(self) -> bool:
        return len(self.members) > 1

    def others(self, user_id: str) -> list[Member]:
        """All but one."""
        return [member for member in self.members if member.session.user_id != user_id]

    def member(self, person_id: str) -> Member:
        """One of them; raises ``NotFound``."""
        for member in self.members:
            if member.person.id == person_id:
                return member
        raise NotFound("その人は、この電話を 使っていません。")

    def owner_of(self, proof: str) -> Member | None:
        """To which of them a form was shown."""
        return next((member for member in self.members if is_form_proof(member.token, proof)), None)

    def not_theirs(self, owner: Member) -> Refused:
        """Another one of them is at the screen now than the one to whom the form was shown."""
        name = owner.person.name
        return Refused(f"{name}さんの ときの 画面です。上の 名前を たしかめて、もう一度 おねがいします。", status=409)


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
        await end(visit, old)
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
    await end(visit, member)
    response = visit.go("/my/family", done="family_removed")
    visit.jar.set_family(response, tokens_of(visit.family.others(member.session.user_id)))
    return response


async def end(visit: Visit, member: Member) -> None:
    """End the session of one of them; nothing is told to them here any more."""
    await visit.services.node.sessions.end(member.token)
    await unsubscribe(visit.services.node.pushers, member.session.user_id, member.session.hash)


def tokens_of(members: Sequence[Member]) -> list[str]:
    """For the second cookie; nothing where one person is left."""
    return [member.token for member in members] if len(members) > 1 else []


async def _with_oneself(visit: Visit) -> list[Member]:
    if visit.family.members:
        return list(visit.family.members)
    assert visit.session is not None
    assert visit.cookie is not None
    return [Member(visit.person, visit.session, visit.cookie)]
