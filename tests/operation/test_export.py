"""An association leaves with everything it has, and a fresh node takes it in; what is known of one person."""

from __future__ import annotations

import asyncio
import csv
import json
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote

import icalendar
import pytest
from aiohttp import BasicAuth

from server import commands
from server.assembly.app_passwords import app_passwords_of
from server.assembly.upkeep import note_upkeep
from server.association.gatherings.model import Plan
from server.association.members.came_by import CameBy
from server.association.members.model import EVERYONE
from server.config import Settings, load_settings, parse_settings
from server.foundation.clock import TOKYO, SystemClock
from server.foundation.errors import Refused
from server.operation.about_person_store import LEFT_OUT
from server.operation.export import Exported, export, export_person
from server.operation.importing import Imported, take_in
from server.operation.snapshot_store import counts_of, differences
from tests.builders import Person, RunningNode
from tests.operation.a_row_of_everything import all_rows, fill_what_is_empty
from tests.operation.houses import house
from tests.web.every_page import every_page
from tests.web.site import CHAIR, SERVER, site

# What a restoration drops on purpose (server/operation/after_restore_store.py).
# And what it numbers anew.
RENUMBERED = {"position_reservation", "calendars", "fallback_keys", "device_list_changes", "told_device_lists",
              "far_device_lists"}
DROPPED = ["restorations", "told_devices", "one_time_keys", "calendar_tombstones", "destinations"]
ENTRY = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n"
    "BEGIN:VTIMEZONE\r\nTZID:Asia/Tokyo\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n"
    "TZOFFSETFROM:+0900\r\nTZOFFSETTO:+0900\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
    "BEGIN:VEVENT\r\nUID:u{number}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;TZID=Asia/Tokyo:20260401T010000\r\n"
    "SUMMARY:歯医者{number}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[RunningNode]:
    async with RunningNode(house(tmp_path / "node")) as running:
        yield running


@dataclass(frozen=True)
class LivedIn:
    """A node that has stopped, after a full life, and who lived there."""

    settings: Settings
    chief: str
    chair: str
    hanako: str
    person: str


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> LivedIn:
    """Made once; whoever changes it takes a copy."""

    async def live() -> LivedIn:
        async with site(tmp_path_factory.mktemp("lived_in")) as here:
            await every_page(here)
            hanako = here.person("佐藤 花子")
            return LivedIn(here.node.settings, here.chief, here.user(CHAIR), str(hanako.user_id), hanako.id)

    lived = asyncio.run(live())
    (lived.settings.data_dir / "kairan.toml").write_text(f'server_name = "{lived.settings.server_name}"\n')
    return lived


async def exported(node: RunningNode, folder: Path) -> Exported:
    settings = node.settings
    return await asyncio.to_thread(export, settings, settings.data_dir / "kairan.toml", folder, SystemClock())


async def imported(source: Path, folder: Path) -> Imported:
    return await asyncio.to_thread(take_in, source, folder, SystemClock())


async def full_of_life(node: RunningNode) -> tuple[Person, str, str]:
    """Somebody who has said, uploaded and entered things."""
    hanako = await node.user("hanako")
    room = await hanako.creates_room(name="<広場> & 公園")
    await hanako.says(room, "<script>alert(1)</script> おはよう")
    gone = await hanako.says(room, "まちがえました")
    await hanako.redacts(room, gone)
    sent = await hanako.ask("POST", "/_matrix/media/v3/upload", b"a picture", filename="夏/祭り.jpg")
    uri = str(sent["content_uri"])
    await hanako.says(room, "写真", msgtype="m.image", url=uri)
    return hanako, room, uri


async def test_a_fresh_node_takes_an_export_in_with_the_same_counts(node: RunningNode, tmp_path: Path) -> None:
    hanako, room, uri = await full_of_life(node)
    await note_upkeep(node.inside, {"work": "check", "trouble": ""})
    done = await exported(node, tmp_path / "out")
    assert (done.files, done.messages) == (1, 3)
    assert done.rows == sum(json.loads((tmp_path / "out/about.json").read_text())["counts"].values())

    made = await imported(tmp_path / "out", tmp_path / "new")
    assert (made.rows, made.files) == (done.rows, 1)
    before, after = counts_of(node.settings.data_dir / "kairan.db"), counts_of(tmp_path / "new/kairan.db")
    assert differences(before, after, but=DROPPED) == []
    async with RunningNode(load_settings(tmp_path / "new/kairan.toml")) as again:
        same = Person(again, hanako.user_id, hanako.token, hanako.device_id)
        assert "写真" in (await same.syncs()).texts(room)
        path = "/_matrix/client/v1/media/download/" + uri.removeprefix("mxc://")
        async with again.client.get(path, headers={"Authorization": f"Bearer {hanako.token}"}) as file:
            assert await file.read() == b"a picture"
        assert await same.says(room, "引っこしました")


