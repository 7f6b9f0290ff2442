"""Writing multistatus and error bodies, as text with escapes; a tree per answer would cost several times as much."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from aiohttp import web

from server.caldav.names import DECLARED, tag
from server.caldav.paths import segment
from server.calendars.refusals import CalendarRefused, Condition
from server.foundation.errors import Refused

_XML: Final = "application/xml"
_PROLOG: Final = '<?xml version="1.0" encoding="utf-8"?>\n'
_REASONS: Final = {200: "OK", 403: "Forbidden", 404: "Not Found", 424: "Failed Dependency", 507: "Insufficient Storage"}

__all__ = ["error_answer", "escape", "href", "multistatus", "propstat", "quoteattr", "response", "status_line",
           "xml_text"]


def xml_text(data: bytes) -> str:
    """iCalendar bytes as element text. Carriage returns are kept as references, since XML readers drop bare ones."""
    return escape(data.decode("utf-8", "replace")).replace("\r", "&#13;")


def href(path: str) -> str:
    """``D:href`` of a path that is percent-encoded already."""
    return f"<D:href>{escape(path)}</D:href>"


_STATUS_LINES: Final = {
    status: f"<D:status>HTTP/1.1 {status} {reason}</D:status>" for status, reason in _REASONS.items()
}


def status_line(status: int) -> str:
    """``D:status``."""
    return _STATUS_LINES[status]


def propstat(status: int, props: Iterable[str]) -> str:
    """``D:propstat`` of rendered properties; nothing for none."""
    inner = "".join(props)
    return f"<D:propstat><D:prop>{inner}</D:prop>{status_line(status)}</D:propstat>" if inner else ""


def response(path: str, inner: str) -> str:
    """``D:response`` of a resource."""
    return f"<D:response>{href(path)}{inner}</D:response>"


def multistatus(responses: Iterable[str], tail: str = "") -> web.Response:
    """207 with all responses."""
    body = f"{_PROLOG}<D:multistatus {DECLARED}>{''.join(responses)}{tail}</D:multistatus>"
    return web.Response(status=207, body=body.encode(), content_type=_XML, charset="utf-8", headers={"DAV": CLASSES})


def error_answer(refusal: Refused, collection_path: str = "") -> web.Response:
    """A refusal as HTTP: a ``D:error`` with the precondition (RFC 4918 section 16) and a sentence for people."""
    headers = {"DAV": CLASSES}
    if refusal.status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="kairan", charset="UTF-8"'
    if refusal.retry_after_ms:
        headers["Retry-After"] = str(max(1, refusal.retry_after_ms // 1000))
    body = f"{_PROLOG}<D:error {DECLARED}>{_condition(refusal, collection_path)}{_reason(refusal)}</D:error>"
    return web.Response(status=refusal.status, body=body.encode(), content_type=_XML, charset="utf-8",
                        headers=headers)


def _condition(refusal: Refused, collection_path: str) -> str:
    if not isinstance(refusal, CalendarRefused) or refusal.condition is Condition.NONE:
        return ""
    inner = "".join(href(collection_path + segment(name)) for name in refusal.names)
    shown = tag(refusal.condition)
    return f"{shown.open}{inner}{shown.close}" if inner else shown.empty


def _reason(refusal: Refused) -> str:
    return f'<K:reason xmlns:K="https://kairan.jp/ns/dav">{escape(refusal.reason)}</K:reason>'


# Class 2 (locks) is not offered; "addressbook" neither, so that no app shows its pages.
CLASSES: Final = "1, 3, access-control, calendar-access, calendar-auto-schedule, extended-mkcol"
