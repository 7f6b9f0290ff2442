"""How inquiries follow from what is said in 窓口 and in 受付; the rows go into the transaction of the event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from server.association.inquiries import inquiries_store as store
from server.association.inquiries.book import InquiryBook
from server.association.inquiries.contents import ANSWER_HEAD, MARK, Mark, read_mark, read_said
from server.association.inquiries.model import Inquiry, Line, Photo, Side, State
from server.association.members.came_by import CameBy
from server.association.members.members import Members
from server.association.members.model import Person, Purpose, Right
from server.rooms.accept_event import EventAcceptor
from server.rooms.live_room import LiveRoom
from server.rooms.numbered_answers import numbers_in, reaction_of
from server.rooms.relations import EDIT, THREAD, relation_of
from server.rooms.timeline import REJECTED, SOFT_FAILED, Entry
from server.storage.database import Writes

_TAKING: Final = ("✋", "🙋")
_DONE: Final = ("✅",)
_OURS: Final = "jp.kairan."
_ID_LETTERS: Final = 12
# Who writes again within this time goes on with what was answered ("thank you", "and what if …").
_SAME_TALK_MS: Final = 7 * 86_400_000

# Whether a message in a 窓口 is for another feature: an answer to a safety check, a booking.
ForOthers = Callable[[LiveRoom, str], bool]


class InquiryProjection:
    """Keeps tables and memory in step with the rooms. ``news`` is called after the commit of what must be carried."""

    def __init__(
        self, members: Members, book: InquiryBook, is_for_others: ForOthers, news: Callable[[], None]
    ) -> None:
        self._members = members
        self._book = book
        self._is_for_others = is_for_others
        self._news = news

    def attach(self, acceptor: EventAcceptor) -> None:
        """Look at every event from now on."""
        acceptor.project(self.message, ["m.room.message"])
        acceptor.project(self.reaction, ["m.reaction"])
        acceptor.project(self.redaction, ["m.room.redaction"])

    def message(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """A line: of a resident, of an officer, or one of ours that brings it to the other side."""
        if entry.flags & (REJECTED | SOFT_FAILED):
            return
        event = entry.event
        if event.sender == self._members.node_user_id:
            mark = read_mark(event.content)
            if mark is not None:
                self._ours(room, entry, mark, writes)
            return
        person = self._members.person_of_desk_room(room.room_id)
        if person is not None:
            self._asked(room, entry, person, writes)
        elif self._is_reception(room):
            self._replied(room, entry, writes)

    def reaction(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """✋ on a question in 受付 takes it, ✅ says that it is answered."""
        if not self._is_reception(room) or not self._may_answer(entry.event.sender):
            return
        reaction = reaction_of(entry.event.content)
        inquiry = None if reaction is None else self._book.in_thread(reaction[0])
        if reaction is None or inquiry is None or inquiry.state is State.ANSWERED:
            return
        key, officer, now = reaction[1].rstrip("\ufe0f"), entry.event.sender, entry.event.origin_server_ts
        if key.startswith(_TAKING):
            self.keep(writes, inquiry.moved(State.TAKEN, now, officer))
        elif key.startswith(_DONE):
            self.keep(writes, inquiry.moved(State.ANSWERED, now, inquiry.owner or officer))

    def redaction(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """What was taken back is gone on both sides."""
        target = entry.event.redacts
        is_there = self._is_reception(room) or self._members.rooms.person_of_desk(room.room_id) is not None
        if target is not None and is_there and entry.event.sender != self._members.node_user_id:
            store.drop_words(writes, target)
            writes.after_commit.append(self._news)

    def keep(self, writes: Writes, inquiry: Inquiry) -> None:
        """Store an inquiry as it is now; memory knows at once, and forgets where the commit fails."""
        before = self._book.get(inquiry.id)
        self._book.enter(inquiry)
        store.put_inquiry(writes, inquiry)
        writes.on_failure.append(
            lambda: self._book.drop(inquiry.id) if before is None else self._book.enter(before))

    def lay_down(self, writes: Writes, line: Line, told: str = "") -> None:
        """Store a line, and have it carried after the commit."""
        store.add_line(writes, line, told)
        if not told:
            writes.after_commit.append(self._news)

    # ---- parts ------------------------------------------------------------------------------------------------------

    def _asked(self, room: LiveRoom, entry: Entry, person: Person, writes: Writes) -> None:
        """A resident writes in their own 窓口, from a page or any client."""
        event = entry.event
        if event.sender != person.user_id or _is_of_ours(event.content):
            return
        relation = relation_of(event.content)
        if relation is not None and relation[1] == EDIT:
            self._changed(relation[0], event.sender, event.content, writes)
            return
        said = read_said(event.content)
        if said is None or (MARK not in event.content and self._is_no_question(room, said[0])):
            return
        now = event.origin_server_ts
        inquiry = self._book.newest_of(person.id)
        if inquiry is None or (inquiry.state is State.ANSWERED and now - inquiry.changed_ts > _SAME_TALK_MS):
            new_id = event.event_id[1:1 + _ID_LETTERS]
            inquiry = Inquiry(new_id, person.id, "", CameBy.APP, State.OPEN, "", now, now, now)
        inquiry = inquiry.asked_more(now)
        self.keep(writes, inquiry)
        self._line(room, entry, inquiry, Side.RESIDENT, said, writes)

    def _is_no_question(self, room: LiveRoom, text: str) -> bool:
        """A number answers something that was asked; other words are for other features."""
        return bool(numbers_in(text)) or self._is_for_others(room, text)

    def _replied(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """An officer answers in the thread in 受付."""
        event = entry.event
        relation, said = relation_of(event.content), read_said(event.content)
        if relation is None or not self._may_answer(event.sender):
            return
        if relation[1] == EDIT:
            self._changed(relation[0], event.sender, event.content, writes)
            return
        inquiry = self._book.in_thread(relation[0]) if relation[1] == THREAD else None
        if inquiry is not None and said is not None:
            inquiry = inquiry.answered_by(event.sender, event.origin_server_ts)
            self.keep(writes, inquiry)
            self._line(room, entry, inquiry, Side.OFFICERS, said, writes)

    def _ours(self, room: LiveRoom, entry: Entry, mark: Mark, writes: Writes) -> None:
        """The node brings a line to the other side, or says what an officer has written at the desk."""
        inquiry, event = self._book.get(mark.inquiry_id), entry.event
        if inquiry is None:
            return
        if mark.to == "officers" and not inquiry.thread:
            inquiry = replace(inquiry, thread=event.event_id)
            self.keep(writes, inquiry)
        if mark.to == "officers" or mark.line_id.startswith("$"):
            store.note_told(writes, mark.line_id, event.event_id)
            return
        said = read_said(event.content)
        text, photo = ("", None) if said is None else said
        answered = inquiry.answered_by(mark.by, event.origin_server_ts)
        self.keep(writes, answered)
        self.lay_down(writes, Line(
            mark.line_id, inquiry.id, answered.revision, Side.OFFICERS, mark.by,
            text.removeprefix(ANSWER_HEAD).strip(), event.origin_server_ts, room.room_id, photo,
        ))

    def _line(
        self, room: LiveRoom, entry: Entry, inquiry: Inquiry, side: Side, said: tuple[str, Photo | None], writes: Writes
    ) -> None:
        event = entry.event
        self.lay_down(writes, Line(
            event.event_id, inquiry.id, inquiry.revision, side, event.sender, said[0], event.origin_server_ts,
            room.room_id, said[1],
        ))

    def _changed(self, target: str, sender: str, content: Mapping[str, Any], writes: Writes) -> None:
        new = content.get("m.new_content")
        said = read_said(new) if isinstance(new, dict) else None
        if said is not None:
            store.change_words(writes, target, sender, said[0])

    def _is_reception(self, room: LiveRoom) -> bool:
        return room.room_id == self._members.rooms.find(Purpose.RECEPTION.value)

    def _may_answer(self, user_id: str) -> bool:
        return self._members.may(user_id, Right.READ_DESK)




def _is_of_ours(content: Mapping[str, Any]) -> bool:
    """An answer to a question of the node, with a key of ours in it."""
    return any(key.startswith(_OURS) and key != MARK for key in content)
