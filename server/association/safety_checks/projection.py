"""What room events mean for safety checks. The rows go into the transaction of the event, so an answer that was
acknowledged is in the table, whatever happens to the node a moment later."""

from __future__ import annotations

import logging
from typing import Final, Protocol

from server.association.members.members import Members
from server.association.safety_checks import safety_store as store
from server.association.safety_checks.model import CHECK, PROMPT, RECEIVED, RESPONSE, Answer, Check
from server.association.safety_checks.open_checks import OpenCheck, OpenChecks, Prompt
from server.association.safety_checks.reading import (
    Meaning,
    meaning_of_event,
    meaning_of_text,
    status_of_choice,
    status_of_reaction,
)
from server.foundation.errors import Refused
from server.rooms.accept_event import EventAcceptor, Projection
from server.rooms.live_room import LiveRoom
from server.rooms.numbered_answers import reaction_of, reply_target, spoken_text
from server.rooms.poll_events import ENDS, RESPONSES, START, read_response, reference_target
from server.rooms.receipt_store import Receipt
from server.rooms.receipts import READ, Receipts
from server.rooms.timeline import Entry
from server.storage.database import Writes

logger = logging.getLogger(__name__)

_UNREADABLE: Final = (Refused, KeyError, ValueError, TypeError)


class AnswerListener(Protocol):
    """Who does what follows from an answer; called after its commit."""

    def answered(self, prompt: Prompt) -> None:
        """An answer or a remark is on disk."""

    def moved(self, check_id: str) -> None:
        """The figures have changed otherwise: read, taken back, entered."""


