"""What is said in rooms about an inquiry: the key ``jp.kairan.inquiry`` (docs/events/jp.kairan.inquiry.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from server.association.inquiries.model import Inquiry, Line, Photo

MARK: Final = "jp.kairan.inquiry"
ANSWER_HEAD: Final = "【役員から】"
_PHOTOS: Final = "image/"

Content = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Mark:
    """What one of our messages is about: a line of an inquiry, and for which side it is written there."""

    inquiry_id: str
    line_id: str
    to: str
    by: str = ""


def question_content(line: Line, inquiry: Inquiry, address: str) -> Content:
    """A resident's line for the officers in 受付: the first one begins a thread, the others stand in it."""
    head = "" if inquiry.thread else f"【窓口】質問が きました（{inquiry.channel.label}）\n"
    foot = "" if inquiry.thread else f"\n{address}"
    return _in_thread(inquiry, {**_said(line, f"{head}{line.text}{foot}"), MARK: _mark(line, "officers")})


def copy_content(line: Line, inquiry: Inquiry) -> Content:
    """What an officer has answered at the desk, for the other officers."""
    return _in_thread(inquiry, {**_said(line, f"【回答】\n{line.text}"), MARK: _mark(line, "officers", line.author)})


def answer_content(line: Line) -> Content:
    """What the officers answer, in the resident's 窓口."""
    return {**_said(line, f"{ANSWER_HEAD}\n{line.text}"), MARK: _mark(line, "resident", line.author)}


def taken_content(inquiry_id: str) -> Content:
    """That somebody looks after it: quietly, it rings nobody."""
    return {"msgtype": "m.notice", "body": "役員が 見ています。少し まってください。",
            MARK: {"id": inquiry_id, "to": "resident", "state": "taken"}}


def asked_content(text: str) -> Content:
    """What a resident writes on the page: as in any client, and surely a question."""
    return {"msgtype": "m.text", "body": text, MARK: {"asked": True}}


def photo_content(photo: Photo) -> Content:
    """A photo beside it."""
    is_picture = photo.mimetype.startswith(_PHOTOS)
    return {"msgtype": "m.image" if is_picture else "m.file", "body": photo.name, "filename": photo.name,
            "url": photo.url, "info": {"mimetype": photo.mimetype}}


def read_mark(content: Mapping[str, Any]) -> Mark | None:
    """The mark of one of our messages; ``None`` where there is none that is about a line."""
    value = content.get(MARK)
    if not isinstance(value, dict):
        return None
    found = [value.get(key, "") for key in ("id", "line", "to", "by")]
    if not all(isinstance(item, str) for item in found) or not (found[0] and found[1]):
        return None
    return Mark(*found)


def read_said(content: Mapping[str, Any]) -> tuple[str, Photo | None] | None:
    """What somebody says in a message: text, perhaps a photo; ``None`` for what says nothing (notices, stickers)."""
    kind, body, url = content.get("msgtype"), content.get("body"), content.get("url")
    if not isinstance(body, str) or kind not in ("m.text", "m.emote", "m.image", "m.file", "m.audio", "m.video"):
        return None
    if kind in ("m.text", "m.emote"):
        return (_without_quote(content, body).strip(), None) if body.strip() else None
    if not isinstance(url, str) or not url.startswith("mxc://"):
        return None
    info = content.get("info")
    mimetype = info.get("mimetype") if isinstance(info, dict) else None
    name = content.get("filename")
    is_named = isinstance(name, str) and bool(name) and name != body
    photo = Photo(url, str(name if is_named else body)[:200], mimetype if isinstance(mimetype, str) else "")
    return (body.strip() if is_named else ""), photo


def _without_quote(content: Mapping[str, Any], body: str) -> str:
    """Older clients put what they reply to before their own words."""
    relates = content.get("m.relates_to")
    if not isinstance(relates, dict) or "m.in_reply_to" not in relates or not body.startswith("> "):
        return body
    lines = body.split("\n")
    rest = next((number for number, line in enumerate(lines) if not line.startswith("> ")), len(lines))
    return "\n".join(lines[rest:])


def _said(line: Line, body: str) -> Content:
    if line.photo is None:
        return {"msgtype": "m.text", "body": body}
    content = photo_content(line.photo)
    return {**content, "body": body.strip()} if line.text else content


def _mark(line: Line, to: str, by: str = "") -> Content:
    return {"id": line.inquiry_id, "line": line.id, "to": to, **({"by": by} if by else {})}


def _in_thread(inquiry: Inquiry, content: Content) -> Content:
    if not inquiry.thread:
        return content
    root = inquiry.thread
    relates = {"rel_type": "m.thread", "event_id": root, "is_falling_back": True, "m.in_reply_to": {"event_id": root}}
    return {**content, "m.relates_to": relates}
