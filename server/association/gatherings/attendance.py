"""Attendance: residents say in a room, on a page or in their calendar app whether they come. All three are reactions
to the message that announced the gathering, so that everybody's client can do it and shows it. What officers have
written down (``writing_down.py``) counts beside them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from server.association.gatherings.answers import SIGNS, Answer, OwnAnswers, Said, answer_of
from server.association.gatherings.answers_store import answers_of_user, answers_to, put_answer, take_back
from server.association.gatherings.counting import Home, homes_of
from server.association.gatherings.gatherings import Gatherings
from server.association.gatherings.model import Gathering, State
from server.association.members.members import Members
from server.association.members.model import Person
from server.foundation.errors import Forbidden, InvalidParam, NotFound
from server.foundation.keyed_locks import KeyedLocks
from server.rooms.accept_event import EventAcceptor
from server.rooms.live_room import LiveRoom
from server.rooms.numbered_answers import reaction_of
from server.rooms.send_event import Draft, EventSender
from server.rooms.timeline import Entry
from server.storage.database import Database, Writes

_KEPT: Final = 500


class Attendance:
    """Answers to gatherings. ``attach`` it once; what accounts have answered lately is in memory."""

    def __init__(self, database: Database, gatherings: Gatherings, members: Members, sender: EventSender) -> None:
        self._database = database
        self._gatherings = gatherings
        self._members = members
        self._sender = sender
        self._known: OrderedDict[str, tuple[Person | None, OwnAnswers]] = OrderedDict()
        self._changes = 0
        self._turns = KeyedLocks()
        # Gatherings whose figures may be others than when this was last cleared (``figures_in_rooms.py``).
        self.moved: set[str] = set()

    def attach(self, acceptor: EventAcceptor) -> None:
        """Follow what is said in rooms."""
        acceptor.project(self._reaction, ["m.reaction"])
        acceptor.project(self._redaction, ["m.room.redaction"])

    async def of_user(self, user_id: str) -> OwnAnswers:
        """Everything that holds for an account; no SQL if it was asked lately."""
        person = self._members.person_of_user(user_id)
        known = self._known.get(user_id)
        if known is not None and known[0] == person:
            self._known.move_to_end(user_id)
            return known[1]
        before = self._changes
        found = await answers_of_user(self._database, user_id, person)
        if before == self._changes:
            self._known[user_id] = person, found
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return found

    async def to(self, gatherings: Iterable[Gathering]) -> list[Said]:
        """What holds for everybody with an account who has answered, or for whom or whose household somebody has."""
        asked = list(gatherings)
        said = await answers_to(self._database, [item.id for item in asked]) if asked else []
        return [word for item in asked for word in self._words(item, [w for w in said if w.gathering_id == item.id])]

    async def homes(self, gathering: Gathering) -> list[Home]:
        """All households that a gathering asks, in walking order, with what they say."""
        said = await answers_to(self._database, [gathering.id])
        return self._homes(gathering, said, frozenset(home.id for home in self._members.households()))

    def _words(self, gathering: Gathering, said: Sequence[Said]) -> Iterator[Said]:
        for home in self._homes(gathering, said, self._touched(said)):
            for person_id in home.persons:
                user_id, word = self._members.person(person_id).user_id, home.of(person_id)
                if user_id is not None and word is not None:
                    yield replace(word, user_id=user_id)

    def _homes(self, gathering: Gathering, said: Sequence[Said], wanted: frozenset[str]) -> list[Home]:
        """The households among ``wanted`` that are asked, or of which somebody has answered all the same."""
        spoken = {person.id for person in map(self._person_of, said) if person is not None}
        try:
            audience = {person.id for person in self._members.audience(gathering.audience)}
        except NotFound:
            audience = set()  # its block or group is gone
        asked: dict[str, list[str]] = {}
        for home in self._members.households() if wanted else ():
            if home.id in wanted:
                people = [item.id for item in self._members.persons_at(home.id) if item.id in audience | spoken]
                if people:
                    asked[home.id] = people
        accounts = {item.user_id: person.id for item in said if item.user_id
                    if (person := self._members.person_of_user(item.user_id)) is not None}
        return homes_of(asked, accounts, said)

    def _touched(self, said: Sequence[Said]) -> frozenset[str]:
        homes = {item.household_id for item in said if item.household_id}
        return frozenset(homes | {person.household_id for person in map(self._person_of, said) if person is not None})

    def _person_of(self, said: Said) -> Person | None:
        if said.user_id:
            return self._members.person_of_user(said.user_id)
        register = self._members.register
        return register.person(said.person_id) if register.has_person(said.person_id) else None

    async def answer(self, user_id: str, gathering_id: str, answer: Answer | None) -> None:
        """Say it as this account, in the room where the gathering was announced; ``None`` takes it back.

        Raises ``NotFound`` for whom it is not, ``InvalidParam`` (409) for one that was called off, ``Forbidden``.
        """
        gathering = self._gatherings.get(user_id, gathering_id)
        if gathering.state is not State.PLANNED and answer is not None:
            raise InvalidParam("この集まりは中止になりました", status=409)
        async with self._turns.hold(user_id):
            known = await self.of_user(user_id)
            if known.to(gathering_id) is answer:
                return
            places = await self._places(user_id, gathering_id)
            # So that a client shows one answer and not three.
            for old in known.reactions.get(gathering_id, ()):
                await self._take_back(user_id, places, old)
            if answer is not None:
                relates = {"rel_type": "m.annotation", "event_id": places[0][1], "key": SIGNS[answer][0]}
                await self._sender.send(Draft(places[0][0], user_id, "m.reaction", {"m.relates_to": relates}))

    async def _take_back(self, user_id: str, places: list[tuple[str, str]], reaction: str) -> None:
        for room_id, _ in places:
            try:
                await self._sender.send(Draft(room_id, user_id, "m.room.redaction", {}, redacts=reaction))
            except (NotFound, InvalidParam):
                continue  # it stands in another room of the audience
            return

    async def _places(self, user_id: str, gathering_id: str) -> list[tuple[str, str]]:
        """Rooms and messages in which the account may answer, at least one."""
        found = []
        for room_id, event_id in self._gatherings.posts_of(gathering_id).items():
            room = await self._sender.rooms.get(room_id)
            if room.membership(user_id) == "join":
                found.append((room_id, event_id))
        if not found:
            raise Forbidden("この集まりの部屋に入っていません")
        return found

    # ---- what rooms tell -------------------------------------------------------------------------------------------

    def _reaction(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """✅, ❌ or ❓ on the message that announced a gathering."""
        reaction = reaction_of(entry.event.content)
        gathering_id = None if reaction is None else self._gatherings.announced_by(room.room_id, reaction[0])
        answer = None if reaction is None else answer_of(reaction[1])
        if gathering_id is None or answer is None:
            return
        event = entry.event
        put_answer(writes, Said(
            gathering_id, event.sender, answer, event.origin_server_ts, event.event_id, entry.stream,
        ))
        writes.after_commit.append(lambda: self._forget(event.sender, gathering_id))

    def _redaction(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """What was removed counts no more; only rooms in which gatherings stand are looked at."""
        target = entry.event.redacts
        if target is not None and self._gatherings.stand_in(room.room_id):
            take_back(writes, target, entry.stream)
            writes.after_commit.append(lambda: self.forget_all(self._gatherings.announced_in(room.room_id)))

    def _forget(self, user_id: str, gathering_id: str) -> None:
        self._changes += 1
        self.moved.add(gathering_id)
        self._known.pop(user_id, None)

    def forget_all(self, gathering_ids: Iterable[str]) -> None:
        """Answers to these gatherings are others now, of whomever: moderators may remove what somebody has said, and
        what is written down holds for a whole household."""
        self._changes += 1
        self.moved.update(gathering_ids)
        self._known.clear()
