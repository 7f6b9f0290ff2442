"""calendar-query, calendar-multiget and free-busy over HTTP."""

from __future__ import annotations

import pytest

from tests.caldav.node import Account, C, D, condition_of, ics, in_time, query_xml

ALARM = ("BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-P1D", "END:VALARM")


@pytest.fixture
def filled(hanako: Account) -> Account:
    """A resident with a few entries."""
    for name, lines in {
        "cleaning": ("DTSTART;TZID=Asia/Tokyo:20261123T080000", "DTEND;TZID=Asia/Tokyo:20261123T090000",
                     "SUMMARY:清掃 Cleaning", "CATEGORIES:行事,Outdoor", *ALARM),
        "weekly": ("DTSTART;TZID=Asia/Tokyo:20261101T190000", "DTEND;TZID=Asia/Tokyo:20261101T200000",
                   "RRULE:FREQ=WEEKLY", "EXDATE;TZID=Asia/Tokyo:20261122T190000", "SUMMARY:Taiko",
                   "LOCATION:公民館", *ALARM),
        "allday": ("DTSTART;VALUE=DATE:20261103", "SUMMARY:文化の日", "TRANSP:TRANSPARENT"),
        "guest": ("DTSTART:20261120T000000Z", "DTEND:20261120T020000Z", "SUMMARY:Guest", "STATUS:TENTATIVE",
                  'ATTENDEE;PARTSTAT=NEEDS-ACTION;CN="山田":mailto:yamada@example.org'),
    }.items():
        assert hanako.put(f"{hanako.personal}{name}.ics", ics(name, *lines)).status == 201
    return hanako


def found(account: Account, inner: str) -> list[str]:
    return [name.removesuffix(".ics") for name in account.found(account.personal, inner)]


def of_entry(inner: str) -> str:
    return (f'<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">{inner}</C:comp-filter></C:comp-filter>')


@pytest.mark.parametrize(("start", "end", "expected"), [
    ("20261101T000000Z", "20261201T000000Z", ["allday", "cleaning", "guest", "weekly"]),
    ("20261122T150000Z", "20261123T150000Z", ["cleaning"]),
    ("20261122T000000Z", "20261122T150000Z", []),
    ("20261129T000000Z", "20261130T000000Z", ["weekly"]),
    ("20261102T150000Z", "20261103T150000Z", ["allday"]),
    ("20261103T150000Z", "20261104T150000Z", []),
    ("20261101T150000Z", "20261102T150000Z", []),
    ("20261122T230000Z", "20261122T230001Z", ["cleaning"]),
    ("20261123T000000Z", "20261123T000001Z", []),
    ("20261122T220000Z", "20261122T230000Z", []),
    ("20300101T000000Z", "", ["weekly"]),
    ("", "20261102T000000Z", ["weekly"]),
    ("00010101T000000Z", "99991231T235959Z", ["allday", "cleaning", "guest", "weekly"]),
])
def test_a_time_range_finds_what_overlaps_it(filled: Account, start: str, end: str, expected: list[str]) -> None:
    for _ in range(2):  # the second answer comes from what was kept
        assert found(filled, in_time(start, end)) == expected


@pytest.mark.parametrize(("inner", "expected"), [
    ('<C:prop-filter name="SUMMARY"><C:text-match>TAIKO</C:text-match></C:prop-filter>', ["weekly"]),
    ('<C:prop-filter name="SUMMARY"><C:text-match collation="i;octet">TAIKO</C:text-match></C:prop-filter>', []),
    ('<C:prop-filter name="summary"><C:text-match collation="i;unicode-casemap">清掃</C:text-match></C:prop-filter>',
     ["cleaning"]),
    ('<C:prop-filter name="SUMMARY"><C:text-match negate-condition="yes">t</C:text-match></C:prop-filter>',
     ["allday", "cleaning"]),
    ('<C:prop-filter name="SUMMARY"><C:text-match match-type="equals">guest</C:text-match></C:prop-filter>', ["guest"]),
    ('<C:prop-filter name="SUMMARY"><C:text-match match-type="starts-with">g</C:text-match></C:prop-filter>',
     ["guest"]),
    ('<C:prop-filter name="LOCATION"/>', ["weekly"]),
    ('<C:prop-filter name="LOCATION"><C:is-not-defined/></C:prop-filter>', ["allday", "cleaning", "guest"]),
    ('<C:prop-filter name="CATEGORIES"><C:text-match>outdoor</C:text-match></C:prop-filter>', ["cleaning"]),
    (('<C:prop-filter name="ATTENDEE"><C:param-filter name="PARTSTAT"><C:text-match>needs-action</C:text-match>'
     "</C:param-filter></C:prop-filter>"), ["guest"]),
    ('<C:prop-filter name="ATTENDEE"><C:param-filter name="ROLE"/></C:prop-filter>', []),
    (('<C:prop-filter name="ATTENDEE"><C:param-filter name="ROLE"><C:is-not-defined/></C:param-filter>'
     "</C:prop-filter>"), ["guest"]),
    ('<C:prop-filter name="DTSTART"><C:time-range start="20261120T000000Z" end="20261121T000000Z"/></C:prop-filter>',
     ["guest"]),
    ('<C:comp-filter name="VALARM"/>', ["cleaning", "weekly"]),
    ('<C:comp-filter name="VALARM"><C:is-not-defined/></C:comp-filter>', ["allday", "guest"]),
    ('<C:comp-filter name="VALARM"><C:time-range start="20261121T220000Z" end="20261122T000000Z"/></C:comp-filter>',
     ["cleaning"]),
    ('<C:comp-filter name="VALARM"><C:time-range start="20261128T000000Z" end="20261129T000000Z"/></C:comp-filter>',
     ["weekly"]),
    (('<C:time-range start="20261101T000000Z" end="20261201T000000Z"/><C:prop-filter name="SUMMARY"><C:text-match>taiko'
     "</C:text-match></C:prop-filter>"), ["weekly"]),
])
def test_filters_look_at_properties_parameters_and_alarms(filled: Account, inner: str, expected: list[str]) -> None:
    assert found(filled, of_entry(inner)) == expected