async def test_an_export_is_read_with_a_browser_and_a_spreadsheet(node: RunningNode, tmp_path: Path) -> None:
    _hanako, room, _uri = await full_of_life(node)
    await exported(node, tmp_path / "out")
    out = tmp_path / "out"
    index = (out / "読む/index.html").read_text("utf-8")
    assert "&lt;広場&gt; &amp; 公園" in index
    pages = [path.read_text("utf-8") for path in (out / "読む").glob("room-*")]
    [page] = [page for page in pages if "おはよう" in page]
    assert "<script>" not in page
    assert "（取り消されました）" in page
    assert "まちがえました" not in page
    [picture] = list((out / "ファイル").glob("*/*"))
    assert picture.read_bytes() == b"a picture"
    assert picture.parent.name in page
    lines = [json.loads(line) for line in (out / "events.jsonl").read_bytes().splitlines()]
    assert [line["event"]["content"]["name"] for line in lines
            if line["event"]["type"] == "m.room.name" and line["room_id"] == room] == ["<広場> & 公園"]
    with (out / "表/名簿.csv").open(encoding="utf-8-sig", newline="") as sheet:
        assert next(csv.reader(sheet))[0] == "班"
    assert "鍵のかかる" in (out / "はじめに.txt").read_text("utf-8")
    assert out.stat().st_mode & 0o077 == 0


def test_photos_and_rooms_are_found_in_the_copy_to_read(lived_in: LivedIn, tmp_path: Path) -> None:
    export(lived_in.settings, lived_in.settings.data_dir / "kairan.toml", tmp_path / "out", SystemClock())
    copy = tmp_path / "out/読む"
    links = re.findall(r'href="(room-\d+\.html)">([^<]+)</a>', (copy / "index.html").read_text("utf-8"))
    assert {"回覧板", "囲碁の会", "窓口：佐藤 花子"} <= {name for _, name in links}
    assert len({name for _, name in links}) == len(links), "each is told from the others"
    pages = {name: (copy / page).read_text("utf-8") for page, name in links}
    [source] = re.findall(r'<img src="\.\./([^"]+)"', pages["囲碁の会"])
    assert (tmp_path / "out" / unquote(source)).read_bytes().startswith(b"\xff\xd8"), "a photo, seen on the page"
    sheets = {file.name: file.read_text("utf-8-sig") for file in (tmp_path / "out/表").iterdir()}
    assert "佐藤 花子,練習,鍵は花子,確認待ち" in sheets["予約.csv"]
    assert "電話,質問,街灯が きれています" in sheets["質問.csv"]
    assert "町田 会長、佐藤 花子" in sheets["当番.csv"]
    assert "（名前なし）" in sheets["掲示板.csv"]
    assert ",会長,囲碁の会," in sheets["名簿.csv"]


async def test_calendars_are_one_file_each(node: RunningNode, tmp_path: Path) -> None:
    hanako = await node.user("hanako")
    _id, secret = await app_passwords_of(node.inside.core).create(hanako.user_id, "test")
    for number in (1, 2):
        answer = await node.client.put(
            f"/dav/calendars/hanako/personal/{number}.ics", data=ENTRY.format(number=number),
            auth=BasicAuth("hanako", secret), headers={"Content-Type": "text/calendar"},
        )
        assert answer.status == 201, await answer.text()
    members = node.inside.association.members
    start = datetime(2026, 8, 9, 10, tzinfo=TOKYO)
    plan = Plan("夏まつり", start, start.replace(hour=15), "公園")
    await node.inside.association.gatherings.announce(members.node_user_id, plan, EVERYONE)
    await exported(node, tmp_path / "out")
    own = icalendar.Calendar.from_ical((tmp_path / "out/予定/hanako-personal.ics").read_bytes())
    assert [str(part["SUMMARY"]) for part in own.walk("VEVENT")] == ["歯医者1", "歯医者2"]
    assert len(list(own.walk("VTIMEZONE"))) == 1, "what several bring along stands there once"
    shared = icalendar.Calendar.from_ical((tmp_path / "out/予定/行事.ics").read_bytes())
    assert [str(part["SUMMARY"]) for part in shared.walk("VEVENT")] == ["夏まつり"]


@pytest.mark.parametrize("damage", ["a line less", "a table more", "no about", "a newer format"])
async def test_an_export_that_is_not_whole_makes_no_node(node: RunningNode, tmp_path: Path, damage: str) -> None:
    await full_of_life(node)
    await exported(node, tmp_path / "out")
    events, about = tmp_path / "out/tables/events.jsonl", tmp_path / "out/about.json"
    if damage == "a line less":
        events.write_bytes(b"".join(events.read_bytes().splitlines(keepends=True)[:-1]))
    elif damage == "a table more":
        (tmp_path / "out/tables/of_tomorrow.jsonl").write_bytes(b"")
    elif damage == "no about":
        about.unlink()
    else:
        about.write_text(json.dumps({**json.loads(about.read_text()), "format": 99}))
    with pytest.raises(Refused, match=r"not whole|newer one|no export"):
        await imported(tmp_path / "out", tmp_path / "new")
    assert not (tmp_path / "new").exists()


