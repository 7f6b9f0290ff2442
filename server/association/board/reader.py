"""What readers see of the board: the list, one post with what was said below it, what a search finds."""

from __future__ import annotations

from typing import Final

from server.association.board import board_store as store
from server.association.board import moderation_store
from server.association.board.actions import Ground
from server.association.board.model import Category, Comment, Page, Post, Waiting
from server.association.board.moderation import Moderation
from server.association.members.model import Right
from server.foundation.errors import Forbidden, NotFound
from server.foundation.keyed_locks import KeyedLocks
from server.rooms.receipts import READ, READ_PRIVATE, Receipts
from server.rooms.search import Question, Search
from server.rooms.search_words import KEYS, words_of

MOST_NEW: Final = 20
_LIST: Final = 20
_OWN: Final = 50


class BoardReader:
    """Read models for residents."""

    def __init__(self, ground: Ground, moderation: Moderation, search: Search, receipts: Receipts) -> None:
        self._ground = ground
        self._moderation = moderation
        self._search = search
        self._receipts = receipts
        # A search may read for a quarter of a second; nobody has two at a time.
        self._searching = KeyedLocks()

    async def page(self, user_id: str, category: Category | None = None, after: str = "") -> Page:
        """The list, newest first, on from ``after`` (the ``next`` of the page before)."""
        self._require_member(user_id)
        hidden = await self._hidden_from(user_id)
        found = await store.posts_before(self._ground.database, _LIST + 1, _read_place(after), category, hidden)
        following = f"{found[_LIST - 1].created_ms}_{found[_LIST - 1].id}" if len(found) > _LIST else ""
        return await self._with_numbers(found[:_LIST], following)

    async def search(self, user_id: str, term: str) -> Page:
        """Posts in which, or below which, the words stand: found as any Matrix client finds them."""
        self._require_member(user_id)
        question = Question(words_of(term), KEYS, lambda event: event.type == "m.room.message")
        if not question.words:
            return Page()
        async with self._searching.hold(user_id):
            found, _ = await self._search.find(user_id, [self._ground.room_id], question, None, _LIST)
        hidden = set(await self._hidden_from(user_id))
        posts = await store.posts_of_events(self._ground.database, [_shown_event(hit.event.content, hit.event.event_id)
                                                                    for hit in found])
        shown = [post for post in posts if not post.is_removed and post.event_id not in hidden]
        return await self._with_numbers(sorted(shown, key=lambda post: -post.position), "")

    async def own(self, user_id: str) -> tuple[list[Post], list[Waiting]]:
        """What somebody has written, also without their name and what is handed over; and what waits for a yes."""
        self._require_member(user_id)
        nameless = await moderation_store.anonymous_posts_of(self._ground.database, user_id)
        posts = await store.own_posts(self._ground.database, user_id, nameless, _OWN)
        return posts, await moderation_store.waiting_posts(self._ground.database, user_id)

    async def one(self, user_id: str, post_id: str) -> tuple[Post, list[Comment]]:
        """One post and what was said below it; ``NotFound`` for what is removed or hidden, but for its author and
        for those who look after the board.
        """
        self._require_member(user_id)
        post = await self._ground.post(post_id)
        is_moderator = self._ground.members.may(user_id, Right.MODERATE)
        hidden = set(await self._hidden_from(user_id))
        if not is_moderator and (post.is_removed or (
            post.event_id in hidden and not await self._ground.is_author(user_id, post)
        )):
            raise NotFound("その投稿はありません")
        said = await store.comments_on(self._ground.database, post.event_id)
        return post, [item for item in said if not item.is_removed and item.event_id not in hidden]

    async def is_author(self, user_id: str, post: Post) -> bool:
        """Whether it is one's own, also one that was asked without a name."""
        return await self._ground.is_author(user_id, post)

    async def number_of_new(self, user_id: str) -> int:
        """How many posts have come since somebody has last looked, at most ``MOST_NEW``."""
        book = await self._receipts.book(self._ground.room_id)
        receipts = [book.find(user_id, kind, thread) for kind in (READ, READ_PRIVATE) for thread in ("", "main")]
        seen = max((item.event_stream for item in receipts if item is not None), default=0)
        return await store.count_after(self._ground.database, seen, MOST_NEW)

    async def _with_numbers(self, posts: list[Post], following: str) -> Page:
        numbers = await store.numbers_of_comments(self._ground.database, [post.event_id for post in posts])
        return Page(posts, numbers, following)

    async def _hidden_from(self, user_id: str) -> list[str]:
        return [] if self._ground.members.may(user_id, Right.MODERATE) else await self._moderation.hidden()

    def _require_member(self, user_id: str) -> None:
        if self._ground.members.person_of_user(user_id) is None:
            raise Forbidden("掲示板は、町内会の会員が読めます")


def _shown_event(content: dict[str, object], event_id: str) -> str:
    """The message that an edit shows itself in."""
    relates = content.get("m.relates_to")
    if isinstance(relates, dict) and relates.get("rel_type") == "m.replace":
        return str(relates.get("event_id"))
    return event_id


def _read_place(text: str) -> tuple[int, str] | None:
    ts, _, post_id = text.partition("_")
    return (int(ts), post_id) if ts.isascii() and ts.isdigit() and len(ts) < 16 else None
