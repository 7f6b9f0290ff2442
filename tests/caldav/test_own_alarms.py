"""On an entry that is only read, each reader's alarms are the reader's own."""

from __future__ import annotations

import pytest

from tests.caldav.node import Account, C, Node, condition_of, in_time, query_xml
from tests.caldav.node import ics as entry

CLEANING = ("DTSTART;TZID=Asia/Tokyo:20261206T090000", "DTEND;TZID=Asia/Tokyo:20261206T110000", "SUMMARY:清掃活動")
ALARM = ("BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:x", "TRIGGER:-P1D", "END:VALARM")
NAME = "cleaning.ics"


@pytest.fixture
def officer_with_gathering(officer: Account) -> Account:
    assert officer.put(officer.gatherings + NAME, entry("cleaning", *CLEANING)).status == 201
    return officer


def written_by_app(account: Account, *lines: str, last_line: str = "END:VEVENT") -> str:
    """What an app sends back after it has added ``lines`` to what it read."""
    body = account.ask("GET", account.gatherings + NAME).body.decode()
    return body.replace(last_line, "".join(f"{line}\r\n" for line in lines) + last_line)


def token(account: Account) -> str:
    found = account.sync(account.gatherings).xml.findtext("{DAV:}sync-token")
    assert found
    return str(found)


def test_a_readers_alarm_is_kept_and_nobody_else_hears_it(
    officer_with_gathering: Account, hanako: Account
) -> None:
    other = officer_with_gathering
    before = other.ask("GET", other.gatherings + NAME).etag(), token(other)
    own_etag, own_token = hanako.ask("GET", hanako.gatherings + NAME).etag(), token(hanako)
    answer = hanako.put(hanako.gatherings + NAME, written_by_app(hanako, *ALARM), If_Match=own_etag)
    assert answer.status == 204
    got = hanako.ask("GET", hanako.gatherings + NAME)
    assert b"TRIGGER:-P1D" in got.body
    assert got.body.count(b"BEGIN:VEVENT") == 1
    assert got.etag() != own_etag
    assert hanako.sync(hanako.gatherings, own_token).hrefs() == [hanako.gatherings + NAME]
    assert hanako.sync(hanako.gatherings, token(hanako)).hrefs() == []
    seen = other.ask("GET", other.gatherings + NAME)
    assert (seen.etag(), token(other)) == before
    assert b"VALARM" not in seen.body


def test_every_report_shows_the_same_bytes_and_etag(officer_with_gathering: Account, hanako: Account) -> None:
    hanako.put(hanako.gatherings + NAME, written_by_app(hanako, *ALARM))
    etag = hanako.ask("GET", hanako.gatherings + NAME).etag()
    december = in_time("20261201T000000Z", "20270101T000000Z")
    for answer in (
        hanako.ask("PROPFIND", hanako.gatherings, Depth="1"),
        hanako.ask("REPORT", hanako.gatherings, query_xml(december, "<D:getetag/><C:calendar-data/>"), Depth="1"),
        hanako.sync(hanako.gatherings),
    ):
        assert etag in answer.body.decode().replace("&quot;", '"')
    shown = hanako.ask("REPORT", hanako.gatherings, query_xml(december, "<C:calendar-data/>"), Depth="1")
    assert "TRIGGER:-P1D" in (shown.xml.findtext(f".//{C}calendar-data") or "")
    ringing = ('<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:comp-filter name="VALARM">'
               '<C:time-range start="20261205T000000Z" end="20261205T003000Z"/></C:comp-filter></C:comp-filter>'
               "</C:comp-filter>")
    assert hanako.found(hanako.gatherings, ringing) == [NAME]
    assert officer_with_gathering.found(officer_with_gathering.gatherings, ringing) == []


def test_an_alarm_that_was_dismissed_or_snoozed_stays_so(officer_with_gathering: Account, hanako: Account) -> None:
    noted = written_by_app(hanako, "X-MOZ-LASTACK:20261205T000000Z", "X-MOZ-SNOOZE-TIME:20261205T001000Z")
    assert hanako.put(hanako.gatherings + NAME, noted).status == 204
    assert b"X-MOZ-LASTACK:20261205T000000Z" in hanako.ask("GET", hanako.gatherings + NAME).body
    plain = "".join(line for line in noted.splitlines(keepends=True) if not line.startswith("X-MOZ"))
    assert hanako.put(hanako.gatherings + NAME, plain).status == 204
    assert b"X-MOZ" not in hanako.ask("GET", hanako.gatherings + NAME).body


