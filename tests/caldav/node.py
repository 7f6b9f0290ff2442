"""A CalDAV door on a real port of 127.0.0.1, with a database file, in a thread of its own."""

from __future__ import annotations

import asyncio
import base64
import http.client
import threading
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import caldav
from aiohttp import web
from lxml import etree

from server.caldav.app import CaldavDoor, make_caldav_app, open_calendars
from server.caldav.settings import CaldavSettings
from server.calendars.addresses import Addresses
from server.calendars.app_passwords import AppPasswords
from server.calendars.invitations import InvitationDesk, Organizer
from server.calendars.scheduling import open_scheduling
from server.foundation.clock import SystemClock
from server.storage.database import Database
from server.storage.schema_version import migrate
from tests.caldav.gatherings_in_memory import GatheringsInMemory
from tests.caldav.invitations_in_memory import InvitationsInMemory
from tests.empty_database import lay_down

Result = TypeVar("Result")
SERVER_NAME = "sakura.example"
_CLIENT: Any = caldav.DAVClient  # loaded lazily by the library, so a checker cannot see what it is
D, C = "{DAV:}", "{urn:ietf:params:xml:ns:caldav}"


class RightsByList:
    """Officers write, guests read nothing of the association, all others read."""

    def __init__(self) -> None:
        self.officers: set[str] = set()
        self.guests: set[str] = set()

    async def may_read(self, user_id: str, collection: str) -> bool:
        return user_id not in self.guests

    async def may_write(self, user_id: str, collection: str) -> bool:
        return user_id in self.officers


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def xml(self) -> Any:
        return etree.fromstring(self.body)

    def hrefs(self) -> list[str]:
        return [item.text for item in self.xml.findall(f"{D}response/{D}href")]

    def etag(self) -> str:
        return self.headers["etag"]


class Account:
    """A resident with an app password, and raw HTTP as them."""

    def __init__(self, node: Node, name: str) -> None:
        self.node = node
        self.name = name
        self.user_id = f"@{name}:{SERVER_NAME}"
        self.password_id, self.secret = node.run(self._make_password())
        self.home = f"/dav/calendars/{name}/"
        self.personal = f"{self.home}personal/"
        self.tasks = f"{self.home}tasks/"
        self.gatherings = f"{self.home}gatherings/"
        self.invitations = f"{self.home}invitations/"
        self.inbox = f"{self.home}inbox/"
        self.outbox = f"{self.home}outbox/"

    async def _make_password(self) -> tuple[str, str]:
        password, secret = await self.node.app_passwords.create(self.user_id, "test")
        return password.id, secret

    def ask(self, method: str, path: str, body: str | bytes = b"", **headers: str) -> Answer:
        sent = {"Authorization": basic(self.name, self.secret)}
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        return self.node.ask(method, path, body, sent)

    def put(self, path: str, ics: str, **headers: str) -> Answer:
        return self.ask("PUT", path, ics, Content_Type="text/calendar; charset=utf-8", **headers)

    def query(self, path: str, inner: str, prop: str = "<D:getetag/>") -> Answer:
        return self.ask("REPORT", path, query_xml(inner, prop), Depth="1")

    def found(self, path: str, inner: str) -> list[str]:
        """Names of the entries that a calendar-query finds."""
        answer = self.query(path, inner)
        assert answer.status == 207, answer.body
        return sorted(href.rpartition("/")[2] for href in answer.hrefs())

    def sync(self, path: str, token: str = "", limit: int = 0) -> Answer:
        nresults = f"<D:limit><D:nresults>{limit}</D:nresults></D:limit>" if limit else ""
        return self.ask("REPORT", path, (
            f'<D:sync-collection xmlns:D="DAV:"><D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level>'
            f"{nresults}<D:prop><D:getetag/></D:prop></D:sync-collection>"))

    def client(self, url: str = "") -> Any:
        """The caldav library, logged in."""
        return _CLIENT(url=url or f"{self.node.url}/dav/", username=self.name, password=self.secret)

    def calendar(self, name: str = "personal") -> Any:
        return next(item for item in self.client().principal().calendars() if str(item.url).endswith(f"/{name}/"))


class Node:
    """Only what CalDAV needs of a node."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.rights = RightsByList()
        self.gatherings = GatheringsInMemory()
        self.invitations = InvitationsInMemory()
        self.shown_times: set[str] = set()
        self.run(self._start(folder, CaldavSettings(server_name=SERVER_NAME, association="桜町町内会", **settings)))

    async def _start(self, folder: Path, settings: CaldavSettings) -> None:
        clock = SystemClock()
        await lay_down(f"sqlite+aiosqlite:///{folder / 'node.db'}")
        self.database = Database(f"sqlite+aiosqlite:///{folder / 'node.db'}")
        await self.database.open()
        await migrate(self.database)
        self.app_passwords = AppPasswords(self.database, clock)
        desk = InvitationDesk(
            self.database, self.invitations, Organizer(settings.association, f"@kairan:{SERVER_NAME}"),
            Addresses(SERVER_NAME))
        calendars = open_calendars(
            self.database, self.gatherings, self.rights, clock, settings.association,
            scheduling=open_scheduling(desk, self._shows_busy_times))
        self.door: CaldavDoor = make_caldav_app(calendars, self.app_passwords, clock, settings)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.door.handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self.port}"

    async def _shows_busy_times(self, user_id: str) -> bool:
        return user_id in self.shown_times

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def close(self) -> None:
        self.run(self._runner.cleanup())
        self.run(self.database.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def account(self, name: str) -> Account:
        return Account(self, name)

    def officer(self, name: str) -> Account:
        account = Account(self, name)
        self.rights.officers.add(account.user_id)
        return account

    def ask(self, method: str, path: str, body: str | bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body.encode() if isinstance(body, str) else body, dict(headers or {}))
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())
        finally:
            connection.close()


def basic(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


def query_xml(inner: str, prop: str = "<D:getetag/>") -> str:
    return (
        '<C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">'
        f"<D:prop>{prop}</D:prop><C:filter>{inner}</C:filter></C:calendar-query>"
    )


def in_time(start: str, end: str, component: str = "VEVENT", inner: str = "") -> str:
    bounds = (f' start="{start}"' if start else "") + (f' end="{end}"' if end else "")
    return (f'<C:comp-filter name="VCALENDAR"><C:comp-filter name="{component}"><C:time-range{bounds}/>{inner}'
            "</C:comp-filter></C:comp-filter>")


def ics(uid: str, *lines: str, component: str = "VEVENT") -> str:
    """One entry; ``lines`` beside UID and DTSTAMP."""
    inner = "".join(f"{line}\r\n" for line in (f"UID:{uid}", "DTSTAMP:20260101T000000Z", *lines))
    return (f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//test//EN\r\nBEGIN:{component}\r\n{inner}"
            f"END:{component}\r\nEND:VCALENDAR\r\n")


def condition_of(answer: Answer) -> str:
    """The local name of the precondition in an error body."""
    first = next((item for item in answer.xml if not item.tag.endswith("}reason")), None)
    return "" if first is None else etree.QName(first).localname
