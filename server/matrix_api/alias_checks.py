"""A room's main alias must be a name that it really has (spec: ``m.room.canonical_alias``)."""

from __future__ import annotations

from typing import Any

from server.foundation.errors import InvalidParam, NotFound, Refused
from server.http.room_services import RoomServices


async def check_canonical_alias(services: RoomServices, room_id: str, content: dict[str, Any]) -> None:
    """Raise ``M_BAD_ALIAS`` where a newly named alias is not one of this room's."""
    room = await services.rooms.find(room_id)
    if room is None:
        return
    known = _aliases_in(dict(room.content("m.room.canonical_alias")))
    for alias in _aliases_in(content) - known:
        try:
            target = await services.aliases.resolve(alias)
        except InvalidParam:
            raise InvalidParam("Not a room alias") from None
        except NotFound:
            raise Refused("There is no room of this name", code="M_BAD_ALIAS") from None
        if target != room_id:
            raise Refused("This name belongs to another room", code="M_BAD_ALIAS")


def _aliases_in(content: dict[str, Any]) -> set[str]:
    main, others = content.get("alias"), content.get("alt_aliases") or []
    if (main is not None and not isinstance(main, str)) or not isinstance(others, list):
        raise InvalidParam("alias is a text, alt_aliases a list of texts")
    if not all(isinstance(item, str) for item in others):
        raise InvalidParam("alt_aliases is a list of texts")
    return {*others, *([main] if main else [])}
