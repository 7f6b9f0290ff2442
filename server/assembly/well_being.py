"""Gathering what the page 「問題はありませんか」 tells; loaded with the pages."""

from __future__ import annotations

import asyncio
import shutil
from typing import Final

from federation.links.inbox_store import is_anything_between_nodes
from server.assembly.node import Node
from server.association.members.handovers_store import count_of_stuck
from server.association.members.model import Channel
from server.operation.upkeep_store import Upkeep, all_upkeep
from server.operation.waiting_store import Waiting, ask_anything, what_waits
from server.web.reach import unreached
from server.web.well_being import Facts, Queue, Work

_PATIENCE_S: Final = 5.0


async def facts_of(node: Node) -> Facts:
    """Everything that the page tells, as it is now."""
    core, members, pushers = node.core, node.association.members, node.services.pushers
    upkeep = await all_upkeep(core.database)
    quiet = [
        row for row in unreached(members, pushers) if members.channel_of(row.household.id) is Channel.DIGITAL
    ]
    return Facts(
        now_ms=core.clock.now_ms(), writes=await _writes(node),
        free_bytes=await asyncio.to_thread(lambda: shutil.disk_usage(core.settings.data_dir).free),
        backs_up=core.settings.backup.folder is not None,
        backup=_work(upkeep.get("backup")), check=_work(upkeep.get("check")),
        copy=_work(upkeep.get("copy")) if core.settings.backup.copy_to else None,
        queues=await _queues(node), people=sum(person.user_id is not None for person in members.persons()),
        apps=sum(len(pushers.of(user_id)) for user_id in pushers.users), apps_failing=len(pushers.failing),
        unreached=len(quiet), stuck_handovers=await count_of_stuck(core.database),
    )


async def _writes(node: Node) -> bool:
    """Whether the database lets us begin to write and answers."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            async with node.core.database.write():
                pass
            await ask_anything(node.core.database)
    except Exception:
        return False
    return True


def _work(known: Upkeep | None) -> Work:
    return Work() if known is None else Work(known.done_ms, bool(known.words))


async def _queues(node: Node) -> list[Queue]:
    """One for each link in force, and one for each other server for which something waits."""
    database = node.core.database
    waiting = {item.destination: item for item in await what_waits(database)}
    names: dict[str, str] = {}
    if await is_anything_between_nodes(database):
        links = (await node.core.late.wide_area.open()).book.links()
        names = {link.server: link.name for link in links if link.is_in_force}
    queues = [_queue(name, waiting.pop(server, None)) for server, name in names.items()]
    return queues + [_queue("", item) for item in waiting.values()]


def _queue(name: str, item: Waiting | None) -> Queue:
    if item is None:
        return Queue(name)
    # What waits may be no event and have no date; then it counts since when the other side is silent.
    known = [moment for moment in (item.oldest_ts, item.failing_since_ts) if moment is not None]
    return Queue(name, item.waiting, min(known, default=None))
