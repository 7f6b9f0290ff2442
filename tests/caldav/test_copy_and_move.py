"""COPY and MOVE of entries, and the If header."""

from __future__ import annotations

import pytest

from tests.caldav.node import Account, Node, condition_of, ics

MEETING = ("DTSTART:20261123T010000Z", "SUMMARY:打合せ")


@pytest.fixture
def entry(hanako: Account) -> str:
    path = hanako.personal + "a.ics"
    assert hanako.put(path, ics("a", *MEETING)).status == 201
    assert hanako.ask("MKCALENDAR", hanako.home + "second/").status == 201
    return path


def test_an_entry_moves_to_another_calendar_with_its_etag(hanako: Account, entry: str) -> None:
    etag = hanako.ask("GET", entry).etag()
    here = hanako.sync(hanako.personal).xml.findtext("{DAV:}sync-token")
    there = hanako.sync(hanako.home + "second/").xml.findtext("{DAV:}sync-token")
    answer = hanako.ask("MOVE", entry, Destination=hanako.node.url + hanako.home + "second/b.ics")
    assert answer.status == 201
    assert hanako.ask("GET", entry).status == 404
    assert hanako.ask("GET", hanako.home + "second/b.ics").etag() == etag
    assert b"404 Not Found" in hanako.sync(hanako.personal, here).body
    assert hanako.sync(hanako.home + "second/", there).hrefs() == [hanako.home + "second/b.ics"]


def test_an_entry_gets_another_name(hanako: Account, entry: str) -> None:
    start = hanako.sync(hanako.personal).xml.findtext("{DAV:}sync-token")
    assert hanako.ask("MOVE", entry, Destination=hanako.personal + "%E4%BC%9A.ics").status == 201
    assert hanako.found(hanako.personal, '<C:comp-filter name="VCALENDAR"/>') == ["%E4%BC%9A.ics"]
    assert sorted(hanako.sync(hanako.personal, start).hrefs()) == [hanako.personal + "%E4%BC%9A.ics", entry]


def test_a_copy_stands_in_another_calendar_only(hanako: Account, entry: str) -> None:
    assert hanako.ask("COPY", entry, Destination=hanako.home + "second/a.ics").status == 201
    assert hanako.ask("COPY", entry, Destination=hanako.home + "second/a.ics").status == 204
    assert hanako.ask("GET", hanako.home + "second/a.ics").body == hanako.ask("GET", entry).body
    twice = hanako.ask("COPY", entry, Destination=hanako.personal + "b.ics")
    assert (twice.status, condition_of(twice)) == (409, "no-uid-conflict")


def test_nothing_is_overwritten_where_that_is_not_wanted(hanako: Account, entry: str) -> None:
    hanako.put(hanako.home + "second/a.ics", ics("a", "DTSTART:20270101T000000Z"))
    for method in ("COPY", "MOVE"):
        assert hanako.ask(method, entry, Destination=hanako.home + "second/a.ics", Overwrite="F").status == 412
    assert b"20270101" in hanako.ask("GET", hanako.home + "second/a.ics").body
    hanako.put(hanako.home + "second/c.ics", ics("c", *MEETING))
    refused = hanako.ask("MOVE", entry, Destination=hanako.home + "second/c.ics")
    assert (refused.status, condition_of(refused)) == (409, "no-uid-conflict")
    assert hanako.ask("MOVE", entry, Destination=hanako.home + "second/a.ics", Overwrite="T").status == 204
    assert b"20261123" in hanako.ask("GET", hanako.home + "second/a.ics").body


@pytest.mark.parametrize(("destination", "status"), [
    ("/dav/calendars/hanako/nowhere/a.ics", 409), ("/dav/calendars/taro/personal/a.ics", 409),
    ("http://elsewhere.example/dav/calendars/hanako/second/a.ics", 502), ("", 400), ("http://[/", 400),
    ("/dav/calendars/hanako/second/", 403), ("/dav/calendars/hanako/personal/a.ics", 403), ("/other", 409),
    ("/dav/calendars/hanako/tasks/a.ics", 403),
])
def test_a_place_that_is_none_is_refused(
    hanako: Account, node: Node, entry: str, destination: str, status: int
) -> None:
    node.account("taro")
    for method in ("COPY", "MOVE"):
        assert hanako.ask(method, entry, Destination=destination).status == status
    assert hanako.ask("GET", entry).status == 200


def test_calendars_are_neither_copied_nor_moved(hanako: Account) -> None:
    for path in (hanako.personal, hanako.home, "/dav/"):
        assert hanako.ask("MOVE", path, Destination=hanako.home + "x/").status == 403
    assert hanako.ask("COPY", hanako.personal + "none.ics", Destination=hanako.personal + "x.ics").status == 404


def test_a_gathering_is_copied_by_readers_and_moved_by_officers_only(hanako: Account, officer: Account) -> None:
    officer.put(officer.gatherings + "a.ics", ics("a", *MEETING))
    moved = hanako.ask("MOVE", hanako.gatherings + "a.ics", Destination=hanako.personal + "a.ics")
    assert (moved.status, condition_of(moved)) == (403, "need-privileges")
    assert hanako.ask("COPY", hanako.gatherings + "a.ics", Destination=hanako.personal + "a.ics").status == 201
    into = hanako.ask("COPY", hanako.personal + "a.ics", Destination=hanako.gatherings + "b.ics")
    assert (into.status, condition_of(into)) == (403, "need-privileges")
    officer.put(officer.personal + "plan.ics", ics("plan", *MEETING))
    assert officer.ask("MOVE", officer.personal + "plan.ics",
                       Destination=officer.gatherings + "plan.ics").status == 201
    assert officer.ask("GET", officer.personal + "plan.ics").status == 404
    assert hanako.ask("GET", hanako.gatherings + "plan.ics").status == 200
    assert officer.ask("MOVE", officer.gatherings + "plan.ics", Destination=officer.personal + "p.ics").status == 201
    assert hanako.ask("GET", hanako.gatherings + "plan.ics").status == 404


def test_the_if_header_is_obeyed(hanako: Account, entry: str) -> None:
    etag = hanako.ask("GET", entry).etag()
    changed = ics("a", *MEETING, "LOCATION:公民館")
    for wrong in ('(["other"])', f"(Not [{etag}])", "(<urn:uuid:lock>)", f"</dav/x> ([{etag}])",
                  f'([{etag}] <urn:uuid:lock>)'):
        assert hanako.put(entry, changed, If=wrong).status == 412
    assert hanako.ask("MOVE", entry, Destination=hanako.personal + "b.ics", If='(["other"])').status == 412
    for broken in ("x", "(", "()", f"[{etag}]", "(" * 100, "([x])"):
        assert hanako.put(entry, changed, If=broken).status == 400
    assert hanako.put(entry, changed, If=f'(["other"]) <{hanako.node.url}{entry}> ([{etag}])').status == 204
    assert hanako.ask("DELETE", entry, If=f"([{etag}])").status == 412
    assert hanako.ask("DELETE", entry, If="(Not <DAV:no-lock>)").status == 204
