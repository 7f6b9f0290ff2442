"""Two nodes of ours and Synapse in one room: everybody hears everybody, and one less is no harm."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.builders import Person
from tests.interop.certificates import Certificates
from tests.interop.sides import (
    Ours,
    Theirs,
    all_events,
    has_heard,
    joins,
    sees_member,
    sees_state,
    state_of,
    until,
)


@pytest.fixture
async def neighbour(tmp_path: Path, certificates: Certificates) -> AsyncIterator[Ours]:
    side = Ours(tmp_path / "neighbour", certificates)
    await side.start()
    yield side
    await side.stop()


async def _agree(room: str, *people: Person) -> None:
    async def same() -> bool | None:
        states = [await state_of(person, room) for person in people]
        return True if all(state == states[0] for state in states) else None

    await until(people[-1], same)


async def test_everybody_hears_everybody(ours: Ours, theirs: Theirs, neighbour: Ours) -> None:
    hanako, taro, jiro = await theirs.user("hanako"), await ours.user("taro"), await neighbour.user("jiro")
    room = await hanako.creates_room(preset="public_chat", name="広場")
    await joins(taro, room, theirs)
    await joins(jiro, room, ours)  # through somebody who has not made the room
    people = (hanako, taro, jiro)
    for speaker in people:
        for other in people:
            await sees_member(other, room, speaker, "join")
    for speaker in people:
        said = await speaker.says(room, "みなさん、こんにちは")
        for other in people:
            await has_heard(other, room, said)
    levels = (await hanako.get(f"v3/rooms/{room}/state/m.room.power_levels")).body
    trusted = {**levels, "users": {**levels["users"], taro.user_id: 50}}
    assert (await hanako.sets(room, "m.room.power_levels", trusted)).status == 200
    await sees_state(taro, room, "m.room.power_levels", users=trusted["users"])
    assert (await taro.post(f"v3/rooms/{room}/kick", {"user_id": jiro.user_id})).status == 200
    await sees_member(hanako, room, jiro, "leave")
    await joins(jiro, room, theirs)
    await sees_member(taro, room, jiro, "join")
    await _agree(room, *people)


@pytest.mark.parametrize("is_notary", [True, False], ids=["notary", "no notary"])
async def test_what_a_server_said_that_is_gone_is_believed_where_a_notary_knows_its_keys(
    theirs: Theirs, neighbour: Ours, tmp_path: Path, certificates: Certificates, *, is_notary: bool
) -> None:
    """The room is joined in any case, with those who are in it by the word of whoever lets us in."""
    hanako, jiro = await theirs.user("hanako"), await neighbour.user("jiro")
    room = await hanako.creates_room(preset="public_chat", name="広場")
    await joins(jiro, room, theirs)
    await sees_member(hanako, room, jiro, "join")
    said = [await jiro.says(room, f"第{number}号") for number in range(5)]
    await has_heard(hanako, room, said[-1])
    await neighbour.shut()

    ours = Ours(tmp_path / "ours", certificates, f'notaries = ["{theirs.name}"]\n' if is_notary else "")
    await ours.start()
    try:
        taro = await ours.user("taro")
        await joins(taro, room, theirs)
        await has_heard(hanako, room, await taro.says(room, "もう帰りましたか"))
        await sees_member(taro, room, jiro, "join")
        heard = [event["event_id"] for event in await all_events(taro, room)]
        assert [event_id for event_id in reversed(heard) if event_id in said] == (said if is_notary else [])
        await _agree(room, hanako, taro)
    finally:
        await ours.stop()


async def test_a_room_lives_on_without_the_server_where_it_began(
    ours: Ours, theirs: Theirs, neighbour: Ours
) -> None:
    hanako, taro, jiro = await theirs.user("hanako"), await ours.user("taro"), await neighbour.user("jiro")
    room = await hanako.creates_room(preset="public_chat", name="広場")
    for person in (taro, jiro):
        await joins(person, room, theirs)
    await sees_member(taro, room, jiro, "join")
    await theirs.stop()
    await has_heard(jiro, room, await taro.says(room, "まだいますか"))
    saburo = await neighbour.user("saburo")
    await joins(saburo, room)
    said = await saburo.says(room, "はじめまして")
    await has_heard(taro, room, said)
    assert (await jiro.sets(room, "m.room.member", {"membership": "join", "displayname": "次郎"}, jiro.user_id)).status
    await theirs.start()
    await has_heard(hanako, room, said)
    await sees_state(hanako, room, "m.room.member", jiro.user_id, displayname="次郎")
    await has_heard(jiro, room, await hanako.says(room, "戻りました"))
    await _agree(room, hanako, taro, jiro)
