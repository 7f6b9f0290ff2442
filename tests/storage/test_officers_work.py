"""Questions, slips, planned circulars, examples and the ledger come from either database alike."""

from __future__ import annotations

from pathlib import Path

from server.association.circulars.ledger import CircularLedger
from server.association.circulars.model import Letter
from server.association.examples.actions import Examples
from server.association.examples.model import Kind
from server.association.inquiries.model import State
from server.association.members.came_by import CameBy
from server.association.members.model import EVERYONE, Role
from server.association.polls import slips_store
from server.association.polls.model import Question
from server.association.polls.slip import Slip
from server.association.polls.yearly import polls_between
from server.rooms.receipts import READ
from server.storage.database import Database, Writes
from tests.builders import RunningNode, settings_for

_FAR = 1 << 50


async def _slips(database: Database, poll_id: str) -> list[Slip]:
    """A slip stored twice is one."""
    for slip_id in ("abcdefgh1234", "other1234567"):
        writes = Writes()
        slips_store.add_slip(writes, Slip(slip_id, poll_id, "home"))
        await database.submit(writes)
    return await slips_store.slips_of(database, poll_id)


async def test_what_officers_keep_comes_from_either_database(database_url: str, tmp_path: Path) -> None:
    async with RunningNode(settings_for(tmp_path, database=database_url)) as node:
        association, core = node.inside.association, node.inside.core
        members, editor, me = association.members, association.editor, association.members.node_user_id
        block = await editor.add_block(me, "1班")
        home = await editor.add_household(me, block.id, "佐藤")
        person = await editor.add_person(me, home.id, "佐藤 花子")
        await editor.give_role(me, person.id, Role.CHAIR)
        user_id = await node.inside.accounts.create_user(None, None, "佐藤 花子")
        async with editor.editing() as edit:
            edit.account(person.id, user_id)
        circular = await association.circulars.post(me, Letter(title="清掃", text="朝8時", audience=EVERYONE))
        (room_id,) = members.rooms_for(EVERYONE)
        room = await core.services.rooms.get(room_id)
        for _ in range(2):
            await core.services.receipts.send(room_id, user_id, READ, room.timeline[-1].event.event_id)
        await association.circulars.enter_paper(me, circular.id, home.id, by_phone=True)
        await association.inquiries.verbs.ask(user_id, "側溝が つまっています")
        entered = await association.inquiries.verbs.enter(me, "街灯", CameBy.PHONE, asker="通りの人")
        await association.inquiries.verbs.answer(me, entered.id, entered.revision, "市に 言いました")
        question = Question(text="来ますか", choices=("はい", "いいえ"), audience=EVERYONE)
        poll = await association.polls.start(me, question)
        letter = Letter(title="あとで", text="x", audience=EVERYONE)
        await association.officers_work.planned.plan(me, letter, core.clock.now_ms() + 86_400_000)
        await Examples(core.database, core.clock, members).recommend(me, Kind.CIRCULAR, circular.id, "よい")
        await node.restart()
        association, core = node.inside.association, node.inside.core
        ledger = await CircularLedger(core.database, association.members).between(me, 0, _FAR)
        assert [(item.seen, item.phone, item.reached) for item in ledger.figures] == [(1, 1, 1)]
        states = sorted(item.state for item in association.inquiries.verbs.inbox(me))
        assert states == [State.ANSWERED, State.OPEN]
        assert [item.letter for item in association.officers_work.planned.all(me)] == [letter]
        assert await _slips(core.database, poll.id) == [Slip("abcdefgh1234", poll.id, "home")]
        year = await polls_between(core.database, association.members, association.polls.results, me, 0, _FAR)
        assert [item.poll.id for item in year.figures] == [poll.id]
        examples = Examples(core.database, core.clock, association.members)
        assert [item.note for item in await examples.all(me)] == ["よい"]
        await examples.take_back(me, Kind.CIRCULAR, circular.id)
        assert await examples.all(me) == []
