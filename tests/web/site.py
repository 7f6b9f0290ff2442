"""A node with its own pages on a real port, and people who open them."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from aiohttp import web

from server.accounts.web_sessions import WebSessions
from server.association.members.invitations import CardSettings, Invitations
from server.association.members.papers import PAPER_LIMITS, Papers
from server.association.members.roster_exchange import RosterExchange
from server.association.polls.actions import Polls
from server.association.safety_checks.actions import SafetyChecks
from server.association.safety_checks.desk import SafetyDesk
from server.calendars.app_passwords import AppPasswords
from server.config import Settings, parse_settings
from server.foundation.clock import SystemClock
from server.foundation.worker_process import WorkerProcess
from server.http.media_services import open_media
from server.http.rate_limits import RateLimits
from server.web.app import add_pages
from server.web.services import NodeServices, RosterServices, SafetyServices, WebServices
from tests.association.speaking import Street, street
from tests.association.world import SERVER

NAMES = (("佐藤 花子", "1班"), ("鈴木 一郎", "1班"), ("高橋 美咲", "2班"), ("田中 実", "2班"))
CHAIR = "町田 会長"
PASSWORD = "sakura-no-ki-7"


@dataclass(slots=True)
class Site:
    """The node, its services and where it listens."""

    street: Street
    services: WebServices
    url: str

    async def set_password(self, name: str, password: str = PASSWORD) -> str:
        """Give somebody a password; answers the local part of their user id."""
        user_id = self.street.user(name)
        await self.services.node.accounts.set_password(user_id, password)
        return user_id[1:].partition(":")[0]


@asynccontextmanager
async def site(
    folder: Path, names: Sequence[tuple[str, str]] = NAMES, *, public_url: str = "", limits: bool = False,
    upload_bytes: int = 5 * 2**20, association: str = "桜町町内会",
) -> AsyncIterator[Site]:
    """A node in ``folder``, as the assembly puts it together."""
    settings = _settings(folder, limits=limits, upload_bytes=upload_bytes, association=association)
    clock = SystemClock()
    async with street(folder / "kairan.db", names, officer=CHAIR, clock=clock) as found:
        node = found.node
        async with open_media(settings, node.database, clock) as media:
            worker = WorkerProcess(clock, "papers", PAPER_LIMITS)
            checks = SafetyChecks(node.database, node.members, node.sender, clock, found.tasks)
            checks.attach(node.acceptor, found.receipts)
            await checks.open()
            polls = Polls(node.database, node.members, node.sender, clock, found.tasks)
            polls.attach(node.acceptor)
            await polls.open()
            invitations = Invitations(
                node.database, clock, node.members, node.editor, node.accounts,
                CardSettings("https://sakura.example", b"pepper"),
            )
            services = WebServices(
                node=NodeServices(
                    settings=settings, clock=clock, limits=RateLimits(clock, settings), accounts=node.accounts,
                    sessions=WebSessions(node.database, clock, node.accounts.users), rooms=node.rooms,
                    receipts=found.receipts, media=media, app_passwords=AppPasswords(node.database, clock),
                ),
                roster=RosterServices(
                    members=node.members, editor=node.editor, papers=Papers(worker),
                    exchange=RosterExchange(clock, node.members, node.editor), invitations=invitations,
                ),
                safety=SafetyServices(checks=checks, desk=SafetyDesk(node.database, node.members)),
                polls=polls,
            )
            try:
                async with _listening(found, services, public_url) as ready:
                    yield ready
            finally:
                checks.close_down()
                await worker.close()


@asynccontextmanager
async def _listening(found: Street, services: WebServices, public_url: str) -> AsyncIterator[Site]:
    """The public address is known only when there is a port, and the pages need it; so the port comes first."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        settings = services.settings
        http = replace(settings.http, public_url=public_url or url)
        services = replace(services, node=replace(services.node, settings=replace(settings, http=http)))
        app = web.Application()
        add_pages(app, services)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        try:
            yield Site(found, services, url)
        finally:
            await runner.cleanup()


def _settings(folder: Path, *, limits: bool, upload_bytes: int, association: str) -> Settings:
    return parse_settings(
        f"""
        server_name = "{SERVER}"
        data_dir = "data"
        association.name = {json.dumps(association, ensure_ascii=False)}
        passwords.cost = 4
        [limits]
        enabled = {str(limits).lower()}
        upload_bytes = {upload_bytes}
        """,
        folder,
    )
