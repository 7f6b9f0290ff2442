"""Building the verbs that take people out of the association; loaded with the pages, and for the command line."""

from __future__ import annotations

from server.accounts.looks import Looks
from server.accounts.web_sessions import WebSessions
from server.assembly.app_passwords import app_passwords_of
from server.assembly.common_pages import common_services
from server.assembly.node import Node
from server.association.members.departures import Departures
from server.calendars.app_passwords import AppPasswords
from server.calendars.leaving import erase_calendars
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

    services = core.services
    return Departures(
        association.members, association.editor, core.accounts, services.sender, services.history,
        services.membership, forget,
    )
