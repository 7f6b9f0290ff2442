"""From what is said in the board's room to its tables, in the transaction of the event.

It keeps nothing in memory and asks the database nothing: which post a comment is about is found where the row is
written. So it can be attached whenever the first of these events comes (docs/decisions/0008).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Set
from typing import Any, Final

from server.association.board import board_store as store
from server.association.board import moderation_store
from server.association.board.contents import ANSWER, COMMENT, PHOTO, POST, REQUEST, RULES, read_post, read_rules
from server.association.board.holding import Held
from server.association.board.model import (
    MAX_TEXT,
    MAX_TITLE,
    Category,
    Comment,
    Post,
    Request,
    State,
    Waiting,
    Writing,
)
from server.association.members.members import Members
from server.association.members.model import Purpose, Right
from server.foundation.errors import Refused
from server.media.pictures import picture_in
from server.rooms.accept_event import EventAcceptor
from server.rooms.live_room import LiveRoom
from server.rooms.numbered_answers import numbers_in, reply_target, spoken_text
from server.rooms.relations import relation_of
from server.rooms.timeline import Entry
from server.storage.database import Writes

logger = logging.getLogger(__name__)

_UNREADABLE: Final = (Refused, KeyError, ValueError, TypeError, AttributeError)
_OURS: Final = (POST, PHOTO, COMMENT)


class BoardProjection:
    """Keeps the tables in step with the rooms. ``passing`` are the ids of posts that may enter in any case; ``on_held``
    hears of a message that is on disk and must wait for an officer's yes.
    """

    def __init__(self, members: Members, passing: Set[str], on_held: Callable[[Held], None]) -> None:
        self._members = members
        self._passing = passing
        self._on_held = on_held

    def attach(self, acceptor: EventAcceptor) -> None:
        """Look at every event from now on."""
        acceptor.project(self._message, ["m.room.message"])
        acceptor.project(self._redaction, ["m.room.redaction"])

    def _message(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        if room.room_id == self._members.rooms.find(Purpose.BOARD.value):
            self._on_board(room, entry, writes)
        elif entry.event.sender == self._members.node_user_id:
            self._in_desk(room, entry, writes)

    def _on_board(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        content, sender = entry.event.content, entry.event.sender
        is_node = sender == self._members.node_user_id
        if not is_node and self._members.person_of_user(sender) is None:
            return
        relation = relation_of(content)
        if relation is not None and relation[1] == "m.replace":
            self._edited(entry, relation[0], writes)
        elif PHOTO in content and relation is not None:
            store.add_photo(writes, entry.event.event_id, relation[0])
        elif _is_of_another_feature(content) or (is_node and POST not in content and COMMENT not in content):
            return
        elif (target := reply_target(content)) is not None:
            self._commented(entry, target, writes, is_node=is_node)
        else:
            self._posted(room, entry, writes, is_node=is_node)

    def _posted(self, room: LiveRoom, entry: Entry, writes: Writes, *, is_node: bool) -> None:
        post = _read(entry, is_node=is_node) if POST in entry.event.content else _plain(entry)
        if post is None:
            return
        if is_node or post.id in self._passing or not self._must_wait(room, post):
            store.add_post(writes, post)
            return
        # Said by a client: the rules hold there, too. It waits like what is written on the page.
        moderation_store.add_waiting(writes, Waiting(post.id, post.author, post.writing, False, post.created_ms))
        held = Held(room.room_id, post.event_id, post.author, post.writing.title)
        writes.after_commit.append(lambda: self._on_held(held))

    def _must_wait(self, room: LiveRoom, post: Post) -> bool:
        rules = read_rules(room.content(RULES))
        is_held = rules.approve or post.writing.category in rules.officers_only
        return is_held and not self._members.may(post.author, Right.MODERATE)

    def _edited(self, entry: Entry, target: str, writes: Writes) -> None:
        """Only an author's edit changes anything; the state of a gift is one."""
        event = entry.event
        new = event.content.get("m.new_content")
        if isinstance(new, dict) and POST in new:
            post = _read(entry, new, is_node=event.sender == self._members.node_user_id)
            if post is not None:
                store.change_post(writes, target, event.sender, post)
        elif (text := spoken_text(event.content)) is not None:
            store.change_words(writes, target, event.sender, _kept(text), entry.stream)

    def _commented(self, entry: Entry, target: str, writes: Writes, *, is_node: bool) -> None:
        event = entry.event
        mark = event.content.get(COMMENT)
        by_author = is_node and isinstance(mark, dict) and mark.get("by_author") is True
        text = str(mark.get("text", "")) if by_author and isinstance(mark, dict) else spoken_text(event.content)
        photo = picture_in(event.content)
        if (text is None and photo is None) or "\0" in target:
            return
        comment = Comment(
            event.event_id, "", event.sender, _kept(text or ""), photo, by_author, False, event.origin_server_ts,
            entry.stream,
        )
        store.add_comment(writes, comment, target)

    def _in_desk(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """What the node tells a giver, or somebody who has asked for something, in their 窓口."""
        person = self._members.person_of_desk_room(room.room_id)
        asked, answered = entry.event.content.get(REQUEST), entry.event.content.get(ANSWER)
        if person is None or person.user_id is None:
            return
        if isinstance(asked, Mapping) and all(isinstance(asked.get(key), str) for key in ("post", "by", "note")):
            event = entry.event
            store.add_request(writes, Request(
                asked["post"], asked["by"], event.event_id, asked["note"], False, entry.stream,
            ))
        elif isinstance(answered, Mapping) and isinstance(answered.get("post"), str):
            store.grant(writes, answered["post"], person.user_id, granted=answered.get("granted") is True)

    def _redaction(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        event, target = entry.event, entry.event.redacts
        is_board = room.room_id == self._members.rooms.find(Purpose.BOARD.value)
        if target is None or "\0" in target or not (is_board or event.sender == self._members.node_user_id):
            return
        reason = event.content.get("reason")
        words = _kept(reason) if isinstance(reason, str) else ""
        store.remove_event(writes, target, event.sender, words, entry.stream)


def _read(entry: Entry, content: Mapping[str, Any] | None = None, *, is_node: bool) -> Post | None:
    """A post with our key; nobody but the node speaks without a name."""
    event = entry.event
    try:
        post_id, writing, state, anonymous = read_post((event.content if content is None else content)[POST])
    except _UNREADABLE:
        logger.warning("a post on the board could not be read")
        return None
    return Post(
        post_id, event.event_id, event.sender, writing, state, anonymous and is_node, event.origin_server_ts,
        entry.stream, entry.stream,
    )


def _plain(entry: Entry) -> Post | None:
    """What somebody has simply written, or a photo. A number is an answer to a poll and no post."""
    event = entry.event
    text, photo = spoken_text(event.content), picture_in(event.content)
    words = _kept(text or "").strip()
    if (not words and photo is None) or (words and numbers_in(words)):
        return None
    title = words.splitlines()[0][:MAX_TITLE] if words else "写真"
    shown = (photo,) if photo is not None and photo.is_photo else ()
    writing = Writing(category=Category.TALK, title=title, text=words, photos=shown)
    return Post(
        event.event_id.removeprefix("$"), event.event_id, event.sender, writing, State.OPEN, False,
        event.origin_server_ts, entry.stream, entry.stream,
    )


def _kept(text: str) -> str:
    """As much as a table keeps; no text of PostgreSQL contains NUL."""
    return text[:MAX_TEXT].replace("\0", "\ufffd")


def _is_of_another_feature(content: Mapping[str, Any]) -> bool:
    return any(key.startswith("jp.kairan.") and key not in _OURS for key in content)
