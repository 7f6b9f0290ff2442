"""Connections to other servers: only where they should go, and only to who can prove to be it."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import dns.asyncresolver
import dns.message
import dns.resolver
import dns.rrset
import pytest
import trustme
from aiohttp import web

from federation.identity.discovery import Place
from federation.identity.servers import OwnIdentity, PeerUnreachable, Servers, certificate_rules
from federation.identity.service_records import ServiceRecords
from server.foundation.outgoing import Outgoing
from server.foundation.signatures import SigningKey
from server.rooms.ports import PeerFailed
from tests.federation.town import free_port

NAME = "sakura.example.jp"
PATH = "/_matrix/federation/v1/version"
EVERYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))
Json = dict[str, Any]


class Places(list[Place]):
    """Where every server is said to be."""

    async def find(self, _: str) -> list[Place]:
        return self


class House:
    """A server that answers with its own name for itself."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.hosts: list[str] = []
        self.status = 200

    async def answer(self, request: web.Request) -> web.Response:
        self.hosts.append(request.headers["Host"])
        if self.status != 200:
            return web.Response(status=self.status, headers={"Location": f"https://127.0.0.1:{self.port}/elsewhere"})
        return web.json_response({"server": {"name": "house"}})


@asynccontextmanager
async def house(certificate: trustme.LeafCert | None, host: str = "127.0.0.1") -> AsyncIterator[House]:
    """One with this certificate, or one that speaks without encryption."""
    found = House(free_port())
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", found.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    context = None
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        certificate.configure_cert(context)
    await web.TCPSite(runner, host, found.port, ssl_context=context).start()
    try:
        yield found
    finally:
        await runner.cleanup()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
async def ask(tmp_path: Path, authority: trustme.CA) -> AsyncIterator[Any]:
    """Asks whoever is at ``places`` as the server ``NAME``; by our rules, or by others."""
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(file)
    identity = OwnIdentity("ume.example.jp", SigningKey.generate())
    async with AsyncExitStack() as closing:

        async def asks(*places: Place, verify: bool = True, networks: Any = EVERYWHERE) -> Any:
            rules = certificate_rules(verify=verify, authorities=file)
            outgoing = Outgoing(networks)
            closing.push_async_callback(outgoing.close)
            servers = Servers(identity, Places(places), outgoing, rules)  # type: ignore[arg-type]
            return await servers.get(NAME, PATH, timeout_s=10)

        yield asks


def at(port: int, certificate_name: str = NAME, host: str = "127.0.0.1") -> Place:
    return Place(host, port, certificate_name, NAME)


async def test_who_proves_its_name_is_believed_wherever_it_is(authority: trustme.CA, ask: Any) -> None:
    async with house(authority.issue_cert(NAME)) as found:
        assert await ask(at(found.port)) == {"server": {"name": "house"}}
        assert found.hosts == [NAME]


@pytest.mark.parametrize("for_whom", [["127.0.0.1"], ["other.example.jp"], ["a.sakura.example.jp"], ["*.example.jp"]])
async def test_a_certificate_for_somebody_else_proves_nothing(
    authority: trustme.CA, ask: Any, for_whom: list[str]
) -> None:
    async with house(authority.issue_cert(*for_whom)) as found:
        if for_whom == ["*.example.jp"]:
            assert await ask(at(found.port))  # this one is for all names below
            with pytest.raises(PeerUnreachable):
                await ask(at(found.port, "a.sakura.example.jp"))
        else:
            with pytest.raises(PeerUnreachable):
                await ask(at(found.port))
            assert not found.hosts


async def test_a_certificate_of_an_unknown_authority_proves_nothing(ask: Any) -> None:
    async with house(trustme.CA().issue_cert(NAME)) as found:
        with pytest.raises(PeerUnreachable):
            await ask(at(found.port))
        assert not found.hosts
        assert await ask(at(found.port), verify=False)


async def test_a_certificate_that_has_ended_proves_nothing(authority: trustme.CA, ask: Any) -> None:
    began, end = (datetime(year, 1, 1, tzinfo=UTC) for year in (2020, 2021))
    ended = authority.issue_cert(NAME, not_before=began, not_after=end)
    async with house(ended) as found:
        with pytest.raises(PeerUnreachable):
            await ask(at(found.port))
        assert not found.hosts