async def test_what_is_known_of_one_person_and_no_password(node: RunningNode, tmp_path: Path) -> None:
    hanako, _room, _uri = await full_of_life(node)
    taro = await node.user("taro")
    other = await taro.creates_room()
    await taro.says(other, "ないしょ")
    file = tmp_path / "hanako.json"
    rows = await asyncio.to_thread(export_person, node.settings, hanako.user_id, file)
    told = json.loads(file.read_text("utf-8"))["tables"]
    assert rows == sum(map(len, told.values()))
    assert {"users", "profile_fields", "devices", "events", "media", "memberships"} <= told.keys()
    assert "おはよう" in file.read_text("utf-8")
    assert "ないしょ" not in file.read_text("utf-8")
    assert "scrypt" not in file.read_text("utf-8")
    assert "password" not in told["users"][0]
    assert all("hash" not in row for row in told.get("access_tokens", []))
    with pytest.raises(Refused, match="nobody on the roster is called"):
        await asyncio.to_thread(export_person, node.settings, "@nobody:sakura.example", tmp_path / "nobody.json")
    assert file.stat().st_mode & 0o077 == 0, "nobody else on this machine reads it"
    with pytest.raises(Refused, match="is there already"):
        await asyncio.to_thread(export_person, node.settings, hanako.user_id, file)


async def test_the_commands_say_what_they_did(node: RunningNode, tmp_path: Path) -> None:
    await full_of_life(node)
    config = ["--config", str(node.settings.data_dir / "kairan.toml")]
    run = commands.main
    assert await asyncio.to_thread(run, ["export", str(tmp_path / "out"), *config]) == 0
    assert await asyncio.to_thread(run, ["export", str(tmp_path / "out"), *config]) == 1, "never over another"
    assert await asyncio.to_thread(run, ["import", str(tmp_path / "out"), str(tmp_path / "new")]) == 0
    assert await asyncio.to_thread(run, ["export", str(tmp_path / "me"), "--person", "hanako", *config]) == 0


def test_wherever_somebody_stands_it_is_told_or_written_down_why_not(lived_in: LivedIn, tmp_path: Path) -> None:
    settings, user_id, file = lived_in.settings, lived_in.hanako, tmp_path / "hanako.json"
    export_person(settings, user_id, file)
    told = json.loads(file.read_text("utf-8"))["tables"]
    stands_in = {
        table for table, rows in all_rows(settings.data_dir / "kairan.db").items()
        if any(word in str(row) for row in rows for word in (user_id, lived_in.person))
    }
    assert len(stands_in) > 20
    assert stands_in - told.keys() - LEFT_OUT.keys() == set()
    assert told["households"][0]["name"] == "佐藤 花子"
    assert [row["person_id"] for row in told["inquiries"]] == [lived_in.person]
    assert "街灯が きれています" in str(told["inquiry_lines"]), "also what officers wrote down for her"
    assert {row["sender"] for row in told["events"] if not row["state_key"]} <= {user_id, lived_in.chief}
    assert not [row for row in told["events"] if row["sender"] == lived_in.chair and row["state_key"] != user_id]


async def test_whoever_reads_on_paper_has_a_right_to_know_too(tmp_path: Path) -> None:
    async with site(tmp_path / "node", [("鈴木 一郎", "1班")]) as here:
        quiet = await here.add("左近 小梅", "2班", account=False)
        for block in ("1班", "2班"):
            await here.add("鈴木 二郎", block, account=False)
        inquiries = here.node.association.inquiries.verbs
        await inquiries.enter(here.user(CHAIR), "耳が 遠いです", CameBy.PHONE, person_id=quiet.id)
        settings = here.node.settings
    await asyncio.to_thread(export_person, settings, "左近 小梅", tmp_path / "koume.json")
    told = json.loads((tmp_path / "koume.json").read_text("utf-8"))["tables"]
    assert [row["name"] for row in told["persons"]] == ["左近 小梅"]
    assert "耳が 遠いです" in str(told["inquiry_lines"])
    assert "鈴木" not in str(told)
    with pytest.raises(Refused, match="2 people on the roster"):
        await asyncio.to_thread(export_person, settings, "鈴木 二郎", tmp_path / "jiro.json")


def test_every_table_comes_back_row_by_row(lived_in: LivedIn, tmp_path: Path) -> None:
    """All that life has left, and something in each table that it has not reached."""
    shutil.copytree(lived_in.settings.data_dir.parent, tmp_path / "node")
    settings = parse_settings(f'server_name = "{SERVER}"\ndata_dir = "data"\n', tmp_path / "node")
    database = settings.data_dir / "kairan.db"
    assert fill_what_is_empty(database), "life does not reach everything"
    before = all_rows(database)
    export(settings, settings.data_dir / "kairan.toml", tmp_path / "out", SystemClock())
    take_in(tmp_path / "out", tmp_path / "new", SystemClock())
    after = all_rows(tmp_path / "new/kairan.db")
    assert after.keys() == before.keys()
    assert {table for table, rows in before.items() if not rows} == set()
    assert {table for table, rows in before.items() if rows != after[table]} <= set(DROPPED) | RENUMBERED
