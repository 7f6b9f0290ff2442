"""Answers to a numbered question from any client: 「2」, ２, 「2番です」, a reply with it, 2️⃣ as a reaction.

Only what is nothing but a number is a number: 「2時に行きます」 is not an answer.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

_NUMBER: Final = re.compile(r"([0-9]{1,2})(?:番目|番|ばん|つ目)?")
_POLITE: Final = re.compile(r"(?:です|でお願いします|にします|をお願いします)?[。．.!！]*")
_BETWEEN: Final = re.compile(r"[\s,、・/と&+]+")
_TEXT_KINDS: Final = ("m.text", "m.emote")
_INVISIBLE: Final = dict.fromkeys(map(ord, "\ufe0e\ufe0f\u20e3\u200b\u200d\u2060\ufeff"))


def folded(text: str) -> str:
    """``text`` with full-width, circled and keycap digits as plain ones and without invisible signs (NFKC)."""
    return unicodedata.normalize("NFKC", text.translate(_INVISIBLE)).strip()


def numbers_in(text: str) -> tuple[int, ...]:
    """The numbers of a text that is nothing but numbers, in their order; otherwise nothing."""
    rest = folded(text)
    found: list[int] = []
    while (match := _NUMBER.match(rest)) is not None:
        found.append(int(match.group(1)))
        rest = rest[match.end():]
        between = _BETWEEN.match(rest)
        if between is None:
            break
        rest = rest[between.end():]
    return tuple(found) if found and _POLITE.fullmatch(rest) else ()


def number_of_key(key: str) -> int | None:
    """The number that a reaction shows: 1️⃣ to 9️⃣, 🔟, ① …"""
    if key.translate(_INVISIBLE) == "🔟":
        return 10
    plain = folded(key)
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) <= 2 else None


def spoken_text(content: Mapping[str, Any]) -> str | None:
    """What a person has written, without the quotation of a reply; of an edit the new text. ``None`` for a notice,
    a picture and all else that is not said."""
    relates = content.get("m.relates_to")
    if isinstance(relates, Mapping) and relates.get("rel_type") == "m.replace":
        changed = content.get("m.new_content")
        return spoken_text(changed) if isinstance(changed, Mapping) and "m.relates_to" not in changed else None
    body = content.get("body")
    if content.get("msgtype") not in _TEXT_KINDS or not isinstance(body, str):
        return None
    return without_quotation(body) if reply_target(content) is not None else body


def without_quotation(body: str) -> str:
    """A reply's own words (spec: "Fallbacks for rich replies")."""
    if not body.startswith("> "):
        return body
    lines = body.splitlines()
    while lines and lines[0].startswith(">"):
        lines.pop(0)
    return "\n".join(lines).strip()


def reply_target(content: Mapping[str, Any]) -> str | None:
    """The event that a message replies to, or whose thread it is in."""
    relates = content.get("m.relates_to")
    if not isinstance(relates, Mapping):
        return None
    reply = relates.get("m.in_reply_to")
    target = reply.get("event_id") if isinstance(reply, Mapping) else None
    if isinstance(target, str) and not relates.get("is_falling_back"):
        return target
    root = relates.get("event_id") if relates.get("rel_type") == "m.thread" else target
    return root if isinstance(root, str) else None


def reaction_of(content: Mapping[str, Any]) -> tuple[str, str] | None:
    """``(event, key)`` of a reaction."""
    relates = content.get("m.relates_to")
    if not isinstance(relates, Mapping) or relates.get("rel_type") != "m.annotation":
        return None
    target, key = relates.get("event_id"), relates.get("key")
    return (target, key) if isinstance(target, str) and isinstance(key, str) else None
