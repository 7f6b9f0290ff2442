"""What protects a browser: headers of every answer, the cookie, and the proof that a form came from our own page."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from server.accounts.web_sessions import LIFETIME_S
from server.foundation.errors import Forbidden

_CSP: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "worker-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_NOT_OURS: Final = "この送信は、この町内会のページからではありません。前のページにもどって、もう一度おねがいします。"


class CookieJar:
    """The cookie of the pages, and on a family's telephone the second one with the sessions of all (``family.py``).
    Behind TLS they are bound to this host alone (``__Host-``).
    """

    def __init__(self, public_url: str) -> None:
        self._is_secure = public_url.startswith("https://")
        self.name = "__Host-kairan" if self._is_secure else "kairan"
        self.family_name = f"{self.name}-family"

    def value(self, request: web.Request) -> str | None:
        """What the browser has brought."""
        return request.cookies.get(self.name) or None

    def set(self, response: web.StreamResponse, value: str) -> None:
        """Give the browser a new value; pages cannot read it, other sites cannot send it with a form."""
        self._set(response, self.name, value)

    def family(self, request: web.Request) -> list[str]:
        """The sessions of all who use this telephone; nothing where it is one person's."""
        return [token for token in request.cookies.get(self.family_name, "").split(".") if token]

    def set_family(self, response: web.StreamResponse, tokens: Sequence[str]) -> None:
        """Give the browser the sessions of all, or take them back."""
        if tokens:
            self._set(response, self.family_name, ".".join(tokens))
        else:
            response.del_cookie(self.family_name, path="/", secure=self._is_secure, httponly=True, samesite="Lax")

    def _set(self, response: web.StreamResponse, name: str, value: str) -> None:
        response.set_cookie(
            name, value, max_age=LIFETIME_S, path="/", secure=self._is_secure, httponly=True, samesite="Lax"
        )


def form_proof(cookie: str) -> str:
    """What every form carries: only who knows the cookie can make it."""
    digest = hmac.new(cookie.encode("utf-8", "surrogatepass"), b"kairan form", hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def person_mark(user_id: str) -> str:
    """Whose form it is, for the browser that may have to keep it: the same for a person in every session."""
    return hashlib.sha256(f"kairan form of {user_id}".encode()).hexdigest()[:16]


def is_form_proof(cookie: str | None, given: str) -> bool:
    """Whether a form was made for the session of this cookie."""
    if cookie is None:
        return False
    return hmac.compare_digest(form_proof(cookie).encode(), given.encode("utf-8", "surrogatepass"))


def require_form_proof(cookie: str | None, given: str) -> None:
    """Raise ``Forbidden`` unless the form was made for this browser."""
    if not is_form_proof(cookie, given):
        raise Forbidden(_NOT_OURS, detail="a form without its proof")


def require_own_origin(request: web.Request, public_url: str) -> None:
    """Raise ``Forbidden`` where the browser says that another site has sent this.

    Our pages send no referrer, so browsers write ``Origin: null``; newer ones say ``Sec-Fetch-Site`` as well.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise Forbidden(_NOT_OURS, detail="Sec-Fetch-Site")
    origin = request.headers.get("Origin", "null")
    if origin == "null":
        return
    parts = urlsplit(public_url)
    if origin.lower() != f"{parts.scheme}://{parts.netloc}".lower() and not _is_host(origin, request.host):
        raise Forbidden(_NOT_OURS, detail="Origin")


def _is_host(origin: str, host: str) -> bool:
    scheme, _, name = origin.lower().partition("://")
    return scheme in ("http", "https") and name == host.lower()


def own_path(text: str) -> str:
    """Where to go after login, as far as it is a path of ours; otherwise the home page. Never another site."""
    is_path = text.startswith("/") and not text.startswith(("//", "/\\")) and "\\" not in text
    return text if is_path and text.isprintable() and " " not in text and len(text) <= 500 else "/"
