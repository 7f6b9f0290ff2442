"""caldav-server-tester, which asks for every feature that calendar apps have stumbled over, as two people."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from tests.caldav.node import Account, Node

checker = pytest.importorskip("caldav_server_tester.checker", reason="caldav-server-tester is not installed")
pytest.importorskip("vobject", reason="without vobject the tester takes every server's time zones for broken")

# What we do not offer, on purpose.
REFUSED = {
    # A PUT makes no calendar: a wrong address would fill the home.
    "create-calendar.auto",
    # One kind of entry a calendar, as Apple's apps want it.
    "save-load.journal.mixed-calendar", "save-load.todo.mixed-calendar",
    # RFC 4791 section 9.7.2: below VCALENDAR a prop-filter asks for properties of the VCALENDAR.
    "search.text.comp-type-optional",
    # "@" and "%40" are one resource here; two would be met by every iPhone (it writes the one and asks for the other).
    "url.encode-at.identity",
    # Entries that residents make are not sent round; what the association invites to is (test_scheduling.py).
    "scheduling.mailbox.inbox-delivery", "scheduling.auto-schedule",
    "scheduling",
}
# What cannot be seen: our principals' addresses have no "@", and one resident does not invite another.
UNKNOWN = {"url.encode-at.literal.principal", "scheduling.schedule-tag.stable-partstat"}


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks for half a minute whether an inbox fills that stays empty on purpose; here all is done when answered."""
    wait = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: wait(seconds / 50))


def test_the_tester_finds_nothing_broken(node: Node, hanako: Account) -> None:
    found = features(node, hanako, node.account("taro"))
    by_support = {name: str(value.get("support")) for name, value in found.items() if "support" in value}
    counts = Counter(by_support.values())
    assert {name for name, value in by_support.items() if value == "unknown"} <= UNKNOWN
    assert {name for name, value in by_support.items() if value not in ("full", "unknown")} <= REFUSED
    assert counts["full"] >= 99
    assert not {"broken", "ungraceful", "quirk", "fragile"} & counts.keys()


def test_limits_of_synchronising_and_old_tokens_are_answered_as_the_rfc_says(node: Node, hanako: Account) -> None:
    found = features(node, hanako)
    assert {found[name]["support"] for name in (
        "sync-token", "sync-token.limit", "sync-token.limit.initial-sync", "sync-token.invalid-token")} == {"full"}


def features(node: Node, first: Account, *others: Account) -> Mapping[str, Mapping[str, Any]]:
    """Feature to what the tester says of it. Under the name 127.0.0.1 it would not ask for ``.well-known``."""
    url = f"http://127.1:{node.port}/dav/"
    tester = checker.ServerQuirkChecker(first.client(url), extra_clients=[other.client(url) for other in others])
    try:
        tester.check_all()
        known: Mapping[str, Mapping[str, Any]] = dict(tester.features_checked._server_features)
    finally:
        tester.cleanup(force=True)
    return known
