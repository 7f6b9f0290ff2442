"""The sections about calls."""

from __future__ import annotations

from dataclasses import dataclass

from server.config import values
from server.foundation.settings import flag, list_of, setting, text, whole


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnSettings:
    """[turn]"""

    uris: tuple[str, ...] = setting(
        'The relay for calls, for example "turn:turn.example.org?transport=udp". None: calls go the direct way only.',
        parse=list_of(values.turn_uri),
        default=(),
    )
    shared_secret: str = setting(
        "The secret that the relay (coturn: static-auth-secret) shares with this node.",
        parse=text,
        default="",
        secret=True,
    )
    lifetime_s: int = setting(
        "For how many seconds a person may use the relay before their client asks again.",
        parse=whole(60, 30 * 86_400),
        default=86_400,
    )
    allow_guests: bool = setting("Whether guests may use the relay.", parse=flag, default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RtcSettings:
    """[rtc]"""

    livekit_service_url: str = setting(
        "The address of the token service of a LiveKit server, for calls of many (Element Call). Empty: there is none.",
        parse=values.public_url,
        default="",
    )
