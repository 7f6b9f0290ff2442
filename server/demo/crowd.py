"""Part of the people of a replay, in a process of its own: real Matrix clients (matrix-nio) over HTTP.

``python -m server.demo.crowd`` reads one line of JSON (``roles``) from standard input, brings everybody up
to date and lets them wait on /sync. A further line ``answer`` lets them answer; the end of the input ends it. On
standard output it says one JSON object a line how far everybody is: ``{"ready": 12}``, ``asked``, ``played``,
``told``; and ``{"fault": "…"}`` where the node refuses what it should take.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import nio

from server.demo.machine import open_many_files
from server.demo.noto import Part
from server.foundation.clock import Clock, SystemClock

_LONG_POLL_MS: Final = 30_000
_RETRY_S: Final = 0.5
_AT_ONCE: Final = 24
_PROMPT: Final = "jp.kairan.safety.prompt"
_RECEIVED: Final = "jp.kairan.safety.received"
_POLL: Final = "org.matrix.msc3381.poll.start"
_POLL_RESPONSE: Final = "org.matrix.msc3381.poll.response"
_RESPONSE: Final = "jp.kairan.safety.response"
# Members are loaded lazily, as all larger clients do it.
_FIRST: Final = {"room": {"timeline": {"limit": 1}, "state": {"lazy_load_members": True, "types": []}}}
_WAITING: Final = {"room": {"timeline": {"limit": 20}, "state": {"lazy_load_members": True}}}

_WORDS: Final = {Part.SAFE: ("無事", "1", "無事です", "１"), Part.CONTACT: ("2",), Part.HELP: ("3",)}
_KEYS: Final = {Part.SAFE: "1️⃣", Part.CONTACT: "2️⃣", Part.HELP: "3️⃣"}

Json = dict[str, Any]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Role:
    """Whom one client plays, and on which node. ``room_id`` is their 窓口, ``number`` chooses how they answer."""

    url: str
    user_id: str
    token: str
    room_id: str
    part: str
    number: int


@dataclass(slots=True)
class Question:
    """The two events of the question, as far as they have arrived."""

    check_id: str = ""
    message: str = ""
    poll: str = ""

    def is_there(self) -> bool:
        """Whether both have arrived."""
        return bool(self.message and self.poll)

    def take(self, event: Json) -> None:
        """One of the two has arrived."""
        self.check_id = event["content"][_PROMPT]["check_id"]
        if event["type"] == _POLL:
            self.poll = event["event_id"]
        else:
            self.message = event["event_id"]


@dataclass(slots=True)
class Resident:
    """One person with a Matrix client. ``say`` counts what has happened: ``ready``, ``asked``, ``played``, ``told``."""

    client: nio.AsyncClient
    role: Role
    clock: Clock
    say: Say
    question: Question = field(default_factory=Question)
    is_told: bool = False

    async def arrive(self) -> str:
        """Catch up once; answers the id of the filter to wait with."""
        await self._keep_trying(lambda: self.client.sync(sync_filter=_FIRST), nio.SyncResponse)
        made = await self._keep_trying(lambda: self.client.upload_filter(**_WAITING), nio.UploadFilterResponse)
        self.say("ready")
        return str(made.filter_id)

    async def wait(self, filter_id: str) -> None:
        """Wait for news, for ever."""
        while True:
            answer = await self._keep_trying(
                lambda: self.client.sync(timeout=_LONG_POLL_MS, sync_filter=filter_id), nio.SyncResponse
            )
            room = answer.rooms.join.get(self.role.room_id)
            for event in room.timeline.events if room is not None else ():
                self._look_at(event.source)

    async def play(self) -> None:
        """Do what this person did: answer, only read, or nothing. It is repeated until the node has taken it."""
        if self.role.part == Part.UNREAD:
            return
        if self.role.part == Part.READ:
            event_id = self.question.poll
            await self._keep_trying(
                lambda: self.client.update_receipt_marker(self.role.room_id, event_id), nio.UpdateReceiptMarkerResponse
            )
        else:
            kind, content = answer_of(self.role, self.question)
            # The same transaction id in every try: counted once, however often it is sent.
            await self._keep_trying(
                lambda: self.client.room_send(self.role.room_id, kind, content, tx_id=f"replay{self.role.number}"),
                nio.RoomSendResponse,
            )
        self.say("played")

    def _look_at(self, event: Json) -> None:
        content = event.get("content", {})
        if _PROMPT in content and not self.question.is_there():
            self.question.take(event)
            if self.question.is_there():
                self.say("asked")
        if not self.is_told and _RECEIVED in content:
            self.is_told = True
            self.say("told")

    async def _keep_trying(self, request: Callable[[], Awaitable[Any]], wanted: type) -> Any:
        """The node may be away for a while; whoever uses a phone tries again."""
        while True:
            try:
                answer = await request()
                if isinstance(answer, wanted):
                    return answer
                self.say(f"fault: {answer}")
            except (aiohttp.ClientError, TimeoutError):
                pass  # cut off in the middle of an answer
            await self.clock.sleep(_RETRY_S)


def answer_of(role: Role, question: Question) -> tuple[str, Json]:
    """Type and content of a person's answer: a poll's choice, a reaction, words, or our own event, in turn."""
    part = Part(role.part)
    way = role.number % 8
    if way < 3:
        relates = {"rel_type": "m.reference", "event_id": question.poll}
        return _POLL_RESPONSE, {_POLL_RESPONSE: {"answers": [part.value]}, "m.relates_to": relates}
    if way == 3:
        relates = {"rel_type": "m.annotation", "event_id": question.message, "key": _KEYS[part]}
        return "m.reaction", {"m.relates_to": relates}
    if way == 4:
        return _RESPONSE, {"check_id": question.check_id, "status": part.value}
    words = _WORDS[part]
    return "m.room.message", {"msgtype": "m.text", "body": words[role.number // 8 % len(words)]}


# ---- the process ---------------------------------------------------------------------------------------------------


class Reporter:
    """Tells the other process how far everybody is."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def say(self, what: str) -> None:
        """One more person has come that far; something that went wrong is passed on as it is."""
        if what.startswith("fault"):
            write_line({"fault": what.removeprefix("fault: ")[:500]})
            return
        self._counts[what] += 1
        write_line({what: self._counts[what]})


