"""Leaving the association: the person's data go out of the tables, their name out of the rooms (APPI, R113).

What they have said in rooms stays, without their name (``traces.py``). The order is such that a stop in the middle
leaves the person on the roster, so that the officer sees that it has to be done again; every step can be repeated.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from server.accounts.accounts import Accounts
from server.association.members.editor import MemberEditor
from server.association.members.invitations_store import drop_invitations_of
from server.association.members.members import Members
from server.association.members.model import Right, Role
from server.association.members.room_book import desk_key
from server.association.members.rooms_store import drop_room
from server.association.members.traces import Traces
from server.foundation.errors import Refused
from server.rooms.membership import Membership
from server.rooms.send_event import Draft, EventSender
from server.storage.database import Writes


@dataclass(frozen=True, slots=True)
class Beside:
    """Removes what parts above or beside this one keep: a picture by its address, what there is of an account
    (calendars, browsers), and of a person (what was entered for them), the last in the transaction in which they leave
    the roster. ``empty_log`` comes when all rows are gone: what the database keeps of before goes, too.
    """

    forget_picture: Callable[[str], Awaitable[None]]
    forget_account: Callable[[str], Awaitable[None]]
    forget_person: Callable[[Writes, str], None]
    empty_log: Callable[[], Awaitable[object]]


class Departures:
    """Erases people."""

    def __init__(
        self, members: Members, editor: MemberEditor, accounts: Accounts, sender: EventSender, membership: Membership,
        traces: Traces, beside: Beside,
    ) -> None:
        self._members = members
        self._editor = editor
        self._accounts = accounts
        self._sender = sender
        self._membership = membership
        self._traces = traces
        self._beside = beside

    async def erase(self, by: str, person_id: str) -> None:
        """Take a person out for good: out of all rooms, account closed, everything about them removed.

        ``by`` is an officer, or the person's own account. Raises ``Refused`` for the last chair, ``Forbidden``,
        ``NotFound``.
        """
        self.require_erasable(by, person_id)
        person = self._members.person(person_id)
        if by != person.user_id:
            await self._members.log_look(by, "名簿から1人をけした")
        if person.user_id is not None:
            await self._close_account(person.user_id)
        async with self._editor.editing() as edit:
            drop_invitations_of(edit.writes, person_id)
            drop_room(edit.writes, desk_key(person_id))
            self._beside.forget_person(edit.writes, person_id)
            edit.writes.after_commit.append(lambda: self._members.rooms.drop(desk_key(person_id)))
            edit.drop_person(person_id)
            if [item.id for item in self._members.persons_at(person.household_id)] == [person_id]:
                edit.drop_household(person.household_id)
        await self._beside.empty_log()

    def require_erasable(self, by: str, person_id: str) -> None:
        """Raise what ``erase`` would refuse."""
        if hindrance := self.hindrance(by, person_id):
            raise Refused(hindrance)

    def hindrance(self, by: str, person_id: str) -> str:
        """Why somebody cannot leave yet, for the page that asks whether one is sure; raises ``Forbidden``."""
        if self._members.person(person_id).user_id != by:
            self._members.require(by, Right.EDIT_ROSTER)
        chairs = [item.id for item in self._members.register.with_role([Role.CHAIR])]
        return "会長がいなくなります。先に次の会長をきめてください" if chairs == [person_id] else ""

    async def _close_account(self, user_id: str) -> None:
        await self._traces.remove(user_id)
        for room_id in await self._membership.joined_rooms(user_id):
            if self._members.rooms.of_id(room_id) is not None:
                leave = Draft(room_id, self._members.node_user_id, "m.room.member", {"membership": "leave"}, user_id)
                await self._sender.send(leave)
            else:
                await self._membership.leave(room_id, user_id)
        picture = (await self._accounts.member_profile(user_id)).get("avatar_url")
        if picture:
            await self._beside.forget_picture(str(picture))
        if await self._accounts.user_exists(user_id):
            await self._accounts.deactivate(user_id, clear_profile=True)
        await self._beside.forget_account(user_id)
