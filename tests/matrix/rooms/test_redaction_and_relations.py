"""Redactions, edits, reactions, threads and what is bundled with an event."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from tests.builders import Person, RunningNode


def related(event_id: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"m.relates_to": {"rel_type": kind, "event_id": event_id, **more}}


async def edits(person: Person, room: str, event_id: str, text: str) -> str:
    more = {**related(event_id, "m.replace"), "m.new_content": {"msgtype": "m.text", "body": text}}
    return await person.says(room, f"* {text}", **more)


async def bundle(person: Person, room: str, event_id: str) -> dict[str, Any]:
    """The bundle as /event, /messages and /sync show it; all the same."""
    shown = (await person.get(f"v3/rooms/{room}/event/{event_id}")).body
    messages = (await person.get(f"v3/rooms/{room}/messages", dir="b", limit="200"))["chunk"]
    synced = (await person.syncs(wanted={"room": {"timeline": {"limit": 200}}})).timeline(room)
    found = [
        next(event for event in events if event["event_id"] == event_id).get("unsigned", {}).get("m.relations", {})
        for events in ([shown], messages, synced)
    ]
    assert found[0] == found[1]
    assert found[0].keys() == found[2].keys()
    return dict(found[2])


@pytest.mark.parametrize("version", ["10", "11", "12"])
async def test_a_redaction_takes_the_content_away_for_good(node: RunningNode, version: str) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat", room_version=version)
    await taro.joins(room)
    event_id = await taro.says(room, "secret words")
    since = (await hanako.syncs()).token
    redaction = await taro.redacts(room, event_id, reason="typo")
    shown = (await hanako.get(f"v3/rooms/{room}/event/{event_id}")).body
    assert shown["content"] == {}
    because = shown["unsigned"]["redacted_because"]
    assert because["event_id"] == redaction["event_id"]
    assert because["redacts"] == because["content"]["redacts"] == event_id
    assert because["content"]["reason"] == "typo"
    told = (await hanako.syncs(since)).timeline(room)
    assert [event["redacts"] for event in told] == [event_id]
    raw = await hanako.syncs(since, wanted={"event_format": "federation"})
    pdu = raw.timeline(room)[0]
    assert ("redacts" in pdu, "redacts" in pdu["content"]) == ((True, False) if version == "10" else (False, True))
    await node.restart()
    stored = await node.inside.core.database.fetch_all(text("SELECT json FROM events"))
    assert not [row for row in stored if b"secret words" in bytes(row[0])]
    assert (await hanako.get(f"v3/rooms/{room}/event/{event_id}"))["content"] == {}


async def test_a_message_may_be_a_redaction(hall: tuple[Person, Person, str]) -> None:
    hanako, _taro, room = hall
    event_id = await hanako.says(room, "x")
    assert (await hanako.sends(room, "m.room.redaction", {"redacts": event_id})).status == 200
    assert (await hanako.get(f"v3/rooms/{room}/event/{event_id}"))["content"] == {}
    assert (await hanako.sends(room, "m.room.redaction", {})).refusal == (400, "M_INVALID_PARAM")


async def test_who_may_not_redact_is_refused_and_nothing_goes(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    event_id = await hanako.says(room, "x")
    assert (await taro.redacts(room, event_id)).refusal == (403, "M_FORBIDDEN")
    assert (await hanako.redacts(room, "$nothing")).refusal == (404, "M_NOT_FOUND")
    other = await taro.creates_room()
    elsewhere = await taro.says(other, "y")
    assert (await taro.redacts(room, elsewhere)).refusal == (400, "M_INVALID_PARAM")
    assert (await taro.get(f"v3/rooms/{other}/event/{elsewhere}"))["content"]["body"] == "y"
    assert (await hanako.get(f"v3/rooms/{room}/event/{event_id}"))["content"]["body"] == "x"


async def test_redacting_again_changes_nothing_and_a_transaction_is_one(hall: tuple[Person, Person, str]) -> None:
    hanako, _taro, room = hall
    event_id = await hanako.says(room, "x")
    path = f"v3/rooms/{room}/redact/{event_id}/once"
    first, again = await hanako.put(path), await hanako.put(path)
    assert first["event_id"] == again["event_id"]
    second = await hanako.redacts(room, event_id)
    assert second["event_id"] != first["event_id"]
    shown = (await hanako.get(f"v3/rooms/{room}/event/{event_id}")).body
    assert shown["unsigned"]["redacted_because"]["event_id"] == first["event_id"]


async def test_redacted_state_shines_through_nowhere(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    named = await hanako.sets(room, "m.room.topic", {"topic": "secret"})
    since = (await taro.syncs()).token
    await hanako.sets(room, "m.room.topic", {"topic": "other"})
    assert (await taro.syncs(since)).timeline(room)[0]["unsigned"]["prev_content"] == {"topic": "secret"}
    await hanako.redacts(room, named["event_id"])
    assert (await taro.syncs(since)).timeline(room)[0]["unsigned"]["prev_content"] == {}
    current = await hanako.sets(room, "m.room.name", {"name": "secret name"})
    await hanako.redacts(room, current["event_id"])
    assert (await taro.get(f"v3/rooms/{room}/state/m.room.name")).body == {}
    assert "secret" not in str((await taro.syncs()).body)
    assert (await hanako.redacts(room, (await hanako.syncs()).timeline(room)[0]["event_id"])).status == 200
    await taro.says(room, "the room lives on")


async def test_the_newest_valid_edit_is_bundled(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    event_id = await hanako.says(room, "first")
    assert await bundle(taro, room, event_id) == {}
    await edits(taro, room, event_id, "by somebody else")
    await hanako.says(room, "without new content", **related(event_id, "m.replace"))
    assert await bundle(taro, room, event_id) == {}
    second = await edits(hanako, room, event_id, "second")
    assert (await bundle(taro, room, event_id))["m.replace"]["event_id"] == second
    third = await edits(hanako, room, event_id, "third")
    found = (await bundle(taro, room, event_id))["m.replace"]
    assert (found["event_id"], found["content"]["m.new_content"]["body"]) == (third, "third")
    await hanako.redacts(room, third)
    assert (await bundle(taro, room, event_id))["m.replace"]["event_id"] == second
    await hanako.redacts(room, second)
    assert await bundle(taro, room, event_id) == {}


async def test_a_redacted_original_shows_no_bundle(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    event_id = await hanako.says(room, "first")
    await edits(hanako, room, event_id, "second")
    await hanako.redacts(room, event_id)
    assert await bundle(taro, room, event_id) == {}
    await edits(hanako, room, event_id, "third")
    assert await bundle(taro, room, event_id) == {}


async def test_threads_are_counted_and_know_who_takes_part(node: RunningNode, hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    jiro = await node.user("jiro")
    await jiro.joins(room)
    root = await hanako.says(room, "root")
    answers = [await taro.says(room, str(number), **related(root, "m.thread")) for number in range(3)]
    for person, takes_part in ((hanako, True), (taro, True), (jiro, False)):
        thread = (await bundle(person, room, root))["m.thread"]
        assert (thread["count"], thread["latest_event"]["event_id"]) == (3, answers[2])
        assert thread["current_user_participated"] is takes_part
    await taro.redacts(room, answers[2])
    thread = (await bundle(jiro, room, root))["m.thread"]
    assert (thread["count"], thread["latest_event"]["event_id"]) == (2, answers[1])
    await node.restart()
    assert (await bundle(jiro, room, root))["m.thread"]["count"] == 2


async def test_the_newest_answer_of_a_thread_is_shown_with_its_edit(
    node: RunningNode, hall: tuple[Person, Person, str]
) -> None:
    hanako, taro, room = hall
    root = await hanako.says(room, "root")
    answer = await taro.says(room, "answer", **related(root, "m.thread"))
    edit = await edits(taro, room, answer, "edited")

    async def latest() -> dict[str, Any]:
        return dict((await bundle(hanako, room, root))["m.thread"]["latest_event"])

    assert (await latest())["unsigned"]["m.relations"]["m.replace"]["event_id"] == edit
    await node.restart()
    assert (await latest())["unsigned"]["m.relations"]["m.replace"]["event_id"] == edit
    await taro.redacts(room, edit)
    assert "unsigned" not in await latest()
    newer = await taro.says(room, "newer", **related(root, "m.thread"))
    await edits(taro, room, answer, "edited again")
    assert (await latest())["event_id"] == newer
    assert "unsigned" not in await latest()


async def test_reactions_are_in_the_timeline_and_not_bundled(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    event_id = await hanako.says(room, "x")
    reaction = await taro.sends(room, "m.reaction", related(event_id, "m.annotation", key="✅"))
    assert await bundle(hanako, room, event_id) == {}
    found = await hanako.get(f"v1/rooms/{room}/relations/{event_id}/m.annotation/m.reaction")
    assert [event["event_id"] for event in found["chunk"]] == [reaction["event_id"]]
    await taro.redacts(room, reaction["event_id"])
    assert (await hanako.get(f"v1/rooms/{room}/relations/{event_id}"))["chunk"] == []


async def test_the_same_reaction_again_is_refused(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    event_id = await hanako.says(room, "x")
    content = related(event_id, "m.annotation", key="✅")
    first = await taro.sends(room, "m.reaction", content)
    assert (await taro.sends(room, "m.reaction", content)).refusal == (400, "M_DUPLICATE_ANNOTATION")
    assert (await hanako.sends(room, "m.reaction", content)).status == 200
    assert (await taro.sends(room, "m.reaction", related(event_id, "m.annotation", key="👍"))).status == 200
    await taro.redacts(room, first["event_id"])
    assert (await taro.sends(room, "m.reaction", content)).status == 200


async def test_relations_come_in_pages(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    root = await hanako.says(room, "poll")
    ids = [
        (await taro.sends(room, "org.matrix.msc3381.poll.response", {**related(root, "m.reference"), "n": number}))[
            "event_id"]
        for number in range(7)
    ]
    for direction, expected in (("b", ids[::-1]), ("f", ids)):
        seen: list[str] = []
        query: dict[str, str] = {"dir": direction, "limit": "3"}
        while True:
            found = await hanako.get(f"v1/rooms/{room}/relations/{root}/m.reference", **query)
            seen += [event["event_id"] for event in found["chunk"]]
            if "next_batch" not in found.body:
                break
            query["from"] = found["next_batch"]
        assert seen == expected
    path = f"v1/rooms/{room}/relations/{root}/m.reference"
    first = await hanako.get(path, limit="3")
    second = await hanako.get(path, limit="3", **{"from": first["next_batch"]})
    assert ("prev_batch" in first.body, second["prev_batch"]) == (False, first["next_batch"])
    back = await hanako.get(path, dir="f", **{"from": second["prev_batch"]})
    assert [event["event_id"] for event in back["chunk"]] == ids[4:]
    until = await hanako.get(path, to=first["next_batch"])
    assert [event["event_id"] for event in until["chunk"]] == ids[:3:-1]
    assert "next_batch" not in until.body
    assert len((await bundle(hanako, room, root))["m.reference"]["chunk"]) == 7
    assert (await hanako.get(f"v1/rooms/{room}/relations/{root}/m.thread"))["chunk"] == []
    assert (await hanako.get(f"v1/rooms/{room}/relations/$nothing")).refusal == (404, "M_NOT_FOUND")


async def test_relations_of_relations_are_followed_on_request(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    root = await hanako.says(room, "root")
    answer = await taro.says(room, "answer", **related(root, "m.thread"))
    reaction = (await hanako.sends(room, "m.reaction", related(answer, "m.annotation", key="✅")))["event_id"]
    path = f"v1/rooms/{room}/relations/{root}"
    assert [e["event_id"] for e in (await hanako.get(path))["chunk"]] == [answer]
    deep = await hanako.get(path, recurse="true")
    assert [e["event_id"] for e in deep["chunk"]] == [reaction, answer]
    assert deep["recursion_depth"] == 3


@pytest.mark.parametrize("relates", [5, "x", [], {"event_id": 5, "rel_type": "m.thread"}, {"rel_type": []},
                                     {"event_id": "$\0", "rel_type": "m.annotation", "key": "\0"}])
async def test_strange_relations_hurt_nobody(hall: tuple[Person, Person, str], relates: Any) -> None:
    hanako, _taro, room = hall
    await hanako.says(room, "x", **{"m.relates_to": relates})
    assert "x" in (await hanako.syncs()).texts(room)
