"""Previews of web pages, as a client asks for them."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.media import preview_fetching
from tests.builders import RunningNode, settings_for
from tests.server.media.web_site import PHOTO, WebSite, friendly

PATHS = ["v1/media/preview_url", "/_matrix/media/v3/preview_url", "/_matrix/media/r0/preview_url"]
LIMITED = "[limits]\nenabled = true\n"


@pytest.fixture
async def site() -> AsyncIterator[WebSite]:
    opened = WebSite()
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def town(tmp_path: Path, site: WebSite, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a node that may look at the web site."""
    monkeypatch.setattr(preview_fetching, "Outgoing", lambda **_: friendly())

    def made(more: str = "", rules: str = "") -> RunningNode:
        return RunningNode(settings_for(tmp_path, more=f"{more}[previews]\nports = [80, {site.port}]\n{rules}"))

    return made


async def test_a_page_is_shown_and_its_picture_can_be_had(town: Any, site: WebSite) -> None:
    async with town() as node:
        hanako = await node.user("hanako")
        for path in PATHS:
            answer = await hanako.get(path, url=site.url("/article"), ts="1510610716656")
            assert answer["og:title"] == "秋の清掃のお知らせ"
            assert answer["matrix:image:size"] == len(PHOTO)
        assert site.asked["/article"] == 1
        place = answer["og:image"].removeprefix("mxc://")
        picture = await node.client.get(
            f"/_matrix/client/v1/media/download/{place}", headers={"Authorization": f"Bearer {hanako.token}"}
        )
        assert (await picture.read(), picture.headers["Content-Type"]) == (PHOTO, "image/png")


@pytest.mark.parametrize("path", PATHS)
async def test_only_members_may_ask(town: Any, site: WebSite, path: str) -> None:
    async with town('[registration]\nmode = "open"\nallow_guests = true\n') as node:
        address = site.url("/article")
        assert (await node.ask("GET", path, url=address)).refusal == (401, "M_MISSING_TOKEN")
        assert (await node.ask("GET", path, token="wrong", url=address)).refusal == (401, "M_UNKNOWN_TOKEN")
        guest = await node.ask("POST", "v3/register", {}, kind="guest")
        refused = await node.ask("GET", path, token=guest["access_token"], url=address)
        assert refused.refusal == (403, "M_GUEST_ACCESS_FORBIDDEN")
        assert not site.asked


@pytest.mark.parametrize(("query", "refusal"), [
    ({}, (400, "M_MISSING_PARAM")),
    ({"url": "nonsense"}, (400, "M_INVALID_PARAM")),
    ({"url": "http://localhost/"}, (400, "M_INVALID_PARAM")),
    ({"url": "http://example.org/", "ts": "yesterday"}, (400, "M_INVALID_PARAM")),
    ({"url": "http://example.org:22/"}, (403, "M_FORBIDDEN")),
    ({"url": "http://www.bad.example/"}, (403, "M_FORBIDDEN")),
])
async def test_questions_that_are_refused(town: Any, query: dict[str, str], refusal: tuple[int, str]) -> None:
    async with town(rules='blocked_hosts = ["bad.example"]\n') as node:
        assert (await (await node.user("hanako")).get(PATHS[0], **query)).refusal == refusal


async def test_a_page_that_cannot_be_had_is_said_to_be_so(town: Any, site: WebSite) -> None:
    async with town() as node:
        answer = await (await node.user("hanako")).get(PATHS[0], url=site.url("/none"))
        assert answer.refusal == (404, "M_NOT_FOUND")


async def test_the_nodes_own_network_is_closed_without_the_leave_of_a_test(tmp_path: Path, site: WebSite) -> None:
    allowed = f'[outgoing]\nallowed_networks = ["127.0.0.0/8"]\n[previews]\nports = [{site.port}]\n'
    async with RunningNode(settings_for(tmp_path, more=allowed)) as node:
        answer = await (await node.user("hanako")).get(PATHS[0], url=site.url("/article"))
        assert answer.refusal == (404, "M_NOT_FOUND")
        assert not site.asked


async def test_a_node_that_previews_nothing_does_not_know_the_path(town: Any, site: WebSite) -> None:
    async with town(rules="enabled = false\n") as node:
        hanako = await node.user("hanako")
        assert (await hanako.get(PATHS[0], url=site.url("/article"))).refusal == (404, "M_UNRECOGNIZED")
        assert not site.asked


async def test_who_asks_for_very_many_pages_waits_but_not_for_known_ones(town: Any, site: WebSite) -> None:
    async with town(LIMITED) as node:
        hanako, taro = await node.users("hanako", "taro")
        for number in range(60):
            answer = await hanako.get(PATHS[0], url=site.put(f"/{number}", f"<title>{number}</title>"))
            assert answer["og:title"] == str(number)
        refused = await hanako.get(PATHS[0], url=site.url("/article"))
        assert refused.refusal == (429, "M_LIMIT_EXCEEDED")
        assert refused.body["retry_after_ms"] > 0
        assert (await hanako.get(PATHS[0], url=site.url("/1"))).status == 200
        assert (await taro.get(PATHS[0], url=site.url("/article"))).status == 200


async def test_no_address_comes_into_the_log(town: Any, site: WebSite, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with town() as node:
        hanako = await node.user("hanako")
        for path in ("/clinic-a", "/clinic-b?q=1", "/photo.png"):
            await hanako.get(PATHS[0], url=site.url(path))
        await hanako.get(PATHS[0], url="http://clinic-c.local/")
    ours = [record.getMessage() for record in caplog.records if record.name.startswith(("server", "federation"))]
    assert not [line for line in ours if "clinic" in line or "photo" in line]


async def test_a_preview_survives_a_restart(town: Any, site: WebSite) -> None:
    async with town() as node:
        hanako = await node.user("hanako")
        before = await hanako.get(PATHS[0], url=site.url("/article"))
        await node.restart()
        assert (await hanako.get(PATHS[0], url=site.url("/article"))).body == before.body
        assert site.asked["/article"] == 1
