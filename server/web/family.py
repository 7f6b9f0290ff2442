"""Family on one telephone: everybody has a session of their own, and one of them is at the screen.

The cookie of whoever is at the screen is the same as on any telephone; a second one, as well kept, holds the sessions
of all. A form carries the proof of the session in which it was shown, so nobody answers as somebody else by mistake.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from server.accounts.web_sessions import WebSession
from server.association.members.model import Person
from server.foundation.errors import NotFound, Refused
from server.notifications.web_subscriptions import unsubscribe
from server.web.security import is_form_proof
from server.web.services import NodeServices


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


async def end(node: NodeServices, session: WebSession, token: str) -> None:
    """End the session of whoever had this cookie; nothing is told to them on this telephone any more."""
    await node.sessions.end(token)
    await unsubscribe(node.pushers, session.user_id, session.hash)


def tokens_of(members: Sequence[Member]) -> list[str]:
    """For the second cookie; nothing where one person is left."""
    return [member.token for member in members] if len(members) > 1 else []
