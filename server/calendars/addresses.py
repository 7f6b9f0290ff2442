"""Calendar user addresses: by what names an app may call a neighbour (RFC 6638 section 2.4.1). Pure.

Nobody here has to have mail. ``mailto:`` is what all apps understand; nothing is ever mailed to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, unquote

_PRINCIPALS = "/dav/principals/"


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses of a node's people."""

    server_name: str

    def of(self, user_id: str) -> tuple[str, ...]:
        """All addresses of somebody, the one that we write into entries first."""
        localpart = user_id[1:].partition(":")[0]
        matrix = f"matrix:u/{quote(user_id.removeprefix('@'), safe=':')}"
        return self.mail(user_id), matrix, f"{_PRINCIPALS}{quote(localpart, safe='@')}/"

    def mail(self, user_id: str) -> str:
        """The address that we write into entries."""
        return f"mailto:{quote(user_id[1:].partition(':')[0], safe='')}@{self.server_name}"

    def user_of(self, address: str) -> str | None:
        """Whose address this could be; nothing is said of whether there is such a user."""
        address = address.strip()
        scheme, _, rest = address.partition(":")
        if scheme.lower() == "mailto":
            name, _, server = unquote(rest).rpartition("@")
            return f"@{name}:{server}" if name and server.lower() == self.server_name.lower() else None
        if scheme.lower() == "matrix" and rest.startswith("u/"):
            name, _, server = unquote(rest[2:]).partition(":")
            return f"@{name}:{server}" if name and server == self.server_name else None
        path = address[address.index(_PRINCIPALS):] if _PRINCIPALS in address else ""
        name = unquote(path.removeprefix(_PRINCIPALS).strip("/"))
        return f"@{name}:{self.server_name}" if name and "/" not in name else None

    def is_of(self, address: str, user_id: str) -> bool:
        """Whether an address is this person's."""
        found = self.user_of(address)
        return found is not None and found.lower() == user_id.lower()
