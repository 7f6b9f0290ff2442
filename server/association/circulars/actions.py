"""The verbs of circulars: post, correct, withdraw, call back, acknowledge, open, write down what went by paper."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Final

from server.association.circulars import circulars_store as store
from server.association.circulars.model import (
    MAX_REASON,
    OPENED,
    Circular,
    Letter,
    State,
    attachment_content,
    edit_content,
    message_content,
    require_next,
)
from server.association.circulars.projection import CircularProjection
from server.association.members.members import Members
from server.association.members.model import Audience, Right
from server.foundation.clock import Clock
from server.foundation.errors import Forbidden, InvalidParam, NotFound, Refused
from server.foundation.ids import random_letters
from server.foundation.keyed_locks import KeyedLocks
from server.foundation.tasks import Tasks
from server.rooms.accept_event import EventAcceptor
from server.rooms.receipts import Receipts
from server.rooms.send_event import Draft, EventSender
from server.storage.database import Database, Writes

_ID_LETTERS: Final = 12
_RESUMED: Final = 5
_ACKNOWLEDGED: Final = "✅"


class Circulars:
    """Circulars of the association. Order of life: ``attach``, ``await open()``, ``resume()``."""

    def __init__(
        self, database: Database, members: Members, sender: EventSender, clock: Clock, tasks: Tasks
    ) -> None:
        self._database = database
        self._members = members
        self._sender = sender
        self._clock = clock
        self._tasks = tasks
        self._projection = CircularProjection(members)
        self._delivering = asyncio.Lock()
        self._turns = KeyedLocks()

    def attach(self, acceptor: EventAcceptor, receipts: Receipts | None = None) -> None:
        """Look at every event, and at who reads; once, before the first."""
        self._projection.attach(acceptor)
        if receipts is not None:
            receipts.project(self._projection.seen)

    async def open(self) -> None:
        """Learn in which rooms circulars stand."""
        self._projection.rooms |= await store.rooms_with_circulars(self._database)

    def resume(self) -> None:
        """Go on with what the node was delivering when it was stopped or killed."""
        self._tasks.start("delivering circulars", self.deliver_lately_changed())

    async def deliver_lately_changed(self) -> None:
        """Bring the circulars that changed last to all their rooms."""
        for circular in await store.changed_lately(self._database, _RESUMED):
            await self._deliver(circular)

    # ---- officers ---------------------------------------------------------------------------------------------------

    async def post(self, officer: str, letter: Letter, *, circular_id: str = "") -> Circular:
        """Send a circular round. Raises ``Forbidden``, ``InvalidParam`` or ``NotFound``, and then nothing was sent.

        What is posted again under a ``circular_id`` of before is brought where it is missing, and is one circular.
        """
        self.require_right(officer, letter.audience)
        known = await store.find_circular(self._database, circular_id) if circular_id else None
        if known is not None:
            await self._deliver(known)
            return known
        letter.check()
        now = self._clock.now_ms()
        if letter.deadline is not None and letter.deadline <= now:
            raise InvalidParam("期限は、これからの日時にしてください")
        circular = Circular(
            circular_id or random_letters(_ID_LETTERS), letter.title.strip(), letter.text.strip(), letter.category,
            letter.audience, officer, State.GOING_ROUND, 1, now, now, letter.deadline, letter.attachments,
            upstream=letter.upstream, is_important=letter.is_important,
        )
        await self._deliver(circular)
        return circular

    async def correct(
        self, officer: str, circular_id: str, letter: Letter, reason: str = "", *, expected_revision: int | None = None
    ) -> Circular:
        """Put a corrected text in the place of the old one, everywhere. The audience stays as it was.

        With ``expected_revision`` it is only done if nobody was faster (``Refused``, 412).
        """
        async with self._turns.hold(circular_id):
            before = await self._access(officer, circular_id)
            if expected_revision is not None and before.revision != expected_revision:
                raise Refused("ほかの人が先に変えました。新しい文を読んでから、もう一度おしてください", status=412)
            letter.check()
            return await self._change(replace(
                before, title=letter.title.strip(), text=letter.text.strip(), category=letter.category,
                deadline=letter.deadline, attachments=letter.attachments, state=State.CORRECTED, reason=reason,
                is_important=letter.is_important,
            ), before)

    async def withdraw(self, officer: str, circular_id: str, reason: str = "") -> Circular:
        """Take a circular back: its text and files are gone from all rooms, a line says so."""
        async with self._turns.hold(circular_id):
            before = await self._access(officer, circular_id)
            return await self._change(replace(before, state=State.WITHDRAWN, reason=reason), before)

    async def call_back(self, officer: str, circular_id: str) -> Circular:
        """The circular has been round (returned); at its deadline it comes back by itself."""
        async with self._turns.hold(circular_id):
            before = await self._access(officer, circular_id)
            return await self._change(replace(before, state=State.RETURNED, reason=""), before)

    async def enter_paper(
        self, officer: str, circular_id: str, household_id: str, *, by_phone: bool = False
    ) -> None:
        """Write down that a household has the circular on paper, or was told by telephone. Twice is once."""
        kind = store.KIND_PHONE if by_phone else store.KIND_PAPER
        await self._set_paper(officer, circular_id, household_id, kind, has_it=True)

    async def take_paper_back(self, officer: str, circular_id: str, household_id: str) -> None:
        """That was a mistake."""
        for kind in (store.KIND_PAPER, store.KIND_PHONE):
            await self._set_paper(officer, circular_id, household_id, kind, has_it=False)

    # ---- residents --------------------------------------------------------------------------------------------------

    async def acknowledge(self, user_id: str, circular_id: str) -> None:
        """The button 「確認しました」: the same as ✅ on the message in any client. Twice is once."""
        circular = await self._for_reader(user_id, circular_id)
        person = self._members.person_of_user(user_id)
        assert person is not None
        marks = await store.marks_of_person(self._database, person.id, [circular_id])
        if any(mark.kind == store.KIND_ACKNOWLEDGED for mark in marks):
            return
        for place in await store.rooms_of(self._database, [circular.id]):
            room = await self._sender.rooms.get(place.room_id)
            if room.membership(user_id) == "join":
                relates = {"rel_type": "m.annotation", "event_id": place.event_id, "key": _ACKNOWLEDGED}
                await self._sender.send(Draft(place.room_id, user_id, "m.reaction", {"m.relates_to": relates}))
                return
        raise Forbidden("この回覧の部屋に入っていません")

    async def note_opened(self, user_id: str, circular_id: str) -> None:
        """A person opens a circular on a page. Said in their own 窓口: what neighbours read is nobody's business."""
        await self._for_reader(user_id, circular_id)
        person = self._members.person_of_user(user_id)
        assert person is not None
        marks = await store.marks_of_person(self._database, person.id, [circular_id])
        if any(mark.kind == store.KIND_OPENED for mark in marks):
            return
        room_id = self._members.desk_room_of(person.id)
        if room_id is not None:
            await self._sender.send(Draft(room_id, user_id, OPENED, {"circular_id": circular_id}))
            return
        writes = Writes()
        store.note_opened(writes, random_letters(_ID_LETTERS), person.id, circular_id, self._clock.now_ms())
        await asyncio.shield(self._database.submit(writes))

    # ---- parts ------------------------------------------------------------------------------------------------------

    async def _change(self, after: Circular, before: Circular) -> Circular:
        if len(after.reason) > MAX_REASON:
            raise InvalidParam(f"理由は{MAX_REASON}字までです")
        require_next(before.state, after.state)
        changed = replace(after, revision=before.revision + 1, changed_ts=self._clock.now_ms())
        await self._deliver(changed)
        return changed

    async def _deliver(self, circular: Circular) -> None:
        """Bring every room to this revision: message or edit, then the files. Doing it twice is doing it once."""
        async with self._delivering:
            await self._say(circular)
            await self._take_files_away(circular)
            await self._send_files(circular)

    async def _say(self, circular: Circular) -> None:
        known = {place.room_id: place for place in await store.rooms_of(self._database, [circular.id])}
        drafts = []
        for room_id in self._rooms_for(circular.audience, known):
            place = known.get(room_id)
            if place is None:
                drafts.append(self._draft(room_id, message_content(circular)))
            elif place.revision < circular.revision:
                drafts.append(self._draft(room_id, edit_content(circular, place.event_id)))
        await self._sender.send_many(drafts)

    def _rooms_for(self, audience: Audience, known: dict[str, store.CircularRoom]) -> list[str]:
        """The rooms of the audience; where a block or group is gone, those that have the circular already."""
        try:
            return list(dict.fromkeys([*self._members.rooms_for(audience), *known]))
        except NotFound:
            if not known:
                raise
            return list(known)

    async def _take_files_away(self, circular: Circular) -> None:
        wanted = set() if circular.state is State.WITHDRAWN else {item.url for item in circular.attachments}
        for (room_id, url), event_id in (await store.attachments_of(self._database, circular.id)).items():
            if url not in wanted:
                node = self._members.node_user_id
                await self._sender.send(Draft(room_id, node, "m.room.redaction", {}, redacts=event_id))

    async def _send_files(self, circular: Circular) -> None:
        if circular.state is State.WITHDRAWN:
            return
        there = await store.attachments_of(self._database, circular.id)
        await self._sender.send_many([
            self._draft(place.room_id, attachment_content(circular, item, place.event_id))
            for place in await store.rooms_of(self._database, [circular.id])
            for item in circular.attachments if (place.room_id, item.url) not in there
        ])

    async def _set_paper(
        self, officer: str, circular_id: str, household_id: str, kind: str, *, has_it: bool
    ) -> None:
        home = self._members.household(household_id)
        self._members.require(officer, Right.ENTER_ANSWERS, home.block_id)
        await self._find(circular_id)
        writes, mark_id = Writes(), f"{kind} {circular_id} {household_id}"
        if has_it:
            store.add_mark(writes, store.Mark(
                mark_id, circular_id, "", household_id, kind, self._clock.now_ms(), officer))
        else:
            store.drop_mark(writes, mark_id)
        await asyncio.shield(self._database.submit(writes))

    async def _access(self, officer: str, circular_id: str) -> Circular:
        circular = await self._find(circular_id)
        self.require_right(officer, circular.audience)
        return circular

    async def _for_reader(self, user_id: str, circular_id: str) -> Circular:
        circular = await store.find_circular(self._database, circular_id)
        if circular is None or not self._members.is_in(user_id, circular.audience):
            raise NotFound("その回覧はありません")
        return circular

    async def _find(self, circular_id: str) -> Circular:
        circular = await store.find_circular(self._database, circular_id)
        if circular is None:
            raise NotFound("その回覧はありません")
        return circular

    def require_right(self, officer: str, audience: Audience) -> None:
        """Raise ``Forbidden`` for who may not post to this audience: a block leader may to their own blocks."""
        self._members.require_for(officer, Right.POST_CIRCULARS, audience)

    def _draft(self, room_id: str, content: dict[str, object]) -> Draft:
        return Draft(room_id, self._members.node_user_id, "m.room.message", content)