class SafetyProjection:
    """Keeps ``OpenChecks`` and the tables in step with the rooms."""

    def __init__(self, members: Members, going: OpenChecks, listener: AnswerListener) -> None:
        self._members = members
        self._going = going
        self._listener = listener

    def attach(self, acceptor: EventAcceptor, receipts: Receipts) -> None:
        """Look at every event and receipt from now on."""
        by_kind: dict[str, Projection] = {
            CHECK: self._check, "m.room.message": self._message, START: self._poll, "m.reaction": self._reaction,
            RESPONSE: self._own_event, "m.room.redaction": self._redaction,
            **dict.fromkeys(RESPONSES, self._poll_response), **dict.fromkeys(ENDS, self._poll_end),
        }
        for kind, projection in by_kind.items():
            acceptor.project(projection, [kind])
        receipts.project(self._receipt)

    # ---- what the node says -----------------------------------------------------------------------------------------

    def _check(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """A check begins or is closed."""
        if entry.event.sender != self._members.node_user_id:
            return
        try:
            check = Check.from_content(entry.event.content)
        except _UNREADABLE:
            logger.warning("a safety check event could not be read")
            return
        store.set_check(writes, check, room.room_id)
        going = self._going.get(check.id)
        if going is None:
            self._begin(OpenCheck(check, room.room_id), writes)
        else:
            before, going.check = going.check, check
            writes.on_failure.append(lambda: setattr(going, "check", before))

    def _begin(self, going: OpenCheck, writes: Writes) -> None:
        """Whom it concerns is written down with the check itself, so that a node that dies knows whom to ask."""
        if not going.is_open:
            return
        for person in self._members.audience(going.check.audience):
            prompt = new_prompt(self._members, going.check.id, person.id)
            going.prompts[person.id] = prompt
            store.add_prompt(writes, prompt)
        self._going.enter(going)
        writes.on_failure.append(lambda: self._going.drop(going.check.id))

    def _message(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """A question or a receipt by the node, or what a resident says."""
        if not self._going.in_room(room.room_id):
            return
        content = entry.event.content
        if entry.event.sender == self._members.node_user_id:
            self._node_message(room, entry, writes)
            return
        text = spoken_text(content)
        if text is not None:
            prompt = self._going.meant_by(room.room_id, reply_target(content))
            self._take(prompt, entry, meaning_of_text(text), writes)

    def _node_message(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        content = entry.event.content
        prompt = self._marked(room, content.get(PROMPT))
        if prompt is not None and prompt.message_event is None:
            prompt.message_event, prompt.position = entry.event.event_id, entry.stream
            writes.on_failure.append(lambda: setattr(prompt, "message_event", None))
            store.set_asked(writes, prompt)
        told = content.get(RECEIVED)
        prompt = self._marked(room, told)
        if prompt is not None and isinstance(told, dict) and isinstance(told.get("place"), int):
            prompt.confirmed = max(prompt.confirmed, told["place"])
            store.set_confirmed(writes, prompt)

    def _poll(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        if entry.event.sender != self._members.node_user_id:
            return
        prompt = self._marked(room, entry.event.content.get(PROMPT))
        if prompt is not None and prompt.poll_event is None:
            prompt.poll_event = entry.event.event_id
            writes.on_failure.append(lambda: setattr(prompt, "poll_event", None))
            store.set_asked(writes, prompt)

    def _poll_end(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        target = reference_target(entry.event.content)
        for prompt in self._going.in_room(room.room_id):
            if target is not None and prompt.poll_event == target and not prompt.ended:
                if entry.event.sender == self._members.node_user_id:
                    prompt.ended = True
                    store.set_ended(writes, prompt)

    def _marked(self, room: LiveRoom, mark: object) -> Prompt | None:
        check_id = mark.get("check_id") if isinstance(mark, dict) else None
        return self._going.prompt_of(room.room_id, check_id) if isinstance(check_id, str) else None

    # ---- what residents say -----------------------------------------------------------------------------------------

    def _poll_response(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        response = read_response(entry.event.content) if self._going.in_room(room.room_id) else None
        if response is None:
            return
        status = next((found for choice in response.chosen if (found := status_of_choice(choice))), None)
        if status is not None:
            self._take(self._going.asked_by(room.room_id, response.target), entry, Meaning(status), writes)

    def _reaction(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        reaction = reaction_of(entry.event.content) if self._going.in_room(room.room_id) else None
        if reaction is None:
            return
        status = status_of_reaction(reaction[1])
        if status is not None:
            self._take(self._going.asked_by(room.room_id, reaction[0]), entry, Meaning(status), writes)

    def _own_event(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        read = meaning_of_event(entry.event.content)
        if read is None:
            return
        going, prompt = self._going.get(read[0]), self._going.prompt_of(room.room_id, read[0])
        if going is not None and going.is_open:
            self._take(prompt, entry, read[1], writes, by=self._of_household(entry.event.content.get("by"), prompt))

    def _of_household(self, by: object, prompt: Prompt | None) -> str:
        """Who of the same household has answered in somebody's name; nobody else is believed to have."""
        person = self._members.person_of_user(by) if isinstance(by, str) else None
        is_theirs = person is not None and prompt is not None and person.household_id == prompt.household_id
        return str(by) if is_theirs else ""

    def _take(self, prompt: Prompt | None, entry: Entry, meaning: Meaning, writes: Writes, *, by: str = "") -> None:
        """Count an answer, if it comes from the very person who was asked."""
        if prompt is None or (meaning.status is None and not meaning.comment):
            return
        person = self._members.person_of_user(entry.event.sender)
        if person is None or person.id != prompt.person_id:
            return
        event = entry.event
        answer = Answer(
            event.event_id, prompt.last_place + 1, event.origin_server_ts, *meaning, entered_by=by)
        record(prompt, answer, writes)
        writes.after_commit.append(lambda: self._listener.answered(prompt))

    def _redaction(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """A reaction or a vote taken back takes the answer back: the one before it counts again, if there is one."""
        target = entry.event.redacts
        for prompt in self._going.in_room(room.room_id):
            found = next((answer for answer in prompt.answers if answer.id == target), None)
            going = self._going.get(prompt.check_id)
            if found is not None and going is not None and going.is_open:
                self._take_back(prompt, found, writes)

    def _take_back(self, prompt: Prompt, answer: Answer, writes: Writes) -> None:
        before = list(prompt.answers)
        prompt.answers.remove(answer)
        writes.on_failure.append(lambda: _restore(prompt, before))
        store.withdraw_answer(writes, prompt, answer.id)
        writes.after_commit.append(lambda: self._listener.moved(prompt.check_id))

    def _receipt(self, room: LiveRoom, receipt: Receipt, writes: Writes) -> None:
        """Somebody has read up to a question or past it. It is no answer."""
        if receipt.type != READ:
            return
        for prompt in self._going.in_room(room.room_id):
            if not prompt.has_read and 0 < prompt.position <= receipt.event_stream:
                self._note_read(prompt, receipt, writes)

    def _note_read(self, prompt: Prompt, receipt: Receipt, writes: Writes) -> None:
        person = self._members.person_of_user(receipt.user_id)
        if person is None or person.id != prompt.person_id:
            return
        prompt.has_read = True
        writes.on_failure.append(lambda: setattr(prompt, "has_read", False))
        store.set_read(writes, prompt, receipt.ts)
        writes.after_commit.append(lambda: self._listener.moved(prompt.check_id))


def new_prompt(members: Members, check_id: str, person_id: str) -> Prompt:
    """A person's line in a check, as the roster stands now."""
    household = members.household(members.person(person_id).household_id)
    return Prompt(check_id, person_id, household.id, household.block_id, members.desk_room_of(person_id))


def record(prompt: Prompt, answer: Answer, writes: Writes) -> None:
    """Lay an answer on top of those before it; coming again (replay) it changes nothing."""
    if any(known.id == answer.id for known in prompt.answers):
        return
    prompt.answers.append(answer)
    prompt.last_place = max(prompt.last_place, answer.place)
    writes.on_failure.append(lambda: _remove(prompt, answer))
    store.add_answer(writes, prompt, answer)


def _remove(prompt: Prompt, answer: Answer) -> None:
    if answer in prompt.answers:
        prompt.answers.remove(answer)


def _restore(prompt: Prompt, answers: list[Answer]) -> None:
    prompt.answers[:] = answers
