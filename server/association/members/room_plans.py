"""What the association's rooms are like, and who belongs into them (DESIGN section 4). Pure rules.

Names of people are nowhere in here: a resident's own line is called 窓口, whosever it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from server.association.members.model import (
    DESK_NAME,
    OFFICER_ROLES,
    Person,
    Purpose,
    Right,
    Role,
    rights_of,
)
from server.association.members.register import Register
from server.association.members.room_book import block_key, group_key
from server.foundation.ids import random_letters
from server.rooms.create_room import RoomPlan
from server.rooms.room_versions import RoomVersion

Content = dict[str, Any]

OFFICER_LEVEL: Final = 50
# What every member may send where only officers write: stamps, answers, "I have opened it", taking one's own back.
_OPEN_TO_ALL: Final = (
    "m.reaction", "m.room.redaction", "m.poll.response", "org.matrix.msc3381.poll.response",
    "jp.kairan.circular.opened", "jp.kairan.safety.response",
)
_FOR_THE_NODE_ONLY: Final = (
    "m.room.power_levels", "m.room.history_visibility", "m.room.encryption", "m.room.server_acl", "m.room.tombstone",
    "m.room.join_rules",
)


class Access(Enum):
    """How somebody who is not brought in by the node gets into a room."""

    INVITED = "invite"
    OF_THE_SPACE = "restricted"
    ASKING = "knock"


@dataclass(frozen=True, slots=True)
class RoomSpec:
    """One room of the association. ``place`` orders it among its neighbours in the space.

    A member who left a room that ``must_stay`` is brought back when their place in the association changes.
    """

    key: str
    name: str
    topic: str
    place: int
    access: Access = Access.INVITED
    officers_write: bool = False
    must_stay: bool = False


def wanted_specs(association_name: str, register: Register) -> list[RoomSpec]:
    """The space and all rooms below it, the space first."""
    halls = [
        RoomSpec(
            Purpose.SPACE.value, association_name, f"{association_name}の部屋", 0, officers_write=True, must_stay=True
        ),
        _hall(Purpose.CIRCULARS, 1, "町内会からのお知らせ", officers_write=True, must_stay=True),
        _hall(Purpose.DISASTER, 2, "災害のときの連絡と安否確認", officers_write=True, must_stay=True),
        _hall(Purpose.BOARD, 3, "だれでも書ける掲示板"),
        RoomSpec(Purpose.OFFICERS.value, Purpose.OFFICERS.label, "役員の話し合い", 4, must_stay=True),
        RoomSpec(Purpose.RECEPTION.value, Purpose.RECEPTION.label, "住民からの問い合わせ", 5, must_stay=True),
    ]
    blocks = [
        RoomSpec(block_key(block.id), block.name, f"{block.name}の連絡", 1_000 + number)
        for number, block in enumerate(register.blocks())
    ]
    groups = [
        RoomSpec(group_key(group.id), group.name, f"{group.name}の連絡", 5_000 + number, Access.ASKING)
        for number, group in enumerate(register.groups())
    ]
    return halls + blocks + groups


def _hall(
    purpose: Purpose, place: int, topic: str, *, officers_write: bool = False, must_stay: bool = False
) -> RoomSpec:
    return RoomSpec(purpose.value, purpose.label, topic, place, Access.OF_THE_SPACE, officers_write, must_stay)


def wanted_keys(register: Register, person: Person) -> list[str]:
    """The rooms that a person with an account belongs into, without the 窓口."""
    roles = register.roles_of(person.id)
    keys = [item.value for item in (Purpose.SPACE, Purpose.CIRCULARS, Purpose.DISASTER, Purpose.BOARD)]
    keys.append(block_key(register.block_of(person.id).id))
    keys += [group_key(group.id) for group in register.groups_of(person.id)]
    if roles & OFFICER_ROLES:
        keys.append(Purpose.OFFICERS.value)
    if Right.READ_DESK in rights_of(roles):
        keys.append(Purpose.RECEPTION.value)
    return keys


def stewards(register: Register, key: str) -> list[str]:
    """The accounts that look after a room: officers, and in the room of a block or a group its leaders."""
    officers = register.with_role(OFFICER_ROLES - {Role.BLOCK_LEADER})
    if key.startswith("block:"):
        block_id = key.removeprefix("block:")
        leaders = register.with_role([Role.BLOCK_LEADER])
        officers = officers + [person for person in leaders if register.block_of(person.id).id == block_id]
    elif key.startswith("group:"):
        officers = officers + register.leaders_of_group(key.removeprefix("group:"))
    elif key == Purpose.OFFICERS.value:
        officers = register.with_role(OFFICER_ROLES)
    return sorted({person.user_id for person in officers if person.user_id is not None})


def power_levels(spec: RoomSpec, version: RoomVersion, node: str, users: Iterable[str]) -> Content:
    """The levels of a room: officers above residents, the node's account above all."""
    levels: dict[str, int] = dict.fromkeys(users, OFFICER_LEVEL)
    if not version.creators_have_infinite_power:
        levels[node] = 100
    return _levels(spec.officers_write, levels)


