"""The default push rules (spec: "Predefined Rules"), judged once for a whole room.

Nearly everybody keeps the defaults, and nearly every event means the same to all members: it notifies, or it does
not. Only invitations and mentions differ from member to member. So an event is judged once, and the exceptions are
named. Rules of one's own are tried before or between the predefined ones; for them (``rulesets.py``) a standing says
also among which kind of predefined rules the matching one was found.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from server.notifications.event_view import EventView
from server.notifications.globs import word
from server.notifications.outcomes import HIGHLIGHT, LOUD, NOTIFY, RING, SILENT, SOUND, Outcome

# Kinds of predefined rules in the order in which they are tried; NONE where no rule has matched.
OVERRIDE: Final = 0
CONTENT: Final = 1
UNDERRIDE: Final = 2
NONE: Final = 3


class Standing(NamedTuple):
    """What the predefined rules say, and of which kind the rule is that says it."""

    outcome: Outcome
    kind: int


class Judgement(NamedTuple):
    """What the predefined rules say to all, and who hears something else. May name people who are not here."""

    common: Standing
    special: dict[str, Standing]


_NOTHING: Final = Standing(SILENT, NONE)
_SUPPRESSED: Final = Standing(SILENT, OVERRIDE)
_ALERTED: Final = Standing(HIGHLIGHT, OVERRIDE)
_MENTIONED: Final = Standing(LOUD, OVERRIDE)
_INVITED: Final = Standing(SOUND, OVERRIDE)
_NAMED: Final = Standing(LOUD, CONTENT)

# Reactions, and answers to polls under both names.
_NEVER_TOLD: Final = frozenset({"m.reaction", "m.poll.response", "org.matrix.msc3381.poll.response"})
# These sound in rooms of two.
_TOLD: Final = frozenset({
    "m.room.message", "m.room.encrypted", "m.poll.start", "m.poll.end", "org.matrix.msc3381.poll.start",
    "org.matrix.msc3381.poll.end",
})


def judge(view: EventView) -> Judgement:
    """What the default rules say of an event."""
    event, content = view.event, view.event.content
    kind = event.type.lower()  # patterns know no case
    if _is(content, "msgtype", "m.notice"):
        return Judgement(_SUPPRESSED, {})
    if kind == "m.room.member":
        invited = _is(content, "membership", "invite") and event.state_key is not None
        return Judgement(_SUPPRESSED, {str(event.state_key).lower(): _INVITED} if invited else {})
    special = dict.fromkeys(_mentioned(content) if view.has_mentions else _with_name(view), _MENTIONED)
    common = _override(view, kind)
    if common is None:
        common = _underride(view, kind)
        if view.body is not None and not view.has_mentions:
            special = {**dict.fromkeys(_with_user_name(view), _NAMED), **special}
    return Judgement(common, special)


def _is(content: dict[str, Any], name: str, wanted: str) -> bool:
    value = content.get(name)
    return isinstance(value, str) and value.lower() == wanted


def _mentioned(content: dict[str, Any]) -> Iterable[str]:
    mentions = content["m.mentions"]
    named = mentions.get("user_ids") if isinstance(mentions, dict) else None
    return [item for item in named if isinstance(item, str)] if isinstance(named, list) else ()


def _override(view: EventView, kind: str) -> Standing | None:
    """The overrides that mean the same to everybody, from ``is_room_mention`` on."""
    event = view.event
    if _alerts_room(view):
        return _ALERTED
    if event.state_key == "" and kind == "m.room.tombstone":
        return _ALERTED
    if kind in _NEVER_TOLD or (event.state_key == "" and kind == "m.room.server_acl"):
        return _SUPPRESSED
    relates = event.content.get("m.relates_to")
    if isinstance(relates, dict) and relates.get("rel_type") == "m.replace":
        return _SUPPRESSED
    return None


def _alerts_room(view: EventView) -> bool:
    if view.has_mentions:
        mentions = view.event.content["m.mentions"]
        return isinstance(mentions, dict) and mentions.get("room") is True and view.sender_may_alert("room")
    return view.body is not None and word("@room")(view.body) and view.sender_may_alert("room")


def _underride(view: EventView, kind: str) -> Standing:
    if kind == "m.call.invite":
        return Standing(RING, UNDERRIDE)
    if kind in _TOLD:
        return Standing(SOUND if len(view.room.joined) == 2 else NOTIFY, UNDERRIDE)
    return _NOTHING


def _with_name(view: EventView) -> list[str]:
    """Clients from before ``m.mentions``: whose display name is in the text."""
    body, state = view.body, view.room.state
    found: list[str] = []
    if body is None:
        return found
    for user_id in view.room.joined_here:
        member = state.get(("m.room.member", user_id))
        name = member.content.get("displayname") if member is not None else None
        if isinstance(name, str) and name and name.lower() in body and word(name.lower())(body):
            found.append(user_id)
    return found


def _with_user_name(view: EventView) -> list[str]:
    """Whose user name is in the text."""
    body = view.body or ""
    found: list[str] = []
    for user_id in view.room.joined_here:
        name = user_id[1:].partition(":")[0]
        if name in body and word(name)(body):
            found.append(user_id)
    return found
