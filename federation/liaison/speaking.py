"""How a node speaks in a liaison room for one of its officers: plain messages, with a mark that says for whom."""

from __future__ import annotations

from typing import Any

from federation.liaison.lines import MESSAGE
from federation.liaison.model import LIAISON, MAX_NAME, Case, Content
from federation.liaison.rooms import LiaisonRooms
from federation.links.book import LinkBook
from server.association.circulars.model import Attachment
from server.foundation.errors import Forbidden, InvalidParam
from server.rooms.event import Event
from server.rooms.live_room import LiveRoom
from server.rooms.send_event import Draft, EventSender

_OVER = "このつながりは、もう終わっています"


class Speaker:
    """Sends messages and state in the name of the node."""

    def __init__(self, book: LinkBook, rooms: LiaisonRooms, sender: EventSender) -> None:
        self._book = book
        self._rooms = rooms
        self._sender = sender

    async def room_to_speak(self, officer: str, link_room_id: str) -> LiveRoom:
        """The liaison room of a link in force; raises ``Forbidden``, ``NotFound``."""
        link, room = await self._rooms.room_of(officer, link_room_id)
        if not link.is_in_force:
            raise Forbidden(_OVER)
        return room

    async def say(self, room: LiveRoom, text: str, by: str, case: str = "", root: str = "") -> Event:
        """A text that was looked at (``checked``), in the thread of ``root`` if there is one."""
        content = {"msgtype": "m.text", "body": text, LIAISON: _mark(by, case)}
        return await self._send(room, _in_thread(content, root))

    async def show(self, room: LiveRoom, file: Attachment, by: str, case: str = "", root: str = "") -> Event:
        """A photo or a paper."""
        if not file.url.startswith("mxc://") or not file.name.strip():
            raise InvalidParam("ファイルをもう一度つけてください")
        info: Content = {"mimetype": file.mimetype, "size": file.size}
        content: Content = {
            "msgtype": "m.image" if file.is_image else "m.file", "body": file.name, "filename": file.name,
            "url": file.url, "info": info, LIAISON: _mark(by, case),
        }
        return await self._send(room, _in_thread(content, root))

    async def set(self, room: LiveRoom, kind: str, key: str, content: Content) -> None:
        """A state event."""
        await self._sender.send(Draft(room.room_id, self._book.us.user_id, kind, content, state_key=key))

    async def set_case(self, room: LiveRoom, kind: str, case: Case) -> None:
        """How a case stands now."""
        await self.set(room, kind, case.id, case.as_content())

    async def _send(self, room: LiveRoom, content: Content) -> Event:
        sent: Event = await self._sender.send(Draft(room.room_id, self._book.us.user_id, MESSAGE, content))
        return sent


def _mark(by: str, case: str) -> dict[str, Any]:
    mark = {"by": by.strip()[:MAX_NAME]}
    return {"case": case, **mark} if case else mark


def _in_thread(content: Content, root: str) -> Content:
    if not root:
        return content
    relates = {
        "rel_type": "m.thread", "event_id": root, "is_falling_back": True, "m.in_reply_to": {"event_id": root},
    }
    return {**content, "m.relates_to": relates}
