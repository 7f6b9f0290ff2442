"""What somebody might send to hurt the node: a clear 4xx, and the next request is answered."""

from __future__ import annotations

import pytest

from tests.caldav.node import Account, Node, condition_of, ics, in_time, query_xml

START = "DTSTART:20260101T000000Z"
LAUGHS = ('<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
          '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><propfind xmlns="DAV:"><prop><displayname>&c;</displayname></prop>'
          "</propfind>")
FILE = ('<?xml version="1.0"?><!DOCTYPE l [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
        '<propfind xmlns="DAV:"><prop>&f;</prop></propfind>')


@pytest.mark.parametrize(("body", "status"), [
    (LAUGHS, 400), (FILE, 400), (LAUGHS.encode("utf-16"), 400), ("<propfind", 400), ("nonsense", 400),
    ('<propfind xmlns="DAV:"/>', 400), ('<other xmlns="DAV:"/>', 400), ("<a>" * 200 + "</a>" * 200, 400),
    ("<a>" * 20_000, 400), ('<propfind xmlns="DAV:"><prop>' + "<a/>" * 20_000 + "</prop></propfind>", 400),
    ('<propfind xmlns="DAV:"><prop>' + "<a/>" * 200_000 + "</prop></propfind>", 413), ("x" * 2_000_000, 413),
    ('<propfind xmlns="DAV:"><prop><x:y/></prop></propfind>', 400), (b"\xff\xfe\x00", 400), (b"\x00" * 50, 400),
    ('<?xml version="1.0" encoding="klingon"?><propfind xmlns="DAV:"/>', 400),
])
def test_hostile_xml_is_refused_by_every_method_that_reads_xml(hanako: Account, body: str | bytes, status: int) -> None:
    for method in ("PROPFIND", "PROPPATCH", "REPORT"):
        assert hanako.ask(method, hanako.personal, body).status in ({status, 403} if method == "REPORT" else {status})
    assert hanako.ask("MKCALENDAR", hanako.home + "x/", body).status in (400, 413)
    assert hanako.ask("PROPFIND", hanako.personal, Depth="0").status == 207


def test_a_hundred_thousand_hrefs_are_refused(hanako: Account) -> None:
    def multiget(count: int) -> int:
        hrefs = "".join(f"<D:href>/dav/calendars/hanako/personal/{number}</D:href>" for number in range(count))
        return hanako.ask("REPORT", hanako.personal, (
            '<C:calendar-multiget xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><D:getetag/></D:prop>'
            f"{hrefs}</C:calendar-multiget>")).status

    assert (multiget(1000), multiget(1001), multiget(100_000)) == (207, 403, 413)


def test_deep_filters_are_refused(hanako: Account) -> None:
    deep = '<C:comp-filter name="VCALENDAR">' * 60 + "</C:comp-filter>" * 60
    assert hanako.query(hanako.personal, deep).status == 400


@pytest.mark.parametrize(("lines", "condition"), [
    (("RRULE:FREQ=SECONDLY",), "max-instances"),
    (("RRULE:FREQ=MINUTELY;COUNT=10",), "max-instances"),
    (("RRULE:FREQ=HOURLY",), "max-instances"),
    (("RRULE:FREQ=DAILY;BYHOUR=" + ",".join(map(str, range(24))) + ";BYMINUTE=" + ",".join(map(str, range(60))),),
     "max-instances"),
    (("RRULE:FREQ=DAILY;BYSECOND=" + ",".join(map(str, range(60))),), "max-instances"),
    (("RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",), "max-instances"),
    (("RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31",), "max-instances"),
    (("RRULE:FREQ=DAILY;INTERVAL=7;BYDAY=MO",), "max-instances"),  # 1 January 2026 is a Thursday
    (("RRULE:FREQ=YEARLY;BYSETPOS=366;BYMONTH=1;BYDAY=MO",), "max-instances"),
    (("RRULE:FREQ=DAILY;COUNT=1000000",), "valid-calendar-data"),
    (("RRULE:FREQ=DAILY;INTERVAL=0",), "valid-calendar-data"),
    (("RRULE:FREQ=DAILY;COUNT=2;UNTIL=20270101T000000Z",), "valid-calendar-data"),
    (("RRULE:FREQ=DAILY;BYEASTER=1",), "valid-calendar-data"),
    (("RRULE:FREQ=FORTNIGHTLY",), "valid-calendar-data"),
    (("RRULE:COUNT=3",), "valid-calendar-data"),
    (("RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY"), "valid-calendar-data"),
    (("RRULE:FREQ=YEARLY;BYYEARDAY=" + ",".join(map(str, range(1, 300))),), "max-instances"),
    (("RDATE:" + ",".join(f"2027{month:02}{day:02}T{hour:02}0000Z" for month in range(1, 13) for day in range(1, 29)
                          for hour in range(8)),), "max-instances"),
    (("RDATE;VALUE=PERIOD:20260102T000000Z/P9999999D",), "valid-calendar-data"),
    (("RDATE;VALUE=PERIOD:20260102T000000Z/20250102T000000Z",), "valid-calendar-data"),
    (("EXDATE:99991231T000000Z",), "max-date-time"),
    (("RRULE:FREQ=DAILY;UNTIL=nonsense",), "valid-calendar-data"),
    (("BEGIN:VALARM", "TRIGGER:-P999999D", "END:VALARM"), "valid-calendar-data"),
])
def test_hostile_recurrence_is_refused_before_anything_expands_it(
    hanako: Account, lines: tuple[str, ...], condition: str
) -> None:
    answer = hanako.put(hanako.personal + "x.ics", ics("x", START, *lines))
    assert (answer.status, condition_of(answer)) == (403, condition)


