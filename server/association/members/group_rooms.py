"""A group is who is in its room: whoever is let in there belongs to the group, and whoever leaves does not."""

from __future__ import annotations

from server.association.members.members import Members
from server.association.members.members_store import enter_group, leave_group
from server.association.members.model import Person
from server.rooms.accept_event import Projection
from server.rooms.live_room import LiveRoom
from server.rooms.timeline import Entry
from server.storage.database import Writes


def group_projection(members: Members) -> Projection:
    """For ``EventAcceptor.project(…, ["m.room.member"])``: writes the table of groups with the event itself."""

    def project(room: LiveRoom, entry: Entry, writes: Writes) -> None:
        place = members.rooms.of_id(room.room_id)
        if place is None or not place.key.startswith("group:"):
            return
        person = members.person_of_user(entry.event.state_key or "")
        membership = entry.event.content.get("membership")
        if person is not None and membership in ("join", "leave", "ban"):
            _follow(members, place.key.removeprefix("group:"), person, writes, inside=membership == "join")

    return project


def _follow(members: Members, group_id: str, person: Person, writes: Writes, *, inside: bool) -> None:
    exists = any(group.id == group_id for group in members.groups())
    if not exists or inside == any(group.id == group_id for group in members.groups_of(person.id)):
        return
    (enter_group if inside else leave_group)(writes, group_id, person.id)
    writes.after_commit.append(lambda: members.register.set_in_group(group_id, person.id, inside=inside))
