"""Table ``proposed_groups``."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Column, Table, Text, bindparam, delete, func, select

from server.association.groups.proposal import Category, Proposal, State, Wish
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

proposed_groups: Final = Table(
    "proposed_groups", metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("asked_ts", BigInteger, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_ts", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("group_id", Text, nullable=False),
)
_P: Final = proposed_groups.c
# What was decided stays decided.
_PUT: Final = upsert(proposed_groups, only_if="proposed_groups.state = 'waiting'")
_FORGET: Final = delete(proposed_groups).where(_P.user_id == bindparam("who"), _P.state != State.APPROVED.value)
_MOST: Final = 200


def put_proposal(writes: Writes, proposal: Proposal) -> None:
    """Store a proposal, or what was decided."""
    wish = proposal.wish
    writes.add(_PUT, {
        "id": proposal.id, "user_id": proposal.user_id, "name": wish.name, "about": wish.about,
        "category": wish.category.value, "state": proposal.state.value, "asked_ts": proposal.asked_ts,
        "decided_by": proposal.decided_by, "decided_ts": proposal.decided_ts, "reason": proposal.reason,
        "group_id": proposal.group_id,
    })


def forget_proposals(writes: Writes, user_id: str) -> None:
    """Somebody leaves: what became no group is removed."""
    writes.add(_FORGET, {"who": user_id})


async def find_proposal(database: Database, proposal_id: str) -> Proposal | None:
    """One of them."""
    row = await database.fetch_one(select(proposed_groups).where(_P.id == proposal_id))
    return None if row is None else _as_proposal(row)


async def proposals_in(database: Database, state: State, user_id: str | None = None) -> list[Proposal]:
    """Those in some state, of one resident or of all, the oldest first."""
    wanted = select(proposed_groups).where(_P.state == state.value)
    if user_id is not None:
        wanted = wanted.where(_P.user_id == user_id)
    return [_as_proposal(row) for row in await database.fetch_all(wanted.order_by(_P.asked_ts, _P.id).limit(_MOST))]


async def count_waiting(database: Database) -> int:
    """How many wait for an officer."""
    row = await database.fetch_one(
        select(func.count()).select_from(proposed_groups).where(_P.state == State.WAITING.value))
    return 0 if row is None else int(row[0])


def _as_proposal(row: Any) -> Proposal:
    return Proposal(
        row.id, row.user_id, Wish(row.name, row.about, Category(row.category)), State(row.state), int(row.asked_ts),
        row.decided_by, int(row.decided_ts), row.reason, row.group_id,
    )
