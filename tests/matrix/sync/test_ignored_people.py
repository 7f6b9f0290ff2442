"""What ignored people do does not reach who ignores them."""

from __future__ import annotations

import pytest

from tests.builders import Json, Person, RunningNode


async def ignores(person: Person, *others: Person) -> None:
    content: Json = {"ignored_users": {other.user_id: {} for other in others}}
    assert (await person.put(f"v3/user/{person.user_id}/account_data/m.ignored_user_list", content)).status == 200


@pytest.fixture
async def three(node: RunningNode) -> tuple[Person, Person, Person, str]:
    """Hanako, who ignores Taro; Jiro; and a room of theirs."""
    hanako, taro, jiro = await node.users("hanako", "taro", "jiro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    await jiro.joins(room)
    await ignores(hanako, taro)
    return hanako, taro, jiro, room


async def test_what_they_say_is_hidden_everywhere(three: tuple[Person, Person, Person, str]) -> None:
    hanako, taro, jiro, room = three
    since = (await hanako.syncs()).token
    await taro.says(room, "taro")
    event_id = await jiro.says(room, "jiro")
    await taro.says(room, "taro again")
    assert (await hanako.syncs(since)).texts(room) == ["jiro"]
    assert (await hanako.syncs()).texts(room) == ["jiro"]
    page = await hanako.get(f"v3/rooms/{room}/messages", dir="b")
    assert [event["content"]["body"] for event in page["chunk"] if "body" in event["content"]] == ["jiro"]
    context = await hanako.get(f"v3/rooms/{room}/context/{event_id}")
    assert not [event for event in context["events_after"] if "body" in event["content"]]
    assert len((await jiro.syncs()).texts(room)) == 3


async def test_what_they_do_to_the_room_is_seen(three: tuple[Person, Person, Person, str]) -> None:
    hanako, taro, _jiro, room = three
    since = (await hanako.syncs()).token
    await taro.leaves(room)
    assert (await hanako.syncs(since)).timeline(room)[-1]["content"]["membership"] == "leave"


async def test_their_receipts_and_typing_are_hidden(three: tuple[Person, Person, Person, str]) -> None:
    hanako, taro, jiro, room = three
    event_id = await hanako.says(room, "x")
    since = (await hanako.syncs()).token
    for person in (taro, jiro):
        await person.reads(room, event_id)
        await person.put(f"v3/rooms/{room}/typing/{person.user_id}", {"typing": True})
    for answer in (await hanako.syncs(since), await hanako.syncs()):
        told = answer.ephemeral(room, "m.receipt")
        assert told is not None
        assert list(told[event_id]["m.read"]) == [jiro.user_id]
        assert answer.ephemeral(room, "m.typing") == {"user_ids": [jiro.user_id]}


async def test_their_invitations_are_hidden(three: tuple[Person, Person, Person, str]) -> None:
    hanako, taro, jiro, _room = three
    since = (await hanako.syncs()).token
    for person in (taro, jiro):
        await person.invites(hanako, await person.creates_room(name=person.user_id))
    for answer in (await hanako.syncs(since), await hanako.syncs()):
        assert taro.user_id not in str(answer.rooms("invite"))
        assert len(answer.rooms("invite")) == 1


async def test_their_messages_to_devices_are_hidden_but_for_keys(three: tuple[Person, Person, Person, str]) -> None:
    hanako, taro, jiro, _room = three
    since = (await hanako.syncs()).token
    for number, (person, kind) in enumerate(
        [(taro, "m.key.verification.request"), (taro, "m.room.encrypted"), (jiro, "m.key.verification.request")]
    ):
        body = {"messages": {hanako.user_id: {"*": {"from": person.user_id}}}}
        assert (await person.put(f"v3/sendToDevice/{kind}/t{number}", body)).status == 200
    told = (await hanako.syncs(since)).body["to_device"]["events"]
    assert [(event["sender"], event["type"]) for event in told] == [
        (taro.user_id, "m.room.encrypted"), (jiro.user_id, "m.key.verification.request"),
    ]


async def test_who_is_heard_again_is_heard_from_then_on(three: tuple[Person, Person, Person, str]) -> None:
    hanako, taro, _jiro, room = three
    since = (await hanako.syncs()).token
    await ignores(hanako)
    await taro.says(room, "taro")
    assert (await hanako.syncs(since)).texts(room) == ["taro"]
