"""Tables of the board: posts, comments, photos and requests follow from events; the others are in no room."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import orjson
from sqlalchemy import BigInteger, Column, Integer, Table, Text, bindparam, delete, func, or_, select, text, update

from server.association.board.model import Category, Comment, Post, Request, State, Writing
from server.media.pictures import Picture
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

posts: Final = Table(
    "board_posts", metadata,
    Column("event_id", Text, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("author", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("anonymous", Integer, nullable=False),
    Column("photos", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("closed_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
)
comments: Final = Table(
    "board_comments", metadata,
    Column("event_id", Text, primary_key=True),
    Column("post_event", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("by_author", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("photo", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("closed_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
)
photos: Final = Table(
    "board_photos", metadata,
    Column("event_id", Text, primary_key=True),
    Column("post_event", Text, nullable=False),
)
requests: Final = Table(
    "board_requests", metadata,
    Column("post_id", Text, primary_key=True),
    Column("user_id", Text, primary_key=True),
    Column("event_id", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("granted", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
)

# An id that is taken belongs to whoever took it first: SQLite and PostgreSQL leave the row out either way.
_COLUMNS: Final = ", ".join(column.name for column in posts.columns)
_ADD_POST: Final = text(
    f"INSERT INTO board_posts ({_COLUMNS}) VALUES ({', '.join(f':{column.name}' for column in posts.columns)}) "  # noqa: S608
    "ON CONFLICT DO NOTHING"
).bindparams(*[bindparam(column.name, type_=column.type) for column in posts.columns])
_OWN_OPEN: Final = "event_id = :target AND author = :sender AND state <> 'removed'"
_CHANGE_POST: Final = text(
    "UPDATE board_posts SET category = :category, title = :title, body = :body, place = :place, state = :state, "
    "photos = :photos, revision = :revision WHERE event_id = :target AND author = :sender AND state <> 'removed' "
    "AND id = :id AND revision < :revision"
).bindparams(bindparam("revision", type_=BigInteger()))
_CHANGE_WORDS: Final = text(
    f"UPDATE board_posts SET body = :body, revision = :revision WHERE {_OWN_OPEN}"  # noqa: S608
).bindparams(bindparam("revision", type_=BigInteger()))
_CHANGE_COMMENT: Final = text(f"UPDATE board_comments SET body = :body WHERE {_OWN_OPEN}")  # noqa: S608
# A reply to a comment stands below the comment's post; what answers no post is no comment.
_ADD_COMMENT: Final = text(
    "INSERT INTO board_comments (event_id, post_event, author, by_author, body, photo, state, created_ms, position, "
    "closed_by, reason) SELECT :event_id, p.event_id, :author, :by_author, :body, :photo, 'shown', :ts, :position, '', "
    "'' FROM board_posts p WHERE p.event_id = COALESCE((SELECT c.post_event FROM board_comments c "
    "WHERE c.event_id = :target), :target) ON CONFLICT (event_id) DO NOTHING"
).bindparams(*[
    bindparam(name, type_=BigInteger() if name in ("ts", "position", "by_author") else Text())
    for name in ("event_id", "author", "by_author", "body", "photo", "ts", "position", "target")
])
_ADD_PHOTO: Final = upsert(photos, replace=())
# Whoever takes their own words back leaves nothing of them; what an officer has removed stays for officers to see.
_REMOVE: Final = (
    "state = 'removed', closed_by = :sender, reason = :reason, "
    "body = CASE WHEN author = :sender THEN '' ELSE body END, "
)
_REMOVE_POST: Final = text(
    f"UPDATE board_posts SET {_REMOVE} title = CASE WHEN author = :sender THEN '' ELSE title END, "  # noqa: S608
    "place = CASE WHEN author = :sender THEN '' ELSE place END, "
    "photos = CASE WHEN author = :sender THEN '[]' ELSE photos END, revision = :revision "
    "WHERE event_id = :target AND state <> 'removed'"
).bindparams(bindparam("revision", type_=BigInteger()))
_REMOVE_COMMENT: Final = text(
    f"UPDATE board_comments SET {_REMOVE} photo = CASE WHEN author = :sender THEN '' ELSE photo END "  # noqa: S608
    "WHERE event_id = :target AND state <> 'removed'"
)
_DROP_PHOTO: Final = delete(photos).where(photos.c.event_id == bindparam("target"))
_ADD_REQUEST: Final = upsert(requests, replace=())
_GRANT: Final = (
    update(requests).where(requests.c.post_id == bindparam("post"), requests.c.user_id == bindparam("who"))
    .values(granted=bindparam("yes"))
)
_DROP_REQUEST: Final = delete(requests).where(requests.c.event_id == bindparam("target"))
_DROP_REQUESTS_OF: Final = delete(requests).where(requests.c.user_id == bindparam("who"))


def add_post(writes: Writes, post: Post) -> None:
    """Store a post that is new; one whose id is taken is left out."""
    writes.add(_ADD_POST, {
        "event_id": post.event_id, "id": post.id, "author": post.author, "anonymous": int(post.is_anonymous),
        "state": post.state.value, "created_ms": post.created_ms, "position": post.position,
        "revision": post.revision, "closed_by": "", "reason": "", **_words(post.writing),
    })


def change_post(writes: Writes, target: str, sender: str, post: Post) -> None:
    """Store what the author's edit of ``target`` says."""
    writes.add(_CHANGE_POST, {
        "target": target, "sender": sender, "id": post.id, "state": post.state.value, "revision": post.revision,
        **_words(post.writing),
    })


