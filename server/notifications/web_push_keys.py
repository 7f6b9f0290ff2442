"""The node's keys for Web Push: one pair with which it names itself to push services (VAPID, RFC 8292), and a secret
that follows from it for the answer buttons inside notifications.

Only what needs them loads this module: it brings ``py_vapid`` and ``cryptography`` along.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import orjson
from cryptography.hazmat.primitives import serialization
from py_vapid import Vapid02

from server.foundation.errors import Forbidden
from server.notifications.web_subscriptions import Asked

_FILE: Final = "web_push.key"
# Push services take at most a day (RFC 8292 section 2).
_VALID_S: Final = 12 * 3600
_ANSWER_MS: Final = 7 * 86_400_000
_OLD: Final = "このボタンは もう 使えません。ページを ひらいて、こたえてください。"


class WebPushKeys:
    """``open_keys`` makes one."""

    def __init__(self, vapid: Vapid02) -> None:
        self._vapid = vapid
        private = vapid.private_key.private_numbers().private_value.to_bytes(32, "big")
        self._secret = hashlib.blake2b(private, person=b"push answers").digest()
        self._signed: dict[str, tuple[int, str]] = {}

    @property
    def public(self) -> str:
        """For ``applicationServerKey``: the point, uncompressed, in base64url."""
        point = self._vapid.public_key.public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return _base64url(point)

    def authorization(self, endpoint: str, subject: str, now_ms: int) -> str:
        """The header for a push service, good for some hours; ``subject`` is whom the service may ask."""
        parts = urlsplit(endpoint)
        audience, now = f"{parts.scheme}://{parts.netloc}", now_ms // 1000
        until, header = self._signed.get(audience, (0, ""))
        if until < now + _VALID_S // 2:
            until = now + _VALID_S
            claims = {"aud": audience, "exp": until, "sub": subject}
            header = str(self._vapid.sign(claims)["Authorization"])
            if len(self._signed) > 1000:
                self._signed.clear()
            self._signed[audience] = until, header
        return header

    def answer_token(self, asked: Asked, now_ms: int) -> str:
        """For the buttons inside a notification: whoever has it may answer this one question as this person."""
        body = _base64url(orjson.dumps([*asked, now_ms + _ANSWER_MS]))
        return f"{body}.{self._mac(body)}"

    def read_answer_token(self, token: str, now_ms: int) -> Asked:
        """What it is good for; raises ``Forbidden``."""
        body, _, mac = token.partition(".")
        if not hmac.compare_digest(self._mac(body).encode(), mac.encode("utf-8", "surrogatepass")):
            raise Forbidden(_OLD, detail="an answer token that is not ours")
        user_id, kind, question, until = orjson.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        if now_ms > until:
            raise Forbidden(_OLD, detail="an answer token of long ago")
        return Asked(user_id, kind, question)

    def _mac(self, body: str) -> str:
        return _base64url(hmac.new(self._secret, body.encode("utf-8", "surrogatepass"), hashlib.sha256).digest())


def open_keys(data_dir: Path) -> WebPushKeys:
    """The keys in the data folder; made there the first time, readable by the owner only."""
    file = data_dir / _FILE
    if not file.exists():
        made = Vapid02()
        made.generate_keys()
        _write_private(file, made.private_pem())
    return WebPushKeys(Vapid02.from_pem(file.read_bytes()))


def _write_private(file: Path, content: bytes) -> None:
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return  # Somebody was faster; theirs holds.
    with os.fdopen(descriptor, "wb") as written:
        written.write(content)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
