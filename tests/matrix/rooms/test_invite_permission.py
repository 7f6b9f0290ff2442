"""Whoever wants no invitations gets none."""

from __future__ import annotations

from tests.builders import Person, RunningNode

BLOCKED = (403, "M_INVITE_BLOCKED")


async def sets_action(person: Person, action: object) -> None:
    path = f"v3/user/{person.user_id}/account_data/m.invite_permission_config"
    assert (await person.put(path, {"default_action": action})).status == 200


async def test_nobody_can_invite_who_blocks_invitations(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room()
    await sets_action(taro, "block")
    invitation = {"user_id": taro.user_id}
    assert (await hanako.post(f"v3/rooms/{room}/invite", invitation)).refusal == BLOCKED
    assert (await hanako.post("v3/createRoom", {"invite": [taro.user_id]})).refusal == BLOCKED
    as_state = await hanako.sets(room, "m.room.member", {"membership": "invite"}, taro.user_id)
    assert as_state.refusal == BLOCKED
    assert (await taro.syncs()).rooms("invite") == {}
    await node.restart()
    assert (await hanako.post(f"v3/rooms/{room}/invite", invitation)).refusal == BLOCKED


async def test_any_other_wish_means_that_invitations_are_welcome(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    await sets_action(taro, "block")
    for action in ("allow", 5, None):
        await sets_action(taro, action)
        await hanako.invites(taro, await hanako.creates_room())
    assert len((await taro.syncs()).rooms("invite")) == 3


async def test_who_is_in_already_stays_in_and_may_come_in_by_themselves(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room, other = await hanako.creates_room(preset="public_chat"), await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    await sets_action(taro, "block")
    await taro.says(room, "x")
    await taro.joins(other)
