"""Servers far away that hold copies of backups: an SFTP server, OpenSSH's own, and storage that speaks S3."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncssh
import boto3
import requests
from moto.server import ThreadedMotoServer

PASSWORD: Final = "cherry-blossom"
BUCKET: Final = "kairan-backups"
POLICY: Final = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'


@dataclass(frozen=True)
class Far:
    """A place: its address, the lines of ``[backup]`` for it, and the folder of its files, if that can be seen."""

    address: str
    toml: str
    arguments: tuple[str, ...]
    folder: Path | None


class _Doorkeeper(asyncssh.SSHServer):
    """Lets one user in, by password; keys are looked at by the server itself."""

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("kairan", PASSWORD)


@contextmanager
def sftp_server(folder: Path, home: Path) -> Iterator[Far]:
    """An SFTP server that shows ``folder`` as its root."""
    folder.mkdir()
    host_key, our_key = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    allowed = asyncssh.import_authorized_keys(our_key.export_public_key().decode())
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1", 0, server_host_keys=[host_key], server_factory=_Doorkeeper, authorized_client_keys=allowed,
            sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(folder).encode()), allow_scp=False,
        )

    server = asyncio.run_coroutine_threadsafe(listen(), loop).result(30)
    try:
        yield _sftp(f"kairan@127.0.0.1:{server.get_port()}", "backups", folder / "backups", home, host_key, our_key)
    finally:
        loop.call_soon_threadsafe(server.close)
        asyncio.run_coroutine_threadsafe(server.wait_closed(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


@contextmanager
def openssh_server(folder: Path, home: Path, program: Path) -> Iterator[Far]:
    """OpenSSH's server, as on most machines; it lets in whoever runs the tests."""
    folder.mkdir()
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where it locks itself in; a service manager would have made it
    host_key, our_key = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    host_key.write_private_key(str(folder / "host"))
    (folder / "host").chmod(0o600)
    our_key.write_public_key(str(folder / "authorized"))
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    (folder / "config").write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized\nPidFile none\n"
        "StrictModes no\nUsePAM no\nPermitRootLogin prohibit-password\nSubsystem sftp internal-sftp\n"
    )
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    command = [str(program), "-D", "-e", "-f", str(folder / "config")]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert running.stderr is not None
        assert "listening" in running.stderr.readline()
        place = (folder / "backups").relative_to("/")
        yield _sftp(f"{user}@127.0.0.1:{port}", str(place), folder / "backups", home, host_key, our_key)
    finally:
        running.terminate()
        running.wait(30)


def find_openssh() -> Path | None:
    """Where OpenSSH's server is, if it is installed."""
    found = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    return Path(found) if found else None


def _sftp(at: str, place: str, folder: Path, home: Path, host_key: Any, our_key: Any) -> Far:
    folder.mkdir()
    our_key.write_private_key(str(home / "ssh.key"))
    port = at.rpartition(":")[2]
    (home / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key.export_public_key().decode()}")
    toml = f'ssh_key_file = "{home}/ssh.key"\nknown_hosts_file = "{home}/known_hosts"\n'
    arguments = ("--ssh-key-file", f"{home}/ssh.key", "--known-hosts-file", f"{home}/known_hosts")
    return Far(f"sftp://{at}/{place}", toml, arguments, folder)


@contextmanager
def s3_server(home: Path) -> Iterator[Far]:
    """Storage that looks at signatures, with one bucket and one user."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    try:
        known = {"endpoint_url": url, "region_name": "us-east-1"}
        known |= {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
        people = boto3.client("iam", **known)
        people.create_user(UserName="kairan")
        people.put_user_policy(UserName="kairan", PolicyName="all", PolicyDocument=POLICY)
        key = people.create_access_key(UserName="kairan")["AccessKey"]
        boto3.client("s3", **known).create_bucket(Bucket=BUCKET)
        requests.post(f"{url}/moto-api/reset-auth", data="0", timeout=30)  # from now on signatures count
        (home / "secrets").write_text(f"machine {host} login {key['AccessKeyId']} password {key['SecretAccessKey']}\n")
        address = f"s3+http://{key['AccessKeyId']}@{host}:{port}/{BUCKET}/town/sakura"
        yield Far(address, f'secrets_file = "{home}/secrets"\n', ("--secrets-file", f"{home}/secrets"), None)
    finally:
        requests.post(f"{url}/moto-api/reset-auth", data="inf", timeout=30)
        requests.post(f"{url}/moto-api/reset", timeout=30)
        server.stop()
