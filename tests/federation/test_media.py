"""Files go from node to node."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import quote

import pytest
from aiohttp import ClientResponse

from server.foundation.errors import Refused
from server.media.model import Mxc
from server.media.ports import ServerSilent
from tests.builders import Person, RunningNode
from tests.federation.town import FarNode, town
from tests.server.media.pictures import picture, read

PHOTO = picture("PNG", 400, 300)
OLD = "/_matrix/media/v3"
NEW = "/_matrix/client/v1/media"


async def _uploads(who: Person, data: bytes, content_type: str = "image/png", name: str = "写真.png") -> str:
    headers = {"Authorization": f"Bearer {who.token}", "Content-Type": content_type}
    async with who.node.client.post(f"{OLD}/upload", data=data, params={"filename": name}, headers=headers) as answer:
        return str((await answer.json())["content_uri"]).removeprefix("mxc://")


async def _gets(who: Person | RunningNode, path: str) -> tuple[ClientResponse, bytes]:
    node, headers = (who, {}) if isinstance(who, RunningNode) else (who.node, {"Authorization": f"Bearer {who.token}"})
    async with node.client.get(path, headers=headers) as answer:
        return answer, await answer.read()


def _copies(node: RunningNode) -> list[Path]:
    return [path for path in (node.settings.media_dir / "remote" / "content").rglob("*") if path.is_file()]


async def test_a_file_of_another_node_is_shown_and_kept(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura", "ume") as (sakura, ume):
        hanako, taro = await sakura.user("hanako"), await ume.user("taro")
        place = await _uploads(hanako, PHOTO)
        answer, data = await _gets(taro, f"{NEW}/download/{place}")
        assert (answer.status, data) == (200, PHOTO)
        assert answer.headers["Content-Type"] == "image/png"
        assert quote("写真.png") in answer.headers["Content-Disposition"]
        assert "sandbox" in answer.headers["Content-Security-Policy"]

        await sakura.inside.core.late.federation.open()  # type: ignore[union-attr]
        await sakura.client.close()
        again, data = await _gets(taro, f"{OLD}/download/{place}")
        assert (again.status, data) == (200, PHOTO)
        assert len(_copies(ume)) == 1


async def test_a_small_picture_of_another_nodes_picture_is_made(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura", "ume") as (sakura, ume):
        hanako, taro = await sakura.user("hanako"), await ume.user("taro")
        place = await _uploads(hanako, PHOTO)
        answer, data = await _gets(taro, f"{NEW}/thumbnail/{place}?width=96&height=96&method=crop")
        assert (answer.status, read(data).size) == (200, (96, 96))
        text = await _uploads(hanako, b"no picture", "text/plain", "a.txt")
        refused, _ = await _gets(taro, f"{NEW}/thumbnail/{text}?width=96&height=96")
        assert refused.status == 400


async def test_a_file_of_many_pieces_comes_whole_and_an_empty_one_too(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura", "ume") as (sakura, ume):
        hanako, taro = await sakura.user("hanako"), await ume.user("taro")
        for data in (bytes(range(256)) * 12_000, b"", b"\r\n--", b"\r\n"):
            place = await _uploads(hanako, data, "application/octet-stream")
            answer, found = await _gets(taro, f"{NEW}/download/{place}")
            assert (answer.status, found) == (200, data)


async def test_many_who_want_a_file_at_once_cost_one_fetch(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura", "ume") as (sakura, ume):
        hanako, taro = await sakura.user("hanako"), await ume.user("taro")
        place = await _uploads(hanako, PHOTO)
        found = await asyncio.gather(*(_gets(taro, f"{NEW}/download/{place}") for _ in range(10)))
        assert [data for _, data in found] == [PHOTO] * 10
        assert len(_copies(ume)) == 1


async def test_a_file_that_is_announced_is_waited_for_across_nodes(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura", "ume") as (sakura, ume):
        hanako, taro = await sakura.user("hanako"), await ume.user("taro")
        place = str((await hanako.post("/_matrix/media/v1/create"))["content_uri"]).removeprefix("mxc://")
        early, _ = await _gets(taro, f"{NEW}/download/{place}?timeout_ms=1")
        assert early.status == 504
        waiting = asyncio.create_task(_gets(taro, f"{NEW}/download/{place}"))
        headers = {"Authorization": f"Bearer {hanako.token}", "Content-Type": "image/png"}
        async with sakura.client.put(f"{OLD}/upload/{place}", data=PHOTO, headers=headers) as brought:
            assert brought.status == 200
        answer, data = await waiting
        assert (answer.status, data) == (200, PHOTO)


async def test_what_another_node_does_not_have_is_not_found(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura", "ume") as (sakura, ume):
        taro = await ume.user("taro")
        answer, _ = await _gets(taro, f"{NEW}/download/{sakura.settings.server_name}/nothing")
        assert answer.status == 404
        assert _copies(ume) == []


@pytest.mark.parametrize("path", [
    f"{OLD}/download/{{place}}?allow_remote=false", f"{OLD}/thumbnail/{{place}}?allow_remote=false&width=9&height=9",
    f"{NEW}/download/no%20server/abc",
])
async def test_nothing_is_fetched_where_it_is_not_wished(tmp_path: Path, path: str) -> None:
    async with town(tmp_path, "sakura", "ume") as (sakura, ume):
        hanako, taro = await sakura.user("hanako"), await ume.user("taro")
        place = await _uploads(hanako, PHOTO)
        assert (await _gets(taro, path.format(place=place)))[0].status == 404
        assert _copies(ume) == []


async def test_nothing_is_fetched_for_strangers(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura", "ume", more="[media]\nallow_unauthenticated_downloads = true\n") as nodes:
        hanako = await nodes[0].user("hanako")
        place = await _uploads(hanako, PHOTO)
        assert (await _gets(nodes[0], f"{OLD}/download/{place}"))[0].status == 200
        assert (await _gets(nodes[1], f"{OLD}/download/{place}"))[0].status == 404
        assert _copies(nodes[1]) == []


async def test_one_person_does_not_let_the_node_fetch_without_end(tmp_path: Path) -> None:
    limits = "[limits]\nenabled = true\nrequests_per_second = 10000\nrequest_burst = 10000\n"
    async with town(tmp_path, "sakura", "ume", more=limits) as (sakura, ume):
        taro = await ume.user("taro")
        name = sakura.settings.server_name
        found = []
        for number in range(0, 500, 20):
            batch = (_gets(taro, f"{NEW}/download/{name}/file{number + more}") for more in range(20))
            found += [answer.status for answer, _ in await asyncio.gather(*batch)]
        assert {404, 429} == set(found)


async def test_who_does_not_sign_gets_no_file(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura") as (sakura,):
        place = await _uploads(await sakura.user("hanako"), PHOTO)
        media_id = place.partition("/")[2]
        for door in (f"download/{media_id}", f"thumbnail/{media_id}?width=96&height=96"):
            assert (await _gets(sakura, f"/_matrix/federation/v1/media/{door}"))[0].status == 401


async def test_another_node_gets_small_pictures_and_refusals(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura", "ume") as (sakura, ume):
        place = await _uploads(await sakura.user("hanako"), PHOTO)
        media_id = place.partition("/")[2]
        late = ume.inside.core.late.federation
        assert late is not None
        servers = (await late.open()).servers
        for path, status in (
            (f"thumbnail/{media_id}?width=32&height=32&method=crop", 200), (f"thumbnail/{media_id}?width=32", 400),
            (f"thumbnail/{media_id}?width=-1&height=5", 400), ("download/..%2F..%2Fnode.db", 404),
            ("thumbnail/unknown?width=32&height=32", 404),
        ):
            answer = await servers.fetch(
                sakura.settings.server_name, "GET", f"/_matrix/federation/v1/media/{path}"
            )
            assert answer.status == status, path
            if status == 200:
                assert answer.headers["Content-Type"].startswith("multipart/mixed; boundary=")
                assert int(answer.headers["Content-Length"]) == len(answer.body)
                assert b"image/jpeg" in answer.body


async def test_a_server_that_is_away_is_not_asked_again_at_once(tmp_path: Path) -> None:
    async with town(tmp_path, "ume") as (ume,):
        away = FarNode(tmp_path / "away")
        taro = await ume.user("taro")
        assert (await _gets(taro, f"{NEW}/download/{away.name}/abc"))[0].status == 404
        await away.start()
        assert (await _gets(taro, f"{NEW}/download/{away.name}/other"))[0].status == 404
        await away.stop()


async def test_a_silent_server_is_told_from_a_missing_file(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura", "ume") as (sakura, ume):
        late = ume.inside.core.late.federation
        assert late is not None
        with pytest.raises(ServerSilent):
            async with late.fetch(Mxc("127.0.0.1:1", "abc"), wait_ms=0):
                pass
        with pytest.raises(Refused) as told:
            async with late.fetch(Mxc(sakura.settings.server_name, "abc"), wait_ms=0):
                pass
        assert not isinstance(told.value, ServerSilent)
