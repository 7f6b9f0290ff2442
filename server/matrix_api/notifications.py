"""Door: what one was told of (spec: "Listing Notifications")."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from server.accounts.sessions import Caller
from server.http.answers import json_answer
from server.http.keys import DATABASE
from server.http.requests import int_query, member
from server.http.room_services import ROOMS
from server.notifications.notified import Notification, Notified
from server.sync.tokens import SyncToken

_MOST: Final = 100


async def notifications(request: web.Request) -> web.Response:
    """GET notifications"""
    who = await member(request)
    services, token = request.app[ROOMS], request.query.get("from")
    found, following = await Notified(
        request.app[DATABASE], services.rooms, services.history, services.receipts
    ).page(
        who.user_id, SyncToken.parse(token).stream if token else None,
        min(int_query(request, "limit", 20, least=1), _MOST),
        only_highlights="highlight" in request.query.get("only", "").split(","),
    )
    answer: dict[str, Any] = {"notifications": [_shown(item, who) for item in found]}
    if following is not None:
        answer["next_token"] = str(SyncToken(following))
    return json_answer(answer)


def _shown(item: Notification, who: Caller) -> dict[str, Any]:
    return {
        "actions": item.outcome.actions,
        "event": item.entry.shown_to(who.user_id, who.device_id, with_room_id=False),
        "read": item.read,
        "room_id": item.room_id,
        "ts": item.entry.event.origin_server_ts,
    }
