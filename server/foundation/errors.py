"""The one family of errors that we raise on purpose (DESIGN rule 8).

An error carries a text for the neighbour (``reason``) and a text for the log (``detail``); a door turns it into
HTTP in one place. Whatever is not a ``Refused`` is a fault of ours and becomes a 500.
"""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """A request that we understood and do not carry out.

    ``status`` is the HTTP status, ``code`` the Matrix ``errcode``, ``reason`` a sentence for the caller, ``detail``
    goes to the log only, ``extra`` is merged into the Matrix error body (``retry_after_ms``, ``room_version`` …).
    ``field`` names what of the request it is about, where that is known: forms of pages show it there.
    """

    status = 400
    code = "M_UNKNOWN"
    # When it is worth while to ask again; 0 where that is not known.
    retry_after_ms = 0

    def __init__(
        self,
        reason: str,
        *,
        code: str | None = None,
        status: int | None = None,
        detail: str = "",
        extra: dict[str, Any] | None = None,
        field: str = "",
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail
        self.field = field
        self.extra = extra or {}
        if code is not None:
            self.code = code
        if status is not None:
            self.status = status


class BadRequest(Refused):
    """The request is malformed: 400 ``M_BAD_JSON`` unless told otherwise."""

    code = "M_BAD_JSON"


class InvalidParam(Refused):
    """A parameter has a value that cannot be used: 400 ``M_INVALID_PARAM``."""

    code = "M_INVALID_PARAM"


class MissingParam(Refused):
    """A required parameter is absent: 400 ``M_MISSING_PARAM``."""

    code = "M_MISSING_PARAM"


class Forbidden(Refused):
    """The caller may not do this: 403 ``M_FORBIDDEN``."""

    status = 403
    code = "M_FORBIDDEN"


class NotFound(Refused):
    """The thing does not exist, or not for this caller: 404 ``M_NOT_FOUND``."""

    status = 404
    code = "M_NOT_FOUND"


class TooLarge(Refused):
    """More bytes than the limit: 413 ``M_TOO_LARGE``."""

    status = 413
    code = "M_TOO_LARGE"


class UnknownToken(Refused):
    """The access token is missing, wrong or logged out: 401."""

    status = 401
    code = "M_UNKNOWN_TOKEN"


class Locked(Refused):
    """An admin has locked this account: 401 ``M_USER_LOCKED``; clients keep all they have (spec, "Account locking")"""

    status = 401
    code = "M_USER_LOCKED"

    def __init__(self) -> None:
        super().__init__("This account is locked; please ask an officer", extra={"soft_logout": True})


class Suspended(Refused):
    """An admin has suspended this account, and suspended people may not do this: 403 ``M_USER_SUSPENDED``."""

    status = 403
    code = "M_USER_SUSPENDED"

    def __init__(self) -> None:
        super().__init__("This account is suspended; please ask an officer")


class MissingToken(Refused):
    """No access token was given: 401 ``M_MISSING_TOKEN``."""

    status = 401
    code = "M_MISSING_TOKEN"


class LimitExceeded(Refused):
    """Too many requests: 429 ``M_LIMIT_EXCEEDED`` with ``retry_after_ms``."""

    status = 429
    code = "M_LIMIT_EXCEEDED"

    def __init__(self, reason: str, retry_after_ms: int) -> None:
        super().__init__(reason, extra={"retry_after_ms": retry_after_ms})
        self.retry_after_ms = retry_after_ms
