"""Looking after the board: posts that wait for a yes, what is reported, who has asked without a name, the rules.

Every decision is kept with its reason, and whoever has written it is told (R33).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from server.association.board import board_store, moderation_store
from server.association.board.actions import Board, Ground
from server.association.board.contents import RULES, rules_content
from server.association.board.model import (
    MAX_REASON,
    REPORTS_THAT_HIDE,
    Comment,
    Decision,
    Post,
    Reported,
    Rules,
    Standing,
    Waiting,
    checked_line,
)
from server.association.members.model import Right
from server.foundation.errors import InvalidParam, NotFound, Refused
from server.foundation.ids import random_letters
from server.foundation.keyed_locks import KeyedLocks
from server.rooms.report_store import Report, reports_in
from server.rooms.send_event import Draft
from server.storage.database import Writes

_MOST: Final = 500
_SHOWN: Final = 30
_FASTER: Final = "ほかの人が 先に なおしました。いまの きまりを 見てから、もう一度おしてください"
KEEP, REMOVE = "keep", "remove"


class Moderation:
    """What officers do who look after the board (``Right.MODERATE``)."""

    def __init__(self, ground: Ground, board: Board) -> None:
        self._ground = ground
        self._board = board
        self._turns = KeyedLocks()

    # ---- the rules -------------------------------------------------------------------------------------------------

    async def set_rules(self, officer: str, rules: Rules, *, expected: Rules | None = None) -> None:
        """Say what is allowed on the board; with ``expected`` only if that holds still (``Refused``, 412)."""
        self._require(officer)
        node = self._ground.members.node_user_id
        async with self._turns.hold(RULES):
            if expected is not None and await self._board.rules() != expected:
                raise Refused(_FASTER, status=412)
            await self._ground.sender.send(Draft(self._ground.room_id, node, RULES, rules_content(rules), ""))

    # ---- what waits ------------------------------------------------------------------------------------------------

    async def waiting(self, officer: str) -> list[Waiting]:
        """Posts that wait, the oldest first."""
        self._require(officer)
        return await moderation_store.waiting_posts(self._ground.database)

    async def approve(self, officer: str, item_id: str) -> Post:
        """Let it onto the board; it is said there in its author's name. Twice is once."""
        async with self._turns.hold(item_id):
            item = await self._waiting(officer, item_id)
            known = await board_store.find_post(self._ground.database, item.id)
            post = known or await self._board.publish(item.author, item.id, item.writing, anonymous=item.is_anonymous)
            await self._decide(item, Standing.APPROVED, officer, "")
        await self._ground.tell(item.author, f"【掲示板】「{item.writing.title}」を、掲示板に出しました。")
        return post

    async def decline(self, officer: str, item_id: str, reason: str) -> None:
        """Do not let it onto the board; whoever has written it is told why."""
        words = checked_line(reason, "理由", MAX_REASON)
        async with self._turns.hold(item_id):
            item = await self._waiting(officer, item_id)
            await self._decide(item, Standing.DECLINED, officer, words)
        await self._ground.tell(
            item.author, f"【掲示板】「{item.writing.title}」は、掲示板に出せませんでした。\n理由：{words}"
        )

    # ---- what is reported ------------------------------------------------------------------------------------------

    async def hidden(self) -> list[str]:
        """What so many find wrong that readers do not see it before an officer has decided."""
        return [event_id for event_id, told in (await self._open_reports()).items()
                if len({self._home_of(item.reporter) for item in told}) >= REPORTS_THAT_HIDE]

    async def reported(self, officer: str) -> list[Reported]:
        """What neighbours find wrong and no officer has decided about yet, the oldest first."""
        self._require(officer)
        told, database = await self._open_reports(), self._ground.database
        posts = {post.event_id: post for post in await board_store.posts_of_events(database, list(told))}
        comments = {item.event_id: item for item in await board_store.comments_of_events(database, list(told))}
        found = []
        for event_id, reports in told.items():
            comment = comments.get(event_id)
            post = posts.get(comment.post_event if comment is not None else event_id)
            if post is not None and not (post.is_removed or (comment is not None and comment.is_removed)):
                found.append(_as_reported(event_id, reports, post, comment))
        return sorted(found, key=lambda item: item.since)

    async def keep(self, officer: str, post_id: str, event_id: str, reason: str) -> None:
        """Nothing is wrong with it."""
        words = checked_line(reason, "理由", MAX_REASON, needed=False)
        self._require(officer)
        await self._find(post_id, event_id)
        await self._note(officer, post_id, event_id, KEEP, words)

    async def remove(self, officer: str, post_id: str, event_id: str, reason: str) -> None:
        """Take a post or a comment off the board, with a reason that is kept and told to whoever has written it."""
        words = checked_line(reason, "理由", MAX_REASON)
        self._require(officer)
        async with self._turns.hold(event_id):
            post, comment = await self._find(post_id, event_id)
            if post.is_removed or (comment is not None and comment.is_removed):
                raise InvalidParam("もう、けしてあります", status=409)
            await self._note(officer, post_id, event_id, REMOVE, words)
            sender = await self._remover(officer)
            if comment is None:
                await self._ground.take_out(post, sender, words)
            else:
                content = {"reason": words}
                draft = Draft(self._ground.room_id, sender, "m.room.redaction", content, redacts=event_id)
                await self._ground.sender.send(draft)
        writer = comment.author if comment is not None and not comment.by_author else await self._ground.writer_of(post)
        what = f"「{post.writing.title}」" + ("のコメント" if comment is not None else "")
        await self._ground.tell(writer, f"【掲示板】{what}を、役員がけしました。\n理由：{words}")

    async def decisions(self, officer: str) -> list[Decision]:
        """What was decided, the last first."""
        self._require(officer)
        return await moderation_store.newest_decisions(self._ground.database, _SHOWN)

    async def removed(self, officer: str) -> list[Post]:
        """Posts that officers have removed, here or in a Matrix client."""
        self._require(officer)
        return await board_store.removed_by_officers(self._ground.database, _SHOWN)

    # ---- who it was ------------------------------------------------------------------------------------------------

    async def look_at_author(self, officer: str, post_id: str) -> str:
        """The account of whoever has asked without a name. That somebody has looked is kept for everybody to see."""
        self._require(officer)
        post = await self._ground.post(post_id)
        user_id = await moderation_store.author_of(self._ground.database, post.id) if post.is_anonymous else None
        if user_id is None:
            raise NotFound("書いた人は、わかりません")
        await self._ground.members.log_look(officer, "掲示板で、名前を出さずに質問した人")
        return user_id

    async def forget(self, user_id: str) -> None:
        """Somebody leaves the association: what stands of them beside the rooms is removed."""
        writes = Writes()
        moderation_store.forget_author(writes, user_id)
        board_store.forget_requests_of(writes, user_id)
        await self._ground.write(writes)

    # ---- parts -----------------------------------------------------------------------------------------------------

    def _require(self, officer: str) -> None:
        self._ground.members.require(officer, Right.MODERATE)

    def _home_of(self, user_id: str) -> str:
        person = self._ground.members.person_of_user(user_id)
        return user_id if person is None else person.household_id

    async def _remover(self, officer: str) -> str:
        """The officer themselves, or the node's account for one who has left the room."""
        room = await self._ground.sender.rooms.get(self._ground.room_id)
        levels = room.levels()
        is_able = room.membership(officer) == "join" and levels.of_user(officer) >= levels.redact
        return officer if is_able else self._ground.members.node_user_id

    async def _waiting(self, officer: str, item_id: str) -> Waiting:
        self._require(officer)
        item = await moderation_store.find_waiting(self._ground.database, item_id)
        if item is None:
            raise NotFound("その投稿はありません")
        if item.standing is not Standing.WAITING:
            raise InvalidParam("ほかの役員が、もう決めました", status=409)
        return item

    async def _decide(self, item: Waiting, standing: Standing, officer: str, reason: str) -> None:
        writes = Writes()
        moderation_store.decide_waiting(writes, item.id, standing, officer, reason)
        await self._ground.write(writes)

    async def _find(self, post_id: str, event_id: str) -> tuple[Post, Comment | None]:
        post = await self._ground.post(post_id)
        if event_id == post.event_id:
            return post, None
        found = await board_store.comments_of_events(self._ground.database, [event_id])
        if not found or found[0].post_event != post.event_id:
            raise NotFound("そのコメントはありません")
        return post, found[0]

    async def _note(self, officer: str, post_id: str, event_id: str, action: str, reason: str) -> None:
        writes, now = Writes(), self._ground.clock.now_ms()
        moderation_store.add_decision(
            writes, Decision(random_letters(12), event_id, post_id, officer, action, reason, now))
        await self._ground.write(writes)

    async def _open_reports(self) -> dict[str, list[Report]]:
        """Reports that came after the last decision, by message."""
        decided = await moderation_store.last_decisions(self._ground.database)
        found: dict[str, list[Report]] = {}
        for item in await reports_in(self._ground.database, self._ground.room_id, _MOST):
            if item.event_id and item.ts > decided.get(item.event_id, -1):
                found.setdefault(item.event_id, []).append(item)
        return found


def _as_reported(event_id: str, reports: Iterable[Report], post: Post, comment: Comment | None) -> Reported:
    told = list(reports)
    return Reported(
        event_id, frozenset(item.reporter for item in told), tuple(item.reason for item in told if item.reason),
        min(item.ts for item in told), post, comment,
    )
