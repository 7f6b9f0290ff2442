"""Synapse once a test process; a node of ours for each test, beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import cast

import aiohttp
import pytest

from tests.interop.certificates import Certificates, make_certificates
from tests.interop.sides import Ours, Side, Theirs
from tests.interop.synapse import Synapse
from tests.real import require_real


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def shared_synapse(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[Synapse]:
    synapse = Synapse(require_real("synapse"), tmp_path_factory.mktemp("interop") / "synapse", certificates)
    synapse.start()
    try:
        yield synapse
    finally:
        synapse.stop()


@pytest.fixture
async def theirs(shared_synapse: Synapse) -> AsyncIterator[Theirs]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Theirs(shared_synapse, session)


@pytest.fixture
async def ours(tmp_path: Path, certificates: Certificates) -> AsyncIterator[Ours]:
    side = Ours(tmp_path / "ours", certificates)
    await side.start()
    yield side
    await side.stop()


@pytest.fixture(params=["ours", "theirs"])
def here(request: pytest.FixtureRequest, ours: Ours, theirs: Theirs) -> Side:
    """Where the rooms are made, in turn."""
    return cast("Side", ours if request.param == "ours" else theirs)


@pytest.fixture
def there(here: Side, ours: Ours, theirs: Theirs) -> Side:
    """The other one."""
    return theirs if here is ours else ours
