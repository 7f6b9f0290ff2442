"""What other servers tell beside events: typing, receipts, devices (spec: "EDUs"). What is not known is passed over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from federation.inbound.caller import Peer
from server.foundation.errors import BadRequest

Json = dict[str, Any]


async def take_message(who: Peer, edu: object) -> None:
    """Take one; raises ``Refused``."""
    if not isinstance(edu, dict) or not isinstance(edu.get("content"), dict):
        raise BadRequest("A message has a type and a content")
    take = _KINDS.get(str(edu.get("edu_type")))
    if take is not None:
        await take(who, edu["content"])


_KINDS: Final[Mapping[str, Callable[[Peer, Json], Awaitable[None]]]] = {}
