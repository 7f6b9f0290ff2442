"""The doctor finds a node that is well, and each thing that is broken, one after the other, with what to do."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
import trustme

from server import commands
from server.assembly.running import prepare_database
from server.config import Settings
from server.foundation.clock import SystemClock
from server.foundation.settings import Address
from server.foundation.signatures import SigningKey
from server.operation import doctor, way_in
from server.operation.findings import Finding, State
from tests.builders import RunningNode
from tests.federation.town import free_port
from tests.operation.houses import house

HERE = '[http]\npublic_url = "http://localhost"\n'
Answers = Mapping[str, tuple[int, object]]


def prepared(folder: Path, more: str = HERE) -> Settings:
    settings = house(folder, more)
    prepare_database(settings)
    return settings


# ---- the machine ---------------------------------------------------------------------------------------------------


async def test_a_node_that_is_well(tmp_path: Path) -> None:
    async with RunningNode(house(tmp_path / "node")) as node:
        assert node.client.port is not None
        node.settings.signing_key_file.chmod(0o600)
        listen = Address("127.0.0.1", node.client.port)
        settings = replace(node.settings, http=replace(node.settings.http, listen=listen))
        found = await asyncio.to_thread(doctor.look_at_node, settings)
        assert found.state is State.GOOD
        assert doctor.look_at_data(settings).state is State.GOOD
        assert doctor.look_at_owner(settings).state is State.GOOD


def _no_data(settings: Settings) -> None:
    shutil.rmtree(settings.data_dir)


def _no_database(settings: Settings) -> None:
    (settings.data_dir / "kairan.db").unlink()


def _damaged(settings: Settings) -> None:
    (settings.data_dir / "kairan.db").write_bytes(b"x" * 9000)


def _no_key(settings: Settings) -> None:
    settings.signing_key_file.unlink()


def _other_key(settings: Settings) -> None:
    settings.signing_key_file.write_text("nonsense")


def _open_key(settings: Settings) -> None:
    settings.signing_key_file.chmod(0o644)


@pytest.mark.parametrize(("harm", "what", "to_do"), [
    (_no_data, "There is no folder", "kairan init"),
    (_no_database, "there is no database", "restore the last backup"),
    (_damaged, "The data is damaged", "restore the last backup"),
    (_no_key, "There is no signing key", "from a backup"),
    (_other_key, "holds no signing key", "from a backup"),
    (_open_key, "Others on this machine may read", "chmod 600"),
])
def test_what_is_wrong_with_the_data_is_said(
    harm: Callable[[Settings], None], what: str, to_do: str, tmp_path: Path
) -> None:
    settings = prepared(tmp_path / "node")
    harm(settings)
    found = list(doctor.examine(settings, SystemClock()))
    [finding] = [finding for finding in found if what in finding.what]
    assert finding.state is State.BAD
    assert to_do in finding.to_do
    assert all(finding.to_do for finding in found if finding.state is not State.GOOD)


def test_a_database_that_does_not_answer_is_not_called_sound(tmp_path: Path) -> None:
    house(tmp_path / "node", HERE)
    away = house(tmp_path / "away", f'{HERE}[database]\nurl = "postgresql+asyncpg://kairan:secret@127.0.0.1:1/kairan"\n')
    found = doctor.look_at_data(away)
    assert found.state is State.BAD
    assert "cannot be reached" in found.what
    assert "secret" not in found.what


@pytest.mark.parametrize(("free", "state"), [(2**30, State.DOUBTFUL), (2**20, State.BAD), (2**40, State.GOOD)])
def test_a_disk_that_fills_is_said_in_time(
    free: int, state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.operation.doctor.shutil.disk_usage", lambda _: SimpleNamespace(free=free))
    assert doctor.look_at_disk(house(tmp_path / "node")).state is state


@pytest.mark.parametrize(("told", "state"), [("yes", State.GOOD), ("no", State.DOUBTFUL), (None, State.DOUBTFUL)])
def test_a_clock_that_nobody_keeps_right(
    told: str | None, state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if told is not None:
        (tmp_path / "timedatectl").write_text(f"#!/bin/sh\necho {told}\n")
        (tmp_path / "timedatectl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin" if told else str(tmp_path))
    found = doctor.look_at_clock()
    assert found.state is state
    assert bool(found.to_do) is (state is not State.GOOD)


def test_backups_that_are_not_made_gone_missing_or_old(tmp_path: Path) -> None:
    clock, disk = SystemClock(), tmp_path / "disk"
    assert "No backups are made" in doctor.look_at_backups(house(tmp_path / "node"), clock).what
    settings = house(tmp_path / "with", f'[backup]\nfolder = "{disk}"\n')
    assert "is not there" in doctor.look_at_backups(settings, clock).what
    disk.mkdir()
    assert "no backup" in doctor.look_at_backups(settings, clock).what
    backup = disk / f"kairan-{settings.server_name}-20200101-000000.tar.gz"
    backup.write_text("")
    assert doctor.look_at_backups(settings, clock).state is State.DOUBTFUL, "on the same disk"
    long_ago = clock.now_ms() / 1000 - 5 * 86_400
    os.utime(backup, (long_ago, long_ago))
    found = doctor.look_at_backups(settings, clock)
    assert (found.state, found.what) == (State.BAD, "The newest backup is 5 days old.")


def test_the_command_goes_through_all_of_it_and_its_status_tells(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepared(tmp_path / "node", f'[http]\nlisten = "[::1]:{free_port()}"\npublic_url = "http://localhost"\n')
    assert commands.main(["doctor", "--config", str(tmp_path / "node/kairan.toml")]) == 1
    told = capsys.readouterr().out
    assert "[  ok] The data is sound" in told
    assert "does not answer" in told


# ---- the way to it -------------------------------------------------------------------------------------------------


@contextmanager
def door(answers: Answers, certificate: trustme.LeafCert) -> Iterator[int]:
    """Somebody who answers by HTTPS; yields the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers.get(self.path, (404, {}))
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - its name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join(30)
        server.server_close()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(autouse=True)
