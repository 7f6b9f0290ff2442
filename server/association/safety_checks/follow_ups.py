"""What follows from answers after their commit: a short receipt to the resident, new figures in 防災.

Both are gathered: receipts for a fifth of a second, so that a burst shares its commits; the figures so long that a
large association is not woken again and again. What is owed can be seen in the tables, so it survives the node.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final

from server.association.safety_checks import safety_store as store
from server.association.safety_checks.model import SUMMARY, Check, Figures, received_content, summary_content
from server.association.safety_checks.open_checks import OpenCheck, OpenChecks, Prompt, is_owed
from server.foundation.clock import Clock, Timer
from server.foundation.tasks import Tasks
from server.rooms.send_event import Draft, EventSender
from server.rooms.send_to_each import send_to_each
from server.storage.database import Database

_GATHER_S: Final = 0.2
_SUMMARY_EVERY_S: Final = 2.0
# Every member of 防災 who waits is told of new figures; a large association hears of them less often.
_SUMMARY_EVERY_S_PER_MEMBER: Final = 0.01


class Later:
    """Runs a step some time after it was first wanted, once for all who wanted it meanwhile."""

    def __init__(self, name: str, step: Callable[[], Coroutine[Any, Any, object]], clock: Clock, tasks: Tasks) -> None:
        self._name = name
        self._step = step
        self._clock = clock
        self._tasks = tasks
        self._timer: Timer | None = None

    def want(self, after_s: float) -> None:
        """See that the step runs ``after_s`` seconds from now at the latest."""
        if self._timer is None:
            self._timer = self._clock.call_later(after_s, self._run)

    def cancel(self) -> None:
        """Forget it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _run(self) -> None:
        self._timer = None
        if not self._tasks.are_over:  # the node has stopped meanwhile
            self._tasks.start(self._name, self._step())


class FollowUps:
    """Implements ``AnswerListener``."""

    def __init__(
        self, database: Database, going: OpenChecks, sender: EventSender, node_user_id: str, clock: Clock, tasks: Tasks
    ) -> None:
        self._database = database
        self._going = going
        self._sender = sender
        self._node_user_id = node_user_id
        self._clock = clock
        self._owed: dict[tuple[str, str], Prompt] = {}
        self._hinted: set[tuple[str, str]] = set()
        self._changed: set[str] = set()
        self._posted_at: dict[str, float] = {}
        self._receipts = Later("receipts for answers", self.send_receipts, clock, tasks)
        self._summaries = Later("figures of safety checks", self.post_summaries, clock, tasks)

    def close(self) -> None:
        """The node stops; what is owed is sent after the next start."""
        self._receipts.cancel()
        self._summaries.cancel()

    def answered(self, prompt: Prompt) -> None:
        """A receipt is due, and the figures have changed."""
        self.owe(prompt)
        self.moved(prompt.check_id)

    def owe(self, prompt: Prompt) -> None:
        """Remember that the resident waits for a receipt, or, after a mere remark, for a word how to answer."""
        key = (prompt.check_id, prompt.person_id)
        if is_owed(prompt) or (prompt.current().status is None and key not in self._hinted):
            self._owed[key] = prompt
            self._receipts.want(_GATHER_S)

    def moved(self, check_id: str) -> None:
        """The figures have changed."""
        going = self._going.get(check_id)
        if going is None or not going.is_open:
            return
        self._changed.add(check_id)
        since = self._clock.monotonic() - self._posted_at.get(check_id, float("-inf"))
        self._summaries.want(max(_GATHER_S, self._pause(going) - since))

    async def send_receipts(self) -> None:
        """Tell all who wait that their answer has arrived."""
        owed, self._owed = self._owed, {}
        drafts = []
        for key, prompt in owed.items():
            going = self._going.get(prompt.check_id)
            if going is not None and prompt.room_id is not None:
                if prompt.current().status is None:
                    self._hinted.add(key)
                content = received_content(going.check, prompt.current())
                drafts.append([Draft(prompt.room_id, self._node_user_id, "m.room.message", content)])
        await send_to_each(self._sender, drafts)

    async def post_summaries(self) -> None:
        """Say the newest figures of every check in which something has changed."""
        changed, self._changed = self._changed, set()
        for check_id in sorted(changed):
            going = self._going.get(check_id)
            if going is not None and going.is_open:
                await self._post(going)

    async def _post(self, going: OpenCheck) -> None:
        self._posted_at[going.check.id] = self._clock.monotonic()
        await self._sender.send(self.summary_draft(going.check, going.room_id, await self.figures(going.check.id)))

    def summary_draft(self, check: Check, room_id: str, figures: Figures) -> Draft:
        """The summary as it will stand in 防災."""
        content = summary_content(check, figures, self._clock.now_ms())
        return Draft(room_id, self._node_user_id, SUMMARY, content, state_key=check.id)

    async def figures(self, check_id: str) -> Figures:
        """The figures of the whole check, as they are committed."""
        return sum((await store.figures_by_block(self._database, check_id)).values(), Figures())

    def _pause(self, going: OpenCheck) -> float:
        room = self._sender.rooms.live(going.room_id)
        members = len(room.joined_here) if room is not None else 0
        return max(_SUMMARY_EVERY_S, _SUMMARY_EVERY_S_PER_MEMBER * members)
