"""R2: the power of PostgreSQL's machine goes: its data folder lies on a disk of our own (``disk.py``).

``KAIRAN_POSTGRESQL_CUTS`` says how often: 3 times with ``make faults``, twice where every change is looked at.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import aiohttp
import pytest

from tests.faults.cuts import survive_cuts
from tests.faults.disk import Disk
from tests.faults.process import Client, NodeProcess
from tests.faults.sizes import IN_CI, IS_LONG, tell
from tests.faults.test_postgresql_gone import Durable, _started_again
from tests.real import require_real

CUTS = int(os.environ.get("KAIRAN_POSTGRESQL_CUTS", "3" if IS_LONG else "2" if IN_CI else "0"))
_MEGABYTES: Final = 512
_PATIENCE_S = 60.0


class PoweredDown(Durable):
    """Loses its power, and gets it back."""

    def __init__(self, programs: Path) -> None:
        super().__init__(programs)
        self._disk = Disk(self.folder, _MEGABYTES)

    def plug_in(self) -> str:
        """Have a disk of its own; answers why that is not possible here, or nothing."""
        reason = self._disk.make()
        if not reason:
            shutil.chown(self._disk.place, "nobody")
            self._disk.place.chmod(0o711)
            (self._disk.place / "data").mkdir(mode=0o700)
            shutil.chown(self._disk.place / "data", "nobody")
            (self.folder / "data").symlink_to(self._disk.place / "data")
        return reason

    def cut(self) -> None:
        """No power from now on, and no process."""
        ours = list(self._processes())
        self._disk.cut()
        for process_id in ours:
            with suppress(ProcessLookupError):
                os.kill(process_id, signal.SIGKILL)

    async def come_back(self) -> None:
        """The power is back."""
        async with asyncio.timeout(_PATIENCE_S):
            while self._disk.place.is_mount():
                self._disk.unmount()
                await asyncio.sleep(0.02)
        assert self._disk.mount() == ""
        await asyncio.to_thread(_started_again, self)

    def look_through(self) -> None:
        """Raises where a table or an index is damaged."""
        if (self._programs / "pg_amcheck").exists():
            self._run("pg_amcheck", "-h", str(self.folder), "-U", "kairan", "--install-missing", "--all")

    def stop(self) -> None:
        with suppress(Exception):
            self._pg_ctl("stop", "-m", "immediate")
        self._disk.unmount()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _processes(self) -> Iterator[int]:
        """The postmaster and its children, whose parent it is (proc(5), ``stat``)."""
        postmaster = int((self.folder / "data/postmaster.pid").read_text().split()[0])
        yield postmaster
        for place in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                if int(place.read_text().rpartition(")")[2].split()[1]) == postmaster:
                    yield int(place.parent.name)


@pytest.mark.slow
@pytest.mark.skipif(not CUTS, reason="with make faults")
async def test_what_was_acknowledged_survives_power_cuts_of_postgresql(tmp_path: Path) -> None:
    durable = PoweredDown(require_real("postgresql"))
    try:
        if reason := durable.plug_in():
            pytest.skip(reason)
        await asyncio.to_thread(durable.start)
        process = NodeProcess(tmp_path)
        process.config.write_text(f'{process.config.read_text()}[database]\nurl = "{await durable.new_database()}"\n')
        os.sync()
        try:
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
                cuts = await survive_cuts(process, Client(process, http), CUTS, durable.cut, durable.come_back)
        finally:
            await process.kill()
        await asyncio.to_thread(durable.look_through)
    finally:
        await asyncio.to_thread(durable.stop)
    tell("R2", f"PostgreSQL, {CUTS} cuts: {cuts.acknowledged} acknowledged, 0 lost, 0 doubled; its tables are whole")