def trusted(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))


def looked_at(folder: Path, port: int) -> tuple[Finding, Finding]:
    """What is found of the address for people, and of that for other servers."""
    settings = house(folder, f'[http]\npublic_url = "https://localhost:{port}"\n')
    settings = replace(settings, server_name=f"localhost:{port}")
    return way_in.look_at_public_url(settings, SystemClock()), way_in.look_at_federation(settings)


def answers_of(name: str, key: SigningKey) -> Answers:
    return {
        "/_matrix/client/versions": (200, {}),
        "/_matrix/key/v2/server": (200, {"server_name": name, "verify_keys": {key.key_id: {"key": "x"}}}),
    }


def test_a_node_that_is_found_from_outside(authority: trustme.CA, tmp_path: Path) -> None:
    key = SigningKey.read(house(tmp_path / "node").signing_key_file.read_text())
    answers: dict[str, tuple[int, object]] = {}
    with door(answers, authority.issue_cert("localhost")) as port:
        answers |= answers_of(f"localhost:{port}", key)
        people, servers = looked_at(tmp_path / "node", port)
        assert (people.state, servers.state) == (State.GOOD, State.GOOD), (people, servers)
        answers |= answers_of("other.example", key)
        assert "another server answers" in looked_at(tmp_path / "node", port)[1].what
        answers |= answers_of(f"localhost:{port}", SigningKey.generate())
        assert "another key" in looked_at(tmp_path / "node", port)[1].what
        del answers["/_matrix/client/versions"]
        people, _ = looked_at(tmp_path / "node", port)
        assert "answers 404, not as the node does" in people.what
    people, servers = looked_at(tmp_path / "node", port)
    assert "cannot be reached" in people.what
    assert "do not find the node" in servers.what


def test_certificates_that_nobody_would_trust_and_that_end_soon(authority: trustme.CA, tmp_path: Path) -> None:
    with door({}, trustme.CA().issue_cert("localhost")) as port:
        for found in looked_at(tmp_path / "node", port):
            assert found.state is State.BAD
            assert "certificate" in found.what
    with door({}, authority.issue_cert("other.example")) as port:
        assert "certificate" in looked_at(tmp_path / "node", port)[0].what
    soon = authority.issue_cert("localhost", not_after=datetime.now(UTC) + timedelta(days=3))
    with door({"/_matrix/client/versions": (200, {})}, soon) as port:
        people, _ = looked_at(tmp_path / "node", port)
        assert (people.state, "ends in 2 days" in people.what) == (State.DOUBTFUL, True)


def test_names_that_lead_nowhere(tmp_path: Path) -> None:
    settings = house(tmp_path / "node", '[http]\npublic_url = "https://no.invalid"\n')
    assert "leads nowhere" in way_in.look_at_names(settings).what
    assert way_in.look_at_public_url(settings, SystemClock()).state is State.BAD
