"""Telling browsers (RFC 8030, 8291, 8292): encrypted for one browser, so that push services read nothing.

Loaded when somebody's browser is told for the first time: it brings ``pywebpush`` along, of which only the encryption
is used. What goes out goes by the same road as to push gateways, so into no private network.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from typing import Any, Final

import orjson
from pywebpush import WebPusher

from server.accounts.looks_store import Look
from server.accounts.web_sessions import is_alive
from server.foundation.clock import tokyo_time
from server.notifications.notified_store import Told
from server.notifications.outcomes import SILENT
from server.notifications.push_bell import PushParts
from server.notifications.push_gateways import Answer, Gateways
from server.notifications.push_message import Messages
from server.notifications.pusher_store import Pusher, PusherKey
from server.notifications.web_push_keys import WebPushKeys, open_keys
from server.notifications.web_push_store import Waiting, add_waiting, drop_waiting, due_waiting
from server.notifications.web_push_words import Shown, shown_of
from server.notifications.web_subscriptions import WEB_APP, Asked
from server.rooms.live_room import LiveRoom
from server.rooms.timeline import Entry
from server.storage.database import Writes

logger = logging.getLogger(__name__)

# Push services take 4096 bytes with all that the encryption adds (RFC 8291 section 4).
MOST_BYTES: Final = 3_000
_DAY_S: Final = 86_400
_MINUTE_MS: Final = 60_000
_DAY_MINUTES: Final = 24 * 60
_AT_ONCE: Final = 100
_GONE: Final = (401, 403, 404, 410)
_LATER: Final = (429,)


@dataclass(frozen=True, slots=True)
class Message:
    """What goes to one browser: its payload, how urgent it is, and what it replaces if it was not fetched yet."""

    payload: dict[str, Any]
    is_urgent: bool
    topic: str

    def as_bytes(self) -> bytes:
        """The payload as JSON, cut where it is too large: first its text, then the buttons."""
        data = orjson.dumps(self.payload)
        if len(data) <= MOST_BYTES:
            return data
        shorter = {**self.payload, "body": self.payload["body"][:60], "title": self.payload["title"][:60]}
        data = orjson.dumps(shorter)
        return data if len(data) <= MOST_BYTES else orjson.dumps({**shorter, "actions": [], "token": ""})


class WebPush:
    """Tells browsers of news; in quiet hours what is no alarm waits for their end."""

    def __init__(self, parts: PushParts, gateways: Gateways, messages: Messages) -> None:
        self._parts = parts
        self._gateways = gateways
        self._messages = messages
        self._keys: WebPushKeys = open_keys(parts.web.data_dir)

    async def tell(self, pusher: Pusher, told: Told, room: LiveRoom, entry: Entry) -> Answer:
        """One event for one browser."""
        if not await self._is_alive(pusher):
            return Answer.REJECTED
        look = await self._parts.web.looks.of(pusher.key.user_id)
        shown = shown_of(room, entry, look.language, is_ours=entry.event.sender == self._parts.web.node_user_id)
        if shown is None or (shown.kind in look.muted and not shown.is_alert and not shown.is_important):
            return Answer.DELIVERED
        if not shown.is_alert and look.is_quiet_at(self._minute()):
            await self._wait(pusher, told, look)
            return Answer.DELIVERED
        name = _name_in(room, pusher.key.user_id) if self._parts.pushers.is_shared(pusher.key) else ""
        return await self._send(pusher, self._message(pusher, shown, name))

    async def tell_waiting(self) -> list[PusherKey]:
        """What has waited for the end of quiet hours; answers which browsers are gone."""
        gone = []
        for waiting in await due_waiting(self._parts.database, self._parts.clock.now_ms(), _AT_ONCE):
            answer = await self._tell_one(waiting)
            if answer is Answer.FAILED:
                continue
            writes = Writes()
            drop_waiting(writes, waiting)
            await self._parts.database.submit(writes)
            if answer is Answer.REJECTED:
                gone.append(_key(waiting))
        return gone

    async def _tell_one(self, waiting: Waiting) -> Answer:
        pusher = self._parts.pushers.find(_key(waiting))
        if pusher is None:
            return Answer.DELIVERED
        told = Told(waiting.stream, waiting.event_id, waiting.room_id, SILENT)
        found = await self._messages.find(pusher, told)
        return Answer.DELIVERED if found is None else await self.tell(pusher, told, *found)

    async def _wait(self, pusher: Pusher, told: Told, look: Look) -> None:
        due = self._parts.clock.now_ms() + (look.quiet_to - self._minute()) % _DAY_MINUTES * _MINUTE_MS
        writes = Writes()
        add_waiting(writes, Waiting(
            pusher.key.user_id, pusher.key.pushkey, told.stream, told.room_id, told.event_id, due,
        ))
        await self._parts.database.submit(writes)

    def _minute(self) -> int:
        now = tokyo_time(self._parts.clock.now_ms())
        return now.hour * 60 + now.minute

    async def _is_alive(self, pusher: Pusher) -> bool:
        session = pusher.data.get("session")
        return isinstance(session, str) and await is_alive(
            self._parts.database, self._parts.web.users, pusher.key.user_id, session
        )

    def _message(self, pusher: Pusher, shown: Shown, name: str) -> Message:
        """``name``: whose it is, where a family shares the telephone. It rings once (static/sw.js)."""
        payload: dict[str, Any] = {
            "title": shown.title, "body": shown.body, "tag": shown.tag, "address": shown.address,
            "alert": shown.is_alert, "actions": [{"action": value, "title": words} for value, words in shown.buttons],
        }
        if shown.buttons:
            asked = Asked(pusher.key.user_id, shown.kind, shown.question)
            payload["token"] = self._keys.answer_token(asked, self._parts.clock.now_ms())
            payload["words"] = {"arrived": shown.arrived, "waiting": shown.waiting}
        if name:
            payload["name"] = name
        # What replaces what has not been fetched yet: each of a family is told.
        topic = hashlib.blake2b(f"{shown.tag}{pusher.key.user_id if name else ''}".encode(), digest_size=12).hexdigest()
        return Message(payload, shown.is_alert or bool(shown.buttons), topic)

    async def _send(self, pusher: Pusher, message: Message) -> Answer:
        endpoint = pusher.data["url"]
        try:
            keys = {"p256dh": pusher.data["p256dh"], "auth": pusher.data["auth"]}
            body = bytes(WebPusher({"endpoint": endpoint, "keys": keys}).encode(message.as_bytes())["body"])
        except Exception:
            logger.info("a browser's subscription has broken keys")
            return Answer.REJECTED
        fetched = await self._gateways.post(endpoint, body, {
            "Content-Type": "application/octet-stream", "Content-Encoding": "aes128gcm", "TTL": str(_DAY_S),
            "Urgency": "high" if message.is_urgent else "normal", "Topic": message.topic,
            "Authorization": self._keys.authorization(endpoint, self._parts.web.subject, self._parts.clock.now_ms()),
        })
        if fetched is None:
            return Answer.FAILED
        return _meaning(fetched.status)


def _name_in(room: LiveRoom, user_id: str) -> str:
    member = room.member(user_id)
    name = None if member is None else member.content.get("displayname")
    return name if isinstance(name, str) else ""


def _meaning(status: int) -> Answer:
    """RFC 8030 section 7.3: at 404 and 410 the subscription is gone; at 401 and 403 it was made for other keys."""
    if status in _GONE:
        return Answer.REJECTED
    if status in _LATER or status >= 500:
        return Answer.FAILED
    if not 200 <= status < 300:
        logger.info("a push service has refused a message: %s", status)
    return Answer.DELIVERED


def _key(waiting: Waiting) -> PusherKey:
    return PusherKey(waiting.user_id, WEB_APP, waiting.endpoint)
