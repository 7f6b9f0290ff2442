"""Building the verbs that take people out of the association; loaded with the pages, and for the command line."""

from __future__ import annotations

import contextlib

from server.accounts.looks import Looks
from server.accounts.web_sessions import WebSessions
from server.assembly.app_passwords import app_passwords_of
from server.assembly.common_pages import common_services
from server.assembly.core import Core
from server.assembly.node import Node
from server.association.members.departures import Beside, Departures
from server.association.members.traces import Stay, Traces
from server.association.safety_checks.safety_store import forget_words_of
from server.calendars.app_passwords import AppPasswords
from server.calendars.leaving import erase_calendars
from server.foundation.errors import Refused
from server.media.model import Mxc
from server.rooms.membership_store import memberships_of
from server.web.common_services import CommonServices


def departures_of(node: Node) -> Departures:
    """The verbs that erase people, for who asks from the command line."""
    core = node.core
    sessions = WebSessions(core.database, core.clock, core.accounts.users)
    return departures_with(node, sessions, core.accounts.looks, app_passwords_of(core), common_services(node))


def departures_with(
    node: Node, sessions: WebSessions, looks: Looks, passwords: AppPasswords, common: CommonServices
) -> Departures:
    """The same, with the pages' own memory of who is logged in."""
    core, association = node.core, node.association

    async def forget(user_id: str) -> None:
        await sessions.end_all(user_id)
        await looks.forget(user_id)
        await erase_calendars(core.database, passwords, user_id)
        await common.forget(user_id)

    async def forget_picture(url: str) -> None:
        with contextlib.suppress(Refused):  # it is gone already, or another server's
            await node.media.media.delete(Mxc.parse(url))

    services = core.services
    return Departures(
        association.members, association.editor, core.accounts, services.sender, services.membership,
        Traces(association.members, services.sender, services.history, lambda user_id: stays_of(core, user_id)),
        Beside(forget_picture, forget, forget_words_of, core.database.empty_log),
    )


async def stays_of(core: Core, user_id: str) -> list[Stay]:
    """Everywhere that somebody is or was."""
    found = []
    for place in await memberships_of(core.database, user_id):
        is_in = place.membership == "join"
        room = await core.services.rooms.get(place.room_id) if is_in else None
        found.append(Stay(place.room_id, is_in, room is not None and room.joined == {user_id}))
    return found
