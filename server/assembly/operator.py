"""What an operator does on a node: accounts and invitations, by the command line.

``COMMANDS`` are carried out inside the node that holds the data. Where it is running already, ``kairan`` asks it at
``DOOR`` and proves with the node's own key that it may (``seal`` and ``opened``).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import orjson
from aiohttp import web

from server.accounts.users_store import User
from server.assembly import sharing_commands, wide_area_commands
from server.assembly.departing import departures_of
from server.assembly.node import Node
from server.assembly.notices import notices_of, readers_of
from server.assembly.pages import invitations_of
from server.assembly.upkeep import note_upkeep
from server.association.members.model import ROLE_LABELS, Role
from server.association.members.newcomers import Newcomer
from server.foundation.canonical_json import parse_json
from server.foundation.errors import Forbidden, InvalidParam
from server.foundation.ids import random_token
from server.http.answers import Handler, answer_refusals, json_answer
from server.http.requests import body_bytes

DOOR: Final = "/_kairan/operator"
_FRESH_MS: Final = 60_000
_LIMIT: Final = 65_536
_DAY_MS: Final = 86_400_000
_MOST_USES: Final = 2_000
_MOST_DAYS: Final = 366

Lines = list[str]
Command = Callable[[Node, Mapping[str, Any]], Awaitable[Lines]]


async def add_user(node: Node, said: Mapping[str, Any]) -> Lines:
    """Make an account: ``localpart``, ``password``, ``is_admin``."""
    user_id = await node.accounts.create_user(said["localpart"], said["password"], admin=said["is_admin"])
    return [f"{user_id} can log in now."]


async def list_users(node: Node, said: Mapping[str, Any]) -> Lines:
    """All accounts, one a line."""
    return [_in_a_line(user) for user in await node.accounts.list_users()]


def _in_a_line(user: User) -> str:
    states = {"closed": user.is_deactivated, "locked": user.is_locked, "suspended": user.is_suspended}
    return user.user_id + "".join(f" ({state})" for state, holds in states.items() if holds)


async def hold_user(node: Node, said: Mapping[str, Any]) -> Lines:
    """Lock or suspend ``localpart``, or take it back: ``how`` is ``locked`` or ``suspended``, ``on`` whether."""
    user_id = (await node.accounts.users.get(node.accounts.users.named(said["localpart"]))).user_id
    await node.accounts.hold(user_id, **{said["how"]: said["on"]})
    return [f"{user_id} is {said['how'] if said['on'] else 'not ' + said['how'] + ' any more'}."]


async def deactivate_user(node: Node, said: Mapping[str, Any]) -> Lines:
    """Close the account ``localpart`` for ever."""
    user_id = (await node.accounts.users.get(node.accounts.users.named(said["localpart"]))).user_id
    await node.accounts.deactivate(user_id)
    return [f"{user_id} is closed."]


async def erase_user(node: Node, said: Mapping[str, Any]) -> Lines:
    """Take ``localpart`` out for good: off the roster, out of all rooms and tables; what they said stays, without a
    name. Somebody who is on no roster: as the specification has it ("Account deactivation", ``erase``)."""
    user_id = (await node.accounts.users.get(node.accounts.users.named(said["localpart"]))).user_id
    members = node.association.members
    person = members.person_of_user(user_id)
    if person is None:
        await node.accounts.deactivate(user_id, erase=True)
        return [f"{user_id} is erased."]
    await departures_of(node).erase(members.node_user_id, person.id)
    return [f"{user_id} is erased, and is on the roster no more."]


async def change_password(node: Node, said: Mapping[str, Any]) -> Lines:
    """Give ``localpart`` a new ``password`` and log all devices out."""
    user_id = (await node.accounts.users.get(node.accounts.users.named(said["localpart"]))).user_id
    await node.accounts.set_password(user_id, said["password"])
    return [f"{user_id} has a new password and is logged out everywhere."]


async def make_token(node: Node, said: Mapping[str, Any]) -> Lines:
    """A registration token (``m.login.registration_token``) for ``uses`` accounts within ``days``."""
    if not 1 <= said["uses"] <= _MOST_USES or not 1 <= said["days"] <= _MOST_DAYS:
        raise InvalidParam(f"A token is good for 1 to {_MOST_USES} accounts and 1 to {_MOST_DAYS} days.")
    token = random_token()
    expires_ts = node.core.clock.now_ms() + said["days"] * _DAY_MS
    await node.accounts.users.allow_registration(token, uses=said["uses"], expires_ts=expires_ts)
    return [token]


async def invite(node: Node, said: Mapping[str, Any]) -> Lines:
    """An invitation for ``name`` in ``block`` with ``role``, who is entered with it; or for nobody in particular."""
    invitations, officer = invitations_of(node), node.association.members.node_user_id
    role = _role(said["role"])
    if said["name"]:
        card = await invitations.card_by_name(officer, Newcomer(said["name"], said["block"]), role)
    elif said["role"] or said["block"]:
        raise InvalidParam("Say with --name whom the invitation is for.")
    else:
        card = await invitations.free_card(officer)
    return [card.link, card.code]


async def notice(node: Node, said: Mapping[str, Any]) -> Lines:
    """Tell ``text`` to ``localpart``, or to everybody where that is empty, each in their room for server notices."""
    if said["localpart"]:
        readers = [(await node.accounts.users.get(node.accounts.users.named(said["localpart"]))).user_id]
    else:
        readers = await readers_of(node)
    return [f"{await notices_of(node).send_all(readers, said['text'])} people are told."]


COMMANDS: Final[Mapping[str, Command]] = {
    "add_user": add_user, "list_users": list_users, "hold_user": hold_user, "deactivate_user": deactivate_user,
    "erase_user": erase_user, "change_password": change_password, "make_token": make_token, "invite": invite,
    "notice": notice, "note_upkeep": note_upkeep, **wide_area_commands.COMMANDS,
    **sharing_commands.COMMANDS,
}


def open_operator_door(node: Node) -> Handler:
    """The handler of ``DOOR``."""

    async def answer(request: web.Request) -> web.StreamResponse:
        seed, now_ms = node.services.sender.identity.key.seed, node.core.clock.now_ms()
        command, said = opened(seed, await body_bytes(request, _LIMIT), now_ms)
        return json_answer({"lines": await command(node, said)})

    return answer_refusals(answer)


def seal(seed: bytes, command: str, said: Mapping[str, Any], now_ms: int) -> bytes:
    """A request for ``DOOR``: a proof, a line end, the command as JSON. ``seed`` is that of the signing key."""
    message = orjson.dumps({"at": now_ms, "command": command, "said": said})
    return _proof(seed, message).encode() + b"\n" + message


def opened(seed: bytes, request: bytes, now_ms: int) -> tuple[Command, Mapping[str, Any]]:
    """The command of a request; raises ``Forbidden`` unless it comes from somebody who has the node's key."""
    proof, _, message = request.partition(b"\n")
    if not hmac.compare_digest(proof, _proof(seed, message).encode()):
        raise Forbidden("Only the operator of this node may do this")
    said = parse_json(message)
    if abs(now_ms - said["at"]) > _FRESH_MS:
        raise Forbidden("This request is too old, or a clock is wrong")
    return COMMANDS[said["command"]], said["said"]


def _proof(seed: bytes, message: bytes) -> str:
    key = hashlib.blake2b(seed, person=b"operator").digest()
    return hmac.new(key, message, hashlib.sha256).hexdigest()


def _role(label: str) -> Role | None:
    if not label:
        return None
    for role, known in ROLE_LABELS.items():
        if label in (known, role.value):
            return role
    raise InvalidParam(f"There is no role {label!r}. Roles are: {', '.join(ROLE_LABELS.values())}.")
