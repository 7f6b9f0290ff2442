"""Each of the media doors, in a whole node: once as it should be, once without a token, once refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.builders import RunningNode, settings_for
from tests.server.media.pictures import picture

NEW, OLD = "/_matrix/client/v1/media", "/_matrix/media/v3"
PICTURE = picture("PNG", 64, 48)
NAME = "秋の清掃（案）.png"
READING = [
    f"{NEW}/download/{{place}}", f"{NEW}/download/{{place}}/photo.png", f"{NEW}/thumbnail/{{place}}?width=32&height=32",
    f"{OLD}/download/{{place}}", f"{OLD}/download/{{place}}/photo.png", f"{OLD}/thumbnail/{{place}}?width=32&height=32",
]


class Visitor:
    """Somebody with a client that speaks of files."""

    def __init__(self, node: RunningNode, token: str | None) -> None:
        self._node = node
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def ask(self, method: str, path: str, data: Any = None, **headers: str) -> tuple[int, Any, dict[str, str]]:
        async with self._node.client.request(
            method, path, data=data, headers={**self._headers, **headers}
        ) as answer:
            is_json = answer.content_type == "application/json"
            return answer.status, await (answer.json() if is_json else answer.read()), dict(answer.headers)

    async def uploads(self) -> str:
        kind = {"Content-Type": "image/png"}
        status, told, _ = await self.ask("POST", f"{OLD}/upload?filename={NAME}", PICTURE, **kind)
        assert status == 200
        return str(told["content_uri"]).removeprefix("mxc://")


@pytest.fixture
async def hanako(node: RunningNode) -> Visitor:
    return Visitor(node, (await node.user("hanako")).token)


@pytest.fixture
def stranger(node: RunningNode) -> Visitor:
    return Visitor(node, None)


@pytest.mark.parametrize("path", [f"{NEW}/config", f"{OLD}/config", "/_matrix/media/r0/config"])
async def test_config(hanako: Visitor, stranger: Visitor, path: str) -> None:
    assert (await hanako.ask("GET", path))[:2] == (200, {"m.upload.size": 50 * 2**20})
    assert (await stranger.ask("GET", path))[1]["errcode"] == "M_MISSING_TOKEN"


@pytest.mark.parametrize("path", READING)
async def test_reading(hanako: Visitor, stranger: Visitor, path: str) -> None:
    place = await hanako.uploads()
    status, content, headers = await hanako.ask("GET", path.format(place=place))
    assert status == 200
    assert headers["Content-Type"] in ("image/png", "image/jpeg")
    assert headers["Content-Disposition"].startswith("inline; filename")
    for name in ("Content-Security-Policy", "Cross-Origin-Resource-Policy", "Etag", "Access-Control-Allow-Origin"):
        assert headers[name]
    if "thumbnail" not in path:
        assert content == PICTURE
    refused, told, _ = await stranger.ask("GET", path.format(place=place))
    assert (refused, told["errcode"]) in ((401, "M_MISSING_TOKEN"), (404, "M_NOT_FOUND"))
    gone, told, _ = await hanako.ask("GET", path.format(place="sakura.example/none"))
    assert (gone, told["errcode"]) == (404, "M_NOT_FOUND")


async def test_the_name_of_a_file_comes_back_unless_another_is_asked_for(hanako: Visitor) -> None:
    place = await hanako.uploads()
    _, _, headers = await hanako.ask("GET", f"{NEW}/download/{place}")
    assert headers["Content-Disposition"] == (
        "inline; filename*=utf-8''"
        "%E7%A7%8B%E3%81%AE%E6%B8%85%E6%8E%83%EF%BC%88%E6%A1%88%EF%BC%89.png"
    )
    _, _, headers = await hanako.ask("GET", f"{NEW}/download/{place}/%E6%98%A5.png")
    assert headers["Content-Disposition"] == "inline; filename*=utf-8''%E6%98%A5.png"


async def test_uploading(hanako: Visitor, stranger: Visitor) -> None:
    assert (await hanako.ask("POST", f"{OLD}/upload", b""))[0] == 200
    assert (await stranger.ask("POST", f"{OLD}/upload", b"x"))[1]["errcode"] == "M_MISSING_TOKEN"


async def test_announcing_and_bringing(hanako: Visitor, stranger: Visitor) -> None:
    status, told, _ = await hanako.ask("POST", "/_matrix/media/v1/create")
    assert (status, set(told)) == (200, {"content_uri", "unused_expires_at"})
    place = told["content_uri"].removeprefix("mxc://")
    assert (await hanako.ask("GET", f"{NEW}/download/{place}?timeout_ms=0"))[1]["errcode"] == "M_NOT_YET_UPLOADED"
    assert (await stranger.ask("PUT", f"{OLD}/upload/{place}", PICTURE))[0] == 401
    assert (await hanako.ask("PUT", f"{OLD}/upload/{place}", PICTURE))[:2] == (200, {})
    assert (await hanako.ask("PUT", f"{OLD}/upload/{place}", PICTURE))[1]["errcode"] == "M_CANNOT_OVERWRITE_MEDIA"
    assert (await hanako.ask("GET", f"{NEW}/download/{place}"))[:2] == (200, PICTURE)
    assert (await stranger.ask("POST", "/_matrix/media/v1/create"))[0] == 401


async def test_guests_may_look_and_not_upload(tmp_path: Path) -> None:
    more = '[registration]\nmode = "open"\nallow_guests = true\n'
    async with RunningNode(settings_for(tmp_path, more=more)) as node:
        place = await Visitor(node, (await node.user("hanako")).token).uploads()
        guest = Visitor(node, (await node.ask("POST", "v3/register", {}, kind="guest"))["access_token"])
        assert (await guest.ask("GET", f"{NEW}/download/{place}"))[0] == 200
        for method, path in (("POST", f"{OLD}/upload"), ("POST", "/_matrix/media/v1/create")):
            assert (await guest.ask(method, path, b"x"))[1]["errcode"] == "M_GUEST_ACCESS_FORBIDDEN"


async def test_old_tools_may_be_served_without_a_token_where_the_operator_says_so(tmp_path: Path) -> None:
    more = "[media]\nallow_unauthenticated_downloads = true\n"
    async with RunningNode(settings_for(tmp_path, more=more)) as node:
        place = await Visitor(node, (await node.user("hanako")).token).uploads()
        stranger = Visitor(node, None)
        for path in READING:
            status, _, _ = await stranger.ask("GET", path.format(place=place))
            assert status == (200 if path.startswith(OLD) else 401)
