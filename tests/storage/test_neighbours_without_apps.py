"""Answers on paper, calls, figures in rooms and proposed groups come from either database alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from server.assembly.common_pages import common_services
from server.association.gatherings.answers import Answer
from server.association.gatherings.calls import Calls
from server.association.gatherings.figures_store import figures_told
from server.association.gatherings.model import Plan
from server.association.gatherings.writing_down import Word, WritingDown
from server.association.groups.proposal import checked_wish
from server.association.members.came_by import CameBy
from server.association.members.model import EVERYONE
from tests.builders import RunningNode, settings_for

IN_A_WEEK = datetime.now(UTC) + timedelta(days=7)


async def test_what_is_written_down_comes_from_either_database(database_url: str, tmp_path: Path) -> None:
    async with RunningNode(settings_for(tmp_path, database=database_url)) as node:
        association, core = node.inside.association, node.inside.core
        editor, me = association.editor, association.members.node_user_id
        block = await editor.add_block(me, "1班")
        home = await editor.add_household(me, block.id, "佐藤")
        person = await editor.add_person(me, home.id, "佐藤 花子")
        user_id = await node.inside.accounts.create_user(None, None, "佐藤 花子")
        async with editor.editing() as edit:
            edit.account(person.id, user_id)
        plan = Plan("清掃", IN_A_WEEK, IN_A_WEEK + timedelta(hours=1), asks=True)
        gathering = await association.gatherings.announce(me, plan, EVERYONE)
        positions = core.services.sync.ground.positions
        writing = WritingDown(
            core.database, core.clock, positions, association.members, association.gatherings, association.attendance)
        word = Word(answer=Answer.ACCEPTED, came_by=CameBy.PAPER, people=3)
        await writing.enter(me, gathering.id, home.id, word)
        await writing.take_back(me, gathering.id, home.id)
        await writing.enter(me, gathering.id, home.id, word)
        await association.officers_work.look_round()
        proposals = common_services(node.inside).proposals
        await proposals.propose(user_id, checked_wish("囲碁の会", "土曜日", "hobby"))
        (waiting,) = await proposals.waiting(me)
        await proposals.approve(me, waiting.id)
        await node.restart()
        association, core = node.inside.association, node.inside.core
        (told,) = (await figures_told(core.database, gathering.id)).values()
        assert told.figures["people"] == 3
        (line,) = await association.attendance.homes(gathering)
        assert (line.coming, line.is_written) == (3, True)
        own = await association.attendance.of_user(user_id)
        assert own.to(gathering.id) is Answer.ACCEPTED
        await association.gatherings.cancel(me, gathering.id)
        calls = Calls(core.database, core.clock, association.members, association.gatherings, association.attendance,
                      lambda _: False)
        off = calls.off(me, gathering.id)
        for told_now in (True, True, False, True):
            await calls.tick(me, off, home.id, told=told_now)
        (row,) = await calls.to_call(me, off)
        assert row.call is not None
        assert row.call.officer == me
        proposals = common_services(node.inside).proposals
        assert await proposals.count_waiting() == 0
        assert [kind.value for kind in (await proposals.categories()).values()] == ["hobby"]
