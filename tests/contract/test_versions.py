"""``/versions`` lists what is true: no version of which an endpoint is missing."""

from __future__ import annotations

from typing import Final

from server.matrix_api.versions import UNSTABLE_FEATURES, VERSIONS
from tests.builders import PASSWORD, RunningNode
from tests.contract.conformance import Tried, not_offered, state, tried
from tests.contract.promises import Promise, changed, promises
from tests.contract.specification import operations

# The version that the files of the specification describe (tests/data/matrix/spec/ORIGIN.md).
LATEST: Final = 19


def missing_since() -> set[int]:
    """The versions 1.x with an endpoint that was never seen to work and is not refused honestly; the old ones apart."""
    found = tried()
    return {
        int(operation.added.partition(".")[2] or 0)
        for operation in operations()
        if operation.is_stable and operation.tier != "T4" and operation.name not in not_offered()
        and not state(operation, found.get(operation.route, Tried())).startswith("tested")
    }  # fmt: skip


def test_the_list_of_versions_ends_before_the_first_of_which_something_is_missing() -> None:
    last = min(missing_since(), default=LATEST + 1) - 1
    assert list(VERSIONS) == ["r0.6.1", *(f"v1.{number}" for number in range(1, last + 1))]


def test_no_endpoint_is_newer_than_the_latest_version() -> None:
    assert {int(row.added.partition(".")[2] or 0) for row in operations() if row.is_stable} <= set(range(LATEST + 1))


def test_what_a_version_changes_within_endpoints_is_shown_by_a_test_or_needs_nothing() -> None:
    listed = promises()
    for version, place in changed():
        assert any(promise.holds(version, place) for promise in listed), (version, place)


def test_no_promise_speaks_of_nothing() -> None:
    places = list(changed())
    for promise in promises():
        assert bool(promise.shown_by) is not bool(promise.reason), promise
        assert not promise.without_test(), promise.without_test()
        for pattern in promise.places:
            one = Promise(promise.version, (pattern,), (), "")
            assert any(one.holds(version, place) for version, place in places), (promise.version, pattern)


async def test_what_the_node_can_is_told_as_the_versions_have_it(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    told = (await hanako.get("v3/capabilities"))["capabilities"]
    assert set(told["m.room_versions"]["available"]) == {"10", "11", "12"}
    assert told["m.room_versions"]["default"] in told["m.room_versions"]["available"]
    able = ("m.change_password", "m.set_displayname", "m.set_avatar_url", "m.profile_fields", "m.get_login_token")
    assert all(told[name] == {"enabled": True} for name in able)
    assert told["m.3pid_changes"] == {"enabled": False}
    # Rooms are forgotten when one asks for it, and only admins hear that they may hold others.
    assert told.get("m.forget_forced_upon_leave", {"enabled": False}) == {"enabled": False}
    assert "m.account_moderation" not in told
    await node.inside.accounts.create_user("kaicho", PASSWORD, admin=True)
    told = (await (await node.user("kaicho")).get("v3/capabilities"))["capabilities"]
    assert told["m.account_moderation"] == {"lock": True, "suspend": True}


DOORS: Final = {
    "org.matrix.simplified_msc3575": "POST /_matrix/client/unstable/org.matrix.simplified_msc3575/sync",
    "org.matrix.msc3814": "PUT /_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device",
    "uk.half-shot.msc2666.query_mutual_rooms":
        "GET /_matrix/client/unstable/uk.half-shot.msc2666/user/mutual_rooms",
    "uk.half-shot.msc2666.query_mutual_rooms.stable": "GET /_matrix/client/v1/mutual_rooms",
    "uk.tcpip.msc4133.stable": "PUT /_matrix/client/v3/profile/{userId}/{keyName}",
    **dict.fromkeys(
        [f"org.matrix.msc{number}" for number in (4508, 4538, 4543, 4548, 4551)] + ["org.matrix.msc4508.stable"],
        "POST /_matrix/client/v4/sync",
    ),
}  # fmt: skip


def test_every_draft_that_is_said_to_be_spoken_has_a_door_that_was_tried() -> None:
    found = tried()
    assert set(UNSTABLE_FEATURES) == set(DOORS)
    assert all(found[door].successes and found[door].refusals for door in DOORS.values())
