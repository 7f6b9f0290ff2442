"""Databases to write to: a SQLite file, and a PostgreSQL cluster of our own on a Unix socket."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import asyncpg
import pytest

from server.storage.database import Database
from server.storage.schema_version import migrate
from tests.empty_database import lay_down
from tests.real import require_real

_NOBODY = "nobody"


class Cluster:
    """A PostgreSQL server that lives as long as the tests. It refuses to run as root, so it runs as nobody."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self.folder = Path(tempfile.mkdtemp(prefix="kairan-pg-", dir="/tmp"))
        self._as_user: Sequence[str] = ()
        if os.getuid() == 0:
            person = pwd.getpwnam(_NOBODY)
            os.chown(self.folder, person.pw_uid, person.pw_gid)
            self._as_user = ("setpriv", f"--reuid={person.pw_uid}", f"--regid={person.pw_gid}", "--clear-groups")

    def start(self) -> None:
        data = str(self.folder / "data")
        self._run("initdb", "-D", data, "-U", "kairan", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self._pg_ctl("start", "-w", "-o", f"-k {self.folder} -c listen_addresses= -c max_connections=60 -c fsync=off")

    def stop(self) -> None:
        self._pg_ctl("stop", "-m", "immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _pg_ctl(self, *arguments: str) -> None:
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-l", str(self.folder / "log"), *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [*self._as_user, str(self._programs / program), *arguments],
            check=True, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )

    async def new_database(self) -> str:
        """An empty database; the answer is its URL."""
        name = f"test_{uuid.uuid4().hex}"
        connection = await asyncpg.connect(host=str(self.folder), user="kairan", database="postgres")
        try:
            await connection.execute(f"CREATE DATABASE {name}")
        finally:
            await connection.close()
        return f"postgresql+asyncpg://kairan@/{name}?host={self.folder}"


    async def cut_all_connections(self) -> None:
        """End every other connection, as a restart of the server would."""
        connection = await asyncpg.connect(host=str(self.folder), user="kairan", database="postgres")
        try:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND datname LIKE 'test_%'"
            )
        finally:
            await connection.close()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL server; skips loudly where there is none."""
    running = Cluster(require_real("postgresql"))
    running.start()
    yield running
    running.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an empty database is."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'kairan.db'}"
    running: Cluster = request.getfixturevalue("cluster")
    return await running.new_database()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open database with today's schema."""
    await lay_down(database_url)
    opened = Database(database_url)
    await opened.open()
    await migrate(opened)
    yield opened
    await opened.close()
