"""A whole node on a real port, and the people of its association."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from ipaddress import ip_network
from pathlib import Path
from tempfile import TemporaryDirectory

from aiohttp import web

from server import assembly
from server.accounts.interactive_auth import InteractiveAuth
from server.assembly.pages import invitations_of
from server.association.members.invitations import Invitations
from server.association.members.model import Person, Role
from server.config import Settings, parse_settings
from server.foundation.clock import Clock
from server.foundation.signatures import SigningKey
from server.http.keys import INTERACTIVE_AUTH
from tests.empty_database import lay_down

SERVER = "sakura.example"
NAMES = (("佐藤 花子", "1班"), ("鈴木 一郎", "1班"), ("高橋 美咲", "2班"), ("田中 実", "2班"))
CHAIR = "町田 会長"
PASSWORD = "sakura-no-ki-7"


@dataclass(slots=True)
class Site:
    """The node and where it listens."""

    node: assembly.Node
    url: str
    interactive_auth: InteractiveAuth

    @property
    def chief(self) -> str:
        """The node's own account, in whose name tests act where no officer is needed."""
        return self.node.association.members.node_user_id

    @property
    def invitations(self) -> Invitations:
        return invitations_of(self.node)

    def person(self, name: str) -> Person:
        return next(person for person in self.node.association.members.persons() if person.name == name)

    def user(self, name: str) -> str:
        user_id = self.person(name).user_id
        assert user_id is not None
        return user_id

    def block(self, name: str) -> str:
        return next(block.id for block in self.node.association.members.blocks() if block.name == name)

    async def add(self, name: str, block: str, roles: Iterable[Role] = (), *, account: bool = True) -> Person:
        """A person in a household of their own, with an account unless told otherwise."""
        members, editor = self.node.association.members, self.node.association.editor
        known = {item.name: item for item in members.blocks()}
        place = known.get(block) or await editor.add_block(self.chief, block)
        home = await editor.add_household(self.chief, place.id, name)
        person = await editor.add_person(self.chief, home.id, name)
        for role in roles:
            await editor.give_role(self.chief, person.id, role)
        if account:
            user_id = await self.node.accounts.create_user(None, None, name)
            async with editor.editing() as edit:
                edit.account(person.id, user_id)
        return members.person(person.id)

    async def set_password(self, name: str, password: str = PASSWORD) -> str:
        """Give somebody a password; answers the local part of their user id."""
        user_id = self.user(name)
        await self.node.accounts.set_password(user_id, password)
        return user_id[1:].partition(":")[0]


@asynccontextmanager
async def site(
    folder: Path, names: Sequence[tuple[str, str]] = NAMES, *, limits: bool = False, upload_bytes: int = 5 * 2**20,
    association: str = "桜町町内会", consent: Path | None = None, outgoing: str = "", translation: str = "",
    public_url: str = "", clock: Clock | None = None,
) -> AsyncIterator[Site]:
    """A node in ``folder`` with a chair and ``names`` (name, block); they are there already where it ran before.

    ``public_url`` is what it says of itself, where browsers are told to find it at that address.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        settings = _settings(
            folder, public_url or url, limits=limits, upload_bytes=upload_bytes, association=association
        )
        settings = replace(settings, consent=replace(settings.consent, folder=consent))
        if outgoing:
            networks = (ip_network(outgoing),)
            settings = replace(settings, outgoing=replace(settings.outgoing, allowed_networks=networks))
        settings = replace(settings, translation=replace(settings.translation, url=translation))
        if not settings.signing_key_file.exists():
            await _move_in(settings, names, clock)
        async with assembly.build(settings, clock) as node:
            app = assembly.make_app(node)
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            await web.SockSite(runner, listener).start()
            try:
                yield Site(node, url, app[INTERACTIVE_AUTH])
            finally:
                node.services.sync.stop_waiting()
                await runner.cleanup()


# Signing key and database of nodes with people: made once for all tests of a process that begin with the same ones.
_made: dict[tuple[str, tuple[tuple[str, str], ...]], tuple[str, bytes]] = {}


async def _move_in(settings: Settings, names: Sequence[tuple[str, str]], clock: Clock | None) -> None:
    """Put a node where ``settings`` say, with a chair and ``names``."""
    key = settings.association.name, tuple(names)
    made = _made.get(key) if clock is None else None
    if made is None:
        with TemporaryDirectory() as folder:
            database = replace(settings.database, url=f"sqlite+aiosqlite:///{folder}/kairan.db")
            made = await _make(replace(settings, data_dir=Path(folder), database=database), names, clock)
    if clock is None:
        _made[key] = made
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    settings.signing_key_file.write_text(made[0])
    (settings.data_dir / "kairan.db").write_bytes(made[1])


async def _make(settings: Settings, names: Sequence[tuple[str, str]], clock: Clock | None) -> tuple[str, bytes]:
    settings.signing_key_file.write_text(SigningKey.generate().line())
    await lay_down(settings.database.url)
    async with assembly.build(settings, clock) as node:
        here = Site(node, settings.http.public_url, InteractiveAuth(node.core.clock))
        await here.add(CHAIR, "1班", [Role.CHAIR])
        for name, block in names:
            await here.add(name, block)
    return settings.signing_key_file.read_text(), (settings.data_dir / "kairan.db").read_bytes()


def _settings(folder: Path, url: str, *, limits: bool, upload_bytes: int, association: str) -> Settings:
    return parse_settings(
        f"""
        server_name = "{SERVER}"
        data_dir = "data"
        association.name = {json.dumps(association, ensure_ascii=False)}
        http.public_url = "{url}"
        passwords.cost = 4
        http.development = true
        [limits]
        enabled = {str(limits).lower()}
        upload_bytes = {upload_bytes}
        """,
        folder,
    )
