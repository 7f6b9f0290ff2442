"""What people of two nodes may expect of each other, beyond joining and speaking."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import quote

from federation.identity.servers import path_of
from tests.builders import Person, RunningNode, Sync
from tests.federation.neighbours import neighbours, until
from tests.federation.stranger import meeting
from tests.federation.town import town

Json = dict[str, Any]
GUESTS = '[registration]\nmode = "open"\nallow_guests = true\n'
NO_SERVERS = ["a.example:http", "a.example:", "a b", "a.example:80x", "[::1", "@", "a.example\n"]


def joined(room: str) -> Any:
    """Finds that a room is among those that one is in."""
    return lambda news: news if room in news.rooms() else None


def in_state(room: str, kind: str, state_key: str, **content: Any) -> Any:
    """Finds a state event with this content in a room's timeline or state."""

    def found(news: Sync) -> Json | None:
        for event in [*news.state(room).values(), *news.timeline(room)]:
            if (event["type"], event.get("state_key")) == (kind, state_key) and content.items() <= event[
                    "content"].items():
                return dict(event)
        return None

    return found


async def test_a_room_that_is_not_for_other_servers_stays_so(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura", "ume") as (sakura, ume):
        hanako, taro, mine = await sakura.user("hanako"), await ume.user("taro"), await sakura.user("mine")
        room = await hanako.creates_room(preset="public_chat", creation_content={"m.federate": False})
        refused = await taro.post(f"v3/join/{room}", via=sakura.settings.server_name)
        assert refused.refusal == (403, "M_FORBIDDEN")
        assert (await hanako.post(f"v3/rooms/{room}/invite", {"user_id": taro.user_id})).status == 403
        await mine.joins(room)


async def test_a_name_in_any_letters_leads_to_a_room_of_another_node(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura", "ume") as (sakura, ume):
        hanako, taro = await sakura.user("hanako"), await ume.user("taro")
        room = await hanako.creates_room(preset="public_chat", room_alias_name="町内の☕広場")
        alias = f"#町内の☕広場:{sakura.settings.server_name}"
        told = await taro.get(f"v3/directory/room/{quote(alias)}")
        assert told["room_id"] == room
        assert sakura.settings.server_name in told["servers"]
        assert (await taro.post(f"v3/join/{quote(alias)}")).status == 200


async def test_an_invitation_can_be_declined_again_and_again(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura", "ume") as (sakura, ume):
        hanako, taro = await sakura.user("hanako"), await ume.user("taro")
        room = await hanako.creates_room(name="役員会", topic="今月の話", preset="private_chat")
        for number in range(3):
            answer = await hanako.post(f"v3/rooms/{room}/invite", {"user_id": taro.user_id})
            assert answer.status == 200, (number, answer)
            news = await until(taro, lambda news: news if room in news.rooms("invite") else None)
            shown = {(e["type"], e.get("state_key")): e["content"] for e in
                     news.room(room, "invite")["invite_state"]["events"]}
            assert shown["m.room.name", ""] == {"name": "役員会"}
            assert shown["m.room.join_rules", ""] == {"join_rule": "invite"}
            assert "m.room.create" in {kind for kind, _ in shown}
            assert shown["m.room.member", taro.user_id]["membership"] == "invite"
            await taro.leaves(room)
            member = await hanako.get(f"v3/rooms/{room}/state/m.room.member/{taro.user_id}")
            assert member["membership"] == "leave"


async def test_an_invitation_into_a_room_that_is_empty_by_now_can_be_declined(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura", "ume") as (sakura, ume):
        hanako, taro = await sakura.user("hanako"), await ume.user("taro")
        room = await hanako.creates_room()
        assert (await hanako.post(f"v3/rooms/{room}/invite", {"user_id": taro.user_id})).status == 200
        await hanako.leaves(room)
        before = await taro.syncs()
        assert room in before.rooms("invite")
        await taro.leaves(room)
        assert room not in (await taro.syncs()).rooms("invite")
        assert room in (await taro.syncs(before.token)).rooms("leave")


async def test_an_invitation_is_withdrawn(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura", "ume") as (sakura, ume):
        hanako, taro = await sakura.user("hanako"), await ume.user("taro")
        room = await hanako.creates_room()
        assert (await hanako.post(f"v3/rooms/{room}/invite", {"user_id": taro.user_id})).status == 200
        since = (await taro.syncs()).token
        assert (await hanako.post(f"v3/rooms/{room}/kick", {"user_id": taro.user_id})).status == 200
        await until(taro, lambda news: news if room in news.rooms("leave") else None, since)
        assert room not in (await taro.syncs()).rooms("invite")


async def test_whoever_is_banned_on_another_node_comes_back_only_when_they_may(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (sakura, _ume, hanako, taro, room):
        since = (await taro.syncs()).token
        await hanako.post(f"v3/rooms/{room}/ban", {"user_id": taro.user_id, "reason": "いたずら"})
        gone = await until(taro, lambda news: news if room in news.rooms("leave") else None, since)
        assert gone.timeline(room, "leave")[-1]["content"] == {"membership": "ban", "reason": "いたずら"}
        assert (await taro.post(f"v3/join/{room}", via=sakura.name)).refusal == (403, "M_FORBIDDEN")
        assert (await taro.sends(room, "m.room.message", {"body": "x"})).refusal == (403, "M_FORBIDDEN")
        await hanako.post(f"v3/rooms/{room}/unban", {"user_id": taro.user_id})
        assert (await taro.post(f"v3/join/{room}", via=sakura.name)).status == 200
        since = (await hanako.syncs()).token
        said = await taro.says(room, "ただいま")
        await until(hanako, lambda news: news if said in str(news.body) else None, since)


async def test_whoever_leaves_comes_back_and_knows_what_has_changed(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (sakura, _ume, hanako, taro, room):
        for number in range(2):
            await taro.leaves(room)
            await until(hanako, in_state(room, "m.room.member", taro.user_id, membership="leave"))
            await hanako.sets(room, "m.room.topic", {"topic": f"第{number}"})
            await hanako.says(room, "留守中の話")
            assert (await taro.post(f"v3/join/{room}", via=sakura.name)).status == 200
            told = await taro.get(f"v3/rooms/{room}/state/m.room.topic")
            assert told["topic"] == f"第{number}"


async def test_a_room_moves_with_its_members_of_other_nodes(tmp_path: Path) -> None:
    async with neighbours(tmp_path, room_version="11", visibility="public") as (sakura, _ume, hanako, taro, old):
        own = f"v3/user/{taro.user_id}"
        await taro.put(f"{own}/rooms/{old}/tags/m.favourite", {"order": 0.5})
        new = (await hanako.post(f"v3/rooms/{old}/upgrade", {"new_version": "12"}))["replacement_room"]
        await until(taro, in_state(old, "m.room.tombstone", "", replacement_room=new))
        assert (await taro.post(f"v3/join/{new}", via=sakura.name)).status == 200
        tags: Json = {}
        async with asyncio.timeout(60):
            while not tags:
                tags = (await taro.get(f"{own}/rooms/{new}/tags"))["tags"]
                await asyncio.sleep(0.02)
        assert tags == {"m.favourite": {"order": 0.5}}
        listed = (await hanako.get("v3/publicRooms"))["chunk"]
        assert [item["room_id"] for item in listed] == [new]
        assert (await taro.sends(old, "m.room.message", {"body": "x"})).refusal == (403, "M_FORBIDDEN")


async def test_guests_of_another_node_go_when_guests_are_not_welcome_any_more(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura", "ume", more=GUESTS) as (sakura, ume):
        hanako, taro = await sakura.user("hanako"), await ume.user("taro")
        open_to_guests = [{"type": "m.room.guest_access", "state_key": "", "content": {"guest_access": "can_join"}}]
        room = await hanako.creates_room(preset="public_chat", initial_state=open_to_guests)
        assert (await taro.post(f"v3/join/{room}", via=sakura.settings.server_name)).status == 200
        guest = await _guest(ume)
        assert (await guest.post(f"v3/join/{room}")).status == 200
        await until(hanako, in_state(room, "m.room.member", guest.user_id, membership="join"))
        await hanako.sets(room, "m.room.guest_access", {"guest_access": "forbidden"})
        await until(hanako, in_state(room, "m.room.member", guest.user_id, membership="leave"))
        members = (await taro.get(f"v3/rooms/{room}/joined_members"))["joined"]
        assert set(members) == {hanako.user_id, taro.user_id}


async def _guest(node: RunningNode) -> Person:
    answer = await node.ask("POST", "v3/register", {}, kind="guest")
    return Person(node, answer["user_id"], answer["access_token"], answer["device_id"])


async def test_the_list_of_another_node_is_searched_and_paged(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura", "ume", more="[directory]\npublic = true\n") as (sakura, ume):
        hanako, taro = await sakura.user("hanako"), await ume.user("taro")
        for number in range(5):
            await hanako.creates_room(preset="public_chat", visibility="public", name=f"広場{number}", topic="集まる所")
        server = sakura.settings.server_name
        names: list[str] = []
        query: Json = {}
        while True:
            page = await taro.post("v3/publicRooms", {"limit": 2, **query}, server=server)
            names += [item["name"] for item in page["chunk"]]
            if "next_batch" not in page.body:
                break
            query = {"since": page["next_batch"]}
        assert sorted(names) == [f"広場{number}" for number in range(5)]
        found = await taro.post("v3/publicRooms", {"filter": {"generic_search_term": "広場3"}}, server=server)
        assert [(item["name"], item["topic"]) for item in found["chunk"]] == [("広場3", "集まる所")]


async def test_what_is_no_name_of_a_server_is_refused_wherever_it_stands(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura") as (sakura,):
        hanako = await sakura.user("hanako")
        room = await hanako.creates_room()
        for server in NO_SERVERS:
            asked = [
                await hanako.get("v3/publicRooms", server=server),
                await hanako.get(f"v3/directory/room/{quote(f'#x:{server}', safe='')}"),
                await hanako.get(f"v3/profile/{quote(f'@x:{server}', safe='')}"),
                await hanako.post(f"v3/rooms/{room}/invite", {"user_id": f"@x:{server}"}),
                await hanako.post(f"v3/join/{quote(f'#x:{server}', safe='')}"),
                await sakura.ask("GET", f"/_matrix/key/v2/query/{quote(server, safe='')}"),
            ]
            assert all(400 <= answer.status < 500 for answer in asked), asked
            # Of those who are named as a way in, others may be left: it is like one that does not answer.
            by_way_of = await hanako.post(f"v3/join/{quote('!x:a.example', safe='')}", via=server)
            assert by_way_of.status in (400, 404)


async def test_one_who_was_turned_down_softly_twice_stays_out_and_others_go_on(tmp_path: Path) -> None:
    """A state event that fails softly changes nothing, and neither does what follows it; the room goes on past it."""
    async with meeting(tmp_path) as (node, oni):
        hanako = await node.user("hanako")
        room_id = await hanako.creates_room(
            preset="public_chat", room_version="11", power_level_content_override={"events": {"m.room.topic": 0}})
        room = await oni.joins(node, room_id)
        me, ends = oni.user("oni"), sorted(room.judged.heads)
        rests = room.draft(me, "m.room.topic", {}, "")["auth_events"]
        levels = (await hanako.get(f"v3/rooms/{room_id}/state/m.room.power_levels")).body
        await hanako.sets(room_id, "m.room.power_levels", {**levels, "events": {"m.room.topic": 50}})
        first = room.event(me, "m.room.topic", {"topic": "遅れて一"}, "", after=ends, rests_on=rests)
        second = room.event(me, "m.room.topic", {"topic": "遅れて二"}, "", after=[first.event_id], rests_on=rests)
        for late in (first, second):
            assert (await oni.sends(node, late))["pdus"] == {late.event_id: {}}
        assert (await hanako.get(f"v3/rooms/{room_id}/state/m.room.topic")).status == 404
        told = await oni.asks(node, "GET", path_of("v1/state_ids", room_id), query={"event_id": second.event_id})
        assert told.status == 200
        assert first.event_id in told["pdu_ids"]
        said = await hanako.says(room_id, "次")
        event = (await oni.hears_text("次"))
        assert not {first.event_id, second.event_id} & set(event["prev_events"])
        shown = await oni.asks(node, "GET", path_of("v1/state_ids", room_id), query={"event_id": said})
        assert not {first.event_id, second.event_id} & set(shown["pdu_ids"])
