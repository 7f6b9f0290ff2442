"""Table ``invitations``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import BigInteger, Column, LargeBinary, Table, Text, bindparam, delete, insert, or_, select, update

from server.storage.database import Database, Writes, metadata

invitations: Final = Table(
    "invitations", metadata,
    Column("id", Text, primary_key=True),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("code_hash", LargeBinary, nullable=False, unique=True),
    Column("person_id", Text),
    Column("created_by", Text, nullable=False),
    Column("created_ts", BigInteger, nullable=False),
    Column("expires_ts", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("kind", Text, nullable=False),
)


class InvitationState(StrEnum):
    """The life of an invitation."""

    OPEN = "open"
    USED = "used"
    REVOKED = "revoked"


class InvitationKind(StrEnum):
    """What it brings: somebody new, or somebody who is here on another telephone (and on no other any more), or on that
    of their family."""

    COME_IN = ""
    PHONE = "phone"
    ONLY_PHONE = "only phone"
    FAMILY = "family"


@dataclass(frozen=True, slots=True)
class Invitation:
    """``person_id`` is ``None`` where it is for nobody in particular. Times in ms since 1970."""

    id: str
    person_id: str | None
    created_by: str
    created_ts: int
    expires_ts: int
    state: InvitationState
    kind: InvitationKind = InvitationKind.COME_IN


_BY_OFFICERS: Final = (InvitationKind.PHONE.value, InvitationKind.ONLY_PHONE.value)
_INSERT: Final = insert(invitations)
_USE: Final = update(invitations).where(invitations.c.id == bindparam("which")).values(state=InvitationState.USED.value)
_REVOKE: Final = (
    update(invitations)
    .where(invitations.c.person_id == bindparam("who"), invitations.c.state == InvitationState.OPEN.value)
    .values(state=InvitationState.REVOKED.value)
)
_REVOKE_ONE: Final = (
    update(invitations)
    .where(invitations.c.id == bindparam("which"), invitations.c.state == InvitationState.OPEN.value)
    .values(state=InvitationState.REVOKED.value)
)
_DROP: Final = delete(invitations).where(invitations.c.person_id == bindparam("who"))


def add_invitation(writes: Writes, invitation: Invitation, token_hash: bytes, code_hash: bytes) -> None:
    """Store a new invitation."""
    writes.add(_INSERT, {
        "id": invitation.id, "token_hash": token_hash, "code_hash": code_hash, "person_id": invitation.person_id,
        "created_by": invitation.created_by, "created_ts": invitation.created_ts,
        "expires_ts": invitation.expires_ts, "state": invitation.state.value, "kind": invitation.kind.value,
    })


def use_invitation(writes: Writes, invitation_id: str) -> None:
    """Store that somebody has come in by it."""
    writes.add(_USE, {"which": invitation_id})


def revoke_invitation(writes: Writes, invitation_id: str) -> None:
    """Store that one open invitation is void."""
    writes.add(_REVOKE_ONE, {"which": invitation_id})


def revoke_invitations_of(writes: Writes, person_id: str) -> None:
    """Store that a person's open invitations are void."""
    writes.add(_REVOKE, {"who": person_id})


def drop_invitations_of(writes: Writes, person_id: str) -> None:
    """Forget everything about a person's invitations."""
    writes.add(_DROP, {"who": person_id})


async def find_invitation(database: Database, token_hash: bytes, code_hash: bytes) -> Invitation | None:
    """The invitation with this token or this code."""
    row = await database.fetch_one(
        select(invitations)
        .where(or_(invitations.c.token_hash == token_hash, invitations.c.code_hash == code_hash))
    )
    return None if row is None else _as_invitation(row)


async def open_invitations(database: Database, now_ms: int, person_id: str | None = None) -> list[Invitation]:
    """All that can still be used (those of one person), the newest first."""
    asked = select(invitations).where(
        invitations.c.state == InvitationState.OPEN.value, invitations.c.expires_ts > now_ms)
    if person_id is not None:
        asked = asked.where(invitations.c.person_id == person_id)
    rows = await database.fetch_all(asked.order_by(invitations.c.created_ts.desc(), invitations.c.id))
    return [_as_invitation(row) for row in rows]


async def phone_invitations(database: Database, since_ms: int) -> list[Invitation]:
    """Cards for new telephones that officers have made since then, the newest first, whatever has become of them."""
    rows = await database.fetch_all(
        select(invitations)
        .where(invitations.c.kind.in_(_BY_OFFICERS), invitations.c.created_ts >= since_ms)
        .order_by(invitations.c.created_ts.desc(), invitations.c.id)
    )
    return [_as_invitation(row) for row in rows]


def _as_invitation(row: Any) -> Invitation:
    return Invitation(
        row.id, row.person_id, row.created_by, row.created_ts, row.expires_ts, InvitationState(row.state),
        InvitationKind(row.kind),
    )
