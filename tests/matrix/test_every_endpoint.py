"""Every endpoint that clients cannot do without is there, under its method."""

from __future__ import annotations

import re
from pathlib import Path

from tests.builders import RunningNode

ENDPOINTS = Path(__file__).parent.parent / "data" / "matrix" / "client_endpoints.tsv"

VALUES = {
    "roomId": "!none:sakura.example", "roomIdOrAlias": "%23none:sakura.example", "roomAlias": "%23none:sakura.example",
    "eventId": "$none", "userId": "@nobody:sakura.example", "serverName": "sakura.example", "mediaId": "none",
    "fileName": "none.png", "keyName": "displayname", "eventType": "m.room.message", "stateKey": "key", "txnId": "1",
    "receiptType": "m.read", "type": "m.direct", "filterId": "1", "deviceId": "NONE",
}


def endpoints() -> list[tuple[str, str]]:
    """``(method, path)``, the variable parts filled in."""
    rows = [line.split("\t") for line in ENDPOINTS.read_text().splitlines()[1:]]
    return [(row[1], re.sub(r"\{(\w+)\}", lambda found: VALUES[found[1]], row[2])) for row in rows]


async def test_every_endpoint_of_the_first_tier_is_recognised(node: RunningNode) -> None:
    unknown = []
    for method, path in endpoints():
        answer = await node.ask(method, path, None if method == "GET" else {})
        assert answer.status < 500, (method, path, answer)
        if answer.code == "M_UNRECOGNIZED":
            unknown.append((method, path))
    assert unknown == []


async def test_a_path_or_method_that_nobody_knows_is_said_to_be_unknown(node: RunningNode) -> None:
    assert (await node.ask("GET", "v3/nothing")).refusal == (404, "M_UNRECOGNIZED")
    assert (await node.ask("DELETE", "v3/createRoom")).refusal == (405, "M_UNRECOGNIZED")
