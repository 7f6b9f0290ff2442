"""The events of the board (docs/events/jp.kairan.board.md). What is read came through a room: it is checked first."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from server.association.board.model import Category, Post, Rules, State, Writing
from server.media.pictures import Picture

POST: Final = "jp.kairan.board.post"
PHOTO: Final = "jp.kairan.board.photo"
COMMENT: Final = "jp.kairan.board.comment"
REQUEST: Final = "jp.kairan.board.request"
ANSWER: Final = "jp.kairan.board.answer"
RULES: Final = "jp.kairan.board.rules"

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
# What was a category before hazard reports were the one place for it.
_FORMERLY: Final = {"danger": Category.NEWS}

Content = dict[str, Any]


def post_content(post_id: str, writing: Writing, state: State = State.OPEN, *, anonymous: bool = False) -> Content:
    """The message that everybody reads."""
    mark: Content = {
        "id": post_id, "category": writing.category.value, "title": writing.title, "text": writing.text,
        "place": writing.place, "state": state.value, "photos": [item.as_json() for item in writing.photos],
    }
    if anonymous:
        mark["anonymous"] = True
    return {"msgtype": "m.text", "body": body_of(writing, state, anonymous=anonymous), POST: mark}


def body_of(writing: Writing, state: State = State.OPEN, *, anonymous: bool = False) -> str:
    """The readable body."""
    head = f"【{writing.category.label}】{writing.title}"
    if writing.category is Category.GIVE and state is not State.OPEN:
        return f"{head}\n（{state.label}）"
    lines = [head, *([writing.text] if writing.text else [])]
    if writing.place:
        lines.append(f"場所：{writing.place}")
    if anonymous:
        lines.append("（名前を出さない質問です）")
    return "\n".join(lines)


def edit_content(post: Post, state: State) -> Content:
    """The edit that shows another state in place of the old one."""
    new = post_content(post.id, post.writing, state, anonymous=post.is_anonymous)
    return {
        "msgtype": "m.text", "body": f"* {new['body']}", "m.new_content": new,
        "m.relates_to": {"rel_type": "m.replace", "event_id": post.event_id},
    }


def photo_content(photo: Picture, post_id: str, root: str) -> Content:
    """A photo of a post, in its thread."""
    return {**photo.as_message(root), PHOTO: {"post": post_id}}


def comment_content(text: str, root: str, *, by_author: bool = False) -> Content:
    """A comment in the thread of a post."""
    content: Content = {
        "msgtype": "m.text", "body": text,
        "m.relates_to": {
            "rel_type": "m.thread", "event_id": root, "is_falling_back": True, "m.in_reply_to": {"event_id": root},
        },
    }
    if by_author:
        content |= {"body": f"（質問した人より）\n{text}", COMMENT: {"by_author": True, "text": text}}
    return content


def request_content(post: Post, user_id: str, note: str) -> Content:
    """What the giver reads in their 窓口: clients show the id with the name that its owner has now."""
    link = f"https://matrix.to/#/{user_id}"
    words = f"掲示板の「{post.writing.title}」を、ほしい人がいます"
    return {
        "msgtype": "m.text", "body": "\n".join([f"{words}：{user_id}", *([note] if note else []), _HOW]),
        "format": "org.matrix.custom.html",
        "formatted_body": "<br>".join([
            f'{_escaped(words)}：<a href="{_escaped(link)}">{_escaped(user_id)}</a>',
            *([_escaped(note)] if note else []), _HOW,
        ]),
        REQUEST: {"post": post.id, "by": user_id, "note": note},
    }


_HOW: Final = "だれにゆずるかは、掲示板のページでえらべます。"


def answer_content(post: Post, *, granted: bool) -> Content:
    """What somebody who has asked for it reads in their 窓口."""
    words = "あなたにゆずることに決まりました" if granted else "ほかの人にゆずることになりました"
    return {
        "msgtype": "m.text", "body": f"掲示板の「{post.writing.title}」は、{words}。",
        ANSWER: {"post": post.id, "granted": granted},
    }


def notice_content(text: str) -> Content:
    """What the node tells people about what they have written, and officers about what they have to look at."""
    return {"msgtype": "m.text", "body": text, "jp.kairan.board.notice": {}}


def read_post(value: Mapping[str, Any]) -> tuple[str, Writing, State, bool]:
    """Id, words, state, whether anonymous; raises ``Refused``, ``KeyError``, ``TypeError``, ``ValueError``."""
    texts = [value.get(key, "") for key in ("id", "title", "text", "place")]
    photos = value.get("photos", [])
    if not all(isinstance(item, str) and "\0" not in item for item in texts) or not isinstance(photos, list):
        raise TypeError("post")
    post_id, title, text, place = texts
    if _ID.fullmatch(post_id) is None:
        raise ValueError("id")
    writing = Writing(
        category=_FORMERLY.get(value["category"]) or Category(value["category"]), title=title, text=text, place=place,
        photos=tuple(Picture.from_json(item) for item in photos),
    ).checked()
    state = State(value.get("state", "open"))
    if state is State.REMOVED or (state is not State.OPEN and writing.category is not Category.GIVE):
        raise ValueError("state")
    return post_id, writing, state, value.get("anonymous") is True


def rules_content(rules: Rules) -> Content:
    """The state event of the board's room."""
    return {
        "anonymous": rules.anonymous, "approve": rules.approve,
        "officers_only": sorted(item.value for item in rules.officers_only),
    }


def read_rules(value: Mapping[str, Any]) -> Rules:
    """The rules as they stand; what cannot be understood allows nothing more than the defaults."""
    known = {item.value: item for item in Category}
    told = value.get("officers_only")
    names = [item for item in told if isinstance(item, str)] if isinstance(told, list) else []
    return Rules(
        value.get("anonymous") is True, value.get("approve") is True,
        frozenset(known[name] for name in names if name in known),
    )


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
