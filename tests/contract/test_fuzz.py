"""No request, however odd, is answered by a fault, by silence or by something that is no Matrix answer.

``KAIRAN_FUZZ=20000`` asks as many requests (``make fuzz``); a usual run asks a few hundred, the same each time.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from yarl import URL

from tests.builders import RunningNode, settings_for
from tests.contract.wild_requests import WildRequest, requests
from tests.contract.world import World, furnish

REQUESTS: Final = int(os.environ.get("KAIRAN_FUZZ", "400"))
PATIENCE_S: Final = 60
# After these the world is furnished anew: the person may have left the room, or the token may be gone.
_UNSETTLING: Final = frozenset({
    "logout", "logout_all", "deactivateAccount", "changePassword", "deleteDevice", "deleteDevices", "leaveRoom",
    "forgetRoom", "kick", "ban", "upgradeRoom", "setRoomStateWithKey", "setAdminLockUser", "setAdminSuspendUser",
})  # fmt: skip


class LivedIn:
    """One node for all requests, on a loop of its own."""

    def __init__(self, folder: Path) -> None:
        self.loop = asyncio.new_event_loop()
        self.node = RunningNode(settings_for(folder))
        self.node.contract.requests_may_be_wrong = True
        self.loop.run_until_complete(self.node.__aenter__())
        self.world = self.loop.run_until_complete(furnish(self.node))
        self._is_unsettled = False
        self._worlds = 1

    def ask(self, wild: WildRequest) -> tuple[int, dict[str, str], bytes]:
        if self._is_unsettled:
            self.world = self.loop.run_until_complete(self._settled())
        self._is_unsettled = wild.operation.name in _UNSETTLING
        return self.loop.run_until_complete(self._ask(wild))

    async def _ask(self, wild: WildRequest) -> tuple[int, dict[str, str], bytes]:
        given = wild.authorization
        token = f"Bearer {self.world.person.token}" if given is None else given
        headers = {"Content-Type": wild.content_type, **({"Authorization": token} if token else {})}
        url = URL(self.node.url + wild.url(self.world.names), encoded=True)
        async with asyncio.timeout(PATIENCE_S):
            asked = self.node.client.session.request(
                wild.method, url, data=wild.data(self.world.names), headers=headers, allow_redirects=False
            )
            async with asked as response:
                return response.status, dict(response.headers), await response.read()

    async def _settled(self) -> World:
        person, names = self.world.person, self.world.names
        answer = await person.get(f"v3/rooms/{names['roomId']}/state/m.room.member/{person.user_id}")
        if answer.status == 200 and answer["membership"] == "join":
            return self.world
        self._worlds += 1
        return await furnish(self.node, self._worlds)

    def close(self) -> None:
        self.loop.run_until_complete(self.node.__aexit__())
        self.loop.close()


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivedIn]:
    opened = LivedIn(tmp_path_factory.mktemp("fuzz"))
    yield opened
    opened.close()


@settings(
    max_examples=REQUESTS, deadline=None, derandomize=REQUESTS <= 1000, database=None,
    phases=(Phase.generate, Phase.shrink), suppress_health_check=list(HealthCheck),
)
@given(wild=requests())
def test_no_request_is_answered_by_a_fault_or_by_silence(lived_in: LivedIn, wild: WildRequest) -> None:
    status, headers, raw = lived_in.ask(wild)
    assert status < 500, raw
    assert headers["Access-Control-Allow-Origin"] == "*"
    if wild.method not in ("HEAD", "OPTIONS"):
        lived_in.node.contract.require_no_faults()
    if status >= 400 and wild.method != "HEAD":
        answer = json.loads(raw)
        assert "flows" in answer or (answer["errcode"].startswith("M_") and answer["error"])
