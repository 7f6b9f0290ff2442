"""A node as a process of its own, as ``kairan run`` starts it, that tests may kill."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import weakref
from pathlib import Path
from typing import Any

import aiohttp

from server.foundation.signatures import SigningKey

ROOT = Path(__file__).parents[2]
# A machine that does much other work has taken 22 s for a start of half a second of CPU.
_PATIENCE_S = 120.0


class NodeProcess:
    """``kairan run`` on a folder. Start and kill it as often as you like."""

    def __init__(self, folder: Path, federation: str = "enabled = false") -> None:
        held = _held_port()
        weakref.finalize(self, held.close)
        self.port: int = held.getsockname()[1]
        self.folder = folder
        self.config = folder / "kairan.toml"
        self.config.write_text(
            f'server_name = "sakura.example"\n[http]\nlisten = "127.0.0.1:{self.port}"\n[passwords]\ncost = 4\n'
            '[limits]\nenabled = false\n[registration]\nmode = "open"\n[federation]\n'
            f"{federation}\n"
        )
        (folder / "signing.key").write_text(SigningKey.generate().line())
        # What is added to its environment.
        self.environment: dict[str, str] = {}
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def process_id(self) -> int:
        """The operating system's number of the process that runs."""
        assert self._process is not None
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether it has gone by itself."""
        return self._process is not None and self._process.returncode is not None

    async def start(self) -> None:
        """Start, and wait for the line that says that it is ready."""
        await self.begin()
        await self.ready()

    async def begin(self) -> None:
        """Start it, and wait for nothing."""
        log = os.open(self.folder / "node.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "server", "run", "--config", str(self.config), cwd=ROOT,
            stdout=asyncio.subprocess.PIPE, stderr=log, env={**os.environ, "PYTHONPATH": str(ROOT), **self.environment},
        )
        os.close(log)

    async def ready(self) -> None:
        """Wait for the next line that says that it is ready: another one comes where it begins again by itself."""
        assert self._process is not None
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), _PATIENCE_S)
        if b"ready" not in line:
            status = await asyncio.wait_for(self._process.wait(), _PATIENCE_S)
            raise AssertionError(f"status {status}, {line!r}, log: {(self.folder / 'node.log').read_text()[-2000:]!r}")

    async def kill(self) -> None:
        """``kill -9``."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """A polite end; answers the exit status."""
        return await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        if process.returncode is None:
            process.send_signal(number)
        return await asyncio.wait_for(process.wait(), _PATIENCE_S)


def _held_port() -> socket.socket:
    """A port that nobody else gets, also while the node that is to have it is down: bound, but not listening."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    return held


class Client:
    """Somebody who speaks to a node that may be gone at any moment."""

    def __init__(self, node: NodeProcess, http: aiohttp.ClientSession) -> None:
        self._node = node
        self._http = http
        self.token = ""
        self.user_id = ""

    async def ask(self, method: str, path: str, body: Any = None, **query: str) -> dict[str, Any]:
        """The answer to a request that must succeed; raises ``aiohttp.ClientError`` where the node is gone."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        url = f"{self._node.url}/_matrix/client/v3/{path}"
        async with self._http.request(method, url, json=body, params=query, headers=headers) as response:
            raw = await response.read()
            assert response.status == 200, (response.status, raw[:300])
            return dict(json.loads(raw))

    async def register(self, name: str) -> None:
        """Make an account and log in."""
        answer = await self.ask(
            "POST", "register", {"username": name, "password": "cherry-blossom-4", "auth": {"type": "m.login.dummy"}},
        )
        self.token, self.user_id = answer["access_token"], answer["user_id"]

    async def log_in(self, name: str) -> None:
        """Log in to an account that ``register`` has made."""
        who = {"type": "m.id.user", "user": name}
        answer = await self.ask(
            "POST", "login", {"type": "m.login.password", "identifier": who, "password": "cherry-blossom-4"},
        )
        self.token, self.user_id = answer["access_token"], answer["user_id"]

    def another(self) -> Client:
        """Somebody without an account who speaks to the same node."""
        return Client(self._node, self._http)
