"""server/foundation/outgoing.py: where the node may connect to, and how much it takes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from ipaddress import ip_network
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver
from aiohttp.test_utils import TestServer

from server.foundation.outgoing import ForbiddenAddress, Outgoing, TooMuch, Unreachable

CLOSING = web.AppKey("closing", asyncio.Event)
LOOPBACK = ip_network("127.0.0.0/8")
WAYS_HOME = [
    "http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://127.1:{port}/", "http://2130706433:{port}/",
    "http://0x7f.0.0.1:{port}/", "http://0.0.0.0:{port}/", "http://[::ffff:127.0.0.1]:{port}/", "http://[::1]:{port}/",
    "http://router.example:{port}/",
]


class AlwaysHome(AbstractResolver):
    """Names that an attacker owns may point anywhere."""

    async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> Any:
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}]

    async def close(self) -> None:
        pass


async def _hello(request: web.Request) -> web.Response:
    return web.Response(text=f"hello {request.headers.get('Authorization', 'stranger')}")


async def _onward(request: web.Request) -> web.Response:
    raise web.HTTPFound(request.query["to"])


async def _much(_request: web.Request) -> web.Response:
    return web.Response(body=b"0" * 5_000_000, headers={"Content-Encoding": "identity"})


async def _packed(_request: web.Request) -> web.Response:
    answer = web.Response(body=b"0" * 5_000_000)
    answer.enable_compression(web.ContentCoding.gzip)
    return answer


async def _silent(request: web.Request) -> web.Response:
    await request.app[CLOSING].wait()
    return web.Response()


@pytest.fixture
async def house() -> AsyncIterator[TestServer]:
    """A server in our own network."""
    app = web.Application()
    app[CLOSING] = asyncio.Event()
    app.router.add_get("/", _hello)
    app.router.add_get("/onward", _onward)
    app.router.add_get("/much", _much)
    app.router.add_get("/packed", _packed)
    app.router.add_get("/silent", _silent)
    server = TestServer(app)
    await server.start_server()
    yield server
    app[CLOSING].set()
    await server.close()


@pytest.fixture
async def stranger() -> AsyncIterator[Outgoing]:
    outgoing = Outgoing(resolver=AlwaysHome())
    yield outgoing
    await outgoing.close()


@pytest.fixture
async def neighbour() -> AsyncIterator[Outgoing]:
    outgoing = Outgoing([LOOPBACK])
    yield outgoing
    await outgoing.close()


@pytest.mark.parametrize("way", WAYS_HOME)
async def test_no_way_of_writing_an_address_leads_into_the_nodes_own_network(
    way: str, house: TestServer, stranger: Outgoing
) -> None:
    with pytest.raises(Unreachable):
        await stranger.fetch("GET", way.format(port=house.port), limit=1000, timeout_s=5)


async def test_a_forbidden_address_is_told_from_one_that_does_not_answer(house: TestServer, stranger: Outgoing) -> None:
    with pytest.raises(ForbiddenAddress):
        await stranger.fetch("GET", f"http://127.0.0.1:{house.port}/", limit=1000, timeout_s=5)


@pytest.mark.parametrize("host", [
    "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255", "::1",
    "fe80::1%eth0", "fc00::1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1", "::",
])
def test_private_and_special_networks_are_closed(host: str) -> None:
    assert not Outgoing().may_connect(host)


@pytest.mark.parametrize("host", ["1.1.1.1", "203.0.114.1", "2606:4700:4700::1111"])
def test_the_public_network_is_open(host: str) -> None:
    assert Outgoing().may_connect(host)


async def test_an_allowed_network_is_reached(house: TestServer, neighbour: Outgoing) -> None:
    answer = await neighbour.fetch("GET", str(house.make_url("/")), limit=1000, timeout_s=5)
    assert (answer.status, answer.body) == (200, b"hello stranger")


async def test_redirects_are_followed_only_as_far_as_asked_and_without_the_secret(
    house: TestServer, neighbour: Outgoing
) -> None:
    url = str(house.make_url("/onward").with_query(to="/"))
    secret = {"Authorization": "Bearer secret"}
    assert (await neighbour.fetch("GET", url, limit=1000, timeout_s=5)).status == 302
    followed = await neighbour.fetch("GET", url, headers=secret, limit=1000, timeout_s=5, redirects=1)
    assert followed.body == b"hello stranger"


async def test_a_redirect_to_another_kind_of_address_is_refused(house: TestServer, neighbour: Outgoing) -> None:
    url = str(house.make_url("/onward").with_query(to="file:///etc/passwd"))
    with pytest.raises(Unreachable):
        await neighbour.fetch("GET", url, limit=1000, timeout_s=5, redirects=3)


@pytest.mark.parametrize("path", ["/much", "/packed"])
async def test_more_than_asked_for_is_not_taken(path: str, house: TestServer, neighbour: Outgoing) -> None:
    with pytest.raises(TooMuch):
        await neighbour.fetch("GET", str(house.make_url(path)), limit=100_000, timeout_s=5)


async def test_who_does_not_answer_in_time_is_unreachable(house: TestServer, neighbour: Outgoing) -> None:
    with pytest.raises(Unreachable):
        await neighbour.fetch("GET", str(house.make_url("/silent")), limit=1000, timeout_s=0.05)


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux can be told so")
async def test_a_connection_that_nobody_hears_does_not_look_open_for_long() -> None:
    opened = Outgoing([LOOPBACK])._open_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 1)))
    with opened:
        assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 20_000
