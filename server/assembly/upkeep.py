"""What the node hears of backups and checks (``kairan daily``), and what it tells its officers of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from server.assembly.node import Node
from server.assembly.notices import notices_of
from server.association.members.model import Role
from server.operation.upkeep_store import Upkeep, all_upkeep, set_upkeep
from server.operation.upkeep_words import late, trouble, well_again
from server.storage.database import Writes

# Whoever can go and look at the machine.
_CONCERNED: Final = frozenset({Role.CHAIR, Role.DIGITAL, Role.OFFICER})
_DAY_MS: Final = 86_400_000
_LATE_DAYS: Final = 3


async def note_upkeep(node: Node, said: Mapping[str, Any]) -> list[str]:
    """``work`` (``backup`` or ``check``) was done; ``trouble`` is empty, or what went wrong. Officers hear of it when
    it goes wrong, each time, and once when it goes well again.
    """
    work, wrong, now_ms = said["work"], said["trouble"], node.core.clock.now_ms()
    before = (await all_upkeep(node.core.database)).get(work)
    done_ms = now_ms if not wrong else before.done_ms if before else None
    writes = Writes()
    set_upkeep(writes, Upkeep(work, now_ms, done_ms, wrong))
    await node.core.database.submit(writes)
    if wrong:
        await _tell(node, trouble(work, wrong))
    elif before is not None and before.words:
        await _tell(node, well_again(work))
    return []


async def look_for_late_backups(node: Node) -> None:
    """Tell the officers when backups are to be made and none was for days: the timer itself may be what is broken."""
    if node.settings.backup.folder is None:
        return
    made = (await all_upkeep(node.core.database)).get("backup")
    if made is None or made.done_ms is None or made.words:
        return  # nobody has set it up yet; or the officers know
    days = (node.core.clock.now_ms() - made.done_ms) // _DAY_MS
    if days >= _LATE_DAYS:
        await _tell(node, late(days))


def concerned(node: Node) -> list[str]:
    """The user ids of those who are told."""
    members = node.association.members
    return [
        person.user_id for person in members.persons()
        if person.user_id is not None and members.roles_of(person.id) & _CONCERNED
    ]


async def _tell(node: Node, text: str) -> None:
    readers = concerned(node)
    if not readers:
        readers = [user.user_id for user in await node.accounts.list_users() if user.is_admin]
    await notices_of(node).send_all(readers, text)
