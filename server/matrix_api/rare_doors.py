"""Doors that few ask for; their modules are loaded at the first request (docs/decisions/0008)."""

from __future__ import annotations

from operator import attrgetter
from typing import Final

from server.http.late_door import LateDoor
from server.http.routes import Doors

# Method, path, module of this package, handler in it.
_RARE: Final = (
    ("POST", "v3/rooms/{roomId}/report", "reporting", "report_room"),
    ("POST", "v3/rooms/{roomId}/report/{eventId}", "reporting", "report_event"),
    ("POST", "v3/users/{userId}/report", "reporting", "report_user"),
    ("GET", "v1/rooms/{roomId}/timestamp_to_event", "room_past", "timestamp_to_event"),
    ("GET", "v1/rooms/{roomId}/threads", "room_past", "threads"),
    ("POST", "v3/rooms/{roomId}/upgrade", "upgrade", "upgrade_room"),
    ("POST", "v3/search", "search", "search"),
    ("GET", "v3/publicRooms", "public_rooms", "public_rooms"),
    ("POST", "v3/publicRooms", "public_rooms", "search_public_rooms"),
    ("GET", "v1/rooms/{roomId}/hierarchy", "public_rooms", "hierarchy"),
    ("GET", "v1/room_summary/{roomIdOrAlias}", "public_rooms", "room_summary"),
    ("GET", "unstable/im.nheko.summary/summary/{roomIdOrAlias}", "public_rooms", "room_summary_of_draft"),
    ("GET", "unstable/im.nheko.summary/rooms/{roomIdOrAlias}/summary", "public_rooms", "room_summary_of_draft"),
    ("GET", "v3/rooms/{roomId}/initialSync", "old_sync", "room_initial_sync"),
    ("GET", "v3/initialSync", "old_sync", "initial_sync"),
    ("GET", "v3/events", "old_sync", "events"),
    ("GET", "v3/events/{eventId}", "old_sync", "one_event"),
    ("POST", "v3/user_directory/search", "user_directory", "search"),
    ("GET", "v1/mutual_rooms", "user_directory", "mutual_rooms"),
    ("GET", "unstable/uk.half-shot.msc2666/user/mutual_rooms", "user_directory", "mutual_rooms_of_draft"),
    ("GET", "v3/thirdparty/protocols", "third_party", "protocols"),
    ("GET", "v3/thirdparty/protocol/{protocol}", "third_party", "protocol"),
    ("GET", "v3/thirdparty/location", "third_party", "locations_of_alias"),
    ("GET", "v3/thirdparty/location/{protocol}", "third_party", "locations"),
    ("GET", "v3/thirdparty/user", "third_party", "users_of_id"),
    ("GET", "v3/thirdparty/user/{protocol}", "third_party", "users"),
    ("PUT", "v3/directory/list/appservice/{networkId}/{roomId}", "application_services", "set_listed"),
    ("POST", "v1/appservice/{appserviceId}/ping", "application_services", "ping"),
    ("POST", "unstable/fi.mau.msc2659/appservice/{appserviceId}/ping", "application_services", "ping"),
    ("GET", "v3/notifications", "notifications", "notifications"),
    ("GET", "v3/pushers", "pushers", "list_pushers"),
    ("POST", "v3/pushers/set", "pushers", "set_pusher"),
    ("GET", "v3/voip/turnServer", "voip", "turn_server"),
    ("GET", "v1/rtc/transports", "voip", "rtc_transports"),
    ("GET", "unstable/org.matrix.msc4143/rtc/transports", "voip", "rtc_transports"),
    ("GET", "v1/media/preview_url", "previews", "preview_url"),
    ("GET", "/_matrix/media/v3/preview_url", "previews", "preview_url"),
    ("GET", "/_matrix/media/r0/preview_url", "previews", "preview_url"),
    ("GET", "/.well-known/matrix/client", "well_known", "client"),
    ("GET", "/.well-known/matrix/server", "well_known", "server"),
    ("GET", "/.well-known/matrix/support", "well_known", "support"),
    ("GET", "/.well-known/matrix/policy_server", "well_known", "policy_server"),
)


def add_routes(doors: Doors) -> None:
    """Register the doors of this file."""
    for method, path, module, handler in _RARE:
        doors.add(method, path, LateDoor(f"server.matrix_api.{module}", attrgetter(handler)).answer)
