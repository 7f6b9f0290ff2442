"""Two networks of this machine's own, a city's and an association's, with one cable between them that can be pulled.

Each has a cable to where the tests run, too: the houses of those who live there. Needs root and ``ip``; see
``reason_to_skip``.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from server.assembly.people import on_running_node
from server.config import Settings, load_settings
from server.foundation.signatures import SigningKey

ROOT = Path(__file__).parents[2]
_TLS = ROOT / "tests/data/tls"
_PATIENCE_S = 60.0


def reason_to_skip() -> str:
    """Why the link cannot be cut here; empty where it can."""
    if os.environ.get("KAIRAN_CUT_LINK") != "1":
        return "the link between two nodes is cut by: make faults"
    if os.getuid() != 0 or shutil.which("ip") is None:
        return "LINK NOT CUT: only root may make networks, with ip (apt install iproute2; sudo make faults)"
    name = f"kairan-{secrets.token_hex(3)}"
    tried = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        return f"LINK NOT CUT: no networks can be made here ({tried.stderr.strip()[:200]})"
    subprocess.run(["ip", "netns", "delete", name], check=True)
    return ""


class Cable:
    """The link between the two networks."""

    def __init__(self, network: str, name: str) -> None:
        self._end = ("-n", network, "link", "set", "dev", name)

    async def pull(self) -> None:
        """Nothing goes through any more; nobody is told."""
        await _ip(*self._end, "down")

    async def plug_in(self) -> None:
        """Everything goes through again."""
        await _ip(*self._end, "up")


class Node:
    """``kairan run`` in one of the networks: ``far`` is its address on the cable, ``near`` that for its residents."""

    def __init__(self, folder: Path, network: str, far: str, near: str, role: str, name: str) -> None:
        folder.mkdir()
        self.server = f"{far}:8448"
        self.url = f"http://{near}:8008"
        self._network = network
        self._config = folder / "kairan.toml"
        self._config.write_text(
            f'server_name = "{self.server}"\n[node]\nrole = "{role}"\n[association]\nname = "{name}"\n'
            f'[http]\nlisten = "{near}:8008"\npublic_url = "{self.url}"\n[passwords]\ncost = 4\n'
            '[limits]\nenabled = false\n[registration]\nmode = "open"\n'
            f'[federation]\nlisten = "{self.server}"\ntls_certificate = "{_TLS / "certificate.pem"}"\n'
            f'tls_private_key = "{_TLS / "private_key.pem"}"\n'
            "verify_certificates = false\nallow_private_addresses = true\n"
        )
        (folder / "signing.key").write_text(SigningKey.generate().line())
        self._process: asyncio.subprocess.Process | None = None

    @property
    def settings(self) -> Settings:
        return load_settings(self._config)

    async def start(self) -> None:
        """Start, and wait for the line that says that it is ready."""
        self._process = await asyncio.create_subprocess_exec(
            "ip", "netns", "exec", self._network, sys.executable, "-m", "server", "run", "--config", self._config,
            cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), _PATIENCE_S)
        assert b"ready" in line, line

    async def stop(self) -> None:
        """End it, whatever state it is in."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.send_signal(signal.SIGKILL)
            await process.wait()

    async def does(self, command: str, **said: Any) -> list[str]:
        """What an operator asks of it by the command line."""
        return await asyncio.to_thread(on_running_node, self.settings, command, said)

    async def sends(self, title: str, priority: str = "ordinary") -> str:
        """A broadcast to everybody below; answers its key."""
        said: Mapping[str, Any] = {
            "title": title, "text": "くわしくは 市役所へ。", "areas": ["17201"], "category": "disaster",
            "priority": priority, "kind": "notice", "choices": [], "drill": False, "office": "",
        }
        return (await self.does("broadcast", **said))[0]

    async def row(self, key: str) -> dict[str, Any]:
        """How the one association that is linked stands with a broadcast."""
        table = json.loads("\n".join(await self.does("figures", key=key)))
        (row,) = table["associations"]
        return dict(row)


@asynccontextmanager
async def two_networks(folder: Path) -> AsyncIterator[tuple[Node, Node, Cable]]:
    """A city and an association that are not started, and the cable between them."""
    mark, net = secrets.token_hex(3), f"198.18.{secrets.randbelow(250)}"
    city, home = f"kairan-{mark}-c", f"kairan-{mark}-h"
    try:
        for network in (city, home):
            await _ip("netns", "add", network)
            await _ip("-n", network, "link", "set", "lo", "up")
        await _cable((city, f"k{mark}w0", f"{net}.1"), (home, f"k{mark}w1", f"{net}.2"))
        await _cable(("", f"k{mark}c0", f"{net}.9"), (city, f"k{mark}c1", f"{net}.10"))
        await _cable(("", f"k{mark}h0", f"{net}.17"), (home, f"k{mark}h1", f"{net}.18"))
        above = Node(folder / "city", city, f"{net}.1", f"{net}.10", "city", "金沢市")
        below = Node(folder / "sakura", home, f"{net}.2", f"{net}.18", "association", "桜町町内会")
        try:
            yield above, below, Cable(city, f"k{mark}w0")
        finally:
            await above.stop()
            await below.stop()
    finally:
        for network in (city, home):
            # With a network go its ends of cables, and with those the other ends.
            await _ip("netns", "delete", network, may_fail=True)


async def _cable(*ends: tuple[str, str, str]) -> None:
    """A cable between two networks (or the tests' own: ``""``): network, name and address of each end."""
    (_, one, _), (_, other, _) = ends
    await _ip("link", "add", one, "type", "veth", "peer", "name", other)
    for network, name, address in ends:
        if network:
            await _ip("link", "set", name, "netns", network)
        inside = ("-n", network) if network else ()
        await _ip(*inside, "address", "add", f"{address}/29", "dev", name)
        await _ip(*inside, "link", "set", name, "up")


async def _ip(*words: str, may_fail: bool = False) -> None:
    process = await asyncio.create_subprocess_exec("ip", *words, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    assert may_fail or process.returncode == 0, (words, said)
