"""A push service as browsers have one, with one browser behind it: it takes what the node sends and opens it."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import http_ece
from aiohttp import web
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def from_base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Pushed:
    """One message: its headers, and what only the browser can read."""

    headers: dict[str, str]
    said: dict[str, Any]
    size: int


@dataclass
class PushService:
    """``status`` is what it answers."""

    url: str = ""
    status: int = 201
    pushed: list[Pushed] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    asked: int = 0
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    auth: bytes = field(default_factory=lambda: os.urandom(16))

    @property
    def subscription(self) -> dict[str, str]:
        """What the browser gives to a page."""
        point = self.key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return {"endpoint": f"{self.url}/push/abc", "p256dh": base64url(point), "auth": base64url(self.auth)}

    async def take(self, request: web.Request) -> web.Response:
        """A message of the node."""
        self.asked += 1
        body = await request.read()
        if self.status == 201:
            plain = http_ece.decrypt(body, private_key=self.key, auth_secret=self.auth, version="aes128gcm")
            self.pushed.append(Pushed(dict(request.headers), json.loads(plain), len(body)))
        self.came.set()
        return web.Response(status=self.status)

    async def next(self) -> None:
        """Until something has come."""
        await asyncio.wait_for(self.came.wait(), 20)
        self.came.clear()


def claims_of(authorization: str) -> dict[str, Any]:
    """What the node says of itself; raises where its signature is wrong (RFC 8292)."""
    scheme, _, rest = authorization.partition(" ")
    assert scheme == "vapid"
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    head, body, signature = parts["t"].split(".")
    raw = from_base64url(signature)
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), from_base64url(parts["k"]))
    encoded = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    public.verify(encoded, f"{head}.{body}".encode(), ec.ECDSA(hashes.SHA256()))
    claims: dict[str, Any] = json.loads(from_base64url(body))
    return claims


@asynccontextmanager
async def push_service() -> AsyncIterator[PushService]:
    """One on a port of its own."""
    service = PushService()
    app = web.Application()
    app.router.add_post("/push/{browser}", service.take)
    runner = web.AppRunner(app)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    service.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield service
    finally:
        await runner.cleanup()