def change_words(writes: Writes, target: str, sender: str, body: str, revision: int) -> None:
    """Store an edit that a client has made of a post or a comment."""
    writes.add(_CHANGE_WORDS, {"target": target, "sender": sender, "body": body, "revision": revision})
    writes.add(_CHANGE_COMMENT, {"target": target, "sender": sender, "body": body})


def add_comment(writes: Writes, comment: Comment, target: str) -> None:
    """Store a comment on ``target``, a post or another comment, if it is one of these."""
    writes.add(_ADD_COMMENT, {
        "event_id": comment.event_id, "author": comment.author, "by_author": int(comment.by_author),
        "body": comment.text, "photo": _photo_json(comment.photo), "ts": comment.created_ms,
        "position": comment.position, "target": target,
    })


def add_photo(writes: Writes, event_id: str, post_event: str) -> None:
    """Store which message shows a photo of a post."""
    writes.add(_ADD_PHOTO, {"event_id": event_id, "post_event": post_event})


def remove_event(writes: Writes, target: str, sender: str, reason: str, revision: int) -> None:
    """Somebody has removed a message: a post, a comment, a photo, a request."""
    told = {"target": target, "sender": sender, "reason": reason}
    writes.add(_REMOVE_POST, {**told, "revision": revision})
    writes.add(_REMOVE_COMMENT, told)
    writes.add(_DROP_PHOTO, {"target": target})
    writes.add(_DROP_REQUEST, {"target": target})


def add_request(writes: Writes, request: Request) -> None:
    """Store that somebody would like to have something."""
    writes.add(_ADD_REQUEST, {
        "post_id": request.post_id, "user_id": request.user_id, "event_id": request.event_id, "note": request.note,
        "granted": int(request.is_granted), "position": request.position,
    })


def grant(writes: Writes, post_id: str, user_id: str, *, granted: bool) -> None:
    """Store whether it is for this one."""
    writes.add(_GRANT, {"post": post_id, "who": user_id, "yes": int(granted)})


def forget_requests_of(writes: Writes, user_id: str) -> None:
    """Somebody leaves the association."""
    writes.add(_DROP_REQUESTS_OF, {"who": user_id})


async def find_post(database: Database, post_id: str) -> Post | None:
    """One post."""
    row = await database.fetch_one(select(posts).where(posts.c.id == post_id))
    return None if row is None else _as_post(row)


async def posts_before(
    database: Database, limit: int, before: tuple[int, str] | None = None, category: Category | None = None,
    hidden: Iterable[str] = (),
) -> list[Post]:
    """Posts that readers see in the list, newest first, without those whose events are ``hidden``."""
    c = posts.c
    asked = select(posts).where(c.state.in_(["open", "promised"])).order_by(c.created_ms.desc(), c.id.desc())
    if before is not None:
        asked = asked.where(or_(c.created_ms < before[0], (c.created_ms == before[0]) & (c.id < before[1])))
    if category is not None:
        asked = asked.where(c.category == category.value)
    if hidden:
        asked = asked.where(c.event_id.not_in(list(hidden)))
    return [_as_post(row) for row in await database.fetch_all(asked.limit(limit))]