def write_line(value: Json) -> None:
    """One line for the other process."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def resident(role: Role, clock: Clock, say: Say) -> Resident:
    """A person whose client is logged in already."""
    config = nio.AsyncClientConfig(encryption_enabled=False, max_timeout_retry_wait_time=1, request_timeout=60)
    client = nio.AsyncClient(role.url, role.user_id, config=config)
    client.restore_login(role.user_id, f"REPLAY{role.number}", role.token)
    return Resident(client, role, clock, say)


async def live(residents: Sequence[Resident]) -> None:
    """Everybody arrives and waits; they play their parts when told to, and go when the input ends."""
    filters = await _arrived(residents)
    async with asyncio.TaskGroup() as group:
        lives = [group.create_task(person.wait(found)) for person, found in zip(residents, filters, strict=True)]
        while order := await _next_line():
            if order == "answer":
                lives += [group.create_task(person.play()) for person in residents]
        for life in lives:
            life.cancel()
    for person in residents:
        await person.client.close()


async def _arrived(residents: Sequence[Resident]) -> list[str]:
    """The filters of all, a few at a time: this is not what is measured."""
    found: list[str] = []
    for start in range(0, len(residents), _AT_ONCE):
        found += await asyncio.gather(*(person.arrive() for person in residents[start:start + _AT_ONCE]))
    return found


async def _next_line() -> str:
    line: str = await asyncio.to_thread(sys.stdin.readline)
    return line.strip()


async def _main() -> None:
    orders = json.loads(await _next_line())
    clock, reporter = SystemClock(), Reporter()
    await live([resident(Role(**role), clock, reporter.say) for role in orders["roles"]])


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)  # a node that is away for a moment is no news here
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends with its input
    open_many_files()
    asyncio.run(_main())
