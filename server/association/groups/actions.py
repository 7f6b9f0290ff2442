"""Groups: every verb is one that Matrix clients have, too: knocking, inviting, joining, leaving, a topic, a file."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from server.association.groups import groups_store as store
from server.association.groups.model import (
    MAX_WORDS,
    MOST_FILES,
    Asking,
    GroupFile,
    GroupLine,
    Inside,
    Place,
    checked_about,
)
from server.association.members.editor import MemberEditor
from server.association.members.members import Members
from server.association.members.model import Group, Person, Right
from server.foundation.errors import Forbidden, InvalidParam, NotFound, Refused
from server.foundation.keyed_locks import KeyedLocks
from server.media.pictures import Picture
from server.rooms.live_room import LiveRoom
from server.rooms.membership import Membership
from server.rooms.send_event import Draft, EventSender
from server.storage.database import Database

_PAPERS = 50
_PHOTOS = 60
_FASTER = "ほかの人が 先に 紹介を なおしました。いまの 紹介を 見てから、もう一度おしてください"
ForgetFile = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class GroupGround:
    """What the verbs stand on."""

    database: Database
    members: Members
    editor: MemberEditor
    sender: EventSender
    membership: Membership
    forget_file: ForgetFile


class Groups:
    """The groups of the association."""

    def __init__(self, ground: GroupGround) -> None:
        self._ground = ground
        self._turns = KeyedLocks()

    # ---- reading ---------------------------------------------------------------------------------------------------

    async def all(self, user_id: str) -> list[GroupLine]:
        """All groups as this account may see them, one's own first."""
        self._require_member(user_id)
        lines = [await self._line(user_id, group) for group in self._ground.members.groups()]
        return sorted(lines, key=lambda line: line.place is Place.OUTSIDE)

    async def line(self, user_id: str, group_id: str) -> GroupLine:
        """One group as everybody may see it; raises ``NotFound``."""
        self._require_member(user_id)
        return await self._line(user_id, self._ground.members.group(group_id))

    async def inside(self, user_id: str, group_id: str) -> Inside:
        """One group for its members; raises ``Forbidden``."""
        line = await self.line(user_id, group_id)
        if line.place is not Place.INSIDE and not line.leads:
            raise Forbidden("このサークルに入っている人だけが見られます")
        room, register = await self._room(group_id), self._ground.members.register
        database = self._ground.database
        return Inside(
            line, register.members_of_group(group_id), register.leaders_of_group(group_id),
            self._asking(room) if line.leads else (),
            await store.files_in(database, room.room_id, photos=False, limit=_PAPERS),
            await store.files_in(database, room.room_id, photos=True, limit=_PHOTOS),
        )

    async def file(self, user_id: str, group_id: str, event_id: str) -> GroupFile:
        """A file of a group, for its members."""
        line, room = await self.line(user_id, group_id), await self._room(group_id)
        found = await store.find_file(self._ground.database, event_id)
        if found is None or found.room_id != room.room_id or line.place is not Place.INSIDE:
            raise NotFound("そのファイルはありません")
        return found

    # ---- coming and going ------------------------------------------------------------------------------------------

    async def ask(self, user_id: str, group_id: str, words: str = "") -> None:
        """Ask to be let in (a knock). Twice is once."""
        self._require_member(user_id)
        if len(words) > MAX_WORDS:
            raise InvalidParam(f"ひとことは{MAX_WORDS}字までです")
        async with self._turns.hold(user_id):
            room = await self._room(group_id)
            if room.membership(user_id) in ("join", "invite", "knock"):
                return
            await self._ground.membership.knock(room.room_id, user_id, words.strip() or None)

    async def come_in(self, user_id: str, group_id: str) -> None:
        """Take an invitation."""
        room = await self._room(group_id)
        if room.membership(user_id) not in ("invite", "join"):
            raise Forbidden("世話役が入れてから、入れます")
        await self._ground.membership.join(room.room_id, user_id)

    async def leave(self, user_id: str, group_id: str) -> None:
        """Leave, or do not want to be let in any more."""
        room = await self._room(group_id)
        if room.membership(user_id) in ("join", "invite", "knock"):
            await self._ground.membership.leave(room.room_id, user_id)

    async def let_in(self, leader: str, group_id: str, person_id: str) -> None:
        """Let in somebody who has asked; they have asked, so they are in at once. Twice is once."""
        async with self._turns.hold(group_id):
            room = await self._led(leader, group_id)
            user_id = self._account_of(person_id)
            membership = room.membership(user_id)
            if membership == "join":
                return
            if membership not in ("knock", "invite"):
                raise InvalidParam("この人は、もう待っていません", status=409)
            if membership == "knock":
                await self._ground.membership.invite(room.room_id, self._host(room, leader), user_id)
            await self._ground.membership.join(room.room_id, user_id)
        await self._tell(user_id, f"【サークル】「{self._ground.members.group(group_id).name}」に入りました。")

    async def decline(self, leader: str, group_id: str, person_id: str) -> None:
        """Do not let in somebody who has asked."""
        room, user_id = await self._led(leader, group_id), self._account_of(person_id)
        if room.membership(user_id) not in ("knock", "invite"):
            raise InvalidParam("この人は、もう待っていません", status=409)
        await self._ground.membership.kick(room.room_id, self._host(room, leader, over=user_id), user_id)
        name = self._ground.members.group(group_id).name
        await self._tell(user_id, f"【サークル】「{name}」には、いまは入れません。")

    # ---- what leaders write ----------------------------------------------------------------------------------------

    async def set_about(self, leader: str, group_id: str, text: str, *, expected: str | None = None) -> None:
        """Say what the group is about: the topic of its room; with ``expected`` only if that stands there still
        (``Refused``, 412)."""
        async with self._turns.hold(group_id):
            room, words = await self._led(leader, group_id), checked_about(text)
            if expected not in (None, _about(room), words):
                raise Refused(_FASTER, status=412)
            content = {"topic": words}
            await self._ground.sender.send(Draft(room.room_id, self._host(room, leader), "m.room.topic", content, ""))

    async def found(self, officer: str, name: str, leader_id: str, about: str) -> Group:
        """A new group and who looks after it; raises ``Forbidden``, ``InvalidParam``, ``Refused``."""
        words = checked_about(about)
        self._ground.members.require(officer, Right.EDIT_ROSTER)
        leader = self._ground.members.person(leader_id) if leader_id else None
        group = await self._ground.editor.add_group(officer, name)
        if leader is not None:
            await self._ground.editor.set_leader(officer, group.id, leader.id, leads=True)
        if words:
            await self.set_about(officer, group.id, words)
        return group

    # ---- the folder ------------------------------------------------------------------------------------------------

    async def add_files(self, user_id: str, group_id: str, files: Sequence[Picture]) -> None:
        """Put papers and photos into the folder: messages that every client shows."""
        room = await self._room(group_id)
        if room.membership(user_id) != "join":
            raise Forbidden("このサークルに入っている人だけができます")
        if not files or len(files) > MOST_FILES:
            raise InvalidParam(f"ファイルを1個から{MOST_FILES}個えらんでください")
        await self._ground.sender.send_many([
            Draft(room.room_id, user_id, "m.room.message", file.as_message()) for file in files
        ])

    async def remove_file(self, user_id: str, group_id: str, event_id: str) -> None:
        """Take one's own file away, or as a leader anybody's."""
        found = await self.file(user_id, group_id, event_id)
        room = await self._room(group_id)
        leads = self._leads(user_id, group_id)
        if found.sender != user_id and not leads:
            raise Forbidden("自分のファイルだけを、けせます")
        sender = user_id if found.sender == user_id else self._host(room, user_id)
        await self._ground.sender.send(Draft(room.room_id, sender, "m.room.redaction", {}, redacts=event_id))
        if found.sender == user_id:
            await self._ground.forget_file(found.file.url)

    # ---- parts -----------------------------------------------------------------------------------------------------

    async def _line(self, user_id: str, group: Group) -> GroupLine:
        room = await self._room(group.id)
        leads = self._leads(user_id, group.id)
        place = {"join": Place.INSIDE, "invite": Place.LET_IN, "knock": Place.ASKING}
        return GroupLine(
            group, _about(room),
            len(self._ground.members.register.members_of_group(group.id)),
            place.get(room.membership(user_id), Place.OUTSIDE), leads, len(self._asking(room)) if leads else 0,
        )

    async def _room(self, group_id: str) -> LiveRoom:
        room_id = self._ground.members.group_room(self._ground.members.group(group_id).id)
        if room_id is None:
            raise NotFound("このサークルの部屋が、まだありません")
        return await self._ground.sender.rooms.get(room_id)

    async def _led(self, leader: str, group_id: str) -> LiveRoom:
        room = await self._room(group_id)
        if not self._leads(leader, group_id):
            raise Forbidden("世話役だけができます")
        return room

    def _leads(self, user_id: str, group_id: str) -> bool:
        """Whether somebody looks after a group: its leaders, and officers who keep the roster."""
        members = self._ground.members
        leaders = members.register.leaders_of_group(group_id)
        return members.may(user_id, Right.EDIT_ROSTER) or any(item.user_id == user_id for item in leaders)

    def _host(self, room: LiveRoom, leader: str, over: str = "") -> str:
        """Who does it in the room: the leader, or the node for an officer who is not in it, or where it is about
        somebody (``over``) who has as much to say there as the leader."""
        levels = room.levels()
        own = levels.of_user(leader)
        is_able = room.membership(leader) == "join" and own >= max(levels.invite, levels.kick)
        return leader if is_able and own > levels.of_user(over) else self._ground.members.node_user_id

    def _asking(self, room: LiveRoom) -> list[Asking]:
        found = []
        for person in self._ground.members.persons():
            member = room.member(person.user_id) if person.user_id is not None else None
            if member is not None and member.content.get("membership") == "knock":
                words = member.content.get("reason")
                found.append(Asking(person, words if isinstance(words, str) else ""))
        return found

    def _account_of(self, person_id: str) -> str:
        person: Person = self._ground.members.person(person_id)
        if person.user_id is None:
            raise NotFound("この人は、まだ使っていません")
        return person.user_id

    def _require_member(self, user_id: str) -> None:
        if self._ground.members.person_of_user(user_id) is None:
            raise Forbidden("サークルは、町内会の会員が見られます")

    async def _tell(self, user_id: str, text: str) -> None:
        await tell_in_desk(self._ground.members, self._ground.sender, user_id, text)


def _about(room: LiveRoom) -> str:
    topic = room.content("m.room.topic").get("topic")
    return topic if isinstance(topic, str) else ""


async def tell_in_desk(members: Members, sender: EventSender, user_id: str, text: str) -> None:
    """Tell somebody in their 窓口, as far as they have one."""
    person = members.person_of_user(user_id)
    room_id = None if person is None else members.desk_room_of(person.id)
    if room_id is not None:
        content = {"msgtype": "m.text", "body": text, "jp.kairan.group.notice": {}}
        await sender.send(Draft(room_id, members.node_user_id, "m.room.message", content))


async def tell_leaders(members: Members, sender: EventSender, group_id: str) -> None:
    """Somebody has knocked, on a page or in a client: those who look after the group hear of it."""
    with contextlib.suppress(NotFound):
        name = members.group(group_id).name
        for person in members.register.leaders_of_group(group_id):
            if person.user_id is not None:
                text = f"【サークル】「{name}」に入りたい人がいます。「サークル」のページで返事をしてください。"
                await tell_in_desk(members, sender, person.user_id, text)
