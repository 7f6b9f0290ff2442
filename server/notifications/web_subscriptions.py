"""Browsers that want to be told: a pusher of the app ``jp.kairan.web``, whose pushkey is the browser's endpoint.

It belongs to the web session in which it was made: when that ends, nothing is told there any more.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_address
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from server.foundation.errors import InvalidParam
from server.foundation.settings import IpNetwork
from server.notifications.pusher_store import Described, Pusher, PusherKey
from server.notifications.pushers import Pushers

WEB_APP: Final = "jp.kairan.web"
_MOST_LETTERS: Final = 1000
_POINT_BYTES: Final = 65
_SECRET_BYTES: Final = 16
_BROKEN: Final = "この電話では、しらせを うけとる 用意が できませんでした。"


class Asked(NamedTuple):
    """What an answer button is good for: this person, this question."""

    user_id: str
    kind: str
    question: str


def is_web(pusher: Pusher) -> bool:
    """Whether it is a browser and no app behind a push gateway."""
    return pusher.key.app_id == WEB_APP


def browser_of(session_hash: bytes) -> str:
    """What stands for a browser where apps have a device id. Not the cookie, nor anything that follows back to it."""
    return f"web {session_hash.hex()[:32]}"


async def subscribe(
    pushers: Pushers, user_id: str, session_hash: bytes, given: dict[str, str], networks: Sequence[IpNetwork],
    now_ms: int,
) -> None:
    """Keep what a browser has given (``endpoint``, ``p256dh``, ``auth``); raises ``InvalidParam``.

    An endpoint is https; plain http only in private networks that the operator has allowed.
    """
    endpoint = given["endpoint"]
    _require_endpoint(endpoint, networks)
    _require_bytes(given["p256dh"], _POINT_BYTES)
    _require_bytes(given["auth"], _SECRET_BYTES)
    data: dict[str, Any] = {"url": endpoint, "p256dh": given["p256dh"], "auth": given["auth"],
                            "session": session_hash.hex()}
    key = PusherKey(user_id, WEB_APP, endpoint)
    described = Described("Kairan", "この電話の ブラウザー", "", "ja")
    await pushers.set(Pusher(key, browser_of(session_hash), described, data, True, now_ms, 0), append=False)


async def share_subscription(pushers: Pushers, of: tuple[str, bytes], with_: tuple[str, bytes]) -> None:
    """Somebody else of the family is told on the same telephone, if its owner is. Both are a user and the hash of
    their session there."""
    for pusher in pushers.of(of[0]):
        if pusher.device_id == browser_of(of[1]):
            key = PusherKey(with_[0], WEB_APP, pusher.key.pushkey)
            data = {**pusher.data, "session": with_[1].hex()}
            await pushers.set(replace(pusher, key=key, device_id=browser_of(with_[1]), data=data), append=True)


async def unsubscribe(pushers: Pushers, user_id: str, session_hash: bytes) -> None:
    """This browser is told nothing any more."""
    for pusher in pushers.of(user_id):
        if pusher.device_id == browser_of(session_hash):
            await pushers.remove(pusher.key)


def is_subscribed(pushers: Pushers, user_id: str, session_hash: bytes) -> bool:
    """Whether this browser is told."""
    return any(pusher.device_id == browser_of(session_hash) for pusher in pushers.of(user_id))


def _require_endpoint(endpoint: str, networks: Sequence[IpNetwork]) -> None:
    try:
        parts = urlsplit(endpoint)
        host = parts.hostname or ""
    except ValueError:
        raise InvalidParam(_BROKEN, detail="an endpoint that is no address") from None
    is_plain = parts.scheme == "http" and _is_inside(host, networks)
    if len(endpoint) > _MOST_LETTERS or not host or not endpoint.isprintable() or parts.username is not None:
        raise InvalidParam(_BROKEN, detail="an endpoint that is no address")
    if parts.scheme != "https" and not is_plain:
        raise InvalidParam(_BROKEN, detail="an endpoint without https")


def _is_inside(host: str, networks: Sequence[IpNetwork]) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in networks if network.version == address.version)


def _require_bytes(text: str, length: int) -> None:
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        data = b""
    if len(data) != length:
        raise InvalidParam(_BROKEN, detail="a subscription with broken keys")
