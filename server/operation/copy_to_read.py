"""The copy of an export that needs no program but a browser: one page a room, with its photos."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any, Final, NamedTuple

from server.foundation.clock import tokyo_time
from server.operation.readable_store import RoomShown

Json = dict[str, Any]

_HEAD: Final = """<!doctype html>
<html lang="ja"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body{{font:1.1rem/1.7 sans-serif;max-width:44rem;margin:1rem auto;padding:0 1rem;overflow-wrap:anywhere}}
time,small{{color:#555;font-size:.85em}}p{{white-space:pre-wrap;margin:.2rem 0 1rem}}
a{{display:inline-block;padding:.3rem 0}}img{{max-width:100%;max-height:24rem}}</style>
<h1>{title}</h1>
"""
_BACK: Final = '<nav><a href="index.html">ほかの部屋</a></nav>\n'
_BESIDE: Final = (
    '<h2>ほかに</h2><ul><li><a href="../表/">表（名簿、回覧、返事、予約など）</a>\n<li><a href="../予定/">予定</a>\n'
    '<li><a href="../ファイル/">写真や書類</a></ul>\n'
)
_MXC: Final = re.compile(r"mxc://[^/]+/([A-Za-z0-9_-]+)\Z")
_FILES: Final = frozenset({"m.file", "m.image", "m.video", "m.audio"})
_PICTURES: Final = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})


class Said(NamedTuple):
    """What stands in a message: words, and a file with its path and kind where there is one."""

    words: str
    path: str = ""
    kind: str = ""

    def html(self) -> str:
        """As it stands on the page."""
        if not self.path:
            return escape(self.words)
        shown = escape(self.words)
        if self.kind in _PICTURES:
            shown = f'<img src="../{escape(self.path)}" alt="{shown}" loading="lazy">'
        return f'<a href="../{escape(self.path)}">{shown}</a>'


def write_copy(
    folder: Path, title: str, rooms: Iterable[tuple[RoomShown, Iterable[Json]]], names: Mapping[str, str],
    files: Mapping[str, str],
) -> int:
    """Write ``index.html`` and a page for every room in which something was said; ``files`` are paths of uploaded files
    by id. Answers how many messages stand there.
    """
    folder.mkdir()
    links, count = [], 0
    for room, events in rooms:
        shown = [text for entry in events if (text := _shown(entry, names, files))]
        if shown:
            count += len(shown)
            head = _HEAD.format(title=escape(room.name)) + _BACK
            (folder / f"room-{room.nid}.html").write_text(head + "\n".join(shown), "utf-8")
            links.append(f'<li><a href="room-{room.nid}.html">{escape(room.name)}</a> <small>{len(shown)}</small>')
    index = _HEAD.format(title=escape(title)) + "<ul>" + "\n".join(links) + "</ul>\n" + _BESIDE
    (folder / "index.html").write_text(index, "utf-8")
    return count


def _shown(entry: Json, names: Mapping[str, str], files: Mapping[str, str]) -> str:
    event = entry["event"]
    said = _said(event, files, was_removed=entry["redacted_by"] is not None)
    if said is None:
        return ""
    sender = str(event.get("sender", ""))
    time = tokyo_time(int(event.get("origin_server_ts", 0))).strftime("%Y-%m-%d %H:%M")
    return f"<b>{escape(names.get(sender, sender))}</b> <time>{time}</time><p>{said.html()}</p>"


def _said(event: Json, files: Mapping[str, str], *, was_removed: bool) -> Said | None:
    content = event.get("content")
    if event.get("type") == "m.room.encrypted":
        return Said("（暗号化されています）")
    if event.get("type") not in ("m.room.message", "m.sticker") or not isinstance(content, dict):
        return None
    if was_removed or not content:
        return Said("（取り消されました）")
    corrected = content.get("m.new_content")
    if isinstance(corrected, dict):
        return Said(f"（書きなおし）{corrected.get('body', '')}")
    match = _MXC.match(str(content.get("url", "")))
    words = str(content.get("body", ""))
    if (content.get("msgtype") in _FILES or event["type"] == "m.sticker") and match and match[1] in files:
        return Said(words, files[match[1]], _kind(content))
    return Said(words)


def _kind(content: Json) -> str:
    info = content.get("info")
    return str(info.get("mimetype", "")) if isinstance(info, dict) else ""
