"""What happens elsewhere when an account is closed: it leaves its rooms, declines what it was invited to, has no room
for notices any more, nothing of it stays in calendars, and its owner stays on the roster as somebody without an
account, who can be invited again.
"""

from __future__ import annotations

import importlib
import logging
from typing import Final

from server.accounts.accounts import Accounts
from server.assembly.core import Core
from server.association.members.editor import MemberEditor
from server.association.members.members import Members
from server.foundation.errors import Refused
from server.rooms.membership import Membership
from server.rooms.membership_store import memberships_of
from server.rooms.notice_room_store import forget_room
from server.storage.database import Database, Writes

logger = logging.getLogger(__name__)

_IN: Final = ("join", "invite", "knock")


def leave_when_closed(accounts: Accounts, database: Database, membership: Membership) -> None:
    """Let closed accounts leave (spec, "Account deactivation")."""

    async def leave_all(user_id: str) -> None:
        for place in await memberships_of(database, user_id):
            if place.membership in _IN:
                try:
                    await membership.leave(place.room_id, user_id)
                except Refused as refused:
                    logger.info("a closed account could not leave a room: %s", refused)

        writes = Writes()
        forget_room(writes, user_id)
        await database.submit(writes)

    accounts.when_closed(leave_all)


def detach_when_closed(accounts: Accounts, members: Members, editor: MemberEditor) -> None:
    """Let persons on the roster have no account any more when theirs is closed."""

    async def detach(user_id: str) -> None:
        person = members.person_of_user(user_id)
        if person is not None:
            async with editor.editing() as edit:
                edit.account(person.id, None)

    accounts.when_closed(detach)


def forget_calendars_when_closed(core: Core) -> None:
    """Let nothing of a closed account stay in calendars, and no calendar app come in by it; what knows calendars is
    loaded then.
    """

    async def forget(user_id: str) -> None:
        passwords = importlib.import_module("server.assembly.app_passwords").app_passwords_of(core)
        await importlib.import_module("server.calendars.leaving").erase_calendars(core.database, passwords, user_id)

    core.accounts.when_closed(forget)
