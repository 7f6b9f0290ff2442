"""Every endpoint of the client-server API is there, under its method, or is said to be missing."""

from __future__ import annotations

import re

from tests.builders import RunningNode
from tests.contract.specification import Operation, operations

VALUES = {
    "roomId": "!none:sakura.example", "roomIdOrAlias": "%23none:sakura.example", "roomAlias": "%23none:sakura.example",
    "eventId": "$none", "userId": "@nobody:sakura.example", "serverName": "sakura.example", "keyName": "displayname",
    "eventType": "m.room.message", "receiptType": "m.read", "type": "m.direct", "kind": "override",
    "relType": "m.thread",
}


def filled(operation: Operation) -> str:
    """Its path with something in the variable parts."""
    return re.sub(r"\{(\w+)\}", lambda found: VALUES.get(found[1], "1"), operation.path)


async def unrecognised(node: RunningNode, tiers: str) -> set[str]:
    """What the node says of these tiers that it does not know it."""
    unknown = set()
    for operation in operations():
        if operation.tier in tiers:
            body: dict[str, str] | None = None if operation.method == "GET" else {}
            answer = await node.ask(operation.method, filled(operation), body)
            assert answer.status < 500, (operation, answer)
            if answer.code == "M_UNRECOGNIZED":
                unknown.add(operation.route)
    return unknown


async def test_every_endpoint_that_clients_need_is_recognised(node: RunningNode) -> None:
    assert await unrecognised(node, "T1") == set()


async def test_a_path_or_method_that_nobody_knows_is_said_to_be_unknown(node: RunningNode) -> None:
    assert (await node.ask("GET", "v3/nothing")).refusal == (404, "M_UNRECOGNIZED")
    assert (await node.ask("DELETE", "v3/createRoom")).refusal == (405, "M_UNRECOGNIZED")
