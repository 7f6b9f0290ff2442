"""Table ``pushers``: where apps want to be told of what notifies their user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table, Text, bindparam, delete, select, update

from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

pushers: Final = Table(
    "pushers", metadata,
    Column("user_id", Text, primary_key=True),
    Column("app_id", Text, primary_key=True),
    Column("pushkey", Text, primary_key=True),
    Column("device_id", Text, nullable=False),
    Column("app_display_name", Text, nullable=False),
    Column("device_display_name", Text, nullable=False),
    Column("profile_tag", Text, nullable=False),
    Column("lang", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("enabled", Integer, nullable=False),
    Column("set_ts", BigInteger, nullable=False),
    Column("delivered", BigInteger, nullable=False),
    Column("badge", Integer),
)

_SET: Final = upsert(pushers)
_ROW: Final = (
    pushers.c.user_id == bindparam("who"), pushers.c.app_id == bindparam("app"), pushers.c.pushkey == bindparam("key"),
)
_DROP: Final = delete(pushers).where(*_ROW)
# Only forward: rows are written in the order in which they were asked for, but a pusher may be set anew meanwhile.
_MOVE: Final = (
    update(pushers).where(*_ROW, pushers.c.delivered <= bindparam("up_to"))
    .values(delivered=bindparam("up_to"), badge=bindparam("number"))
)


class PusherKey(NamedTuple):
    """Names a pusher."""

    user_id: str
    app_id: str
    pushkey: str


class Described(NamedTuple):
    """How a pusher is shown to its owner."""

    app_display_name: str
    device_display_name: str
    profile_tag: str
    lang: str


@dataclass(frozen=True, slots=True)
class Pusher:
    """One app on one device. ``data`` is the client's own, with the ``url`` of the gateway.

    ``delivered`` is the stream position up to which the app has been told, ``badge`` the number of unread messages
    that it was last told (``None``: none yet), ``set_ts`` in milliseconds since 1970.
    """

    key: PusherKey
    device_id: str
    described: Described
    data: dict[str, Any]
    enabled: bool
    set_ts: int
    delivered: int
    badge: int | None = None


def set_pusher(writes: Writes, pusher: Pusher) -> None:
    """Store a pusher over the one of its key."""
    writes.add(_SET, {
        **pusher.key._asdict(), **pusher.described._asdict(), "device_id": pusher.device_id,
        "data": orjson.dumps(pusher.data), "enabled": int(pusher.enabled), "set_ts": pusher.set_ts,
        "delivered": pusher.delivered, "badge": pusher.badge,
    })


def drop_pusher(writes: Writes, key: PusherKey) -> None:
    """Forget a pusher."""
    writes.add(_DROP, {"who": key.user_id, "app": key.app_id, "key": key.pushkey})


def move_pusher(writes: Writes, key: PusherKey, delivered: int, badge: int | None) -> None:
    """Store up to where an app has been told."""
    writes.add(_MOVE, {
        "who": key.user_id, "app": key.app_id, "key": key.pushkey, "up_to": delivered, "number": badge,
    })


async def all_pushers(database: Database) -> list[Pusher]:
    """Everybody's pushers, in the order in which they were set."""
    rows = await database.fetch_all(select(pushers).order_by(pushers.c.set_ts))
    return [
        Pusher(
            PusherKey(row.user_id, row.app_id, row.pushkey), row.device_id,
            Described(row.app_display_name, row.device_display_name, row.profile_tag, row.lang),
            orjson.loads(row.data), bool(row.enabled), int(row.set_ts), int(row.delivered), row.badge,
        )
        for row in rows
    ]
