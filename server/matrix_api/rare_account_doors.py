"""Doors of accounts that few ask for; their modules are loaded at the first request (docs/decisions/0008)."""

from __future__ import annotations

from operator import attrgetter
from typing import Final

from server.http.late_door import LateDoor
from server.http.routes import Doors

_DEHYDRATED: Final = "unstable/org.matrix.msc3814.v1/dehydrated_device"

# Method, path, module of this package, handler in it.
_RARE: Final = (
    ("POST", "v3/register", "register", "register"),
    ("GET", "v3/register/available", "register", "is_available"),
    ("GET", "v1/register/m.login.registration_token/validity", "register", "token_validity"),
    ("POST", "v3/user/{user_id}/openid/request_token", "open_id", "request_token"),
    ("GET", "/_matrix/federation/v1/openid/userinfo", "open_id", "userinfo"),
    ("POST", "v3/refresh", "refresh", "refresh"),
    ("POST", "v1/login/get_token", "refresh", "get_login_token"),
    ("GET", "v3/auth/{stage}/fallback/web", "auth_fallback", "fallback"),
    ("GET", "v1/admin/lock/{userId}", "admin", "get_locked"),
    ("PUT", "v1/admin/lock/{userId}", "admin", "set_locked"),
    ("GET", "v1/admin/suspend/{userId}", "admin", "get_suspended"),
    ("PUT", "v1/admin/suspend/{userId}", "admin", "set_suspended"),
    ("GET", "v3/admin/whois/{userId}", "admin", "who_is"),
    ("GET", _DEHYDRATED, "dehydrated_device", "get_device"),
    ("PUT", _DEHYDRATED, "dehydrated_device", "put_device"),
    ("DELETE", _DEHYDRATED, "dehydrated_device", "delete_device"),
    ("POST", f"{_DEHYDRATED}/{{deviceId}}/events", "dehydrated_device", "get_messages"),
    ("GET", f"{_DEHYDRATED}/{{deviceId}}/events", "dehydrated_device", "list_messages"),
    ("GET", "v3/account/3pid", "third_party_ids", "list_all"),
    ("POST", "v3/account/3pid", "third_party_ids", "add_of_old"),
    ("POST", "v3/account/3pid/add", "third_party_ids", "add"),
    ("POST", "v3/account/3pid/bind", "third_party_ids", "bind"),
    ("POST", "v3/account/3pid/delete", "third_party_ids", "remove"),
    ("POST", "v3/account/3pid/unbind", "third_party_ids", "remove"),
    ("POST", "v3/account/3pid/email/requestToken", "third_party_ids", "request_token"),
    ("POST", "v3/account/3pid/msisdn/requestToken", "third_party_ids", "request_token"),
    ("POST", "v3/account/password/email/requestToken", "third_party_ids", "request_token"),
    ("POST", "v3/account/password/msisdn/requestToken", "third_party_ids", "request_token"),
    ("POST", "v3/register/email/requestToken", "third_party_ids", "request_token"),
    ("POST", "v3/register/msisdn/requestToken", "third_party_ids", "request_token"),
)


def add_routes(doors: Doors) -> None:
    """Register the doors of this file."""
    for method, path, module, handler in _RARE:
        doors.add(method, path, LateDoor(f"server.matrix_api.{module}", attrgetter(handler)).answer)
