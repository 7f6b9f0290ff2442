"""People who come without being on the roster: entered once, with a household of their own."""

from __future__ import annotations

from dataclasses import dataclass

from server.association.members.editor import MemberEditor, new_id, next_order
from server.association.members.members import Members
from server.association.members.model import Block, Household, Person
from server.association.members.names import checked_name, folded
from server.foundation.errors import InvalidParam


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What somebody says who comes in: who they are, and in which block they live."""

    name: str
    block: str


class Newcomers:
    """Enters newcomers. Rights have been checked by the caller."""

    def __init__(self, members: Members, editor: MemberEditor) -> None:
        self._members = members
        self._editor = editor

    async def enter(self, newcomer: Newcomer, *, by_officer: bool = False) -> Person:
        """The person, found or made.

        Whoever speaks for themselves must name a block that exists (``InvalidParam``), and is never taken for a
        person with an account or an office.
        """
        name, block_name = checked_name(newcomer.name, "お名前"), checked_name(newcomer.block, "班")
        async with self._editor.editing() as edit:
            blocks = self._members.blocks()
            block = next((item for item in blocks if folded(item.name) == folded(block_name)), None)
            if block is None:
                if not by_officer:
                    raise InvalidParam("その班はありません。役員に班の名前をたしかめてください")
                block = Block(new_id(), block_name, next_order(item.order for item in blocks))
                edit.block(block)
            known = self._waiting(block, name, by_officer=by_officer)
            if known is not None:
                return known
            homes = [home for home in self._members.households() if home.block_id == block.id]
            home = Household(new_id(), block.id, name, next_order(item.order for item in homes))
            person = Person(new_id(), home.id, name)
            edit.household(home)
            edit.person(person)
        return person

    def _waiting(self, block: Block, name: str, *, by_officer: bool) -> Person | None:
        """Somebody of this name who is on the roster, and whom nobody has claimed to be yet."""
        found = [
            person for person in self._members.persons()
            if folded(person.name) == folded(name) and self._members.block_of(person.id).id == block.id
            and (by_officer or (person.user_id is None and not self._members.roles_of(person.id)))
        ]
        return found[0] if len(found) == 1 else None
