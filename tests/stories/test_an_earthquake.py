"""One association's worst day, from the invitation to the closed safety check, through the doors that people use."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from server.assembly.pages import invitations_of
from server.association.members.came_by import CameBy
from server.association.members.model import EVERYONE, Purpose, Role
from server.association.members.newcomers import Newcomer
from server.association.safety_checks.actions import Given
from server.association.safety_checks.desk import SafetyDesk
from server.association.safety_checks.model import PROMPT, Check, Standing, Status
from server.foundation.errors import Forbidden
from tests.builders import Person, RunningNode, settings_for

Json = Mapping[str, Any]


class Hall:
    """A running association and its people, who came in by their cards."""

    def __init__(self, node: RunningNode) -> None:
        self.node = node
        self.association = node.inside.association
        self._invitations = invitations_of(node.inside)

    async def comes_in(self, name: str, block: str, role: Role | None = None) -> Person:
        """Somebody redeems the card that the node made out for them."""
        members = self.association.members
        card = await self._invitations.card_by_name(members.node_user_id, Newcomer(name, block), role)
        welcome = await self._invitations.redeem(card.code, "192.0.2.1")
        token, device_id = await self.node.inside.accounts.create_session(welcome.user_id, None, "phone")
        return Person(self.node, welcome.user_id, token, device_id)

    async def is_shaken(self, officer: Person, title: str, *, drill: bool = False) -> Check:
        """An officer starts a safety check, and everybody has been asked."""
        checks = self.association.safety_checks
        check = await checks.announce(officer.user_id, title, EVERYONE, drill=drill)
        await checks.ask(check.id)
        return check

    def desk_of(self, resident: Person) -> str:
        """The resident's own line to the officers (窓口)."""
        person = self.association.members.person_of_user(resident.user_id)
        assert person is not None
        room = self.association.members.desk_room_of(person.id)
        assert room is not None
        return room


@pytest.fixture
async def hall(node: RunningNode) -> Hall:
    return Hall(node)


async def _question_in(room: str, resident: Person) -> list[Json]:
    sync = await resident.syncs()
    return [event for event in sync.timeline(room) if PROMPT in event["content"]]


async def test_everybody_is_asked_at_their_own_desk_and_answers_as_they_like(hall: Hall) -> None:
    chair = await hall.comes_in("会田長子", "1班", Role.CHAIR)
    taro, hanako, jiro = [await hall.comes_in(name, "1班") for name in ("田中太郎", "佐藤花子", "鈴木次郎")]
    desk = SafetyDesk(hall.node.inside.core.database, hall.association.members)

    check = await hall.is_shaken(chair, "地震 震度5強")

    questions = await _question_in(hall.desk_of(taro), taro)
    assert questions, "the question stands in the resident's own room"
    await taro.says(hall.desk_of(taro), "無事")
    reaction = {"m.relates_to": {"rel_type": "m.annotation", "event_id": questions[0]["event_id"], "key": "1️⃣"}}
    hanakos = await _question_in(hall.desk_of(hanako), hanako)
    reaction["m.relates_to"]["event_id"] = hanakos[0]["event_id"]
    assert (await hanako.sends(hall.desk_of(hanako), "m.reaction", reaction)).status == 200
    jiros = await _question_in(hall.desk_of(jiro), jiro)
    assert (await jiro.reads(hall.desk_of(jiro), jiros[-1]["event_id"])).status == 200

    figures = (await desk.table(chair.user_id, check.id)).persons
    assert figures.as_content() == {
        "answered": 2, "safe": 2, "contact": 0, "help": 0, "read": 1, "unread": 1, "no_app": 0, "total": 4,
    }


async def test_reading_is_no_answer_and_a_knock_at_the_door_is(hall: Hall) -> None:
    chair = await hall.comes_in("会田長子", "1班", Role.CHAIR)
    jiro = await hall.comes_in("鈴木次郎", "2班")
    members, checks = hall.association.members, hall.association.safety_checks
    desk = SafetyDesk(hall.node.inside.core.database, members)
    check = await hall.is_shaken(chair, "地震")
    question = (await _question_in(hall.desk_of(jiro), jiro))[-1]
    await jiro.reads(hall.desk_of(jiro), question["event_id"])
    assert (await desk.table(chair.user_id, check.id)).persons.answered == 0

    person = members.person_of_user(jiro.user_id)
    assert person is not None
    await checks.enter(chair.user_id, check.id, [person.id], Given(status=Status.SAFE), CameBy.DOOR)

    assert (await desk.table(chair.user_id, check.id)).persons.of(Standing.SAFE) == 1


async def test_an_answer_that_was_acknowledged_is_there_after_a_restart(tmp_path: Path) -> None:
    async with RunningNode(settings_for(tmp_path)) as node:
        hall = Hall(node)
        chair = await hall.comes_in("会田長子", "1班", Role.CHAIR)
        taro = await hall.comes_in("田中太郎", "1班")
        check = await hall.is_shaken(chair, "秋の訓練", drill=True)
        room = hall.desk_of(taro)
        await taro.says(room, "助けて")
        await node.restart()

        hall = Hall(node)
        desk = SafetyDesk(node.inside.core.database, hall.association.members)
        assert (await desk.table(chair.user_id, check.id)).persons.of(Standing.HELP) == 1
        assert "助けて" in (await taro.syncs()).texts(room)


async def test_a_drill_says_so_wherever_it_is_seen(hall: Hall) -> None:
    chair = await hall.comes_in("会田長子", "1班", Role.CHAIR)
    taro = await hall.comes_in("田中太郎", "1班")

    await hall.is_shaken(chair, "秋の訓練", drill=True)

    disaster = hall.association.members.hall_room(Purpose.DISASTER)
    timeline = (await taro.syncs()).timeline(disaster)
    announced = [event for event in timeline if event["type"] == "jp.kairan.safety.check"]
    assert [event["content"]["drill"] for event in announced] == [True]
    assert all(event["content"][PROMPT]["drill"] for event in await _question_in(hall.desk_of(taro), taro))
    assert all("訓練" in str(event["content"]) for event in await _question_in(hall.desk_of(taro), taro))


async def test_a_resident_cannot_start_a_safety_check(hall: Hall) -> None:
    taro = await hall.comes_in("田中太郎", "1班")

    with pytest.raises(Forbidden):
        await hall.is_shaken(taro, "うそ")

    assert await _question_in(hall.desk_of(taro), taro) == []
