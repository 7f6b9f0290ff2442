"""The push rules that everybody has (spec, "Predefined Rules"), with MSC3930's for polls under both names.

Three rules for mentions in the text (``contains_display_name``, ``roomnotif``, ``contains_user_name``) have left the
specification; they stay here because clients from before ``m.mentions`` still write such messages.
"""

from __future__ import annotations

from typing import Any, Final

Rule = dict[str, Any]

KINDS: Final = ("override", "content", "room", "sender", "underride")

_NOTIFY: Final = ["notify"]
_SOUND: Final = ["notify", {"set_tweak": "sound", "value": "default"}]
_RING: Final = ["notify", {"set_tweak": "sound", "value": "ring"}]
_LOUD: Final = ["notify", {"set_tweak": "sound", "value": "default"}, {"set_tweak": "highlight"}]
_HIGHLIGHT: Final = ["notify", {"set_tweak": "highlight"}]
_SILENT: Final[list[Any]] = []

_OF_TWO: Final = {"kind": "room_member_count", "is": "2"}
_MAY_ALERT_ROOM: Final = {"kind": "sender_notification_permission", "key": "room"}


def default_rules(user_id: str) -> dict[str, list[Rule]]:
    """The predefined rules of ``user_id`` by kind, in the order in which they are tried."""
    localpart = user_id[1:].partition(":")[0]
    return {
        "override": _override(user_id),
        "content": [_rule(".m.rule.contains_user_name", _LOUD, pattern=localpart)],
        "room": [],
        "sender": [],
        "underride": _underride(),
    }


def _override(user_id: str) -> list[Rule]:
    mentioned = {"kind": "event_property_contains", "key": "content.m\\.mentions.user_ids", "value": user_id}
    room_mentioned = {"kind": "event_property_is", "key": "content.m\\.mentions.room", "value": True}
    edited = {"kind": "event_property_is", "key": "content.m\\.relates_to.rel_type", "value": "m.replace"}
    invited = [_type("m.room.member"), _match("content.membership", "invite"), _match("state_key", user_id)]
    return [
        _rule(".m.rule.master", _SILENT, [], enabled=False),
        _rule(".m.rule.suppress_notices", _SILENT, [_match("content.msgtype", "m.notice")]),
        _rule(".m.rule.invite_for_me", _SOUND, invited),
        _rule(".m.rule.member_event", _SILENT, [_type("m.room.member")]),
        _rule(".m.rule.is_user_mention", _LOUD, [mentioned]),
        _rule(".m.rule.contains_display_name", _LOUD, [{"kind": "contains_display_name"}]),
        _rule(".m.rule.is_room_mention", _HIGHLIGHT, [room_mentioned, _MAY_ALERT_ROOM]),
        _rule(".m.rule.roomnotif", _HIGHLIGHT, [_match("content.body", "@room"), _MAY_ALERT_ROOM]),
        _rule(".m.rule.tombstone", _HIGHLIGHT, [_type("m.room.tombstone"), _match("state_key", "")]),
        _rule(".m.rule.reaction", _SILENT, [_type("m.reaction")]),
        _rule(".m.rule.room.server_acl", _SILENT, [_type("m.room.server_acl"), _match("state_key", "")]),
        _rule(".m.rule.suppress_edits", _SILENT, [edited]),
        _rule(".m.rule.poll_response", _SILENT, [_type("m.poll.response")]),
        _rule(".org.matrix.msc3930.rule.poll_response", _SILENT, [_type("org.matrix.msc3381.poll.response")]),
    ]


def _underride() -> list[Rule]:
    return [
        _rule(".m.rule.call", _RING, [_type("m.call.invite")]),
        _rule(".m.rule.encrypted_room_one_to_one", _SOUND, [_OF_TWO, _type("m.room.encrypted")]),
        _rule(".m.rule.room_one_to_one", _SOUND, [_OF_TWO, _type("m.room.message")]),
        _rule(".m.rule.message", _NOTIFY, [_type("m.room.message")]),
        _rule(".m.rule.encrypted", _NOTIFY, [_type("m.room.encrypted")]),
        *_polls(".m.rule", "m.poll"),
        *_polls(".org.matrix.msc3930.rule", "org.matrix.msc3381.poll"),
    ]


def _polls(rule_prefix: str, type_prefix: str) -> list[Rule]:
    rules = []
    for what in ("start", "end"):
        poll = _type(f"{type_prefix}.{what}")
        rules.append(_rule(f"{rule_prefix}.poll_{what}_one_to_one", _SOUND, [_OF_TWO, poll]))
        rules.append(_rule(f"{rule_prefix}.poll_{what}", _NOTIFY, [poll]))
    return rules


def _type(kind: str) -> dict[str, str]:
    return _match("type", kind)


def _match(key: str, pattern: str) -> dict[str, str]:
    return {"kind": "event_match", "key": key, "pattern": pattern}


def _rule(
    rule_id: str,
    actions: list[Any],
    conditions: list[dict[str, Any]] | None = None,
    *,
    pattern: str | None = None,
    enabled: bool = True,
) -> Rule:
    rule: Rule = {"rule_id": rule_id, "default": True, "enabled": enabled, "actions": actions}
    if conditions is not None:
        rule["conditions"] = conditions
    if pattern is not None:
        rule["pattern"] = pattern
    return rule
