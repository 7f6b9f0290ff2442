"""Closing an account: out of rooms and directories; forgetting what its owner said, if they wish so."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from tests.builders import PASSWORD, Person, RunningNode


async def close(person: Person, **wishes: Any) -> None:
    user = {"type": "m.id.user", "user": person.user_id}
    auth = {"type": "m.login.password", "identifier": user, "password": PASSWORD}
    answer = await person.post("v3/account/deactivate", {"auth": auth, **wishes})
    assert (answer.status, answer.body) == (200, {"id_server_unbind_result": "no-support"})


async def bodies(reader: Person, room: str) -> list[Any]:
    """What the messages in a room say to somebody, the oldest first."""
    answer = await reader.get(f"v3/rooms/{room}/messages", dir="f", limit="100")
    return [event["content"].get("body") for event in answer["chunk"] if event["type"] == "m.room.message"]


async def test_a_closed_account_leaves_its_rooms_and_declines_invitations(node: RunningNode) -> None:
    hana, jiro = await node.users("hana", "jiro")
    room, invited = await jiro.creates_room(preset="public_chat"), await jiro.creates_room()
    await hana.joins(room)
    await jiro.invites(hana, invited)
    await close(hana)
    for place in (room, invited):
        member = await jiro.get(f"v3/rooms/{place}/state/m.room.member/{hana.user_id}")
        assert member["membership"] == "leave"
    found = await jiro.post("v3/user_directory/search", {"search_term": "hana"})
    assert found["results"] == []
    assert (await jiro.get(f"v3/profile/{hana.user_id}")).status == 404


async def test_nothing_private_of_a_closed_account_is_kept(node: RunningNode) -> None:
    hana = await node.user("hana")
    await hana.put(f"v3/user/{hana.user_id}/account_data/jp.secret", {"a": 1})
    await hana.post("v3/room_keys/version", {"algorithm": "m.megolm_backup.v1.curve25519-aes-sha2", "auth_data": {}})
    with node.contract.tolerating("keys that are not keys"):
        keys = {"user_id": hana.user_id, "device_id": hana.device_id, "algorithms": [], "keys": {}, "signatures": {}}
        await hana.post("v3/keys/upload", {"device_keys": keys})
    await close(hana)
    database = node.inside.core.database
    for table in ("account_data", "key_backups", "device_keys", "devices", "access_tokens", "cross_signing_keys"):
        rows = await database.fetch_all(text(f"SELECT * FROM {table} WHERE user_id = '{hana.user_id}'"))
        assert rows == [], table


async def test_only_those_who_were_there_see_what_somebody_said_who_is_to_be_forgotten(node: RunningNode) -> None:
    hana, jiro, mina = await node.users("hana", "jiro", "mina")
    room = await jiro.creates_room(preset="public_chat")
    await hana.joins(room)
    said = await hana.says(room, "from hana")
    await jiro.says(room, "from jiro")
    await close(hana, erase=True)
    await mina.joins(room)
    assert await bodies(jiro, room) == ["from hana", "from jiro"]
    assert await bodies(mina, room) == [None, "from jiro"]
    assert (await mina.get(f"v3/rooms/{room}/event/{said}"))["content"] == {}
    assert (await jiro.get(f"v3/rooms/{room}/event/{said}"))["content"]["body"] == "from hana"
    context = await mina.get(f"v3/rooms/{room}/context/{said}")
    assert context["event"]["content"] == {}
    synced = await mina.syncs()
    assert synced.texts(room) == ["from jiro"]
    found = await mina.post("v3/search", {"search_categories": {"room_events": {"search_term": "hana"}}})
    assert found["search_categories"]["room_events"]["results"] == []


async def test_it_is_so_after_a_restart_and_new_messages_arrive_as_ever(node: RunningNode) -> None:
    hana, jiro, mina = await node.users("hana", "jiro", "mina")
    room = await jiro.creates_room(preset="public_chat")
    await hana.joins(room)
    await hana.says(room, "from hana")
    await close(hana, erase=True)
    await mina.joins(room)
    await node.restart()
    assert await bodies(mina, room) == [None]
    since = (await mina.syncs()).token
    await jiro.says(room, "news")
    assert (await mina.syncs(since)).texts(room) == ["news"]
    assert "from hana" in (await jiro.syncs()).texts(room)


async def test_without_the_wish_everybody_sees_it(node: RunningNode) -> None:
    hana, jiro, mina = await node.users("hana", "jiro", "mina")
    room = await jiro.creates_room(preset="public_chat")
    await hana.joins(room)
    await hana.says(room, "from hana")
    await close(hana)
    await mina.joins(room)
    assert await bodies(mina, room) == ["from hana"]


async def test_an_unconfirmed_request_closes_nothing(node: RunningNode) -> None:
    hana = await node.user("hana")
    room = await hana.creates_room()
    answer = await hana.post("v3/account/deactivate", {"erase": True})
    assert answer.status == 401
    assert (await hana.get("v3/joined_rooms"))["joined_rooms"] == [room]
    assert node.inside.accounts.users.erased == set()


async def test_nothing_of_it_is_bundled_to_what_others_said(node: RunningNode) -> None:
    hana, jiro, mina = await node.users("hana", "jiro", "mina")
    room = await jiro.creates_room(preset="public_chat")
    await hana.joins(room)
    root, own = await jiro.says(room, "root"), await hana.says(room, "first words")
    new = {"msgtype": "m.text", "body": "second words"}
    edit = {"rel_type": "m.replace", "event_id": own}
    await hana.says(room, "* second words", **{"m.new_content": new, "m.relates_to": edit})
    await hana.says(room, "in the thread", **{"m.relates_to": {"rel_type": "m.thread", "event_id": root}})
    await close(hana, erase=True)
    await mina.joins(room)
    seen = [
        (await mina.get(f"v3/rooms/{room}/messages", dir="b", limit="100")).body,
        (await mina.get(f"v3/rooms/{room}/event/{root}")).body,
        (await mina.get(f"v3/rooms/{room}/event/{own}")).body,
        (await mina.get(f"v1/rooms/{room}/relations/{root}")).body,
        (await mina.get(f"v1/rooms/{room}/threads")).body,
        (await mina.syncs()).body,
    ]
    for answer in seen:
        assert not any(words in str(answer) for words in ("first words", "second words", "in the thread")), answer
    assert "in the thread" in str((await jiro.get(f"v3/rooms/{room}/event/{root}")).body)
    thread = (await mina.get(f"v3/rooms/{room}/event/{root}"))["unsigned"]["m.relations"]["m.thread"]
    assert (thread["count"], thread["latest_event"]["content"]) == (1, {})
