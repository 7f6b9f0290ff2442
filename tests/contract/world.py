"""A small lived-in node: somebody logged in, a room, an event, a device, a backup ... and their names for paths."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from tests.builders import SERVER_NAME, Person, RunningNode
from tests.contract.specification import Json, Operation

BACKUP: Json = {
    "algorithm": "m.megolm_backup.v1.curve25519-aes-sha2", "auth_data": {"public_key": "abc", "signatures": {}},
}


@dataclass(frozen=True, slots=True)
class World:
    """Who asks, and what there is to be asked for."""

    person: Person
    names: dict[str, str]

    def path(self, operation: Operation, **other: str) -> str:
        """The operation's path, filled with what there is (or with ``other``), encoded."""
        values = {**self.names, **other}
        return re.sub(r"\{(\w+)\}", lambda found: quote(values.get(found[1], "1"), safe=""), operation.path)


async def furnish(node: RunningNode, number: int = 0) -> World:
    """Live in ``node`` a little; another time with another ``number``."""
    hanako, taro = await node.users(f"hanako{number}", f"taro{number}")
    alias = f"hall{number}"
    room = await hanako.creates_room(preset="public_chat", room_alias_name=alias, name="広場")
    await taro.joins(room)
    said = await taro.says(room, "こんにちは")
    await hanako.says(room, "はい", **{"m.relates_to": {"rel_type": "m.thread", "event_id": said}})
    version = (await hanako.post("v3/room_keys/version", BACKUP))["version"]
    stored = (await hanako.post(f"v3/user/{hanako.user_id}/filter", {}))["filter_id"]
    names = {
        "roomId": room, "roomIdOrAlias": room, "roomAlias": f"#{alias}:{SERVER_NAME}", "eventId": said,
        "userId": hanako.user_id, "deviceId": hanako.device_id, "filterId": stored, "version": version,
        "serverName": SERVER_NAME, "keyName": "displayname", "eventType": "m.room.message", "type": "m.direct",
        "receiptType": "m.read", "kind": "override", "ruleId": "mine", "relType": "m.thread", "stateKey": "",
        "tag": "m.favourite", "sessionId": "session", "txnId": "contract", "protocol": "irc",
    }  # fmt: skip
    return World(hanako, names)