def _levels(officers_write: bool, users: dict[str, int]) -> Content:
    events: dict[str, int] = dict.fromkeys(_FOR_THE_NODE_ONLY, 100)
    if officers_write:
        events |= dict.fromkeys(_OPEN_TO_ALL, 0)
    return {
        "users": users,
        "users_default": 0,
        "events": events,
        "events_default": OFFICER_LEVEL if officers_write else 0,
        "state_default": OFFICER_LEVEL,
        "ban": OFFICER_LEVEL,
        "kick": OFFICER_LEVEL,
        "redact": OFFICER_LEVEL,
        "invite": OFFICER_LEVEL,
        "notifications": {"room": OFFICER_LEVEL},
    }


def hall_plan(
    spec: RoomSpec, *, node: str, version: RoomVersion, users: Iterable[str], space_id: str | None, profile: Content
) -> RoomPlan:
    """How the space, or a room below it, is made."""
    is_space = space_id is None
    rules: Content = {"join_rule": spec.access.value}
    if spec.access is Access.OF_THE_SPACE:
        rules["allow"] = [{"type": "m.room_membership", "room_id": space_id}]
    state: list[tuple[str, str, Content]] = [
        ("m.room.join_rules", "", rules),
        ("m.room.guest_access", "", {"guest_access": "forbidden"}),
    ]
    if not is_space:
        server_name = node.partition(":")[2]
        state.append(("m.space.parent", str(space_id), {"via": [server_name], "canonical": True}))
    return RoomPlan(
        creator=node,
        version=version,
        name=spec.name,
        topic=spec.topic,
        creation_content={**({"type": "m.space"} if is_space else {}), **_unlike_others()},
        power_levels=power_levels(spec, version, node, users),
        initial_state=tuple(state),
        profile=profile,
    )


def child_content(spec: RoomSpec, server_name: str) -> Content:
    """How the space shows a room."""
    return {"via": [server_name], "order": f"{spec.place:04}", "suggested": spec.must_stay}


def desk_plan(
    *, node: str, version: RoomVersion, user_id: str, profile: Content, user_profile: Content
) -> RoomPlan:
    """A resident's own line to the officers: not encrypted, since the node must read the answers."""
    users = {} if version.creators_have_infinite_power else {node: 100}
    return RoomPlan(
        creator=node,
        version=version,
        name=DESK_NAME,
        is_direct=True,
        creation_content=_unlike_others(),
        power_levels=_levels(False, users),
        initial_state=(("m.room.guest_access", "", {"guest_access": "forbidden"}),),
        joined=(user_id,),
        profile=profile,
        profiles={user_id: user_profile},
    )


def _unlike_others() -> Content:
    """In version 12 the create event's hash names the room; many rooms are made alike, maybe by a clock set back."""
    return {"jp.kairan.nonce": random_letters(8)}