@pytest.mark.parametrize("change", [
    ("SUMMARY:清掃活動", "SUMMARY:宴会"), ("20261206T090000", "20261206T093000"), ("UID:cleaning", "UID:other"),
    ("SUMMARY:清掃活動", "SUMMARY:清掃活動\r\nLOCATION:公民館"), ("SUMMARY:清掃活動\r\n", ""),
    ("SUMMARY:清掃活動", "SUMMARY:清掃活動\r\nRRULE:FREQ=WEEKLY"),
])
def test_whoever_changes_anything_else_is_refused_alarm_or_not(
    officer_with_gathering: Account, hanako: Account, change: tuple[str, str]
) -> None:
    changed = written_by_app(hanako, *ALARM).replace(*change)
    answer = hanako.put(hanako.gatherings + NAME, changed)
    assert (answer.status, condition_of(answer)) == (403, "need-privileges")
    assert b"VALARM" not in hanako.ask("GET", hanako.gatherings + NAME).body


def test_a_reader_behind_the_times_is_told_so(officer_with_gathering: Account, hanako: Account) -> None:
    etag = hanako.ask("GET", hanako.gatherings + NAME).etag()
    body = written_by_app(hanako, *ALARM)
    assert hanako.put(hanako.gatherings + NAME, body, If_Match=etag).status == 204
    assert hanako.put(hanako.gatherings + NAME, written_by_app(hanako, "TRANSP:TRANSPARENT"),
                      If_Match=etag).status == 412
    assert hanako.put(hanako.gatherings + "new.ics", body, If_None_Match="*").status == 403


def test_the_alarm_outlives_a_change_of_the_gathering(officer_with_gathering: Account, hanako: Account) -> None:
    hanako.put(hanako.gatherings + NAME, written_by_app(hanako, *ALARM))
    before = token(hanako)
    officer = officer_with_gathering
    etag = officer.ask("GET", officer.gatherings + NAME).etag()
    moved = entry("cleaning", *CLEANING).replace("20261206", "20261213")
    assert officer.put(officer.gatherings + NAME, moved, If_Match=etag).status == 204
    got = hanako.ask("GET", hanako.gatherings + NAME).body
    assert b"20261213T090000" in got
    assert b"TRIGGER:-P1D" in got
    assert hanako.sync(hanako.gatherings, before).hrefs() == [hanako.gatherings + NAME]


def test_an_officers_alarm_is_the_officers_too(node: Node, officer_with_gathering: Account, hanako: Account) -> None:
    officer = officer_with_gathering
    verbs = len(node.gatherings.verbs)
    assert officer.put(officer.gatherings + NAME, written_by_app(officer, *ALARM)).status == 204
    assert len(node.gatherings.verbs) == verbs
    assert b"VALARM" in officer.ask("GET", officer.gatherings + NAME).body
    assert b"VALARM" not in hanako.ask("GET", hanako.gatherings + NAME).body
    assert officer.ask("DELETE", officer.gatherings + NAME,
                       If_Match=officer.ask("GET", officer.gatherings + NAME).etag()).status == 204


def test_what_is_too_much_for_an_alarm_is_refused(officer_with_gathering: Account, hanako: Account) -> None:
    many = written_by_app(hanako, *(ALARM * 300))
    answer = hanako.put(hanako.gatherings + NAME, many)
    assert (answer.status, condition_of(answer)) == (403, "max-resource-size")


def test_a_listing_is_told_in_pieces_with_everything_in_it(
    officer_with_gathering: Account, hanako: Account
) -> None:
    for number in range(4):
        officer_with_gathering.put(f"{hanako.gatherings}{number}.ics".replace("hanako", "kaicho"),
                                   entry(f"e{number}", *CLEANING))
    start = token(hanako)
    for name in (NAME, "0.ics", "1.ics"):
        body = hanako.ask("GET", hanako.gatherings + name).body.decode()
        lines = "".join(f"{line}\r\n" for line in ALARM)
        assert hanako.put(hanako.gatherings + name, body.replace("END:VEVENT", lines + "END:VEVENT")).status == 204
    officer_with_gathering.put("/dav/calendars/kaicho/gatherings/late.ics", entry("late", *CLEANING))
    told: list[str] = []
    for _ in range(10):
        answer = hanako.sync(hanako.gatherings, start, limit=1)
        told += [href for href in answer.hrefs() if href != hanako.gatherings]
        start = answer.xml.findtext("{DAV:}sync-token")
        if hanako.gatherings not in answer.hrefs():
            break
    assert sorted(told) == sorted(hanako.gatherings + name for name in (NAME, "0.ics", "1.ics", "late.ics"))
