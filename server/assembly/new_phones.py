"""Somebody who has an account comes in on a new telephone: older ones are signed out if the card says so, and the
person is told of it in their 窓口."""

from __future__ import annotations

from typing import Final

from server.assembly.app_passwords import app_passwords_of
from server.assembly.node import Node
from server.association.members.invitations_store import InvitationKind
from server.association.members.model import Person
from server.foundation.errors import Refused
from server.foundation.ids import random_token
from server.rooms.send_event import Draft

_NEWS: Final = (
    "【おしらせ】 あなたの カードを 使って、新しい電話か パソコンで ログインしました。"
    "おぼえが ないときは、すぐ 役員に 知らせてください。"
)
_FAMILY_NEWS: Final = (
    "【おしらせ】 家族の電話でも、あなたとして 使えるように なりました。"
    "おぼえが ないときは、すぐ 役員に 知らせてください。"
)


async def welcome_back(node: Node, person: Person, kind: InvitationKind) -> None:
    """Sign out, if that was asked for; then tell."""
    assert person.user_id is not None
    if kind is InvitationKind.ONLY_PHONE:
        await sign_out_everywhere(node, person.user_id)
    await _tell(node, person, _FAMILY_NEWS if kind is InvitationKind.FAMILY else _NEWS)


async def sign_out_everywhere(node: Node, user_id: str) -> None:
    """No app, no browser and no calendar of theirs comes in any more; what is kept in encrypted rooms stays there."""
    # Browsers know the password that was when they came in; nobody will know this one.
    await node.accounts.set_password(user_id, random_token())
    await app_passwords_of(node.core).revoke_all(user_id)


async def _tell(node: Node, person: Person, news: str) -> None:
    members = node.association.members
    room_id = members.desk_room_of(person.id)
    if room_id is None:
        return
    content = {"msgtype": "m.text", "body": news}
    try:
        await node.core.services.sender.send(Draft(room_id, members.node_user_id, "m.room.message", content))
    except Refused:
        return  # coming in matters more
