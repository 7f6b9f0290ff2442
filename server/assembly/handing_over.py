"""Changing hands: handovers that are carried out on their day, and who is told of it."""

from __future__ import annotations

import asyncio
import importlib
from typing import TYPE_CHECKING, Final

from server.assembly.core import Core
from server.association.members.handovers_store import due_handovers
from server.association.members.model import OFFICER_ROLES, Purpose
from server.foundation.errors import Refused
from server.foundation.tasks import keep_doing
from server.rooms.send_event import Draft

if TYPE_CHECKING:
    from server.assembly.association import Association
    from server.association.members.handover import Handover
    from server.association.members.handovers import Handovers

_LOOK_S: Final = 20.0
_DONE: Final = (
    "【役員交代】 きょうから 役員が かわりました。これまでの みなさん、おつかれさまでした。"
    "新しい みなさんは、「役員のつくえ」を ひらいてください。"
)
_STUCK: Final = (
    "【役員さんへ】 役員交代が、きめた日に できませんでした。なにも 変わっていません。\n"
    "わけ： {0}\n「役員のつくえ」の「役員交代」で なおしてください。"
)


def handovers_of(core: Core, association: Association) -> Handovers:
    """The verbs, made once."""
    late = core.late
    if late.handovers is None:
        module = importlib.import_module("server.association.members.handovers")

        async def told(handover: Handover) -> None:
            text = _STUCK.format(handover.trouble) if handover.done_ts is None else _DONE
            await _tell_officers(core, association, text)

        late.handovers = module.Handovers(
            core.database, core.clock, association.members, association.editor, told
        )
    return late.handovers


def watch_handovers(core: Core, association: Association) -> None:
    """Carry out what is due, now and whenever a day has come. What that takes is loaded then."""

    async def look() -> None:
        if await due_handovers(core.database, core.clock.now_ms()):
            await asyncio.to_thread(importlib.import_module, "server.association.members.handovers")
            await handovers_of(core, association).carry_out_due()

    core.tasks.start("handovers", keep_doing("handovers", look, core.clock, every_s=_LOOK_S))


async def _tell_officers(core: Core, association: Association, text: str) -> None:
    """In the officers' room, in which those who hold an office now are."""
    members = association.members
    if not members.register.with_role(OFFICER_ROLES):
        return
    content = {"msgtype": "m.notice", "body": text}
    draft = Draft(members.hall_room(Purpose.OFFICERS), members.node_user_id, "m.room.message", content)
    try:
        await core.services.sender.send(draft)
    except Refused:
        return  # it is told on the pages, too
