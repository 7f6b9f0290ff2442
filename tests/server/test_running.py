"""``kairan run`` as an operator sees it: one line when it is ready, listeners, and a quick end."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

TLS = Path(__file__).parent.parent / "data" / "tls"


def _kairan(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "server", *arguments]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A new node with its own free ports, one of them for other servers."""
    folder = tmp_path / "node"
    subprocess.run(_kairan("init", str(folder), "--server-name", "localhost", "--name", "桜町町内会"), check=True,
                   capture_output=True, timeout=120)
    file = folder / "kairan.toml"
    toml = file.read_text()
    toml = toml.replace('# listen = "127.0.0.1:8008"', f'listen = "127.0.0.1:{_free_port()}"')
    toml = toml.replace('# listen = ""', f'listen = "127.0.0.1:{_free_port()}"', 1)
    toml = toml.replace('# tls_certificate = ""', f'tls_certificate = "{TLS / "certificate.pem"}"')
    toml = toml.replace('# tls_private_key = ""', f'tls_private_key = "{TLS / "private_key.pem"}"')
    file.write_text(toml)
    return file


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(config: Path) -> list[str]:
    lines = [line for line in config.read_text().splitlines() if line.startswith("listen")]
    return [line.split('"')[1] for line in lines]


@contextmanager
def _running(config: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen(_kairan("run", "--config", str(config)), stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline()
    finally:
        process.kill()
        process.wait()


def test_a_node_says_one_line_when_it_is_ready_and_ends_at_once_when_told(config: Path) -> None:
    with _running(config) as (process, line):
        plain, _ = _listens(config)
        assert line == f"桜町町内会: ready on http://{plain}\n"
        with urllib.request.urlopen(f"http://{plain}/_matrix/client/versions", timeout=60) as answer:
            assert "v1.11" in json.load(answer)["versions"]

        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0


def test_other_servers_are_answered_with_the_certificate_and_on_the_plain_listener(config: Path) -> None:
    with _running(config):
        plain, encrypted = _listens(config)
        trust = ssl.create_default_context(cafile=str(TLS / "certificate.pem"))
        with urllib.request.urlopen(f"https://{encrypted}/_matrix/key/v2/server", timeout=10, context=trust) as answer:
            by_tls = json.load(answer)
        with urllib.request.urlopen(f"http://{plain}/_matrix/key/v2/server", timeout=60) as answer:
            by_plain = json.load(answer)

        assert by_tls["verify_keys"] == by_plain["verify_keys"]


def test_a_second_node_on_the_same_folder_says_why_it_does_not_start(config: Path) -> None:
    with _running(config):
        second = subprocess.run(_kairan("run", "--config", str(config)), capture_output=True, text=True,
                                timeout=60, check=False)

        assert second.returncode == 1
        assert "running on" in second.stderr