def test_filters_for_another_kind_of_component_find_nothing(filled: Account) -> None:
    assert found(filled, '<C:comp-filter name="VCALENDAR"><C:comp-filter name="VTODO"/></C:comp-filter>') == []
    assert found(filled, '<C:comp-filter name="VCALENDAR"><C:comp-filter name="VTODO"><C:is-not-defined/>'
                         "</C:comp-filter></C:comp-filter>") == ["allday", "cleaning", "guest", "weekly"]
    assert len(found(filled, '<C:comp-filter name="VCALENDAR"/>')) == 4


@pytest.mark.parametrize(("inner", "condition"), [
    ('<C:comp-filter name="VEVENT"/>', "valid-filter"),
    ("", "valid-filter"),
    (in_time("2026", "2027"), "valid-filter"),
    (in_time("20270101T000000Z", "20260101T000000Z"), "valid-filter"),
    (in_time("", ""), "valid-filter"),
    (of_entry('<C:prop-filter name="SUMMARY"><C:text-match collation="i;klingon">x</C:text-match></C:prop-filter>'),
     "supported-collation"),
    (of_entry('<C:prop-filter name="X"/>' * 100), "supported-filter"),
])
def test_filters_that_make_no_sense_are_refused(hanako: Account, inner: str, condition: str) -> None:
    answer = hanako.query(hanako.personal, inner)
    assert (answer.status, condition_of(answer)) == (403, condition)


def test_expanded_occurrences_are_in_utc_with_overrides_and_without_rules(hanako: Account) -> None:
    hanako.put(hanako.personal + "s.ics", ics(
        "s", "DTSTART;TZID=Asia/Tokyo:20261101T190000", "DTEND;TZID=Asia/Tokyo:20261101T200000", "SUMMARY:月",
        "RRULE:FREQ=WEEKLY;COUNT=4", "EXDATE;TZID=Asia/Tokyo:20261115T190000", "END:VEVENT", "BEGIN:VEVENT", "UID:s",
        "DTSTAMP:20260101T000000Z", "RECURRENCE-ID;TZID=Asia/Tokyo:20261108T190000",
        "DTSTART;TZID=Asia/Tokyo:20261109T090000", "DTEND;TZID=Asia/Tokyo:20261109T100000", "SUMMARY:移動"))
    answer = hanako.query(hanako.personal, in_time("20261101T000000Z", "20261201T000000Z"), (
        '<C:calendar-data><C:expand start="20261101T000000Z" end="20261201T000000Z"/></C:calendar-data>'))
    data = answer.xml.findtext(f".//{C}calendar-data")
    lines = data.replace("\r\n", "\n").splitlines()
    assert [line for line in lines if line.startswith("DTSTART")] == [
        "DTSTART:20261101T100000Z", "DTSTART:20261109T000000Z", "DTSTART:20261122T100000Z"]
    assert [line for line in lines if line.startswith("RECURRENCE-ID")] == [
        "RECURRENCE-ID:20261101T100000Z", "RECURRENCE-ID:20261108T100000Z", "RECURRENCE-ID:20261122T100000Z"]
    assert "RRULE" not in data
    assert "EXDATE" not in data


