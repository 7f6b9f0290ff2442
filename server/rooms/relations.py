"""Events that relate to others, and the bundles that show it (spec: "Aggregations of child events").

Edits (``m.replace``), threads (``m.thread``) and references (``m.reference``) are bundled. Reactions are not: the
specification leaves their counting to clients, who see each reaction in the timeline.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from server.foundation.errors import Refused
from server.rooms.event import Event
from server.rooms.event_store import entries_by_id, entry_of, related_ids
from server.rooms.live_room import LiveRoom
from server.rooms.timeline import Entry, Json, client_event
from server.storage.database import Database

ANNOTATION: Final = "m.annotation"
THREAD: Final = "m.thread"
EDIT: Final = "m.replace"
BUNDLED: Final = (EDIT, THREAD, "m.reference")


def relation_of(content: dict[str, Any]) -> tuple[str, str, str] | None:
    """``(target, rel type, key)`` where the content relates to another event."""
    relates = content.get("m.relates_to")
    if not isinstance(relates, dict):
        return None
    target, rel_type, key = relates.get("event_id"), relates.get("rel_type"), relates.get("key", "")
    if not isinstance(target, str) or not isinstance(rel_type, str):
        return None
    key = key if isinstance(key, str) else ""
    # No id contains NUL, and PostgreSQL's texts cannot.
    return None if "\0" in target or "\0" in rel_type else (target, rel_type, key.replace("\0", "\ufffd"))


def bundle(target: Entry, child_entry: Entry) -> None:
    """Count a child in what ``target`` shows of its relations. Children come oldest first; twice is once."""
    child = child_entry.event
    relation = relation_of(child.content)
    if relation is None or relation[1] not in BUNDLED or child_entry.stream <= target.bundled_up_to:
        return
    target.bundled_up_to = child_entry.stream
    related: Json = target.related if target.related is not None else {}
    if relation[1] == EDIT:
        if not _is_edit_of(child, target.event):
            return
        related[EDIT] = client_event(child)
    elif relation[1] == THREAD:
        _bundle_thread(target, related, child_entry)
    else:
        chunk = related.setdefault("m.reference", {"chunk": []})["chunk"]
        if len(chunk) < 100:
            chunk.append({"event_id": child.event_id})
    target.related = related
    target.forget_bytes()


def _bundle_thread(target: Entry, related: Json, child: Entry) -> None:
    thread = related.setdefault(THREAD, {"count": 0, "current_user_participated": False})
    thread["count"] += 1
    thread["latest_event"] = _with_edit(child)
    target.participants = {*(target.participants or {target.event.sender}), child.event.sender}


def _with_edit(answer: Entry) -> Json:
    """An answer as the root of its thread shows it: with its own bundle."""
    shown = client_event(answer.event)
    return {**shown, "unsigned": {"m.relations": answer.related}} if answer.related else shown


def show_in_thread(room: LiveRoom, answer: Entry) -> None:
    """What an answer shows of its relations has changed; where it is the newest of its thread, the root shows that."""
    relation = relation_of(answer.event.content)
    if relation is None or relation[1] != THREAD:
        return
    root = room.find(relation[0])
    if root is not None:
        _renew_latest(root, answer)


def _renew_latest(root: Entry, answer: Entry) -> None:
    thread = (root.related or {}).get(THREAD)
    if root.related is not None and thread and thread["latest_event"]["event_id"] == answer.event.event_id:
        root.related[THREAD] = {**thread, "latest_event": _with_edit(answer)}
        root.forget_bytes()


def _is_edit_of(child: Event, original: Event) -> bool:
    """Spec "Validity of replacement events", as far as it can be seen without decrypting."""
    return (
        child.sender == original.sender
        and child.type == original.type
        and child.state_key is None
        and original.state_key is None
        and (original.type == "m.room.encrypted" or "m.new_content" in child.content)
        and (relation_of(original.content) or ("", "", ""))[1] != EDIT
    )


async def bundle_all(database: Database, room: LiveRoom, entries: Sequence[Entry]) -> None:
    """Give entries that were read from the database the bundles of their relations."""
    by_id = {entry.event.event_id: entry for entry in entries if entry.redacted_because is None}
    found = await related_ids(database, list(by_id), BUNDLED)
    children = {child.event.event_id: child for child in await entries_by_id(database, room, [row[0] for row in found])}
    for event_id, target, *_rest in found:
        if event_id in children:
            bundle(by_id[target], children[event_id])
    await _bundle_latest(database, room, list(by_id.values()), children)


async def _bundle_latest(
    database: Database, room: LiveRoom, entries: Sequence[Entry], children: Mapping[str, Entry]
) -> None:
    """Give the newest answers of threads their edits."""
    roots = [entry for entry in entries if THREAD in (entry.related or {})]
    latest = {str((root.related or {})[THREAD]["latest_event"]["event_id"]): root for root in roots}
    rows = await related_ids(database, list(latest), [EDIT])
    for edit in await entries_by_id(database, room, [row[0] for row in rows]):
        answer = children.get((relation_of(edit.event.content) or ("",))[0])
        if answer is not None:
            bundle(answer, edit)
            _renew_latest(latest[answer.event.event_id], answer)


async def bundle_without(
    database: Database, room: LiveRoom, entry: Entry, ignored: Collection[str]
) -> Entry:
    """The entry with its relations, but not those that ``ignored`` people have sent."""
    rows = await related_ids(database, [entry.event.event_id], BUNDLED)
    children = await entries_by_id(database, room, [row[0] for row in rows if row[5] not in ignored])
    shown = Entry(entry.event, entry.stream, entry.snapshot, txn=entry.txn)
    for child in children:
        bundle(shown, child)
    return shown


async def require_possible_relation(
    database: Database, room: LiveRoom, sender: str, kind: str, content: dict[str, Any]
) -> None:
    """Raise ``Refused`` for a reaction that ``sender`` has put there before and for a thread inside another."""
    relation = relation_of(content)
    if relation is None:
        return
    if relation[1] == ANNOTATION:
        await _require_first_annotation(database, room, sender, kind, relation)
    elif relation[1] == THREAD:
        await _require_thread_root(database, room, relation[0])


async def _require_thread_root(database: Database, room: LiveRoom, event_id: str) -> None:
    """Spec "Validation of m.thread relationships": a thread begins at an event that belongs to no other."""
    root = room.find(event_id) or await entry_of(database, room, event_id)
    if root is not None and relation_of(root.event.content) is not None:
        raise Refused("A thread cannot begin at an event that relates to another one")


async def _require_first_annotation(
    database: Database, room: LiveRoom, sender: str, kind: str, relation: tuple[str, str, str]
) -> None:
    if room.find(relation[0]) is not None:
        # All that came after an event in memory is in memory, too.
        same = any(
            entry.event.sender == sender and entry.event.type == kind and relation_of(entry.event.content) == relation
            for entry in room.timeline
        )
    else:
        rows = await related_ids(database, [relation[0]], [ANNOTATION])
        same = any(row[3:] == (kind, relation[2], sender) for row in rows)
    if same:
        raise Refused("You have reacted like this already", code="M_DUPLICATE_ANNOTATION")


async def rooms_with_children(
    database: Database, entries: Sequence[tuple[LiveRoom, Sequence[Entry]]]
) -> list[LiveRoom]:
    """The rooms in which some of these entries have children that are bundled."""
    home = {entry.event.event_id: room for room, found in entries for entry in found}
    targets = {row[1] for row in await related_ids(database, list(home), BUNDLED)}
    return list({id(home[target]): home[target] for target in targets}.values())


async def renew_bundle(database: Database, room: LiveRoom, event_id: str) -> None:
    """Make the bundle of an event in memory anew, after one of its children was redacted."""
    shown = room.find(event_id)
    if shown is None or shown.redacted_because is not None:
        return
    while True:
        fresh = Entry(shown.event, shown.stream, shown.snapshot)
        newest = shown.bundled_up_to
        await bundle_all(database, room, [fresh])
        if shown.bundled_up_to == newest:
            break
    shown.related, shown.participants = fresh.related, fresh.participants
    shown.bundled_up_to = max(newest, fresh.bundled_up_to)
    shown.forget_bytes()
    show_in_thread(room, shown)
