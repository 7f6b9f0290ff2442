"""Liaison rooms: a city's desk and an association's officers talk, and every question has a state."""

from __future__ import annotations

from pathlib import Path

import pytest

from federation.liaison.model import CASE, DUTY, LIAISON, CaseState
from server.foundation.errors import Forbidden, InvalidParam, NotFound, Refused
from server.rooms.send_event import Draft
from tests.federation.wide_area.places import Place, link, refused, until, wide_area
from tests.federation.wide_area.test_protocol import is_as_documented


async def opens(place: Place, link_room: str) -> None:
    """Wait until the liaison room is there."""

    async def there() -> bool:
        try:
            await place.verbs.liaison.cases(place.me, link_room)
        except NotFound:
            return False
        return True

    await until(there)


async def state_of(place: Place, link_room: str, case_id: str) -> CaseState | None:
    found = await place.verbs.liaison.cases(place.me, link_room)
    return next((case.state for case in found if case.id == case_id), None)


async def test_a_question_is_asked_taken_and_answered(tmp_path: Path) -> None:
    async with wide_area(tmp_path, city="city", sakura="association") as (city, sakura):
        room = (await link(city, sakura, "17201/sakura")).room_id
        for place in (city, sakura):
            await opens(place, room)
        ours, theirs = sakura.verbs.liaison, city.verbs.liaison
        case = await ours.ask(sakura.me, room, "街灯", "3班の街灯が切れています。", by="会長")

        async def has_come() -> bool:
            return await state_of(city, room, case.id) is CaseState.OPEN

        await until(has_come)
        await theirs.move(city.me, room, case.id, CaseState.TAKEN, by="道路課")
        await theirs.reply(city.me, room, case.id, "明日うかがいます。", by="道路課")
        await theirs.move(city.me, room, case.id, CaseState.ANSWERED)
        await theirs.set_duty(city.me, room, "市民協働課 夜間", until_ts=9_000_000_000_000)

        async def is_answered() -> bool:
            return await state_of(sakura, room, case.id) is CaseState.ANSWERED and bool(
                await ours.on_duty(sakura.me, room))

        await until(is_answered)
        lines = await ours.conversation(sakura.me, room, case.id)
        assert [(line.server, line.by) for line in lines] == [(sakura.server, "会長"), (city.server, "道路課")]
        assert lines[1].text == "明日うかがいます。"
        duty = await ours.on_duty(sakura.me, room)
        assert duty[city.server].who == "市民協働課 夜間"
        with pytest.raises(Refused, match="できません"):
            await ours.move(sakura.me, room, case.id, CaseState.TAKEN)
        await ours.move(sakura.me, room, case.id, CaseState.OPEN)

        live = (await ours.rooms.room_of(sakura.me, room))[1]
        for event in live.state.values():
            if event.type in (CASE, DUTY):
                is_as_documented(event.type, event.content)


async def test_an_officer_talks_there_in_any_client(tmp_path: Path) -> None:
    async with wide_area(tmp_path, city="city", sakura="association") as (city, sakura):
        room = (await link(city, sakura, "17201/sakura")).room_id
        for place in (city, sakura):
            await opens(place, room)
        case = await sakura.verbs.liaison.ask(sakura.me, room, "街灯", "切れています。")
        suzuki = await city.node.user("suzuki")
        with pytest.raises(Forbidden):
            await city.verbs.liaison.rooms.enter(suzuki.user_id, room)
        live = (await city.verbs.liaison.rooms.room_of(city.me, room))[1]
        await city.node.inside.services.membership.invite(live.room_id, city.me, suzuki.user_id)
        await suzuki.joins(live.room_id)

        async def has_come() -> bool:
            return await state_of(city, room, case.id) is CaseState.OPEN

        await until(has_come)
        relates = {"rel_type": "m.thread", "event_id": case.root}
        await suzuki.says(live.room_id, "見てきます", **{"m.relates_to": relates})

        async def is_heard() -> bool:
            lines = await sakura.verbs.liaison.conversation(sakura.me, room, case.id)
            return [line.by for line in lines[1:]] == ["suzuki"]

        await until(is_heard)


async def test_strangers_officers_of_nothing_and_ended_links_are_refused(tmp_path: Path) -> None:
    async with wide_area(tmp_path, city="city", sakura="association") as (city, sakura):
        room = (await link(city, sakura, "17201/sakura")).room_id
        await opens(sakura, room)
        liaison = sakura.verbs.liaison
        with pytest.raises(Forbidden):
            await liaison.cases("@someone:elsewhere.example", room)
        with pytest.raises(NotFound):
            await liaison.reply(sakura.me, room, "nothing", "はい")
        for title, text in (("", "本文"), ("題", ""), ("題" * 81, "本文")):
            with pytest.raises(InvalidParam):
                await liaison.ask(sakura.me, room, title, text)
        long = await liaison.ask(sakura.me, room, "題" * 80, "文" * 4_000)
        (line,) = await liaison.conversation(sakura.me, room, long.id)
        assert line.text.endswith("\n" + "文" * 4_000)
        for text in ("", " ", "文" * 4_001):
            with pytest.raises(InvalidParam):
                await liaison.reply(sakura.me, room, long.id, text)
            with pytest.raises(InvalidParam):
                await sakura.verbs.talk.say(sakura.me, room, text)
        with pytest.raises(InvalidParam):
            await liaison.set_duty(sakura.me, room, "会長", until_ts=1)
        await sakura.node.inside.services.sender.send(
            Draft(room, sakura.me, LIAISON, {"room_id": "!evil"}, state_key=sakura.me))
        await refused(city, "連絡室に招きました")
        await sakura.verbs.halves.end(sakura.me, room)
        with pytest.raises(Forbidden, match="終わっています"):
            await liaison.ask(sakura.me, room, "題", "本文")
