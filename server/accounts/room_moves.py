"""What a user has set about a room goes along when the room is upgraded: tags, direct chats, push rules."""

from __future__ import annotations

from typing import Any, Final

from server.accounts.accounts import Accounts
from server.foundation.errors import NotFound

_DIRECT: Final = "m.direct"


async def follow_room_move(accounts: Accounts, user_id: str, old: str, new: str) -> None:
    """Set for the room ``new`` what ``user_id`` has set for ``old``."""
    for tag, info in (await accounts.tags.of_room(user_id, old)).items():
        await accounts.tags.put(user_id, new, tag, info)
    await _follow_direct(accounts, user_id, old, new)
    await _follow_push_rules(accounts, user_id, old, new)


async def _follow_direct(accounts: Accounts, user_id: str, old: str, new: str) -> None:
    try:
        content = await accounts.account_data.get(user_id, "", _DIRECT)
    except NotFound:
        return
    moved = {
        partner: [*rooms, new] if isinstance(rooms, list) and old in rooms and new not in rooms else rooms
        for partner, rooms in content.items()
    }
    if moved != content:
        await accounts.account_data.set(user_id, "", _DIRECT, moved)


async def _follow_push_rules(accounts: Accounts, user_id: str, old: str, new: str) -> None:
    if accounts.push_rules.changes(user_id) is None:
        return
    for kind, rules in accounts.push_rules.rules(user_id).items():
        for rule in rules:
            moved = None if rule["default"] else _moved(kind, rule, old, new)
            if moved is not None:
                await accounts.push_rules.put(user_id, kind, moved["rule_id"], moved)
                if not rule["enabled"]:
                    await accounts.push_rules.enable(user_id, kind, moved["rule_id"], enabled=False)


def _moved(kind: str, rule: dict[str, Any], old: str, new: str) -> dict[str, Any] | None:
    """The rule for the new room, where it is one for the old room."""
    if kind == "room":
        return {**rule, "rule_id": new} if rule["rule_id"] == old else None
    conditions = rule.get("conditions", [])
    if not any(_names(condition, old) for condition in conditions):
        return None
    moved = [{**condition, "pattern": new} if _names(condition, old) else condition for condition in conditions]
    rule_id = rule["rule_id"].replace(old, new) if old in rule["rule_id"] else f"{rule['rule_id']}_{new}"
    return {**rule, "rule_id": rule_id[:255], "conditions": moved}


def _names(condition: dict[str, Any], room_id: str) -> bool:
    wanted = {"kind": "event_match", "key": "room_id", "pattern": room_id}
    return all(condition.get(name) == value for name, value in wanted.items())
