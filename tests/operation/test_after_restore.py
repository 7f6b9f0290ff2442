"""A node that is back from a backup uses no name twice: its people, its calendars and other servers go on with it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from server.operation.backup import Made
from tests.builders import Person, RunningNode, settings_for
from tests.federation.neighbours import CURVE, Neighbours, changed, devices_of, neighbours, until, uploads
from tests.federation.town import FEDERATION, FarNode
from tests.operation.houses import backed_up, house, put_back


async def test_positions_go_on_behind_all_that_the_lost_node_gave_out(tmp_path: Path) -> None:
    async with RunningNode(house(tmp_path / "node")) as node:
        hanako = await node.user("hanako")
        room = await hanako.creates_room()
        made = await backed_up(node.settings, tmp_path / "disk")
        for _ in range(3):
            await node.restart()
        await hanako.says(room, "これは うしなわれる")
        lost = (await hanako.syncs()).token
    await put_back(made.path, tmp_path / "first")
    await put_back(made.path, tmp_path / "second")
    async with RunningNode(settings_for(tmp_path / "first")) as again:
        same = Person(again, hanako.user_id, hanako.token, hanako.device_id)
        await same.says(room, "もどりました")
        news = await same.syncs(lost)
        assert news.texts(room) == ["もどりました"], "a client of the lost time misses nothing new"
        first = int(news.token.partition("_")[0][1:])
    assert first < _reserved(tmp_path / "second"), "nor do two restorations of one backup give out the same"


def _reserved(folder: Path) -> int:
    connection = sqlite3.connect(folder / "kairan.db")
    reserved = int(connection.execute("SELECT reserved FROM position_reservation").fetchone()[0])
    connection.close()
    return reserved


async def test_one_time_keys_are_not_handed_out_twice(tmp_path: Path) -> None:
    async with RunningNode(house(tmp_path / "node")) as node:
        hanako, taro = await node.users("hanako", "taro")
        await uploads(hanako, 9, "first", "second")
        made = await backed_up(node.settings, tmp_path / "disk")
        claimed = await taro.post("v3/keys/claim", {"one_time_keys": {hanako.user_id: {hanako.device_id: CURVE}}})
        assert claimed["one_time_keys"][hanako.user_id]
    await put_back(made.path, tmp_path / "new")
    async with RunningNode(settings_for(tmp_path / "new")) as again:
        taro = Person(again, taro.user_id, taro.token, taro.device_id)
        claimed = await taro.post("v3/keys/claim", {"one_time_keys": {hanako.user_id: {hanako.device_id: CURVE}}})
        assert not claimed["one_time_keys"].get(hanako.user_id)
        hanako = Person(again, hanako.user_id, hanako.token, hanako.device_id)
        counts = (await hanako.syncs()).body["device_one_time_keys_count"]
        assert counts.get(CURVE, 0) == 0, "the client sees that new ones are needed"


async def test_apps_of_the_lost_time_keep_their_keys_and_learn_what_is_true(tmp_path: Path) -> None:
    async with RunningNode(house(tmp_path / "node")) as node:
        hanako, taro = await node.users("hanako", "taro")
        room = await hanako.creates_room(name="はじめの名前", preset="public_chat")
        before = (await hanako.syncs()).token
        made = await backed_up(node.settings, tmp_path / "disk")
        await taro.joins(room)
        await hanako.sets(room, "m.room.name", {"name": "うしなわれる名前"})
        lost = (await hanako.syncs()).token
        late = await node.user("hanako")
        assert not (await node.ask("GET", "v3/sync", token="nobody")).body.get("soft_logout")
    await put_back(made.path, tmp_path / "new")
    async with RunningNode(settings_for(tmp_path / "new")) as again:
        same = Person(again, hanako.user_id, hanako.token, hanako.device_id)
        state = (await same.syncs(lost)).state(room)
        assert state["m.room.name", ""]["content"] == {"name": "はじめの名前"}
        assert ("m.room.member", taro.user_id) not in state
        assert (await same.syncs(before)).rooms() == {}, "who remembers nothing wrong is told nothing twice"
        refused = await again.ask("GET", "v3/sync", token=late.token)
        assert refused.refusal == (401, "M_UNKNOWN_TOKEN")
        assert refused.body["soft_logout"] is True, "its keys must not be thrown away"
        refused = await again.ask("POST", "v3/refresh", {"refresh_token": "of the lost time"})
        assert refused.body["soft_logout"] is True


async def test_neighbours_take_what_a_restored_node_says_and_give_back_what_it_lost(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as place:
        made = await backup_of(place, tmp_path)
        await place.hanako.says(place.room, "うしなわれる ひとこと")
        await until(place.taro, lambda news: "うしなわれる" in str(news.body) or None)
        await place.sakura.stop()
        async with back(place.sakura, made, tmp_path / "new") as again:
            hanako = Person(again, place.hanako.user_id, place.hanako.token, place.hanako.device_id)
            await hanako.says(place.room, "もどりました")
            await until(place.taro, lambda news: "もどりました" in str(news.body) or None)
            await place.taro.says(place.room, "おかえり")
            await until(hanako, lambda news: "おかえり" in str(news.body) or None)
            past = (await hanako.get(f"v3/rooms/{place.room}/messages", dir="b", limit="50"))["chunk"]
            assert "うしなわれる ひとこと" in [event["content"].get("body") for event in past]
        await place.sakura.start()  # which the end of the block stops


async def test_neighbours_learn_the_devices_of_a_restored_node_anew(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as place:
        await uploads(place.hanako)
        await until(place.taro, changed(place.hanako.user_id))
        made = await backup_of(place, tmp_path)
        second = await place.sakura.node.user("hanako")
        await uploads(second, 11)
        await _will_see(place.taro, place.hanako, {place.hanako.device_id, second.device_id})
        await place.sakura.stop()
        async with back(place.sakura, made, tmp_path / "new") as again:
            hanako = Person(again, place.hanako.user_id, place.hanako.token, place.hanako.device_id)
            await hanako.says(place.room, "もどりました")
            await until(place.taro, lambda news: "もどりました" in str(news.body) or None)
            await _will_see(place.taro, place.hanako, {place.hanako.device_id})
            third = await again.user("hanako")
            await uploads(third, 12)
            await _will_see(place.taro, place.hanako, {place.hanako.device_id, third.device_id})
        await place.sakura.start()


async def _will_see(reader: Person, other: Person, devices: set[str]) -> None:
    """Wait for news until ``reader`` knows just these devices of ``other``."""
    since = None
    for _ in range(30):
        known = set(await devices_of(reader, other.user_id))
        if known == devices:
            return
        since = (await reader.syncs(since, timeout=200)).token
    assert known == devices


async def backup_of(place: Neighbours, folder: Path) -> Made:
    """A backup of the first node."""
    settings = place.sakura.node.settings
    (settings.data_dir / "kairan.toml").write_text(f'server_name = "{settings.server_name}"\n')
    return await backed_up(settings, folder / "disk")


class back:  # noqa: N801 - reads as a verb
    """A node put back from a backup, at the address of the old one."""

    def __init__(self, old: FarNode, made: Made, folder: Path) -> None:
        self._far = FarNode.__new__(FarNode)
        self._far.port, self._far.name = old.port, old.name
        self._made, self._folder = made, folder

    async def __aenter__(self) -> RunningNode:
        await put_back(self._made.path, self._folder)
        self._far.node = RunningNode(settings_for(self._folder, server_name=self._far.name, more=FEDERATION))
        self._far.node.listen_more = self._far._listen
        await self._far.start()
        return self._far.node

    async def __aexit__(self, *failure: object) -> None:
        await self._far.stop()
