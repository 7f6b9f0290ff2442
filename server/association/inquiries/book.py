"""All inquiries in memory, so that the projection need not wait: by id, by thread, and the newest of each person.

It holds what is accepted; a commit that fails takes its part back (``Writes.on_failure``).
"""

from __future__ import annotations

from server.association.inquiries.model import Inquiry, State


class InquiryBook:
    """Changed by the projection and the verbs, by nobody else."""

    def __init__(self) -> None:
        self._by_id: dict[str, Inquiry] = {}
        self._by_thread: dict[str, str] = {}
        self._newest: dict[str, str] = {}

    def enter(self, inquiry: Inquiry) -> None:
        """A new inquiry, or what has become of one."""
        self._by_id[inquiry.id] = inquiry
        if inquiry.thread:
            self._by_thread[inquiry.thread] = inquiry.id
        newest = self._by_id.get(self._newest.get(inquiry.person_id, ""))
        if inquiry.person_id and (newest is None or inquiry.opened_ts >= newest.opened_ts):
            self._newest[inquiry.person_id] = inquiry.id

    def drop(self, inquiry_id: str) -> None:
        """It never was, or whoever asked has left."""
        inquiry = self._by_id.pop(inquiry_id, None)
        if inquiry is None:
            return
        self._by_thread.pop(inquiry.thread, None)
        if self._newest.get(inquiry.person_id) == inquiry_id:
            del self._newest[inquiry.person_id]
            for left in sorted(self.of_person(inquiry.person_id), key=lambda item: item.opened_ts):
                self._newest[inquiry.person_id] = left.id

    def get(self, inquiry_id: str) -> Inquiry | None:
        """One inquiry."""
        return self._by_id.get(inquiry_id)

    def in_thread(self, root: str) -> Inquiry | None:
        """The inquiry whose thread in 受付 begins with the message ``root``."""
        return self._by_id.get(self._by_thread.get(root, ""))

    def newest_of(self, person_id: str) -> Inquiry | None:
        """What a person talks about with the officers at the moment."""
        return self._by_id.get(self._newest.get(person_id, ""))

    def of_person(self, person_id: str) -> list[Inquiry]:
        """Everything that somebody has asked, oldest first."""
        return [item for item in self._by_id.values() if item.person_id == person_id]

    def all(self) -> list[Inquiry]:
        """What waits first, the longest waiting at its head; then the newest that are answered."""
        waiting = [item for item in self._by_id.values() if item.state is not State.ANSWERED]
        done = [item for item in self._by_id.values() if item.state is State.ANSWERED]
        return [*sorted(waiting, key=lambda item: (item.asked_ts, item.id)),
                *sorted(done, key=lambda item: (item.changed_ts, item.id), reverse=True)]
