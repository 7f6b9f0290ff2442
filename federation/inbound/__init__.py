"""Doors for other Matrix servers: one file per endpoint group.

A door knows who, what, one verb, answer, like those of ``server.matrix_api``. Only what anybody may ask is loaded at
the start; the rest with the first server that asks (docs/decisions/0008).
"""

from __future__ import annotations

from operator import attrgetter
from typing import Final

from federation.inbound import server_keys, version
from server.http.late_door import LateDoor
from server.http.routes import Doors

_V1: Final = "/_matrix/federation/v1"
_V2: Final = "/_matrix/federation/v2"
# Method, path, module of this package, handler in it.
_LATE: Final = (
    ("PUT", f"{_V1}/send/{{txnId}}", "transactions", "receive_transaction"),
    ("GET", f"{_V1}/make_join/{{roomId}}/{{userId}}", "joining", "make_join"),
    ("PUT", f"{_V1}/send_join/{{roomId}}/{{eventId}}", "joining", "send_join_v1"),
    ("PUT", f"{_V2}/send_join/{{roomId}}/{{eventId}}", "joining", "send_join_v2"),
    ("GET", f"{_V1}/make_leave/{{roomId}}/{{userId}}", "joining", "make_leave"),
    ("PUT", f"{_V1}/send_leave/{{roomId}}/{{eventId}}", "joining", "send_leave_v1"),
    ("PUT", f"{_V2}/send_leave/{{roomId}}/{{eventId}}", "joining", "send_leave_v2"),
    ("GET", f"{_V1}/make_knock/{{roomId}}/{{userId}}", "joining", "make_knock"),
    ("PUT", f"{_V1}/send_knock/{{roomId}}/{{eventId}}", "joining", "send_knock"),
    ("PUT", f"{_V1}/invite/{{roomId}}/{{eventId}}", "invites", "invite_v1"),
    ("PUT", f"{_V2}/invite/{{roomId}}/{{eventId}}", "invites", "invite_v2"),
    ("GET", f"{_V1}/event/{{eventId}}", "reading", "event"),
    ("GET", f"{_V1}/event_auth/{{roomId}}/{{eventId}}", "reading", "event_auth"),
    ("GET", f"{_V1}/state/{{roomId}}", "reading", "state"),
    ("GET", f"{_V1}/state_ids/{{roomId}}", "reading", "state_ids"),
    ("GET", f"{_V1}/backfill/{{roomId}}", "reading", "backfill"),
    ("GET", f"{_V1}/user/devices/{{userId}}", "users", "devices"),
    ("POST", f"{_V1}/user/keys/query", "users", "query"),
    ("POST", f"{_V1}/user/keys/claim", "users", "claim"),
    ("GET", f"{_V1}/query/directory", "queries", "directory"),
    ("GET", f"{_V1}/query/profile", "queries", "profile"),
    ("GET", f"{_V1}/query/{{queryType}}", "queries", "unknown_query"),
    ("GET", f"{_V1}/publicRooms", "queries", "public_rooms"),
    ("POST", f"{_V1}/publicRooms", "queries", "search_public_rooms"),
    ("GET", f"{_V1}/hierarchy/{{roomId}}", "queries", "hierarchy"),
    ("GET", f"{_V1}/timestamp_to_event/{{roomId}}", "queries", "moment"),
    ("GET", f"{_V1}/media/download/{{mediaId}}", "media", "download"),
    ("GET", f"{_V1}/media/thumbnail/{{mediaId}}", "media", "thumbnail"),
    ("POST", "/_matrix/federation/unstable/jp.kairan/link/summary", "linking", "summary"),
    ("POST", "/_matrix/federation/unstable/jp.kairan/link/agree", "linking", "agree"),
    ("POST", "/_matrix/federation/unstable/jp.kairan/share/summary", "sharing", "summary"),
    ("POST", "/_matrix/federation/unstable/jp.kairan/share/agree", "sharing", "agree"),
    ("GET", "/_matrix/key/v2/query/{serverName}", "notary", "keys_of_server"),
    ("POST", "/_matrix/key/v2/query", "notary", "keys_of_servers"),
    ("POST", f"{_V1}/get_missing_events/{{roomId}}", "reading", "missing_events"),
)


def add_routes(doors: Doors) -> None:
    """Register every door for other servers."""
    for group in (server_keys, version):
        group.add_routes(doors)
    for method, path, module, handler in _LATE:
        doors.add(method, path, LateDoor(f"federation.inbound.{module}", attrgetter(handler)).answer)
