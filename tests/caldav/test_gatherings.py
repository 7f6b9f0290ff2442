"""The association's gatherings as a calendar: what officers write becomes verbs, what happens in rooms is seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from server.calendars.ports import GatheringDraft
from tests.caldav.node import Account, Node, condition_of, ics, in_time

TOKYO = ZoneInfo("Asia/Tokyo")
FESTIVAL = GatheringDraft(
    "festival@sakura", "夏祭り; 盆踊り, 縁日\nはっぴで", datetime(2026, 8, 14, 17, tzinfo=TOKYO),
    datetime(2026, 8, 14, 21, tzinfo=TOKYO), place="公民館前", description="雨天時は翌日。" * 20,
)


def test_what_happens_in_a_room_is_seen_in_the_calendar(node: Node, hanako: Account) -> None:
    node.gatherings.put("create", "@kaicho:sakura.example", "festival.ics", FESTIVAL)
    got = hanako.ask("GET", hanako.gatherings + "festival.ics")
    text = got.body.decode().replace("\r\n ", "")
    assert "SUMMARY:夏祭り\\; 盆踊り\\, 縁日\\nはっぴで\r\n" in text
    assert "DTSTART;TZID=Asia/Tokyo:20260814T170000\r\n" in text
    assert "BEGIN:VTIMEZONE" in text
    assert all(len(line) <= 75 for line in got.body.split(b"\r\n"))
    node.gatherings.put("update", "@kaicho:sakura.example", "festival.ics", replace(FESTIVAL, cancelled=True))
    changed = hanako.ask("GET", hanako.gatherings + "festival.ics")
    assert b"STATUS:CANCELLED" in changed.body
    assert changed.etag() != got.etag()


def test_an_officers_entry_becomes_a_draft_in_our_words(node: Node, officer: Account) -> None:
    body = ics("x", "DTSTART:20261205T000000Z", "DURATION:PT2H", "SUMMARY:餅つき", "LOCATION:公園",
               "DESCRIPTION:臼\\n杵", "RRULE:FREQ=YEARLY;COUNT=3", "EXDATE:20271205T000000Z", "BEGIN:VALARM",
               "ACTION:DISPLAY", "TRIGGER:-PT1H", "END:VALARM")
    answer = officer.put(officer.gatherings + "x.ics", body)
    assert answer.status == 201
    assert "etag" not in answer.headers
    standing = node.gatherings.standing("x.ics")
    assert standing is not None
    assert standing.draft == GatheringDraft(
        "x", "餅つき", datetime(2026, 12, 5, 9, tzinfo=TOKYO), datetime(2026, 12, 5, 11, tzinfo=TOKYO), "公園",
        "臼\n杵", rule="FREQ=YEARLY;COUNT=3", except_for=(datetime(2027, 12, 5, 9, tzinfo=TOKYO),),
    )
    assert officer.found(officer.gatherings, in_time("20261201T000000Z", "20270101T000000Z")) == ["x.ics"]
    assert officer.found(officer.gatherings, in_time("20271201T000000Z", "20280101T000000Z")) == []
    assert officer.found(officer.gatherings, in_time("20281201T000000Z", "20290101T000000Z")) == ["x.ics"]


def test_change_and_deletion_are_verbs_with_their_conditions(node: Node, officer: Account) -> None:
    path = officer.gatherings + "x.ics"
    officer.put(path, ics("x", "DTSTART;VALUE=DATE:20261205"))
    standing = node.gatherings.standing("x.ics")
    assert standing is not None
    assert (standing.draft.start, standing.draft.end) == (date(2026, 12, 5), date(2026, 12, 6))
    etag = officer.ask("GET", path).etag()
    assert officer.put(path, ics("x", "DTSTART;VALUE=DATE:20261206"), If_Match=etag).status == 204
    assert officer.put(path, ics("x", "DTSTART;VALUE=DATE:20261207"), If_Match=etag).status == 412
    assert officer.ask("DELETE", path, If_Match=etag).status == 412
    assert officer.ask("DELETE", path).status == 204
    assert officer.ask("GET", path).status == 404
    assert [verb for verb, _, _ in node.gatherings.verbs] == ["create", "update", "cancel"]
    assert {who for _, who, _ in node.gatherings.verbs} == {officer.user_id}


@pytest.mark.parametrize(("body", "condition"), [
    (ics("x", "DTSTART:20261205T000000Z", "RRULE:FREQ=DAILY;COUNT=3", "END:VEVENT", "BEGIN:VEVENT", "UID:x",
         "RECURRENCE-ID:20261206T000000Z", "DTSTART:20261206T010000Z"), "valid-calendar-object-resource"),
    (ics("x", "DTSTART:20261205T000000Z", "RDATE:20261206T000000Z"), "valid-calendar-object-resource"),
    (ics("x", component="VTODO"), "supported-calendar-component"),
    (ics("there", "DTSTART:20261205T000000Z"), "no-uid-conflict"),
])
def test_what_a_gathering_cannot_be_is_refused(node: Node, officer: Account, body: str, condition: str) -> None:
    officer.put(officer.gatherings + "there.ics", ics("there", "DTSTART:20261205T000000Z"))
    assert condition_of(officer.put(officer.gatherings + "x.ics", body)) == condition
    assert node.gatherings.standing("x.ics") is None
