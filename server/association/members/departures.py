"""Leaving the association: the person's data go out of the tables, their name out of the rooms (APPI, R113).

What they have said in rooms stays, without their name. The order is such that a stop in the middle leaves the person
on the roster, so that the officer sees that it has to be done again; every step can be repeated.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from server.accounts.accounts import Accounts
from server.association.members.editor import MemberEditor
from server.association.members.invitations_store import drop_invitations_of
from server.association.members.members import Members
from server.association.members.model import Right, Role
from server.association.members.room_book import desk_key
from server.association.members.rooms_store import drop_room
from server.foundation.errors import Refused
from server.rooms.event import Event
from server.rooms.history import History
from server.rooms.membership import Membership
from server.rooms.send_event import Draft, EventSender

_PAGE = 200

# Removes what parts above or beside this one keep of an account: calendars, browsers.
Forgetting = Callable[[str], Awaitable[None]]


class Departures:
    """Erases people."""

    def __init__(
        self, members: Members, editor: MemberEditor, accounts: Accounts, sender: EventSender, history: History,
        membership: Membership, forget: Forgetting,
    ) -> None:
        self._members = members
        self._editor = editor
        self._accounts = accounts
        self._sender = sender
        self._history = history
        self._membership = membership
        self._forget = forget

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
            edit.writes.after_commit.append(lambda: self._members.rooms.drop(desk_key(person_id)))
            edit.drop_person(person_id)
            if [item.id for item in self._members.persons_at(person.household_id)] == [person_id]:
                edit.drop_household(person.household_id)

    def require_erasable(self, by: str, person_id: str) -> None:
        """Raise what ``erase`` would refuse, for the page that asks whether one is sure."""
        if self._members.person(person_id).user_id != by:
            self._members.require(by, Right.EDIT_ROSTER)
        chairs = [item.id for item in self._members.register.with_role([Role.CHAIR])]
        if chairs == [person_id]:
            raise Refused("会長がいなくなります。先に次の会長をきめてください")

    async def _close_account(self, user_id: str) -> None:
        for room_id in await self._membership.joined_rooms(user_id):
            if self._members.rooms.of_id(room_id) is not None:
                await self._take_name_out(room_id, user_id)
                leave = Draft(room_id, self._members.node_user_id, "m.room.member", {"membership": "leave"}, user_id)
                await self._sender.send(leave)
            else:
                await self._membership.leave(room_id, user_id)
        if await self._accounts.user_exists(user_id):
            await self._accounts.deactivate(user_id, clear_profile=True)
        await self._forget(user_id)

    async def _take_name_out(self, room_id: str, user_id: str) -> None:
        """Redact every membership of theirs that shows a name or a picture."""
        def shows_them(event: Event) -> bool:
            return (
                event.type == "m.room.member" and event.state_key == user_id
                and not event.content.keys().isdisjoint(("displayname", "avatar_url"))
            )

        node, start = self._members.node_user_id, None
        found: list[str] = []
        while True:
            page = await self._history.page(room_id, node, start, None, _PAGE, shows_them, backwards=True)
            found += [entry.event.event_id for entry in page.entries]
            if page.end is None:
                break
            start = page.end
        for event_id in found:
            await self._sender.send(Draft(room_id, node, "m.room.redaction", {}, redacts=event_id))
