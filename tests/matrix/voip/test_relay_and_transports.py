"""What a client needs for calls: the relay's credentials, and where calls of many meet."""

from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path

import pytest

from server.config import parse_settings
from server.foundation.settings import SettingsError
from tests.builders import RunningNode, settings_for
from tests.fakes.clock import FakeClock

RELAY = """
[turn]
uris = ["turn:turn.sakura.example:3478?transport=udp", "turns:turn.sakura.example:5349?transport=tcp"]
shared_secret = "north wind"
lifetime_s = 3600
"""
LIVEKIT = '[rtc]\nlivekit_service_url = "https://rtc.sakura.example/livekit/jwt"\n'
TRANSPORT = {"type": "livekit", "livekit_service_url": "https://rtc.sakura.example/livekit/jwt"}
GUESTS = '[registration]\nmode = "open"\nallow_guests = true\n'
TRANSPORTS = ["v1/rtc/transports", "unstable/org.matrix.msc4143/rtc/transports"]


async def test_a_relay_gets_credentials_that_it_can_check(tmp_path: Path) -> None:
    async with RunningNode(settings_for(tmp_path, more=RELAY), FakeClock(1_700_000_000_000)) as node:
        hanako = await node.user("hanako")
        answer = await hanako.get("v3/voip/turnServer")
        assert answer["username"] == "1700003600:@hanako:sakura.example"
        digest = hmac.new(b"north wind", answer["username"].encode(), hashlib.sha1).digest()
        assert answer["password"] == base64.b64encode(digest).decode()
        assert answer["ttl"] == 3600
        assert answer["uris"] == [
            "turn:turn.sakura.example:3478?transport=udp", "turns:turn.sakura.example:5349?transport=tcp",
        ]


async def test_without_a_relay_the_answer_is_empty(node: RunningNode) -> None:
    assert (await (await node.user("hanako")).get("v3/voip/turnServer")).body == {}


async def test_nobody_without_a_token_gets_credentials(tmp_path: Path) -> None:
    async with RunningNode(settings_for(tmp_path, more=RELAY)) as node:
        assert (await node.ask("GET", "v3/voip/turnServer")).refusal == (401, "M_MISSING_TOKEN")
        assert (await node.ask("GET", "v3/voip/turnServer", token="wrong")).refusal == (401, "M_UNKNOWN_TOKEN")


@pytest.mark.parametrize(("more", "given"), [("", False), ("allow_guests = true\n", True)])
async def test_guests_get_the_relay_only_where_the_operator_says_so(tmp_path: Path, more: str, given: bool) -> None:
    async with RunningNode(settings_for(tmp_path, more=RELAY + more + GUESTS)) as node:
        guest = await node.ask("POST", "v3/register", {}, kind="guest")
        answer = await node.ask("GET", "v3/voip/turnServer", token=guest["access_token"])
        assert (answer.status, bool(answer.body)) == (200, given)


@pytest.mark.parametrize("wrong", ['uris = ["https://turn.example"]', 'uris = ["turn:turn.example"]'])
def test_a_relay_that_cannot_work_is_refused_at_the_start(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        parse_settings(f'server_name = "sakura.example"\n[turn]\n{wrong}\n', tmp_path)


@pytest.mark.parametrize("path", TRANSPORTS)
async def test_a_node_without_a_service_for_calls_of_many_does_not_know_the_path(node: RunningNode, path: str) -> None:
    hanako = await node.user("hanako")
    assert (await hanako.get(path)).refusal == (404, "M_UNRECOGNIZED")
    assert (await node.ask("GET", "versions"))["unstable_features"]["org.matrix.msc4143"] is False
    assert "org.matrix.msc4143.rtc_foci" not in (await node.ask("GET", "/.well-known/matrix/client")).body


async def test_a_service_for_calls_of_many_is_told_in_both_ways(tmp_path: Path) -> None:
    async with RunningNode(settings_for(tmp_path, more=LIVEKIT)) as node:
        hanako = await node.user("hanako")
        for path in TRANSPORTS:
            assert (await hanako.get(path)).body == {"rtc_transports": [TRANSPORT]}
            assert (await node.ask("GET", path)).body == {"rtc_transports": [TRANSPORT]}
            assert (await node.ask("GET", path, token="wrong")).refusal == (401, "M_UNKNOWN_TOKEN")
        well_known = await node.ask("GET", "/.well-known/matrix/client")
        assert well_known["org.matrix.msc4143.rtc_foci"] == [TRANSPORT]
        assert (await node.ask("GET", "versions"))["unstable_features"]["org.matrix.msc4143"] is True