async def test_who_does_not_encrypt_is_not_spoken_with(ask: Any) -> None:
    async with house(None) as found:
        for verify in (True, False):
            with pytest.raises(PeerUnreachable):
                await ask(at(found.port), verify=verify)
        assert not found.hosts


async def test_a_literal_address_is_proven_as_an_address(authority: trustme.CA, ask: Any) -> None:
    async with house(authority.issue_cert("127.0.0.1")) as found:
        assert await ask(at(found.port, "127.0.0.1"))
    async with house(authority.issue_cert("localhost", NAME)) as found:
        with pytest.raises(PeerUnreachable):
            await ask(at(found.port, "127.0.0.1"))


@pytest.mark.skipif(not socket.has_ipv6, reason="there is no IPv6 here")
async def test_a_server_with_an_address_of_version_6(authority: trustme.CA, ask: Any) -> None:
    try:
        async with house(authority.issue_cert("::1"), "::1") as found:
            place = Place("::1", found.port, "::1", f"[::1]:{found.port}")
            assert await ask(place)
            assert found.hosts == [f"[::1]:{found.port}"]
    except OSError:
        pytest.skip("there is no IPv6 here")


async def test_the_next_place_is_tried_where_one_does_not_answer(authority: trustme.CA, ask: Any) -> None:
    async with house(trustme.CA().issue_cert(NAME)) as liar, house(authority.issue_cert(NAME)) as found:
        assert await ask(at(free_port()), at(liar.port), at(found.port))
        with pytest.raises(PeerUnreachable):
            await ask(at(free_port()), at(liar.port))
        with pytest.raises(PeerFailed):
            await ask()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_server_does_not_send_us_elsewhere(authority: trustme.CA, ask: Any, status: int) -> None:
    """A signed request is for one server."""
    async with house(authority.issue_cert(NAME, "127.0.0.1")) as found:
        found.status = status
        with pytest.raises(PeerFailed):
            await ask(at(found.port))
        assert len(found.hosts) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "::ffff:127.0.0.1", "10.0.0.1", "169.254.169.254"])
async def test_the_own_network_is_not_gone_to_unless_that_is_allowed(
    authority: trustme.CA, ask: Any, host: str
) -> None:
    async with house(authority.issue_cert(NAME)) as found:
        with pytest.raises(PeerUnreachable, match="does not go"):
            await ask(at(found.port, host=host), networks=())
        assert not found.hosts


class NameServer(asyncio.DatagramProtocol):
    """Knows some SRV records."""

    def __init__(self, records: dict[str, list[str]]) -> None:
        self.records = records
        self.asked: list[str] = []

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        question = dns.message.from_wire(data)
        name = question.question[0].name.to_text().rstrip(".")
        self.asked.append(name)
        answer = dns.message.make_response(question)
        if name in self.records:
            answer.answer.append(dns.rrset.from_text_list(f"{name}.", 300, "IN", "SRV", self.records[name]))
        self.transport.sendto(answer.to_wire(), address)


async def test_service_records_come_by_priority_and_are_kept() -> None:
    loop, port = asyncio.get_running_loop(), free_port()
    known = NameServer({
        "_matrix-fed._tcp.a": ["20 5 443 third.example.", "10 0 8448 first.example.", "15 5 80 second.example."],
        "_matrix-fed._tcp.none": ["0 0 0 ."],
    })
    transport, _ = await loop.create_datagram_endpoint(lambda: known, ("127.0.0.1", port))
    try:
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], port
        records = ServiceRecords(resolver)
        resolver.cache = dns.resolver.LRUCache(10)
        for _ in range(2):
            assert await records.find("_matrix-fed._tcp.a") == [
                ("first.example", 8448), ("second.example", 80), ("third.example", 443)
            ]
        assert known.asked == ["_matrix-fed._tcp.a"]
        assert await records.find("_matrix-fed._tcp.none") == []
        assert await records.find("_matrix-fed._tcp.nothing") == []
        assert await records.find("_matrix._tcp." + "x" * 300) == []
        assert await records.find("_matrix._tcp..") == []
    finally:
        transport.close()
