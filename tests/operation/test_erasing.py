"""Whoever leaves is nowhere on the disk any more: not their name, not their telephone, not how they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zlib import crc32

from aiohttp import ClientSession

from server.assembly.common_pages import common_services
from server.assembly.departing import departures_of
from server.association.members.came_by import CameBy
from server.association.members.model import EVERYONE
from server.association.safety_checks.actions import Given
from server.association.safety_checks.model import Figures, Standing, Status
from server.association.safety_checks.safety_store import figures_by_block
from tests.web.pictures import photo
from tests.web.site import CHAIR, PASSWORD, Site, site

NAME, KANA, PHONE = "伊集院 花子", "いじゅういん はなこ", "076-777-1234"
HOW_SHE_IS, DIARY, WHY = "腰が いたくて うごけません", "だれにも 見せない 日記", "はじめての 囲碁です"
FACE, WITHOUT_A_PHONE = photo("red"), "耳が 遠いです"
SAID = "おはようございます"
LONG = f"{DIARY}。" * 300


class Telephone:
    """Her Matrix app."""

    def __init__(self, here: Site, http: ClientSession) -> None:
        self._here, self._http = here, http
        self.token = ""

    async def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        url = f"{self._here.url}/_matrix/client/v3/{path}"
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with self._http.request(method, url, json=body, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            return dict(await answer.json())

    async def log_in(self, user: str) -> None:
        told = await self.ask("POST", "login", {
            "type": "m.login.password", "identifier": {"type": "m.id.user", "user": user}, "password": PASSWORD,
            "initial_device_display_name": f"{NAME}の電話",
        })
        self.token = told["access_token"]

    async def says(self, room_id: str, text: str) -> str:
        path = f"rooms/{room_id}/send/m.room.message/{crc32(text.encode())}"
        return str((await self.ask("PUT", path, {"msgtype": "m.text", "body": text}))["event_id"])


async def test_nothing_of_who_was_erased_is_left_in_any_file(tmp_path: Path) -> None:
    async with site(tmp_path, [(NAME, "1班"), ("鈴木 一郎", "1班")]) as here, ClientSession() as http:
        hanako, quiet = here.person(NAME), await here.add("左近 小梅", "2班", account=False)
        await here.node.association.editor.change_person(here.chief, hanako.id, kana=KANA, phone=PHONE)
        phone = Telephone(here, http)
        await phone.log_in(await here.set_password(NAME))
        user_id = here.user(NAME)
        await _tells_of_herself(here, phone, user_id)
        check = await _they_say_how_they_are(here, user_id, quiet.id)
        shared = (await phone.ask("POST", "createRoom", {"invite": [here.user("鈴木 一郎")]}))["room_id"]
        await phone.says(shared, SAID)
        await here.node.services.membership.join(shared, here.user("鈴木 一郎"))
        for _ in range(2):  # a stop in the middle: it is done again
            if hanako.id in {person.id for person in here.node.association.members.persons()}:
                await departures_of(here.node).erase(here.chief, hanako.id)
        await departures_of(here.node).erase(here.chief, quiet.id)
        figures = sum((await figures_by_block(here.node.core.database, check)).values(), Figures())
        assert figures.of(Standing.HELP) == 2, "the figures are what they were"
        await _log_is_empty(here)
        # While the node runs: the database, its log, all files, byte by byte.
        left = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    for word in (NAME, KANA, PHONE, HOW_SHE_IS, DIARY, WHY, WITHOUT_A_PHONE, "左近 小梅"):
        assert [file.name for file, content in left.items() if word.encode() in content] == [], word
    assert FACE[-200:] not in b"".join(left.values()), "nor her picture"
    assert any(SAID.encode() in content for content in left.values()), "what she said among others stays"


async def test_what_is_taken_back_leaves_the_disk_within_the_hour(tmp_path: Path) -> None:
    async with site(tmp_path, [(NAME, "1班")]) as here, ClientSession() as http:
        phone = Telephone(here, http)
        await phone.log_in(await here.set_password(NAME))
        room = (await phone.ask("POST", "createRoom", {}))["room_id"]
        said = [(await phone.says(room, f"{number} {LONG}")) for number in range(20)]
        on_disk = b"".join(file.read_bytes() for file in tmp_path.rglob("kairan.db*"))
        assert DIARY.encode() in on_disk
        for event_id in said:
            await phone.ask("PUT", f"rooms/{room}/redact/{event_id}/{event_id[1:9]}", {})
        await _log_is_empty(here)
        on_disk = b"".join(file.read_bytes() for file in tmp_path.rglob("kairan.db*"))
        assert DIARY.encode() not in on_disk


async def _log_is_empty(here: Site) -> None:
    """As it becomes after each erasure and each hour, once nobody reads just then."""
    while not await here.node.core.database.empty_log():
        pass


async def _tells_of_herself(here: Site, phone: Telephone, user_id: str) -> None:
    url = await here.node.media.media.keep(user_id, "image/jpeg", "わたし.jpg", FACE)
    await phone.ask("PUT", f"profile/{user_id}/avatar_url", {"avatar_url": url})
    diary = (await phone.ask("POST", "createRoom", {"name": DIARY}))["room_id"]
    for number in range(9):  # more than a page of the database holds
        await phone.says(diary, f"{number} {LONG}")
    await phone.ask("PUT", f"user/{user_id}/account_data/jp.example.note", {"note": DIARY})
    groups, chair = common_services(here.node).groups, here.user(CHAIR)
    group = await groups.found(chair, "囲碁の会", here.person(CHAIR).id, "毎週土曜日")
    await groups.ask(user_id, group.id, WHY)


async def _they_say_how_they_are(here: Site, user_id: str, quiet: str) -> str:
    checks, chair = here.node.association.safety_checks, here.user(CHAIR)
    check = await checks.start(chair, "地震", EVERYONE, drill=True)
    await checks.answer(user_id, check.id, Given(status=Status.HELP, comment=HOW_SHE_IS))
    await checks.enter(chair, check.id, [quiet], Given(status=Status.HELP, comment=WITHOUT_A_PHONE), CameBy.PHONE)
    await checks.close(chair, check.id)
    return check.id