def test_only_some_parts_of_an_entry_may_be_asked_for(filled: Account) -> None:
    answer = filled.query(filled.personal, in_time("20261122T150000Z", "20261123T150000Z"), (
        '<C:calendar-data><C:comp name="VCALENDAR"><C:prop name="VERSION"/><C:comp name="VEVENT">'
        '<C:prop name="UID"/><C:prop name="SUMMARY" novalue="yes"/></C:comp></C:comp></C:calendar-data>'))
    data = answer.xml.findtext(f".//{C}calendar-data").replace("\r\n", "\n")
    assert data == "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nSUMMARY:\nUID:cleaning\nEND:VEVENT\nEND:VCALENDAR\n"


def test_multiget_answers_each_href_once(filled: Account) -> None:
    hrefs = [filled.personal + "guest.ics", f"http://host/{filled.personal[1:]}guest.ics", filled.personal + "no.ics",
             "/dav/calendars/taro/personal/guest.ics", filled.gatherings + "guest.ics", "http://[", "%ff"]
    inner = "".join(f"<D:href>{href}</D:href>" for href in hrefs)
    answer = filled.ask("REPORT", filled.personal, (
        '<C:calendar-multiget xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><D:getetag/>'
        f"<C:calendar-data/></D:prop>{inner}</C:calendar-multiget>"))
    assert answer.status == 207
    statuses = {item.findtext(f"{D}href"): item.findtext(f"{D}status") for item in answer.xml.findall(f"{D}response")}
    assert statuses == {filled.personal + "guest.ics": None} | dict.fromkeys(hrefs[2:], "HTTP/1.1 404 Not Found")
    assert answer.xml.findtext(f".//{C}calendar-data").startswith("BEGIN:VCALENDAR\r\n")


def test_busy_times_are_joined_and_clear_ones_left_out(filled: Account) -> None:
    filled.put(filled.personal + "next.ics", ics("next", "DTSTART:20261123T000000Z", "DTEND:20261123T010000Z"))
    answer = filled.ask("REPORT", filled.personal, (
        '<C:free-busy-query xmlns:C="urn:ietf:params:xml:ns:caldav">'
        '<C:time-range start="20261102T000000Z" end="20261124T000000Z"/></C:free-busy-query>'))
    busy = [line for line in answer.body.decode().split("\r\n") if line.startswith("FREEBUSY")]
    assert busy == ["FREEBUSY:20261108T100000Z/20261108T110000Z", "FREEBUSY:20261115T100000Z/20261115T110000Z",
                    "FREEBUSY:20261122T230000Z/20261123T010000Z",
                    "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20261120T000000Z/20261120T020000Z"]


def test_tasks_are_in_a_window_as_the_table_of_the_rfc_says(hanako: Account) -> None:
    for name, lines in {
        "start-due": ("DTSTART:20261110T000000Z", "DUE:20261112T000000Z"),
        "due": ("DUE:20261112T000000Z",),
        "start-for": ("DTSTART:20261110T000000Z", "DURATION:P2D"),
        "done": ("CREATED:20261101T000000Z", "COMPLETED:20261112T000000Z"),
        "nothing": (),
        "weekly": ("DTSTART:20261005T000000Z", "DUE:20261006T000000Z", "RRULE:FREQ=WEEKLY;COUNT=3"),
    }.items():
        assert hanako.put(f"{hanako.tasks}{name}.ics", ics(name, *lines, component="VTODO")).status == 201
    def tasks(start: str, end: str) -> list[str]:
        return [name.removesuffix(".ics") for name in hanako.found(hanako.tasks, in_time(start, end, "VTODO"))]
    assert tasks("20261111T000000Z", "20261111T010000Z") == ["done", "nothing", "start-due", "start-for"]
    assert tasks("20261111T120000Z", "20261112T000000Z") == ["done", "due", "nothing", "start-due", "start-for"]
    assert tasks("20261113T000000Z", "20261114T000000Z") == ["nothing"]
    assert tasks("20261012T000000Z", "20261013T000000Z") == ["nothing", "weekly"]
    assert tasks("20261026T000000Z", "20261027T000000Z") == ["nothing"]


def test_reports_that_are_not_offered_are_refused(hanako: Account) -> None:
    assert condition_of(hanako.ask("REPORT", hanako.personal, '<D:version-tree xmlns:D="DAV:"/>')) == "supported-report"
    assert condition_of(hanako.query(hanako.home, in_time("20261111T000000Z", ""))) == "supported-report"
    assert condition_of(hanako.ask("REPORT", hanako.personal, query_xml("").replace(
        "<D:getetag/>", '<C:calendar-data content-type="application/json"/>'))) in ("supported-calendar-data",)
