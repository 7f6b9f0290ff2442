"""Authorization rule 4 (5 in versions 8 and up): ``m.room.member``.

The numbers in the comments are those of version 11.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from server.foundation.errors import Forbidden
from server.foundation.ids import server_name_of
from server.rooms.auth_rules.create import creators_of, looks_like_user_id
from server.rooms.auth_rules.power_levels import PowerLevels, power_of
from server.rooms.auth_rules.selection import JOIN_RULES
from server.rooms.auth_rules.third_party_invite import check_third_party_invite
from server.rooms.event import Event, StateKey


@dataclass(frozen=True, slots=True)
class Change:
    """One change of membership. ``sender_was`` and ``target_was`` are memberships before it, ``None`` for strangers."""

    event: Event
    state: Mapping[StateKey, Event]
    target: str
    sender_was: str | None
    target_was: str | None
    join_rule: object
    power: PowerLevels

    @property
    def is_own(self) -> bool:
        """Whether the sender changes their own membership."""
        return self.event.sender == self.target


def membership_in(state: Mapping[StateKey, Event], user_id: str) -> str | None:
    """The membership of a user in ``state``; ``None`` where there is none that is a text."""
    member = state.get(("m.room.member", user_id))
    membership = None if member is None else member.content.get("membership")
    return membership if isinstance(membership, str) else None


def check_membership(event: Event, state: Mapping[StateKey, Event], create: Event) -> None:
    """Rule 4: ``event`` is an ``m.room.member``. Raises ``Forbidden``."""
    target, membership = event.state_key, event.content.get("membership")
    if target is None or not isinstance(membership, str) or not looks_like_user_id(target):  # 4.1
        raise Forbidden("A membership needs a user and a membership")
    if membership == "join" and event.prev_events == [create.event_id] and target in _founders(create):  # 4.3.1
        return
    if create.content.get("m.federate", True) is not True and server_name_of(target) != server_name_of(create.sender):
        # Rule 3 speaks of senders only; the servers of this world apply it to those invited as well.
        raise Forbidden("This room is closed to other servers")
    check = _RULES.get(membership)
    if check is None or (membership == "knock" and not event.version.knock):  # 4.8
        raise Forbidden("Unknown membership")
    check(_change(event, state, target))


def _founders(create: Event) -> frozenset[str]:
    """Who may join first: only the sender of the create event, not the additional creators of version 12."""
    return frozenset((create.sender,)) if create.version.implicit_room_creator else creators_of(create)


def _change(event: Event, state: Mapping[StateKey, Event], target: str) -> Change:
    rules = state.get(JOIN_RULES)
    sender_was = membership_in(state, event.sender)
    return Change(
        event=event,
        state=state,
        target=target,
        sender_was=sender_was,
        target_was=sender_was if target == event.sender else membership_in(state, target),
        join_rule="invite" if rules is None else rules.content.get("join_rule", "invite"),
        power=power_of(state, event.version),
    )


def _check_join(change: Change) -> None:
    """4.3"""
    version, rule = change.event.version, change.join_rule
    if not change.is_own:  # 4.3.2
        raise Forbidden("Nobody can be made to join")
    if change.target_was == "ban":  # 4.3.3
        raise Forbidden("You are banned from this room")
    if rule == "public":  # 4.3.6
        return
    restricted = (rule == "restricted" and version.restricted_join) or (
        rule == "knock_restricted" and version.knock_restricted_join
    )
    if not restricted and rule != "invite" and not (rule == "knock" and version.knock):  # 4.3.7
        raise Forbidden("This room cannot be joined")
    if change.target_was in ("invite", "join"):  # 4.3.4, 4.3.5.1
        return
    if not restricted:
        raise Forbidden("You are not invited to this room")
    _check_authoriser(change)


def _check_authoriser(change: Change) -> None:
    """4.3.5.2: a member who may invite has let the joining one in; the signature is checked on receipt."""
    authoriser = change.event.content.get("join_authorised_via_users_server")
    if not isinstance(authoriser, str):
        raise Forbidden("No member has authorised this join")
    if membership_in(change.state, authoriser) != "join":
        raise Forbidden("The join is authorised by someone who is not in the room")
    if change.power.of_user(authoriser) < change.power.invite:
        raise Forbidden("The join is authorised by someone who may not invite")


def _check_invite(change: Change) -> None:
    """4.4"""
    if change.target_was == "ban":  # 4.4.1.1, 4.4.3
        raise Forbidden("This user is banned from the room")
    if "third_party_invite" in change.event.content:  # 4.4.1
        check_third_party_invite(change.event, change.state)
        return
    _require_joined_sender(change)  # 4.4.2
    if change.target_was == "join":  # 4.4.3
        raise Forbidden("This user is already in the room")
    if change.power.of_user(change.event.sender) < change.power.invite:  # 4.4.4, 4.4.5
        raise Forbidden("You may not invite people to this room")


def _check_leave(change: Change) -> None:
    """4.5"""
    if change.is_own:  # 4.5.1
        if change.target_was not in ("join", "invite") and not _may_withdraw_knock(change):
            raise Forbidden("You are not in this room")
        return
    _require_joined_sender(change)  # 4.5.2
    power = change.power
    level = power.of_user(change.event.sender)
    if change.target_was == "ban" and level < power.ban:  # 4.5.3
        raise Forbidden("You may not lift bans in this room")
    if level < power.kick or level <= power.of_user(change.target):  # 4.5.4, 4.5.5
        raise Forbidden("You may not remove this user")


def _may_withdraw_knock(change: Change) -> bool:
    return change.target_was == "knock" and change.event.version.knock


def _check_ban(change: Change) -> None:
    """4.6"""
    _require_joined_sender(change)  # 4.6.1
    level = change.power.of_user(change.event.sender)
    if level < change.power.ban:  # 4.6.2, 4.6.3
        raise Forbidden("You may not ban people from this room")
    if level <= change.power.of_user(change.target):
        raise Forbidden("You may not ban this user")


def _check_knock(change: Change) -> None:
    """4.7"""
    by_both = change.join_rule == "knock_restricted" and change.event.version.knock_restricted_join
    if change.join_rule != "knock" and not by_both:  # 4.7.1
        raise Forbidden("This room takes no requests to join")
    if not change.is_own:  # 4.7.2
        raise Forbidden("Nobody can knock for someone else")
    if change.target_was in ("ban", "invite", "join"):  # 4.7.3, 4.7.4
        raise Forbidden("You cannot knock: you are banned, invited or already in the room")


def _require_joined_sender(change: Change) -> None:
    if change.sender_was != "join":
        raise Forbidden("You are not in this room")


_RULES = {
    "join": _check_join,
    "invite": _check_invite,
    "leave": _check_leave,
    "ban": _check_ban,
    "knock": _check_knock,
}
