"""Why somebody came, went or was put out stands in the event (spec v1.1)."""

from __future__ import annotations

from tests.builders import Json, Person, RunningNode


async def membership_of(taro: Person, hanako: Person, room: str) -> Json:
    return dict((await hanako.get(f"v3/rooms/{room}/state/m.room.member/{taro.user_id}")).body)


async def test_a_reason_is_part_of_every_change_of_membership(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    base, whom = f"v3/rooms/{room}", {"user_id": taro.user_id}
    changes = [
        (hanako, f"{base}/invite", whom, "invite"), (taro, f"{base}/join", {}, "join"),
        (taro, f"{base}/leave", {}, "leave"), (taro, f"v3/join/{room}", {}, "join"),
        (hanako, f"{base}/kick", whom, "leave"), (hanako, f"{base}/ban", whom, "ban"),
        (hanako, f"{base}/unban", whom, "leave"),
    ]
    for number, (who, path, body, membership) in enumerate(changes):
        assert (await who.post(path, {**body, "reason": f"reason {number}"})).status == 200
        found = await membership_of(taro, hanako, room)
        assert (found["membership"], found["reason"]) == (membership, f"reason {number}")
        assert (await who.post(path, {**body, "reason": 5})).refusal == (400, "M_BAD_JSON")
