"""The loop that tells push gateways what notifies users. Loaded when somebody has a pusher.

There is no row per event: a pusher keeps the stream position up to which its app has been told, and what is due is
found from there. So nothing is lost by a restart, and a gateway that is down for hours hears of what is still unread.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from server.foundation.tasks import Tasks, keep_doing
from server.notifications.badges import Badges
from server.notifications.notified_store import Told, told_after
from server.notifications.push_bell import PushParts
from server.notifications.push_gateways import Answer, Gateways
from server.notifications.push_message import Json, Messages, about, number_only
from server.notifications.pusher_store import Pusher, PusherKey
from server.notifications.web_subscriptions import is_web
from server.rooms.live_room import LiveRoom
from server.rooms.timeline import Entry

if TYPE_CHECKING:
    from server.notifications.web_push import WebPush

_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 3_600.0
_PAGE: Final = 20
_LOOKING_AT_ONCE: Final = 4
# The sender and those who wait on /sync are answered first.
_AFTER_OTHERS_S: Final = 0.03
_KEPT_EVERY_S: Final = 3_600
_MORNING_EVERY_S: Final = 60
_WEB_PUSH: Final = "server.notifications.web_push"


class _Run:
    """A pusher that is being brought up to date."""

    __slots__ = ("again", "woken")

    def __init__(self) -> None:
        # Something has rung since it last looked.
        self.again = False
        # Ends a pause.
        self.woken = asyncio.Event()


class Deliveries:
    """Brings every pusher up to date that was rung for; each by itself, one notification after the other."""

    def __init__(self, parts: PushParts) -> None:
        self._parts = parts
        self._pushers = parts.pushers
        self._gateways = Gateways(parts.allowed_networks)
        self._messages = Messages(parts)
        self._badges = Badges(parts)
        self._web_push: WebPush | None = None
        self._loading = asyncio.Lock()
        self._tasks = Tasks()
        self._looking = asyncio.Semaphore(_LOOKING_AT_ONCE)
        self._running: dict[PusherKey, _Run] = {}
        # Users for whose apps something may be due, in the order in which they were rung for.
        self._rung: dict[str, None] = {}
        self._has_rung = asyncio.Event()

    def ring(self, user_ids: Iterable[str]) -> None:
        """Look soon what is due to the apps of these users. Costs next to nothing: senders of messages wait for it."""
        self._rung.update(dict.fromkeys(user_ids))
        self._has_rung.set()

    def begin_anew(self, key: PusherKey) -> None:
        """A pusher was set: what failed before says nothing any more."""
        if key in self._running:
            self._running[key].woken.set()
        else:
            self.ring([key.user_id])

    async def serve(self) -> None:
        """Work until cancelled."""
        keep = keep_doing("pushers", self._pushers.keep_positions, self._parts.clock, every_s=_KEPT_EVERY_S)
        self._tasks.start("positions of pushers", keep)
        try:
            if any(is_web(pusher) for user_id in self._pushers.users for pusher in self._pushers.of(user_id)):
                await self._browsers()  # something may wait for the end of quiet hours
            while True:
                await self._has_rung.wait()
                await self._parts.clock.sleep(_AFTER_OTHERS_S)
                self._has_rung.clear()
                await self._start_all()
        finally:
            await self._tasks.stop()
            await self._gateways.close()
            await self._pushers.keep_positions()

    async def _start_all(self) -> None:
        while self._rung:
            user_id = next(iter(self._rung))
            del self._rung[user_id]
            for pusher in self._pushers.of(user_id):
                if pusher.key in self._running:
                    self._running[pusher.key].again = True
                elif pusher.enabled:
                    async with self._looking:  # not all at once: others want to be served, too
                        self._running[pusher.key] = _Run()
                    self._tasks.start("a push", self._run(pusher.key, self._running[pusher.key]))

    async def _run(self, key: PusherKey, run: _Run) -> None:
        """Until nothing is due. After a failure the pauses double."""
        pause = _FIRST_PAUSE_S
        try:
            while True:
                run.again = False
                if not await self._catch_up(key):
                    self._pushers.failing.add(key)
                    begins_anew = await self._pause(run, pause)
                    pause = _FIRST_PAUSE_S if begins_anew else min(2 * pause, _LONGEST_PAUSE_S)
                elif run.again:
                    self._pushers.failing.discard(key)
                    pause = _FIRST_PAUSE_S
                else:
                    return
        finally:
            self._pushers.failing.discard(key)
            del self._running[key]

    async def _pause(self, run: _Run, seconds: float) -> bool:
        """Wait; answers whether the pusher was set anew meanwhile."""
        clock = self._parts.clock
        began, timer = clock.monotonic(), clock.call_later(seconds, run.woken.set)
        try:
            await run.woken.wait()
        finally:
            timer.cancel()
        run.woken.clear()
        return clock.monotonic() - began < seconds

    async def _catch_up(self, key: PusherKey) -> bool:
        """Tell one app all that is due; answers whether that has worked."""
        while (pusher := self._pushers.find(key)) is not None and pusher.enabled:
            until = self._parts.positions.current
            async with self._looking:
                due = await told_after(self._parts.database, key.user_id, pusher.delivered, until, _PAGE)
                badge = await self._badges.of(key.user_id) if due or pusher.badge is not None else 0
            for told in due:
                if not await self._tell(key, told, badge):
                    return False
            await self._pushers.moved(key)
            if len(due) < _PAGE:
                self._pushers.passed(key, until)
                return await self._tell_number(key, badge)
        return True

    async def _tell(self, key: PusherKey, told: Told, badge: int) -> bool:
        pusher = self._pushers.find(key)
        if pusher is None:
            return True
        found = await self._messages.find(pusher, told)
        if found is not None and not await self._tell_of(pusher, told, *found, badge):
            return False
        self._pushers.passed(key, told.stream, badge if found is not None else None)
        return True

    async def _tell_of(self, pusher: Pusher, told: Told, room: LiveRoom, entry: Entry, badge: int) -> bool:
        if not is_web(pusher):
            return await self._send(pusher, about(pusher, told, room, entry, badge))
        return await self._heard(pusher, await (await self._browsers()).tell(pusher, told, room, entry))

    async def _browsers(self) -> WebPush:
        """What tells browsers, loaded for the first of them."""
        async with self._loading:
            if self._web_push is None:
                module = await asyncio.to_thread(importlib.import_module, _WEB_PUSH)
                self._web_push = module.WebPush(self._parts, self._gateways, self._messages)
                tell = keep_doing("browsers", self._tell_waiting, self._parts.clock, every_s=_MORNING_EVERY_S)
                self._tasks.start("news after quiet hours", tell)
        return self._web_push

    async def _tell_waiting(self) -> None:
        for key in await (await self._browsers()).tell_waiting():
            await self._pushers.remove(key)

    async def _tell_number(self, key: PusherKey, badge: int) -> bool:
        """The number alone, where the app was told another one."""
        pusher = self._pushers.find(key)
        if pusher is None or pusher.badge in (None, badge) or is_web(pusher):
            return True
        if key.user_id in self._rung or self._running[key].again:
            return True  # what has rung meanwhile brings its own number
        if not await self._send(pusher, number_only(pusher, badge)):
            return False
        self._pushers.passed(key, 0, badge)
        await self._pushers.moved(key)
        return True

    async def _send(self, pusher: Pusher, notification: Json) -> bool:
        answer = await self._gateways.notify(pusher.data["url"], pusher.key.pushkey, notification)
        return await self._heard(pusher, answer)

    async def _heard(self, pusher: Pusher, answer: Answer) -> bool:
        if answer is Answer.REJECTED:
            await self._pushers.remove(pusher.key)
        return answer is not Answer.FAILED
