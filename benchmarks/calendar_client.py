"""A connection to a calendar server, as an app keeps one."""

from __future__ import annotations

import base64
import http.client


class Client:
    """One connection, logged in."""

    def __init__(self, port: int, user: str, secret: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        token = base64.b64encode(f"{user}:{secret}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}"}

    def ask(self, method: str, path: str, body: str = "", **headers: str) -> tuple[int, bytes]:
        """Status and body."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {**self._headers, "Content-Type": "text/xml", **more}
        try:
            self._connection.request(method, path, body.encode(), sent)
            answer = self._connection.getresponse()
            return answer.status, answer.read()
        except (ConnectionError, http.client.HTTPException):
            # Whoever sends too much is hung up on; the next request begins anew.
            self._connection.close()
            return 0, b""

    def close(self) -> None:
        """Hang up."""
        self._connection.close()
