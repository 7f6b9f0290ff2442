"""The copy of an export that needs no program but a browser: one page a room."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any, Final

from server.foundation.clock import tokyo_time
from server.operation.readable_store import RoomShown

Json = dict[str, Any]

_HEAD: Final = """<!doctype html>
<html lang="ja"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body{{font:1.1rem/1.7 sans-serif;max-width:44rem;margin:1rem auto;padding:0 1rem}}
time{{color:#555;font-size:.85em}}p{{white-space:pre-wrap;margin:.2rem 0 1rem;overflow-wrap:anywhere}}</style>
<h1>{title}</h1>
"""
_MXC: Final = re.compile(r"mxc://[^/]+/([A-Za-z0-9_-]+)\Z")
_FILES: Final = frozenset({"m.file", "m.image", "m.video", "m.audio"})


def write_copy(
    folder: Path, title: str, rooms: Iterable[tuple[RoomShown, Iterable[Json]]], names: Mapping[str, str],
    files: Mapping[str, str],
) -> int:
    """Write ``index.html`` and a page for every room; ``files`` are paths of uploaded files by id. Answers how many
    messages stand there.
    """
    folder.mkdir()
    links, count = [], 0
    for room, events in rooms:
        shown = [text for entry in events if (text := _shown(entry, names, files))]
        count += len(shown)
        name = room.name or "名前のない部屋"
        (folder / f"room-{room.nid}.html").write_text(_HEAD.format(title=escape(name)) + "\n".join(shown), "utf-8")
        links.append(f'<li><a href="room-{room.nid}.html">{escape(name)}</a>（{len(shown)}）</li>')
    (folder / "index.html").write_text(_HEAD.format(title=escape(title)) + "<ul>" + "\n".join(links) + "</ul>", "utf-8")
    return count


def _shown(entry: Json, names: Mapping[str, str], files: Mapping[str, str]) -> str:
    event = entry["event"]
    words = _words(event, files, was_removed=entry["redacted_by"] is not None)
    if not words:
        return ""
    sender = str(event.get("sender", ""))
    time = tokyo_time(int(event.get("origin_server_ts", 0))).strftime("%Y-%m-%d %H:%M")
    return f"<strong>{escape(names.get(sender, sender))}</strong> <time>{time}</time><p>{words}</p>"


def _words(event: Json, files: Mapping[str, str], *, was_removed: bool) -> str:
    content = event.get("content")
    if event.get("type") == "m.room.encrypted":
        return "（暗号化されています）"
    if event.get("type") not in ("m.room.message", "m.sticker") or not isinstance(content, dict):
        return ""
    if was_removed or not content:
        return "（取り消されました）"
    body = escape(str(content.get("body", "")))
    match = _MXC.match(str(content.get("url", "")))
    if content.get("msgtype") in _FILES and match and match[1] in files:
        return f'<a href="../{escape(files[match[1]])}">{body}</a>'
    return body
