"""Places far from the node that hold copies of its backups: a folder by SFTP, or storage that speaks the S3 protocol.

What speaks to them is loaded when the first of them is needed: most nodes keep their backups on a disk beside them.
"""

from __future__ import annotations

import importlib
import netrc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit

from server.config import BackupSettings, values
from server.foundation.errors import Refused

# What a file is called further while it is not whole.
PART: Final = ".part"
_MODULES: Final = {
    "sftp": "server.operation.sftp_place", "s3": "server.operation.s3_place", "s3+http": "server.operation.s3_place",
}


class Unreached(Refused):
    """A place that cannot be reached now; perhaps it can be later."""


class FarPlace(Protocol):
    """A folder elsewhere. Its methods raise ``Refused`` in plain words, ``Unreached`` where the network is to blame."""

    def sizes(self) -> Mapping[str, int]:
        """The bytes of each file there, by its name."""

    def put(self, file: Path) -> None:
        """Copy a file there; it has its name only when it is whole."""

    def fetch(self, name: str, target: Path) -> None:
        """Copy a file from there."""

    def remove(self, name: str) -> None:
        """Remove a file there."""


@dataclass(frozen=True, slots=True)
class FarAddress:
    """``sftp://user@host[:port]/folder``, ``s3://key-id@host[:port]/bucket[/folder]``, ``s3+http://`` without TLS."""

    kind: str
    user: str
    host: str
    port: int | None
    folder: str

    @classmethod
    def parse(cls, text: str) -> FarAddress:
        """Read an address; raises ``Refused``."""
        try:
            parts = urlsplit(values.far_address(text))
        except ValueError as fault:
            raise Refused(f"The address of a place for backups {fault}.") from None
        folder = unquote(parts.path).strip("/")
        return cls(parts.scheme, unquote(parts.username or ""), parts.hostname or "", parts.port, folder)

    def __str__(self) -> str:
        port = f":{self.port}" if self.port else ""
        return f"{self.kind}://{self.host}{port}/{self.folder}"


@dataclass(frozen=True, slots=True)
class Means:
    """How we prove there who we are, and know that it is them."""

    ssh_key_file: Path | None = None
    known_hosts_file: Path | None = None
    secrets_file: Path | None = None
    region: str = ""

    @classmethod
    def of(cls, settings: BackupSettings) -> Means:
        """As the settings say."""
        return cls(settings.ssh_key_file, settings.known_hosts_file, settings.secrets_file, settings.s3_region)

    def secret(self, address: FarAddress) -> str | None:
        """The password or secret key for an address, from the file of secrets (netrc)."""
        if self.secrets_file is None:
            return None
        try:
            rows = netrc.netrc(self.secrets_file)
        except FileNotFoundError:
            raise Refused(f"There is no file {self.secrets_file} ([backup] secrets_file).") from None
        except (OSError, netrc.NetrcParseError):
            # The message may quote the line, and with it the secret.
            raise Refused(
                f"{self.secrets_file} is no file of secrets; write: machine HOST login USER password SECRET"
            ) from None
        login, _, password = rows.authenticators(address.host) or ("", "", "")
        return password if password and login in ("", address.user) else None


@contextmanager
def far_place(address: FarAddress, means: Means) -> Iterator[FarPlace]:
    """Open a place for the time of the block."""
    try:
        module = importlib.import_module(_MODULES[address.kind])
    except ModuleNotFoundError as missing:
        wanted = f"{address.kind}:// needs a library that is missing ({missing.name})"
        raise Refused(f"{wanted}: pip install 'kairan[copies]'") from None
    with module.opened(address, means) as place:
        yield place
