"""A folder on another machine, by SFTP (asyncssh). Loaded only where backups go to one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISREG
from typing import Any, Final, TypeVar

import asyncssh

from server.foundation.errors import Refused
from server.operation.far_places import PART, FarAddress, Means, Unreached

T = TypeVar("T")

_CONNECT_S: Final = 30
_ALIVE_S: Final = 30
_PORT: Final = 22


class SftpPlace:
    """An open folder. Calls wait for their answer: a loop of its own turns while they do."""

    def __init__(self, runner: asyncio.Runner, address: FarAddress, client: asyncssh.SFTPClient) -> None:
        self._runner = runner
        self._address = address
        self._client = client
        home = address.folder.removeprefix("~").removeprefix("/") if address.folder.startswith("~") else None
        self._folder = (home or ".") if home is not None else f"/{address.folder}"

    def sizes(self) -> Mapping[str, int]:
        entries = self._do(lambda: self._client.readdir(self._folder))
        return {
            str(entry.filename): entry.attrs.size or 0
            for entry in entries if entry.attrs.permissions is None or S_ISREG(entry.attrs.permissions)
        }

    def put(self, file: Path) -> None:
        size = file.stat().st_size
        self._do(lambda: self._put(file, size))

    def fetch(self, name: str, target: Path) -> None:
        self._do(lambda: self._client.get(self._path(name), str(target)))

    def remove(self, name: str) -> None:
        self._do(lambda: self._client.remove(self._path(name)))

    async def _put(self, file: Path, size: int) -> None:
        part = self._path(file.name + PART)
        await self._client.put(str(file), part)
        arrived = (await self._client.stat(part)).size
        if arrived != size:
            await self._client.remove(part)
            raise Refused(f"Only {arrived} bytes of {file.name} arrived at {self._address}.")
        try:
            await self._client.posix_rename(part, self._path(file.name))
        except asyncssh.SFTPOpUnsupported:
            await self._client.rename(part, self._path(file.name))

    def _path(self, name: str) -> str:
        return f"{self._folder}/{name}"

    def _do(self, work: Callable[[], Awaitable[T]]) -> T:
        async def wait() -> T:
            with _plain_words(self._address):
                return await work()

        return self._runner.run(wait())


@contextmanager
def opened(address: FarAddress, means: Means) -> Iterator[SftpPlace]:
    """Connect; raises ``Refused``, and ``Unreached`` where nobody answers."""
    with asyncio.Runner() as runner:
        connection = runner.run(_connect(address, means))
        try:
            yield SftpPlace(runner, address, runner.run(_client(connection, address)))
        finally:
            runner.run(_end(connection))


async def _client(connection: asyncssh.SSHClientConnection, address: FarAddress) -> asyncssh.SFTPClient:
    with _plain_words(address):
        return await connection.start_sftp_client()


async def _end(connection: asyncssh.SSHClientConnection) -> None:
    connection.close()
    await connection.wait_closed()


async def _connect(address: FarAddress, means: Means) -> asyncssh.SSHClientConnection:
    if means.known_hosts_file is None or not means.known_hosts_file.is_file():
        raise Refused(await _how_to_trust(address, means.known_hosts_file))
    secret = means.secret(address)
    if means.ssh_key_file is None and secret is None:
        raise Refused(f"Nothing says how to come in at {address}: set [backup] ssh_key_file, or secrets_file.")
    # Nothing of whoever starts the command: no agent, no configuration of theirs, no keys of their home.
    options: dict[str, Any] = {
        "client_keys": [str(means.ssh_key_file)] if means.ssh_key_file else None, "password": secret,
        "known_hosts": str(means.known_hosts_file), "config": None, "agent_path": None,
        "keepalive_interval": _ALIVE_S, "connect_timeout": _CONNECT_S, "login_timeout": _CONNECT_S,
    }
    try:
        with _plain_words(address):
            return await asyncssh.connect(address.host, address.port or _PORT, username=address.user, **options)
    except asyncssh.HostKeyNotVerifiable:
        raise Refused(await _how_to_trust(address, means.known_hosts_file)) from None


async def _how_to_trust(address: FarAddress, file: Path | None) -> str:
    """What to do where nobody has said yet which key the other machine has."""
    port = address.port or _PORT
    with _plain_words(address):
        key = await asyncio.wait_for(asyncssh.get_server_host_key(address.host, port, config=None), _CONNECT_S)
    if key is None:
        raise Unreached(f"{address} shows no key.")
    name = address.host if port == _PORT else f"[{address.host}]:{port}"
    where = f"{file} ([backup] known_hosts_file)" if file else "a file, and its name into [backup] known_hosts_file"
    return (
        f"{address} shows the key {key.get_fingerprint()}, which nobody has said to be right. If its owner says that "
        f"it is, put this line into {where}: {name} {key.export_public_key().decode().strip()}"
    )


@contextmanager
def _plain_words(address: FarAddress) -> Iterator[None]:
    """What went wrong, so that it helps; secrets are never part of it."""
    try:
        yield
    except asyncssh.HostKeyNotVerifiable:
        raise
    except asyncssh.PermissionDenied:
        raise Refused(f"{address} does not let us in: wrong user, key or password.") from None
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as fault:
        raise Refused(f"[backup] ssh_key_file cannot be used: {fault}.") from None
    except asyncssh.SFTPNoSuchFile:
        raise Refused(f"At {address} there is no such folder or file; make the folder there.") from None
    except (asyncssh.SFTPPermissionDenied, asyncssh.SFTPWriteProtect):
        raise Refused(f"At {address} we may not do that; whose folder is it?") from None
    except (asyncssh.SFTPNoSpaceOnFilesystem, asyncssh.SFTPQuotaExceeded):
        raise Refused(f"There is no room left at {address}.") from None
    except (asyncssh.SFTPNoConnection, asyncssh.SFTPConnectionLost) as fault:
        raise Unreached(f"The connection to {address} broke: {fault}.") from None
    except asyncssh.SFTPError as fault:
        raise Refused(f"{address} refused: {fault.reason}.") from None
    except TimeoutError:
        raise Unreached(f"{address} does not answer.") from None
    except (OSError, asyncssh.Error) as fault:
        raise Unreached(f"{address} cannot be reached: {fault}.") from None
