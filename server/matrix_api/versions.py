"""What this node speaks (spec, "API Standards" and "Capabilities negotiation")."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from server.http.answers import json_answer
from server.http.keys import SETTINGS
from server.http.requests import caller
from server.http.routes import Doors
from server.rooms.room_versions import CREATABLE

# As far as every endpoint of a version is here or says honestly that it is not (tests/contract/test_versions.py).
VERSIONS: Final = ("r0.6.1", *(f"v1.{number}" for number in range(1, 20)))

# Element X asks for it before anything else (MSC4186).
UNSTABLE_FEATURES: Final = {
    "org.matrix.simplified_msc3575": True,
    # Devices that wait at the node for keys.
    "org.matrix.msc3814": True,
    # Which rooms one shares with somebody: in the draft and in the specification.
    "uk.half-shot.msc2666.query_mutual_rooms": True, "uk.half-shot.msc2666.query_mutual_rooms.stable": True,
    # More fields in profiles; clients ask for this name as long as v1.16 is not in the list.
    "uk.tcpip.msc4133.stable": True,
    # The extensions of ``v4/sync``: typing was accepted; to-device, keys, account data and receipts were not yet.
    "org.matrix.msc4508": True, "org.matrix.msc4508.stable": True,
    "org.matrix.msc4538": True, "org.matrix.msc4543": True, "org.matrix.msc4548": True, "org.matrix.msc4551": True,
}


def add_routes(doors: Doors) -> None:
    """Versions and capabilities."""
    doors.get("versions", get_versions)
    doors.get("v3/capabilities", get_capabilities)


async def get_versions(request: web.Request) -> web.Response:
    """GET /_matrix/client/versions"""
    features = {**UNSTABLE_FEATURES, "org.matrix.msc4143": bool(request.app[SETTINGS].rtc.livekit_service_url)}
    return json_answer({"versions": VERSIONS, "unstable_features": features})


async def get_capabilities(request: web.Request) -> web.Response:
    """GET capabilities"""
    known = await caller(request)
    rooms = {
        "default": request.app[SETTINGS].rooms.default_version,
        "available": dict.fromkeys(CREATABLE, "stable"),
    }
    enabled, disabled = {"enabled": True}, {"enabled": False}
    return json_answer({"capabilities": {
        "m.room_versions": rooms,
        "m.change_password": enabled,
        "m.set_displayname": enabled,
        "m.set_avatar_url": enabled,
        "m.profile_fields": enabled,
        "m.3pid_changes": disabled,
        "m.get_login_token": enabled,
        **({"m.account_moderation": {"lock": True, "suspend": True}} if known.is_admin else {}),
    }})