async def own_posts(database: Database, author: str, post_ids: Sequence[str], limit: int) -> list[Post]:
    """What an account has written, also ``post_ids``, newest first; what was removed is left out."""
    mine = or_(posts.c.author == author, posts.c.id.in_(list(post_ids)))
    asked = select(posts).where(mine, posts.c.state != "removed").order_by(posts.c.created_ms.desc()).limit(limit)
    return [_as_post(row) for row in await database.fetch_all(asked)]


async def posts_of_events(database: Database, event_ids: Sequence[str]) -> list[Post]:
    """The posts of these messages, and of these comments."""
    below = select(comments.c.post_event).where(comments.c.event_id.in_(list(event_ids)))
    wanted = or_(posts.c.event_id.in_(list(event_ids)), posts.c.event_id.in_(below))
    return [_as_post(row) for row in await database.fetch_all(select(posts).where(wanted))]


async def count_after(database: Database, position: int, most: int) -> int:
    """How many posts have come after a position, at most ``most``."""
    newer = select(posts.c.id).where(posts.c.position > position, posts.c.state.in_(["open", "promised"])).limit(most)
    return len(await database.fetch_all(newer))


async def comments_on(database: Database, post_event: str) -> list[Comment]:
    """What was said below a post, the oldest first; also what was removed."""
    asked = select(comments).where(comments.c.post_event == post_event).order_by(comments.c.position)
    return [_as_comment(row) for row in await database.fetch_all(asked)]


async def comments_of_events(database: Database, event_ids: Sequence[str]) -> list[Comment]:
    """Comments by their messages."""
    asked = select(comments).where(comments.c.event_id.in_(list(event_ids)))
    return [_as_comment(row) for row in await database.fetch_all(asked)]


async def numbers_of_comments(database: Database, post_events: Sequence[str]) -> dict[str, int]:
    """How many comments stand below posts, by the posts' messages."""
    c = comments.c
    asked = (
        select(c.post_event, func.count()).where(c.post_event.in_(list(post_events)), c.state != "removed")
        .group_by(c.post_event)
    )
    return {row[0]: int(row[1]) for row in await database.fetch_all(asked)}


async def photos_of(database: Database, post_event: str) -> list[str]:
    """The messages that show the photos of a post."""
    rows = await database.fetch_all(select(photos.c.event_id).where(photos.c.post_event == post_event))
    return [str(row[0]) for row in rows]


async def requests_for(database: Database, post_id: str) -> list[Request]:
    """Who would like to have something, the first first."""
    asked = select(requests).where(requests.c.post_id == post_id).order_by(requests.c.position)
    return [
        Request(row.post_id, row.user_id, row.event_id, row.note, bool(row.granted), row.position)
        for row in await database.fetch_all(asked)
    ]


async def removed_by_officers(database: Database, limit: int) -> list[Post]:
    """Posts that somebody else than their author has removed, the last ones first."""
    c = posts.c
    asked = select(posts).where(c.state == "removed", c.closed_by != c.author).order_by(c.revision.desc()).limit(limit)
    return [_as_post(row) for row in await database.fetch_all(asked)]


def _words(writing: Writing) -> dict[str, str]:
    return {
        "category": writing.category.value, "title": writing.title, "body": writing.text, "place": writing.place,
        "photos": orjson.dumps([item.as_json() for item in writing.photos]).decode(),
    }


def _photo_json(photo: Picture | None) -> str:
    return "" if photo is None else orjson.dumps(photo.as_json()).decode()


def _as_post(row: Any) -> Post:
    writing = Writing(
        category=Category(row.category), title=row.title, text=row.body, place=row.place,
        photos=tuple(Picture.from_json(item) for item in orjson.loads(row.photos)),
    )
    return Post(
        row.id, row.event_id, row.author, writing, State(row.state), bool(row.anonymous), row.created_ms, row.position,
        row.revision, row.closed_by, row.reason,
    )


def _as_comment(row: Any) -> Comment:
    photo = Picture.from_json(orjson.loads(row.photo)) if row.photo else None
    return Comment(
        row.event_id, row.post_event, row.author, row.body, photo, bool(row.by_author), row.state == "removed",
        row.created_ms, row.position, row.closed_by, row.reason,
    )
