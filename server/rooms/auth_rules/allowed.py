"""The authorization rules that need the state of the room, in their order (numbers of room version 11)."""

from __future__ import annotations

from collections.abc import Mapping

from server.foundation.errors import Forbidden
from server.foundation.ids import server_name_of
from server.rooms.auth_rules.create import check_create
from server.rooms.auth_rules.membership import check_membership
from server.rooms.auth_rules.power_levels import CREATE, PowerLevels, check_power_levels, power_of
from server.rooms.auth_rules.selection import auth_types_for
from server.rooms.event import Event, StateKey

__all__ = ["auth_types_for", "check_auth"]


def check_auth(event: Event, state: Mapping[StateKey, Event]) -> None:
    """Whether ``event`` is allowed against ``state``, the room before it (or any part of it that bears on the event).

    Raises ``Forbidden`` with a plain reason. Signatures and the event's own auth events are checked elsewhere.
    """
    kind = event.type
    if kind == "m.room.create":  # 1
        check_create(event)
        return
    create = state.get(CREATE)
    if create is None or create.room_id != event.room_id:  # 2.4; version 12: 2
        raise Forbidden("The room has no create event")
    if create.content.get("m.federate", True) is not True:  # 3
        _require_same_server(event, create)
    if kind == "m.room.aliases" and event.version.aliases_auth_rule:
        _check_aliases(event)
        return
    if kind == "m.room.member":  # 4
        check_membership(event, state, create)
        return
    member = state.get(("m.room.member", event.sender))
    if member is None or member.content.get("membership") != "join":  # 5
        raise Forbidden("You are not in this room")
    _check_sending(event, power_of(state, event.version), state)


def _check_sending(event: Event, power: PowerLevels, state: Mapping[StateKey, Event]) -> None:
    kind, sender, state_key = event.type, event.sender, event.state_key
    level = power.of_user(sender)
    if kind == "m.room.third_party_invite":  # 6
        if level < power.invite:
            raise Forbidden("You may not invite people to this room")
        return
    if level < power.needed_for(kind, state_key is not None):  # 7
        raise Forbidden("Your power level is too low for this")
    if state_key and state_key != sender and state_key.startswith("@"):  # 8
        raise Forbidden("You cannot set the state of someone else")
    if kind == "m.room.power_levels":  # 9
        check_power_levels(event, state, power)


def _require_same_server(event: Event, create: Event) -> None:
    if server_name_of(event.sender) != server_name_of(create.sender):
        raise Forbidden("This room is closed to other servers")


def _check_aliases(event: Event) -> None:
    """Rule 4 of the versions up to 5: a server keeps its own list of aliases."""
    if not event.state_key or event.state_key != server_name_of(event.sender):
        raise Forbidden("Aliases are set by the server that they belong to")
