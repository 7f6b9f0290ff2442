"""Invitations in calendar apps, joined to gatherings and to what people allow; loaded with the calendar door."""

from __future__ import annotations

from server.assembly.node import Node
from server.association.gatherings.invitations import GatheringInvitations
from server.calendars.addresses import Addresses
from server.calendars.busy_times import FREE_BUSY
from server.calendars.invitations import InvitationDesk, Organizer
from server.calendars.scheduling import Scheduling, open_scheduling


def scheduling_of(node: Node) -> Scheduling:
    """Scheduling for the node's people."""
    core, association = node.core, node.association
    members, settings = association.members, core.settings
    port = GatheringInvitations(association.gatherings, association.attendance, members, core.clock)
    organizer = Organizer(settings.association.name or settings.server_name, members.node_user_id)
    desk = InvitationDesk(core.database, port, organizer, Addresses(settings.server_name))

    async def shows(user_id: str) -> bool:
        if members.person_of_user(user_id) is None:
            return False
        told = await core.accounts.account_data.find(user_id, "", FREE_BUSY)
        return told is not None and told.get("show") is True

    return open_scheduling(desk, shows)
