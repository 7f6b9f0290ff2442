"""Circulars with a set time, telling once more who has not seen one, and two officers who correct the same one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import orjson
import pytest
from jsonschema import Draft202012Validator

from server.association.circulars.again import MARK, PEACE_MS, Again
from server.association.circulars.model import Letter
from server.association.circulars.planning import PlannedCirculars
from server.association.members.model import EVERYONE, Audience, Role
from server.foundation.errors import Forbidden, InvalidParam, NotFound, Refused
from server.notifications.web_push_words import shown_of
from server.rooms.receipts import READ
from tests.association.circulars.going_round import PDF, GoingRound, going_round

LETTER = Letter(title="夏まつり", text="8月9日です", audience=EVERYONE, attachments=(PDF,))
HOUR_MS = 3_600_000


def planned_of(found: GoingRound) -> PlannedCirculars:
    node = found.street.node
    return PlannedCirculars(node.database, node.clock, node.members, found.circulars)


def again_of(found: GoingRound) -> Again:
    node = found.street.node
    made = Again(node.database, node.clock, node.members, node.sender, found.reader, "https://sakura.example")
    made.attach(node.acceptor)
    return made


async def test_a_circular_goes_round_at_its_time_and_once(tmp_path: Path) -> None:
    async with going_round(tmp_path / "node.db") as found:
        planned = planned_of(found)
        item = await planned.plan(found.chair, LETTER, found.clock.now_ms() + HOUR_MS)
        assert await planned.publish_due() == 0
        assert await found.titles("青木 一") == []
        await found.clock.advance(3_600)
        assert await planned.publish_due() == 1
        assert await planned.publish_due() == 0
        assert await found.titles("青木 一") == ["夏まつり"]
        assert planned.all(found.chair) == []
        assert (await found.reader.one(found.chair, item.id)).circular.attachments == (PDF,)


async def test_what_fell_due_while_the_node_was_down_goes_round_at_its_start(tmp_path: Path) -> None:
    async with going_round(tmp_path / "node.db") as found:
        first = await planned_of(found).plan(found.chair, LETTER, found.clock.now_ms() + HOUR_MS)
    async with going_round(tmp_path / "node.db") as found:
        planned = planned_of(found)
        await planned.open()
        assert [item.letter for item in planned.all(found.chair)] == [LETTER]
        await found.clock.advance(2 * 3_600)
        # Killed after it was sent and before it was struck off: sent again it is the same circular.
        await found.circulars.post(found.chair, LETTER, circular_id=first.id)
        assert await planned.publish_due() == 1
        assert await found.titles("青木 一") == ["夏まつり"]


async def test_what_cannot_go_round_any_more_is_shown_with_its_reason(tmp_path: Path) -> None:
    async with going_round(tmp_path / "node.db") as found:
        planned, node = planned_of(found), found.street.node
        officer = await node.person("役員 二", roles=[Role.OFFICER])
        await planned.plan(str(officer.user_id), LETTER, found.clock.now_ms() + HOUR_MS)
        await node.editor.take_role(node.node, officer.id, Role.OFFICER)
        await found.clock.advance(3_600)
        await planned.publish_due()
        (item,) = planned.all(found.chair)
        assert item.fault
        assert await planned.publish_due() == 0
        assert (await planned.publish_now(found.chair, item.id)).issuer == found.chair
        assert planned.all(found.chair) == []


async def test_it_is_changed_and_given_up_by_those_who_may_send_it(tmp_path: Path) -> None:
    async with going_round(tmp_path / "node.db") as found:
        planned, now = planned_of(found), found.clock.now_ms()
        item = await planned.plan(found.chair, LETTER, now + HOUR_MS)
        resident = found.street.user("青木 一")
        for refused in (
            planned.plan(resident, LETTER, now + HOUR_MS), planned.drop(resident, item.id),
            planned.publish_now(resident, item.id),
        ):
            with pytest.raises(Forbidden):
                await refused
        with pytest.raises(Forbidden):
            planned.all(resident)
        for ts in (now, now - 1, now + 500 * 24 * HOUR_MS):
            with pytest.raises(InvalidParam):
                await planned.plan(found.chair, LETTER, ts)
        changed = await planned.change(found.chair, item.id, LETTER, now + 2 * HOUR_MS, item.revision)
        with pytest.raises(Refused) as fault:
            await planned.change(found.chair, item.id, LETTER, now + 3 * HOUR_MS, item.revision)
        assert fault.value.status == 412
        assert planned.one(found.chair, item.id) == changed
        await planned.drop(found.chair, item.id)
        with pytest.raises(NotFound):
            await planned.drop(found.chair, item.id)


async def test_a_block_leader_plans_for_their_block_only(tmp_path: Path) -> None:
    async with going_round(tmp_path / "node.db") as found:
        node, planned = found.street.node, planned_of(found)
        leader = await node.person("班長 一", "1班", [Role.BLOCK_LEADER])
        own, other = [Audience.blocks([block.id]) for block in node.members.blocks()]
        at = found.clock.now_ms() + HOUR_MS
        await planned.plan(str(leader.user_id), Letter(title="班だけ", text="x", audience=own), at)
        with pytest.raises(Forbidden):
            await planned.plan(str(leader.user_id), Letter(title="よその班", text="x", audience=other), at)
        await planned.plan(found.chair, LETTER, at)
        assert [item.letter.title for item in planned.all(str(leader.user_id))] == ["班だけ"]
        assert len(planned.all(found.chair)) == 2


async def test_who_has_not_seen_a_circular_is_told_once_more_and_then_left_in_peace(tmp_path: Path) -> None:
    async with going_round(tmp_path / "node.db") as found:
        again = again_of(found)
        circular = await found.post()
        await found.street.read("青木 一", found.hall, await found.message(circular), READ)
        assert await again.tell(found.chair, circular.id) == 3
        assert await again.tell(found.chair, circular.id) == 0
        assert not any("もう一度" in body for body in await found.street.bodies(found.street.desk("青木 一")))
        told = (await found.street.bodies(found.street.desk("井上 二")))[-1]
        assert f"https://sakura.example/circulars/{circular.id}" in told
        room = await found.street.room(found.street.desk("井上 二"))
        file = Path(__file__).parents[3] / "docs/events/jp.kairan.circular.again.schema.json"
        Draft202012Validator(orjson.loads(file.read_bytes())).validate(room.timeline[-1].event.content[MARK])
        shown = shown_of(room, room.timeline[-1], "ja", is_ours=True)
        assert shown is not None
        assert shown.address == f"/circulars/{circular.id}"
        await found.clock.advance(PEACE_MS / 1000 + 1)
        assert await again.tell(found.chair, circular.id) == 3
        await found.circulars.withdraw(found.chair, circular.id)
        with pytest.raises(Refused):
            await again.tell(found.chair, circular.id)
        with pytest.raises(Forbidden):
            await again.tell(found.street.user("青木 一"), circular.id)


async def test_two_officers_correct_at_once_and_the_rooms_say_what_the_table_says(tmp_path: Path) -> None:
    async with going_round(tmp_path / "node.db") as found:
        circular = await found.post()
        texts = ("7時に かわりました", "9時に かわりました")
        letters = [Letter(title="清掃", text=text, audience=EVERYONE) for text in texts]
        results = await asyncio.gather(
            *(found.circulars.correct(found.chair, circular.id, letter, expected_revision=1) for letter in letters),
            return_exceptions=True,
        )
        refused = [fault for fault in results if isinstance(fault, Refused)]
        assert [fault.status for fault in refused] == [412]
        kept = (await found.reader.one(found.chair, circular.id)).circular
        assert kept.revision == 2
        assert kept.text in await found.shown(circular)


async def test_corrections_without_a_revision_follow_one_another(tmp_path: Path) -> None:
    async with going_round(tmp_path / "node.db") as found:
        circular = await found.post()
        texts = ("7時に かわりました", "9時に かわりました")
        await asyncio.gather(*(
            found.circulars.correct(found.chair, circular.id, Letter(title="清掃", text=text, audience=EVERYONE))
            for text in texts))
        kept = (await found.reader.one(found.chair, circular.id)).circular
        assert kept.revision == 3
        assert kept.text in await found.shown(circular)