def test_old_daily_series_and_too_many_parts_are_refused(hanako: Account) -> None:
    old = hanako.put(hanako.personal + "x.ics", ics("x", "DTSTART:16010101T000000Z", "RRULE:FREQ=DAILY"))
    assert condition_of(old) == "max-instances"
    overrides = [line for number in range(700) for line in (
        "END:VEVENT", "BEGIN:VEVENT", "UID:x", f"RECURRENCE-ID:20260101T{number // 60:02}{number % 60:02}00Z", START)]
    assert condition_of(hanako.put(hanako.personal + "x.ics", ics("x", START, *overrides))) == "max-resource-size"


@pytest.mark.parametrize("rule", ["FREQ=SECONDLY", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=YEARLY;BYYEARDAY=366"])
def test_a_time_zone_of_ones_own_may_only_change_once_a_year(hanako: Account, rule: str) -> None:
    zone = ("BEGIN:VTIMEZONE\r\nTZID:Mine\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0900\r\n"
            f"TZOFFSETTO:+0900\r\nRRULE:{rule}\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n")
    body = ics("x", "DTSTART;TZID=Mine:20260101T000000").replace("BEGIN:VEVENT", zone + "BEGIN:VEVENT")
    assert condition_of(hanako.put(hanako.personal + "x.ics", body)) == "valid-calendar-data"


def test_two_neighbours_zones_of_one_name_stay_apart(node: Node, hanako: Account) -> None:
    taro = node.account("taro")
    for account, offset in ((hanako, "+0900"), (taro, "-0500")):
        zone = ("BEGIN:VTIMEZONE\r\nTZID:Mine\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n"
                f"TZOFFSETFROM:{offset}\r\nTZOFFSETTO:{offset}\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n")
        body = ics("x", "DTSTART;TZID=Mine:20260601T120000", "DTEND;TZID=Mine:20260601T130000")
        body = body.replace("BEGIN:VEVENT", zone + "BEGIN:VEVENT")
        assert account.put(account.personal + "x.ics", body).status == 201
    morning, evening = in_time("20260601T030000Z", "20260601T040000Z"), in_time("20260601T170000Z", "20260601T180000Z")
    assert (hanako.found(hanako.personal, morning), hanako.found(hanako.personal, evening)) == (["x.ics"], [])
    assert (taro.found(taro.personal, morning), taro.found(taro.personal, evening)) == ([], ["x.ics"])


def test_an_expansion_without_end_is_refused(hanako: Account) -> None:
    hanako.put(hanako.personal + "x.ics", ics("x", START, "RRULE:FREQ=DAILY;BYHOUR=1,2,3,4,5,6,7,8"))
    prop = '<C:calendar-data><C:expand start="20260101T000000Z" end="20960101T000000Z"/></C:calendar-data>'
    answer = hanako.ask("REPORT", hanako.personal, query_xml(in_time("20260101T000000Z", "20270101T000000Z"), prop))
    assert (answer.status, condition_of(answer)) == (507, "number-of-matches-within-limits")


@pytest.mark.parametrize("path", [
    "/dav/calendars/hanako/personal/%00.ics", "/dav/calendars/hanako/personal/%ff.ics",
    "/dav/calendars/hanako/personal/..%2f..%2fx", "/dav/calendars/hanako/personal/" + "x" * 3000,
    "/dav/calendars/hanako/%2e%2e/x.ics", "/dav/a/b/c/d/e/f", "/dav/calendars/hanako/personal/x/y.ics",
])
def test_strange_paths_are_nowhere(hanako: Account, path: str) -> None:
    for method in ("PROPFIND", "GET", "DELETE", "PUT", "PROPPATCH", "REPORT", "OPTIONS", "MKCALENDAR"):
        answer = hanako.ask(method, path, '<propertyupdate xmlns="DAV:"><set><prop><x/></prop></set></propertyupdate>')
        assert 400 <= answer.status < 500 or (method, answer.status) == ("OPTIONS", 200), method


def test_strange_headers_are_the_callers_fault(hanako: Account) -> None:
    for headers in ({"Depth": "7"}, {"Depth": "-1"}, {"Depth": ""}):
        assert hanako.ask("PROPFIND", hanako.personal, **headers).status == 400
    garbled = hanako.ask("PUT", hanako.personal + "x.ics", b"no gzip", Content_Encoding="gzip")
    assert garbled.status == 400
    for match in ("", '"', ",,,", '"a'):
        assert hanako.put(hanako.personal + "x.ics", ics("x", START), If_Match=match).status == 412
