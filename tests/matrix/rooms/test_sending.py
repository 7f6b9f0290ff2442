"""Sending messages and setting state: transaction ids, sizes, levels, and that a refusal leaves nothing."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.builders import Person, RunningNode


async def count(person: Person, room: str) -> int:
    return len((await person.get(f"v3/rooms/{room}/messages", dir="b", limit="500"))["chunk"])


async def test_the_same_transaction_is_one_event(hall: tuple[Person, Person, str]) -> None:
    hanako, _taro, room = hall
    before = await count(hanako, room)
    answers = await asyncio.gather(*(
        hanako.sends(room, "m.room.message", {"body": "x"}, txn="once") for _ in range(6)
    ))
    assert len({answer["event_id"] for answer in answers}) == 1
    clashing = await hanako.sends(room, "m.room.message", {"body": "something else"}, txn="once")
    assert clashing["event_id"] == answers[0]["event_id"]
    assert await count(hanako, room) == before + 1


async def test_a_transaction_is_known_after_a_restart(node: RunningNode, hall: tuple[Person, Person, str]) -> None:
    hanako, _taro, room = hall
    first = await hanako.sends(room, "m.room.message", {"body": "x"}, txn="once")
    await node.restart()
    before = await count(hanako, room)
    again = await asyncio.gather(*(hanako.sends(room, "m.room.message", {"body": "x"}, txn="once") for _ in range(4)))
    assert {answer["event_id"] for answer in again} == {first["event_id"]}
    assert await count(hanako, room) == before
    assert (await hanako.says(room, "goes on")).startswith("$")


async def test_what_could_not_be_said_again_is_found_after_a_restart(
    node: RunningNode, hall: tuple[Person, Person, str]
) -> None:
    hanako, taro, room = hall
    message = await hanako.says(room, "了解なら、ひとこと")
    relation = {"m.relates_to": {"rel_type": "m.annotation", "event_id": message, "key": "了解"}}
    reaction = await taro.sends(room, "m.reaction", relation, txn="stamp")
    answer = await taro.sends(room, "m.room.message", {"body": "了解"}, txn="word")
    await node.restart()
    # The same reaction is refused as a second one, and was the first.
    assert (await taro.sends(room, "m.reaction", relation, txn="stamp"))["event_id"] == reaction["event_id"]
    assert (await taro.sends(room, "m.reaction", relation, txn="another")).refusal == (400, "M_DUPLICATE_ANNOTATION")
    await hanako.post(f"v3/rooms/{room}/kick", {"user_id": taro.user_id})
    assert (await taro.sends(room, "m.room.message", {"body": "了解"}, txn="word"))["event_id"] == answer["event_id"]
    assert (await taro.sends(room, "m.room.message", {"body": "了解"}, txn="new")).status == 403


async def test_transactions_of_other_devices_rooms_and_types_are_others(
    node: RunningNode, hall: tuple[Person, Person, str]
) -> None:
    hanako, taro, room = hall
    tablet = await node.user("hanako")
    other_room = await hanako.creates_room()
    sent = [
        await hanako.sends(room, "m.room.message", {"body": "x"}, txn="t"),
        await tablet.sends(room, "m.room.message", {"body": "x"}, txn="t"),
        await taro.sends(room, "m.room.message", {"body": "x"}, txn="t"),
        await hanako.sends(other_room, "m.room.message", {"body": "x"}, txn="t"),
        await hanako.sends(room, "jp.kairan.other", {"body": "x"}, txn="t"),
    ]
    assert len({answer["event_id"] for answer in sent}) == 5


async def test_a_refused_transaction_can_be_tried_again(hall: tuple[Person, Person, str]) -> None:
    _hanako, taro, room = hall
    await taro.leaves(room)
    assert (await taro.sends(room, "m.room.message", {"body": "x"}, txn="t")).status == 403
    await taro.joins(room)
    assert (await taro.sends(room, "m.room.message", {"body": "x"}, txn="t")).status == 200


async def test_setting_a_state_twice_is_one_event(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    first = await hanako.sets(room, "m.room.topic", {"topic": "夏祭り", "x": True})
    assert (await hanako.sets(room, "m.room.topic", {"topic": "夏祭り", "x": True}))["event_id"] == first["event_id"]
    assert (await hanako.sets(room, "m.room.topic", {"topic": "夏祭り", "x": 1}))["event_id"] != first["event_id"]
    assert (await taro.sets(room, "m.room.topic", {"topic": "x"})).refusal == (403, "M_FORBIDDEN")
    whole = await hanako.get(f"v3/rooms/{room}/state/m.room.topic", format="event")
    assert whole["content"] == {"topic": "夏祭り", "x": 1}
    assert whole["room_id"] == room


async def test_levels_are_respected(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    levels = (await hanako.get(f"v3/rooms/{room}/state/m.room.power_levels")).body
    assert (await taro.sets(room, "m.room.power_levels", levels | {"users_default": 1})).status == 403
    opened = {**levels, "events": {**levels["events"], "m.room.topic": 0, "m.room.message": 50}}
    assert (await hanako.sets(room, "m.room.power_levels", opened)).status == 200
    assert (await taro.sets(room, "m.room.topic", {"topic": "x"})).status == 200
    assert (await taro.sends(room, "m.room.message", {"body": "x"})).refusal == (403, "M_FORBIDDEN")
    assert (await taro.sets(room, "x.mine", {"a": 1}, taro.user_id)).status == 403
    wrongs: list[dict[str, Any]] = [
        {"users": {taro.user_id: "50"}}, {"ban": 1.5}, {"users": []}, {"events": {"x": None}},
    ]
    for wrong in wrongs:
        answer = await hanako.sets(room, "m.room.power_levels", levels | wrong)
        assert answer.status in (400, 403), wrong


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"{", 400, "M_NOT_JSON"), (b"", 400, "M_NOT_JSON"), (b"[]", 400, "M_BAD_JSON"), (b"null", 400, "M_BAD_JSON"),
        (b'"x"', 400, "M_BAD_JSON"), (b"\xef\xbb\xbf{}", 400, "M_NOT_JSON"), (b'{"a": NaN}', 400, "M_NOT_JSON"),
        (b'{"a": Infinity}', 400, "M_NOT_JSON"), (b'{"body": "\xff"}', 400, "M_NOT_JSON"),
        (b'{"body": "\\ud800"}', 400, "M_NOT_JSON"), (b'{"a": 1.5}', 400, "M_BAD_JSON"),
        (b'{"a": 9007199254740992}', 400, "M_BAD_JSON"), (b'{"a": -9007199254740992}', 400, "M_BAD_JSON"),
        (b'{"a": 18446744073709551616}', 400, "M_BAD_JSON"), (b'{"a": 1e400}', 400, None),
        (b'{"a": 1E2}', 400, "M_BAD_JSON"),
        (b'{"a": ' + b"9" * 5_000 + b"}", 400, None),
        (b'{"a": ' + b"[" * 200 + b"]" * 200 + b"}", 400, "M_BAD_JSON"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 413, "M_TOO_LARGE"),
        (b'{"a":' * 2_000 + b"1" + b"}" * 2_000, 400, "M_NOT_JSON"),
    ],
)
async def test_what_is_no_event_is_refused(
    hall: tuple[Person, Person, str], content: bytes, status: int, code: str | None
) -> None:
    hanako, _taro, room = hall
    before = await count(hanako, room)
    for path in (f"v3/rooms/{room}/send/m.room.message/t", f"v3/rooms/{room}/state/m.room.topic"):
        answer = await hanako.ask("PUT", path, content)
        assert answer.status == status, answer
        assert code is None or answer.code == code
    assert await count(hanako, room) == before


async def test_nul_and_every_other_character_may_stand_in_a_text(hall: tuple[Person, Person, str]) -> None:
    hanako, _taro, room = hall
    text = "\0\u0001\u2028\u202e\ufeff😀\u3042"
    event_id = await hanako.says(room, text)
    assert (await hanako.get(f"v3/rooms/{room}/event/{event_id}"))["content"]["body"] == text


@pytest.mark.parametrize("version", ["10", "11", "12"])
async def test_an_event_of_65536_bytes_goes_and_a_larger_one_does_not(node: RunningNode, version: str) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room(room_version=version)
    lowest, highest = 60_000, 65_536
    while lowest < highest:
        middle = (lowest + highest + 1) // 2
        answer = await hanako.sends(room, "m.room.message", {"body": "x" * middle})
        lowest, highest = (middle, highest) if answer.status == 200 else (lowest, middle - 1)
        assert answer.refusal in ((200, None), (413, "M_TOO_LARGE"))
    assert 64_000 < lowest < 65_500
    assert (await hanako.sends(room, "m.room.message", {"body": "x" * 65_537})).refusal == (413, "M_TOO_LARGE")
    assert (await hanako.sends(room, "m.room.message", {"body": "x" * 500_000})).refusal == (413, "M_TOO_LARGE")


@pytest.mark.parametrize("sign", ["x", "あ"])
async def test_types_and_state_keys_have_at_most_255_bytes(hall: tuple[Person, Person, str], sign: str) -> None:
    hanako, _taro, room = hall
    fits = sign * (255 // len(sign.encode()))
    assert (await hanako.sets(room, "jp.kairan.x", {}, fits)).status == 200
    assert (await hanako.sets(room, "jp.kairan.x", {}, fits + sign)).status in (400, 413)
    assert (await hanako.sends(room, fits, {})).status == 200
    assert (await hanako.sends(room, fits + sign, {})).status in (400, 413)


async def test_impossible_paths_are_refused(hall: tuple[Person, Person, str]) -> None:
    hanako, _taro, room = hall
    base = f"/_matrix/client/v3/rooms/{room}"
    for path in (f"{base}/send/m.x/%00", f"{base}/state/m.x/%00", f"{base}/send/%00/t", f"{base}/event/%00"):
        assert (await hanako.ask("PUT", path, {})).status in (400, 405)
    assert (await hanako.ask("PUT", f"{base}/send//t", {})).status in (400, 404, 405)
    assert (await hanako.ask("POST", f"{base}/send/m.x/t", {})).refusal == (405, "M_UNRECOGNIZED")
    assert (await hanako.ask("PUT", f"{base}/state/m.room.topic/", {"topic": "x"})).status == 200


async def test_unknown_rooms_foreign_tokens_and_strangers_are_refused(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room()
    for where, status in ((room, 403), ("!nowhere:sakura.example", 404), ("nonsense", 404)):
        assert (await taro.sends(where, "m.room.message", {"body": "x"})).status == status
        assert (await taro.sets(where, "m.room.topic", {"topic": "x"})).status == status
        assert (await taro.redacts(where, "$x")).status == status
    path = f"v3/rooms/{room}/send/m.room.message/t"
    assert (await node.ask("PUT", path, {"body": "x"}, token="wrong")).refusal == (401, "M_UNKNOWN_TOKEN")
    assert (await node.ask("PUT", path, {"body": "x"})).refusal == (401, "M_MISSING_TOKEN")
    assert len((await hanako.syncs()).timeline(room)) == 6


async def test_the_first_event_cannot_be_sent_again(hall: tuple[Person, Person, str]) -> None:
    hanako, _taro, room = hall
    assert (await hanako.sets(room, "m.room.create", {"room_version": "11"})).status == 403


async def test_a_main_name_must_be_the_rooms_own(hall: tuple[Person, Person, str]) -> None:
    hanako, _taro, room = hall
    kind = "m.room.canonical_alias"
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"alias": "#nothing:sakura.example"}, "M_BAD_ALIAS"), ({"alias": "nonsense"}, "M_INVALID_PARAM"),
        ({"alias": 5}, "M_INVALID_PARAM"), ({"alt_aliases": ["#nothing:sakura.example"]}, "M_BAD_ALIAS"),
        ({"alt_aliases": [{}]}, "M_INVALID_PARAM"),
    ]
    for content, code in wrong:
        assert (await hanako.sets(room, kind, content)).refusal == (400, code)
    path = "v3/directory/room/%23hall:sakura.example"
    assert (await hanako.put(path, {"room_id": room})).status == 200
    assert (await hanako.sets(room, kind, {"alias": "#hall:sakura.example"})).status == 200


async def test_events_of_many_senders_at_once_form_one_line(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room(preset="public_chat")
    people = await node.users(*(f"user{number}" for number in range(10)))
    await asyncio.gather(*(person.joins(room) for person in people))
    await asyncio.gather(*(person.says(room, str(number)) for person in people for number in range(5)))
    shown = await hanako.syncs(wanted={"event_format": "federation", "room": {"timeline": {"limit": 200}}})
    line = shown.timeline(room)
    assert len(line) == 6 + 10 + 50
    assert [event["depth"] for event in line] == list(range(1, 67))
    assert all(len(event["prev_events"]) == 1 for event in line[1:])
    assert json.dumps(line).count('"sakura.example": {"ed25519:') == 66
