"""What a notification in a browser says of an event, and what can be answered inside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from server.rooms.live_room import LiveRoom
from server.rooms.timeline import Entry

# Keys of what the association says in rooms (docs/events/).
_CIRCULAR: Final = "jp.kairan.circular"
_SAFETY: Final = "jp.kairan.safety.prompt"
_POLL: Final = "jp.kairan.poll"
_GATHERING: Final = "jp.kairan.gathering"
_INQUIRY: Final = "jp.kairan.inquiry"
_HAZARD: Final = "jp.kairan.hazard"
_AGAIN: Final = "jp.kairan.circular.again"
_CALLED_OFF: Final = ("jp.kairan.gathering.notice", "jp.kairan.gathering.called_off")
_SAID_OTHERWISE: Final = (
    "jp.kairan.circular.attachment", "jp.kairan.safety.received", "jp.kairan.board.photo", "jp.kairan.gallery.photo",
)
# What neighbours share, the name of its id, and where it is shown. Anybody may write these: an id is all that is taken.
_SHARED: Final = (
    ("jp.kairan.board.post", "id", "/board/"), ("jp.kairan.board.request", "post", "/board/"),
    ("jp.kairan.board.answer", "post", "/board/"), ("jp.kairan.gallery.album", "id", "/gallery/"),
    ("jp.kairan.hazard.state", "id", "/hazards/"),
)
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
# What a person may mute; alarms ring in any case.
KINDS: Final = ("circular", "poll", "gathering", "talk")
_MOST_LETTERS: Final = 200
_MOST_BUTTONS: Final = 3

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "ja": {"circular": "回覧板", "safety": "安否確認", "drill": "訓練", "ask": "ご無事ですか。こたえてください。",
           "poll": "アンケート", "gathering": "行事", "safe": "無事です", "contact": "連絡がほしい",
           "help": "助けがほしい", "accepted": "行きます", "declined": "行きません", "desk": "窓口",
           "arrived": "届きました",
           "waiting": "まだ 送っていません"},
    "en": {"circular": "Circular", "safety": "Are you safe?", "drill": "Drill", "ask": "Please answer.",
           "poll": "Question", "gathering": "Event", "safe": "I am safe", "contact": "Please contact me",
           "help": "I need help", "accepted": "I will come", "declined": "I cannot come",
           "desk": "Help desk", "arrived": "Arrived", "waiting": "Not sent yet"},
    "zh": {"circular": "传阅板", "safety": "平安确认", "drill": "演习", "ask": "您平安吗？请回答。",
           "poll": "问卷", "gathering": "活动", "safe": "平安", "contact": "请联系我", "help": "需要帮助",
           "accepted": "参加", "declined": "不参加", "desk": "窗口", "arrived": "已送达", "waiting": "尚未发送"},
    "vi": {"circular": "Thông báo", "safety": "Bạn có an toàn không?", "drill": "Diễn tập", "ask": "Xin hãy trả lời.",
           "poll": "Câu hỏi", "gathering": "Sự kiện", "safe": "Tôi an toàn", "contact": "Hãy liên lạc với tôi",
           "help": "Tôi cần giúp đỡ", "accepted": "Tôi sẽ đến", "declined": "Tôi không đến",
           "desk": "Quầy hỏi đáp", "arrived": "Đã đến nơi", "waiting": "Chưa gửi"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shown:
    """A notification. ``kind`` is what a person may mute, but for what is important.

    ``buttons`` are values and words for ``question``; ``arrived`` and ``waiting`` are said when one was pressed.
    """

    kind: str
    title: str
    body: str
    tag: str
    address: str
    is_alert: bool = False
    is_important: bool = False
    question: str = ""
    buttons: tuple[tuple[str, str], ...] = ()
    arrived: str = ""
    waiting: str = ""


def shown_of(room: LiveRoom, entry: Entry, language: str, *, is_ours: bool) -> Shown | None:
    """What to show of an event; ``None`` for what another event says already.

    ``is_ours``: the node says it, so its marks are true; whoever else writes them has only written a message.
    """
    content, words = entry.event.content, _WORDS.get(language, _WORDS["ja"])
    if any(key in content for key in _SAID_OTHERWISE) or content.get("m.relates_to", {}).get("rel_type") == "m.replace":
        return None
    if is_ours and isinstance(content.get(_INQUIRY), dict):
        return _inquiry(content[_INQUIRY], content, words)
    if is_ours and isinstance(content.get(_AGAIN), dict):
        return _circular(content[_AGAIN], words)
    off = next((content[key] for key in _CALLED_OFF if isinstance(content.get(key), dict)), None)
    if is_ours and off is not None:
        return _gathering_news(off, content, words)
    for key, reader in ((_CIRCULAR, _circular), (_SAFETY, _safety), (_POLL, _poll), (_GATHERING, _gathering)):
        told = content.get(key)
        if is_ours and isinstance(told, dict):
            shown = replace(reader(told, words), arrived=words["arrived"], waiting=words["waiting"])
            return shown if entry.event.type == "m.room.message" else None
    return _talk(room, entry)


def _circular(told: Mapping[str, Any], words: Mapping[str, str]) -> Shown:
    number = _text(told, "id")
    return Shown("circular", words["circular"], _text(told, "title"), f"circular {number}", f"/circulars/{number}",
                 is_alert=told.get("category") == "disaster", is_important=told.get("important") is True)


def _safety(told: Mapping[str, Any], words: Mapping[str, str]) -> Shown:
    is_drill = told.get("drill") is True
    title = f"【{words['drill']}】{words['safety']}" if is_drill else words["safety"]
    buttons = tuple((value, words[value]) for value in ("safe", "help", "contact"))
    number = _text(told, "check_id")
    return Shown("safety", title, words["ask"], f"safety {number}", "/safety", is_alert=not is_drill,
                 question=number, buttons=buttons)


def _poll(told: Mapping[str, Any], words: Mapping[str, str]) -> Shown:
    number, choices = _text(told, "id"), told.get("choices")
    buttons: tuple[tuple[str, str], ...] = ()
    if isinstance(choices, list) and len(choices) <= _MOST_BUTTONS and told.get("most") == 1:
        buttons = tuple((_text(item, "id"), _text(item, "text")) for item in choices if isinstance(item, dict))
    return Shown("poll", words["poll"], _text(told, "question"), f"poll {number}", f"/polls/{number}",
                 question=number, buttons=buttons)


def _gathering(told: Mapping[str, Any], words: Mapping[str, str]) -> Shown:
    number = _text(told, "id")
    buttons = tuple((value, words[value]) for value in ("accepted", "declined")) if told.get("asks") is True else ()
    return Shown("gathering", words["gathering"], _text(told, "title"), f"gathering {number}",
                 f"/gatherings/{number}", question=number, buttons=buttons)


def _gathering_news(told: Mapping[str, Any], content: Mapping[str, Any], words: Mapping[str, str]) -> Shown:
    """It is off, or at another time; told in the room and in one's 窓口, and shown once."""
    number = _text(told, "id")
    return Shown("gathering", words["gathering"], _text(content, "body"), f"gathering {number}",
                 f"/gatherings/{number}")


def _inquiry(told: Mapping[str, Any], content: Mapping[str, Any], words: Mapping[str, str]) -> Shown:
    """A question for the officers, or their answer in a 窓口."""
    number = _text(told, "id")
    address = f"/desk/inquiries/{number}" if told.get("to") == "officers" else "/talk"
    return Shown("talk", words["desk"], _text(content, "body"), f"inquiry {number}", address)


def _talk(room: LiveRoom, entry: Entry) -> Shown | None:
    body = entry.event.content.get("body")
    if entry.event.type != "m.room.message" or not isinstance(body, str):
        return None
    return Shown("talk", _text(room.content("m.room.name"), "name") or "Kairan", body[:_MOST_LETTERS],
                 f"room {entry.event.room_id}", _shared_address(entry))


def _shared_address(entry: Entry) -> str:
    """Where the pages show it; else the home page."""
    content = entry.event.content
    if _HAZARD in content:
        return f"/hazards/{entry.event.event_id.removeprefix('$')}"
    for key, name, path in _SHARED:
        told = content.get(key)
        if isinstance(told, dict) and _ID.fullmatch(_text(told, name)):
            return path + _text(told, name)
    return "/"


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    return value[:_MOST_LETTERS] if isinstance(value, str) else ""
