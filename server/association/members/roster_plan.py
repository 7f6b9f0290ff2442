"""What a roster file changes: every line is compared with the members, and the same person is never doubled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from server.association.members.edit import Edit
from server.association.members.model import Block, Channel, Group, Household, Person
from server.association.members.names import folded
from server.association.members.register import Register
from server.association.members.roster import BadLine, RosterLine
from server.foundation.errors import BadRequest, Refused
from server.foundation.ids import random_letters


@dataclass(slots=True)
class Tally:
    """What the file does, counted in persons; the names are those of blocks and groups that are new."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    new_blocks: list[str] = field(default_factory=list)
    new_groups: list[str] = field(default_factory=list)


class RosterPlan:
    """Takes line after line into ``edit``; lines that cannot be taken are in ``bad``. Nothing is written yet."""

    def __init__(self, register: Register, edit: Edit, now_ms: int, *, may_give_roles: bool) -> None:
        self.tally = Tally()
        self.bad: list[BadLine] = []
        self._register = register
        self._edit = edit
        self._now_ms = now_ms
        self._may_give_roles = may_give_roles
        self._taken: dict[str, int] = {}
        self._blocks = {folded(block.name): block for block in register.blocks()}
        self._groups = {folded(group.name): group for group in register.groups()}
        self._home: dict[str, Household] = {}
        self._homes: dict[tuple[str, str], dict[str, None]] = {}
        self._residents: dict[str, set[str]] = {}
        self._persons: dict[str, Person] = {}
        self._named: dict[tuple[str, str], dict[str, None]] = {}
        self._listed_under: dict[str, tuple[str, str]] = {}
        self._last_order: dict[str, int] = {}
        for home in register.households():
            self._note_home(home)
        for person in register.persons():
            self._note_person(person)

    def take(self, lines: Iterable[RosterLine]) -> None:
        """Plan all lines."""
        for line in lines:
            try:
                self._take(line)
            except Refused as refusal:
                self.bad.append(BadLine(line.number, refusal.reason))
        for home in self._register.households():
            if self._register.at_home(home.id) and not self._residents.get(home.id):
                self._edit.drop_household(home.id)  # all of it has moved

    def _take(self, line: RosterLine) -> None:
        if line.roles and not self._may_give_roles:
            raise BadRequest("役職をきめられるのは会長だけです")
        block = self._blocks.get(folded(line.block))
        person = self._find(line, block)
        if person is not None and person.id in self._taken:
            raise BadRequest(f"{self._taken[person.id]}行目と同じ人です。別の人なら世帯番号で区別してください")
        block = block or self._new_block(line.block)
        before = len(self._edit.writes.rows)
        home = self._home_for(line, block, person)
        is_new = person is None
        person = self._write_person(line, home, person)
        self._write_offices(line, person)
        self._taken[person.id] = line.number
        if is_new:
            self.tally.added += 1
        elif len(self._edit.writes.rows) > before:
            self.tally.changed += 1
        else:
            self.tally.unchanged += 1

    # ---- who is meant ----------------------------------------------------------------------------------------------

    def _find(self, line: RosterLine, block: Block | None) -> Person | None:
        if line.id in self._persons:
            return self._persons[line.id]
        if block is None:
            return None
        same_name = [self._persons[item] for item in self._named.get((block.id, folded(line.name)), ())]
        if not line.household_number and not line.household:
            return self._only_one(same_name)
        home = self._match_home(line, block)
        for person in same_name:
            if home is not None and person.household_id == home.id:
                return person
        # Entered before without a household: now it is known which one.
        loose = [person for person in same_name if self._is_makeshift(self._home[person.household_id], person)]
        return loose[0] if len(loose) == 1 else None

    def _only_one(self, same_name: list[Person]) -> Person | None:
        if len(same_name) > 1:
            raise BadRequest("同じ班に同じ名前の人が何人かいます。世帯番号を書いてください")
        return same_name[0] if same_name else None

    def _is_makeshift(self, home: Household, person: Person) -> bool:
        """Whether the household was only made because somebody has to live somewhere."""
        return not home.number and home.name == person.name and self._residents.get(home.id) == {person.id}

    # ---- where they live -------------------------------------------------------------------------------------------

    def _new_block(self, name: str) -> Block:
        block = Block(random_letters(12), name, max((item.order for item in self._blocks.values()), default=0) + 1)
        self._blocks[folded(name)] = block
        self._edit.block(block)
        self.tally.new_blocks.append(name)
        return block

    def _match_home(self, line: RosterLine, block: Block) -> Household | None:
        """The household that a line speaks of: by its number, or by its name where that is enough."""
        number, name = line.household_number, line.household or ("" if line.household_number else line.name)
        by_number = [home for home in self._called(block, number) if folded(home.number) == folded(number)]
        if number and by_number:
            return by_number[0]
        by_name = [home for home in self._called(block, name) if folded(home.name) == folded(name)]
        if number:
            by_name = [home for home in by_name if not home.number]
        return by_name[0] if len(by_name) == 1 else None

    def _called(self, block: Block, text: str) -> list[Household]:
        return [self._home[item] for item in self._homes.get((block.id, folded(text)), ())]

    def _home_for(self, line: RosterLine, block: Block, person: Person | None) -> Household:
        if person is not None and not line.household_number and not line.household:
            home = self._home[person.household_id]
            if home.block_id == block.id:
                return self._changed_home(home, line)
        known = self._match_home(line, block)
        return self._new_home(line, block, person) if known is None else self._changed_home(known, line)

    def _new_home(self, line: RosterLine, block: Block, person: Person | None) -> Household:
        old = None if person is None else self._home[person.household_id]
        order = self._last_order.get(block.id, 0) + 1
        channel = line.channel or (old.channel if old is not None else Channel.BOTH)
        home = Household(
            random_letters(12), block.id, line.household or line.household_number or line.name, order, channel,
            line.household_number,
        )
        if old is not None and person is not None and self._is_makeshift(old, person):
            home = replace(home, id=old.id, order=old.order if old.block_id == block.id else order)
        self._note_home(home)
        self._edit.household(home)
        return home

    def _changed_home(self, home: Household, line: RosterLine) -> Household:
        new = replace(
            home,
            name=line.household or home.name,
            number=line.household_number or home.number,
            channel=line.channel or home.channel,
        )
        if new != home:
            self._note_home(new)
            self._edit.household(new)
        return new

    def _note_home(self, home: Household) -> None:
        old = self._home.get(home.id)
        if old is not None:
            for text in (old.name, old.number):
                self._homes.get((old.block_id, folded(text)), {}).pop(home.id, None)
        for text in filter(None, (home.name, home.number)):
            self._homes.setdefault((home.block_id, folded(text)), {})[home.id] = None
        self._home[home.id] = home
        self._last_order[home.block_id] = max(self._last_order.get(home.block_id, 0), home.order)

    # ---- the person ------------------------------------------------------------------------------------------------

    def _write_person(self, line: RosterLine, home: Household, old: Person | None) -> Person:
        # Orders only compare within a household, and the line's number is later than all before it.
        base = old or Person(random_letters(12), home.id, line.name, order=line.number)
        person = replace(
            base,
            household_id=home.id,
            name=base.name if folded(base.name) == folded(line.name) else line.name,
            kana=line.kana or base.kana,
            phone=line.phone or base.phone,
            wants_paper=base.wants_paper if line.wants_paper is None else line.wants_paper,
        )
        if person != old:
            self._edit.person(person)
        self._note_person(person)
        return person

    def _note_person(self, person: Person) -> None:
        old = self._persons.get(person.id)
        if old is not None:
            self._residents[old.household_id].discard(old.id)
            self._named[self._listed_under[old.id]].pop(old.id, None)
        self._persons[person.id] = person
        self._residents.setdefault(person.household_id, set()).add(person.id)
        key = (self._home[person.household_id].block_id, folded(person.name))
        self._listed_under[person.id] = key
        self._named.setdefault(key, {})[person.id] = None

    def _write_offices(self, line: RosterLine, person: Person) -> None:
        for role in line.roles:
            if role not in self._register.roles_of(person.id):
                self._edit.give_role(person.id, role, self._now_ms)
        inside = {group.id for group in self._register.groups_of(person.id)}
        for name in line.groups:
            group = self._groups.get(folded(name)) or self._new_group(name)
            if group.id not in inside:
                self._edit.in_group(group.id, person.id, inside=True)

    def _new_group(self, name: str) -> Group:
        group = Group(random_letters(12), name, max((item.order for item in self._groups.values()), default=0) + 1)
        self._groups[folded(name)] = group
        self._edit.group(group)
        self.tally.new_groups.append(name)
        return group
