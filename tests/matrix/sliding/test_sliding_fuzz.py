"""Whatever a device sends to sliding sync, the node answers or refuses; it never fails."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.foundation.errors import BadRequest, InvalidParam
from server.sync.sliding import deployed_dialect, merged_dialect
from tests.builders import Person
from tests.matrix.sliding.element_x import Device, opened

EXTENSIONS = ("to_device", "e2ee", "account_data", "receipts", "typing")

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=4)
    | st.sampled_from(["*", "$ME", "$LAZY"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3), max_leaves=6,
)
NAMES = st.sampled_from([
    "range", "ranges", "timeline_limit", "required_state", "filters", "include", "exclude", "lazy_members", "enabled",
    "since", "limit", "lists", "rooms", "is_dm", "spaces", "tags", "not_tags", "room_types", "is_invite", "is_invited",
    "room_name_like", "type", "state_key", "to_device", "e2ee", "typing", "receipts", "account_data",
])
ROOM: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {"timeline_limit": st.integers(-1, 3) | ANYTHING},
    optional={
        "required_state": st.just([["*", "*"]]) | st.just({"include": [{}]}) | ANYTHING,
        "range": ANYTHING | st.just([0, 3]), "ranges": ANYTHING | st.just([[0, 3]]),
        "filters": st.dictionaries(NAMES, ANYTHING, max_size=4),
    },
)
BODY = st.fixed_dictionaries({}, optional={
    "conn_id": ANYTHING, "pos": ANYTHING, "timeout": st.just(0) | ANYTHING, "set_presence": ANYTHING,
    "lists": st.dictionaries(st.text(max_size=3), ROOM | ANYTHING, max_size=3) | ANYTHING,
    "room_subscriptions": st.dictionaries(st.text(max_size=6), ROOM | ANYTHING, max_size=3) | ANYTHING,
    "extensions": st.dictionaries(NAMES, st.dictionaries(NAMES, ANYTHING, max_size=3) | ANYTHING, max_size=4),
}) | ANYTHING


@given(BODY)
@settings(max_examples=300, deadline=None)
def test_a_request_is_read_or_refused(body: Any) -> None:
    data = orjson.dumps(body)
    for read in (lambda: deployed_dialect.parse(data, None, 0), lambda: merged_dialect.parse(data)):
        try:
            read()
        except (BadRequest, InvalidParam):
            continue


LISTS = st.dictionaries(st.sampled_from(["a", "b"]), st.fixed_dictionaries({
    "timeline_limit": st.integers(0, 5),
    "required_state": st.lists(st.tuples(
        st.sampled_from(["*", "m.room.member", "m.room.name", "m.space.child"]),
        st.sampled_from(["*", "", "$ME", "$LAZY"]),
    ), max_size=3),
}, optional={
    "ranges": st.lists(st.tuples(st.integers(0, 2), st.integers(2, 900)), max_size=2),
    "filters": st.fixed_dictionaries({}, optional={
        "is_dm": st.booleans(), "is_encrypted": st.booleans(), "is_invite": st.booleans(),
        "tags": st.lists(st.sampled_from(["m.favourite", "u.x"]), max_size=2),
        "not_tags": st.lists(st.sampled_from(["m.favourite", "u.x"]), max_size=2),
        "room_types": st.lists(st.sampled_from([None, "m.space"]), max_size=2),
        "spaces": st.lists(st.sampled_from(["!x:y", "nonsense"]), max_size=2),
        "room_name_like": st.sampled_from(["ha", "x", ""]),
    }),
}), max_size=2)


@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_well_formed_request_is_always_answered(hall: tuple[Person, Person, str], data: st.DataObject) -> None:
    hanako, taro, room = hall
    device = Device(taro)
    for _ in range(3):
        await device.syncs(
            lists=data.draw(LISTS), room_subscriptions=opened(room) if data.draw(st.booleans()) else {},
            extensions={key: {"enabled": True} for key in data.draw(st.sets(st.sampled_from(EXTENSIONS)))},
        )
        await hanako.says(room, "x")
