"""Every role, every method that writes, every kind of calendar: the privileges say beforehand what is answered."""

from __future__ import annotations

import pytest

from tests.caldav.node import Account, Node, ics
from tests.caldav.test_rights import NAME, ORDER, privileges

START = "DTSTART:20261123T010000Z"
ROLES = ("member", "officer", "guest")
REFUSED = {403, 405, 409}
DONE = {200, 201, 204}


@pytest.fixture
def chief(node: Node) -> Account:
    """Somebody else, with a gathering and an entry of their own."""
    chief = node.officer("fukukaicho")
    assert chief.put(chief.gatherings + "there.ics", ics("there", START)).status == 201
    assert chief.put(chief.personal + "there.ics", ics("there", START)).status == 201
    return chief


def someone(node: Node, role: str) -> Account:
    account = node.officer(role) if role == "officer" else node.account(role)
    if role == "guest":
        node.rights.guests.add(account.user_id)
    account.put(account.personal + "there.ics", ics("there", START))
    account.put(account.personal + "mine.ics", ics("mine", START))
    return account


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("calendar", ["personal", "gatherings"])
def test_what_the_privileges_say_is_what_is_done(node: Node, chief: Account, role: str, calendar: str) -> None:
    account = someone(node, role)
    path = f"{account.home}{calendar}/"
    if role == "guest" and calendar == "gatherings":
        return
    said = privileges(account, path)
    mine, there = account.personal + "mine.ics", path + "there.ics"
    changed = ics("there", START, "SUMMARY:x")
    asked = (
        ("bind", account.put(path + "new.ics", ics("new", START)).status),
        ("write-content", account.put(there, changed).status),
        ("bind", account.ask("COPY", mine, Destination=f"{path}copy.ics").status if calendar != "personal" else 0),
        ("unbind", account.ask("MOVE", there, Destination=f"{account.personal}moved.ics").status
         if calendar == "personal" else account.ask("DELETE", there).status),
    )
    for privilege, status in asked:
        if status:
            assert status in (DONE if privilege in said else REFUSED), (privilege, status)
    renamed = account.ask("PROPPATCH", path, NAME)
    assert (b"200 OK" in renamed.body) == ("write-properties" in said)
    assert b"200 OK" in account.ask("PROPPATCH", path, ORDER).body
    assert account.ask("MKCALENDAR", path).status == 405
    assert account.ask("MKCALENDAR", f"{account.home}another/").status == 201
    assert "bind" in privileges(account, account.home)
    removed = account.ask("DELETE", path).status
    assert removed == (204 if "write-properties" in said else 403)


@pytest.mark.parametrize("role", ROLES)
def test_what_is_somebody_elses_does_not_exist(node: Node, chief: Account, role: str) -> None:
    account = someone(node, role)
    nobody = "/dav/calendars/nobody/"
    answers: dict[str, set[int]] = {}
    for home in (chief.home, nobody):
        for path in (home, home + "personal/", home + "personal/there.ics", home + "gatherings/there.ics"):
            for method, body, headers in _every_method(account):
                answer = account.ask(method, path, body, **headers)
                answers.setdefault(method, set()).add(answer.status)
        put_there = account.ask("COPY", account.personal + "mine.ics", Destination=home + "personal/x.ics")
        answers.setdefault("COPY to", set()).add(put_there.status)
    assert answers.pop("COPY to") == {409}
    assert set().union(*answers.values()) == {404}
    assert chief.ask("GET", chief.personal + "there.ics").status == 200


def test_a_guest_is_told_nothing_of_gatherings_by_any_method(node: Node, chief: Account) -> None:
    guest = someone(node, "guest")
    for path in (guest.gatherings, guest.gatherings + "there.ics"):
        for method, body, headers in _every_method(guest):
            if path.endswith("/") and method in ("GET", "PUT", "COPY", "MOVE", "MKCALENDAR", "MKCOL"):
                continue
            if method in ("MKCALENDAR", "MKCOL", "REPORT", "OPTIONS"):
                continue
            assert guest.ask(method, path, body, **headers).status == 404, (method, path)


def _every_method(account: Account) -> list[tuple[str, str, dict[str, str]]]:
    there = {"Destination": account.personal + "y.ics"}
    report = '<D:sync-collection xmlns:D="DAV:"><D:sync-token/><D:prop><D:getetag/></D:prop></D:sync-collection>'
    return [
        ("OPTIONS", "", {}), ("PROPFIND", "", {"Depth": "0"}), ("PROPPATCH", ORDER, {}), ("REPORT", report, {}),
        ("GET", "", {}), ("PUT", ics("z", START), {}), ("DELETE", "", {}), ("MKCALENDAR", "", {}),
        ("MKCOL", "", {}), ("COPY", "", there), ("MOVE", "", there),
    ]
