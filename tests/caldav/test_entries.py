"""GET, PUT and DELETE with their conditions."""

from __future__ import annotations

import pytest

from tests.caldav.node import Account, C, D, Node, condition_of, ics

MEETING = ("DTSTART;TZID=Asia/Tokyo:20261123T100000", "DTEND;TZID=Asia/Tokyo:20261123T110000", "SUMMARY:打合せ")


def test_an_entry_comes_back_byte_for_byte_with_its_etag(hanako: Account) -> None:
    body = ics("a", *MEETING)
    put = hanako.put(hanako.personal + "a.ics", body)
    got = hanako.ask("GET", hanako.personal + "a.ics")
    assert (put.status, got.status) == (201, 200)
    assert got.body.decode() == body
    assert got.etag() == put.etag()
    assert got.etag().startswith('"')
    assert got.headers["content-type"].startswith("text/calendar")
    head = hanako.ask("HEAD", hanako.personal + "a.ics")
    assert (head.status, head.body, head.etag()) == (200, b"", got.etag())
    assert hanako.ask("GET", hanako.personal + "a.ics", If_None_Match=got.etag()).status == 304


def test_the_etag_changes_exactly_when_the_bytes_do(hanako: Account) -> None:
    path = hanako.personal + "a.ics"
    first = hanako.put(path, ics("a", *MEETING))
    same = hanako.put(path, ics("a", *MEETING))
    other = hanako.put(path, ics("a", *MEETING, "LOCATION:公民館"))
    assert (same.status, other.status) == (204, 204)
    assert first.etag() == same.etag() != other.etag()


def test_who_has_not_seen_the_last_change_may_not_write(hanako: Account) -> None:
    path = hanako.personal + "a.ics"
    old = hanako.put(path, ics("a", *MEETING), If_None_Match="*").etag()
    assert hanako.put(path, ics("a", *MEETING), If_None_Match="*").status == 412
    new = hanako.put(path, ics("a", *MEETING, "LOCATION:x"), If_Match=old)
    assert new.status == 204
    assert hanako.put(path, ics("a", *MEETING), If_Match=old).status == 412
    assert hanako.ask("DELETE", path, If_Match=old).status == 412
    assert hanako.put(hanako.personal + "b.ics", ics("b", *MEETING), If_Match="*").status == 412
    assert hanako.ask("DELETE", path, If_Match=f'"x", {new.etag()}').status == 204
    assert hanako.ask("GET", path).status == 404
    assert hanako.ask("DELETE", path).status == 404


def test_a_uid_stands_once_in_a_calendar_but_may_move_to_another(hanako: Account) -> None:
    hanako.put(hanako.personal + "a.ics", ics("a", *MEETING))
    twice = hanako.put(hanako.personal + "b.ics", ics("a", *MEETING))
    assert (twice.status, condition_of(twice)) == (409, "no-uid-conflict")
    assert twice.xml.findtext(f"{C}no-uid-conflict/{D}href") == hanako.personal + "a.ics"
    assert hanako.put(hanako.personal + "c.ics", ics("c", *MEETING)).status == 201
    taken = hanako.put(hanako.personal + "c.ics", ics("a", *MEETING))
    assert (taken.status, condition_of(taken)) == (409, "no-uid-conflict")
    changed = hanako.put(hanako.personal + "c.ics", ics("other", *MEETING))
    assert (changed.status, condition_of(changed)) == (409, "no-uid-conflict")
    assert hanako.ask("MKCALENDAR", hanako.home + "second/").status == 201
    assert hanako.put(hanako.home + "second/a.ics", ics("a", *MEETING)).status == 201


@pytest.mark.parametrize("name", ["a%40b.ics", "a@b.ics", "%E5%9B%9E%E8%A6%A7.ics", "a%20b%3B.ics", "x%2Fy.ics"])
def test_names_of_all_kinds_are_one_place_however_they_are_escaped(hanako: Account, name: str) -> None:
    assert hanako.put(hanako.personal + name, ics("a", *MEETING)).status == 201
    listed = hanako.ask("PROPFIND", hanako.personal, Depth="1").hrefs()[1]
    assert hanako.ask("GET", listed).status == 200
    assert hanako.ask("GET", hanako.personal + name.replace("@", "%40")).status == 200


@pytest.mark.parametrize(("body", "status", "condition"), [
    ("", 403, "valid-calendar-data"),
    ("hello", 403, "valid-calendar-data"),
    ("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", 403, "valid-calendar-object-resource"),
    ("BEGIN:VEVENT\r\nUID:1\r\nEND:VEVENT\r\n", 403, "valid-calendar-data"),
    (ics("", *MEETING), 403, "valid-calendar-object-resource"),
    (ics("u" * 300, *MEETING), 403, "valid-calendar-object-resource"),
    (ics("a", "SUMMARY:no start"), 403, "valid-calendar-data"),
    (ics("a", "DTSTART:20261399T000000Z"), 403, "valid-calendar-data"),
    (ics("a", "DTSTART:20260102T000000Z", "DTEND:20260101T000000Z"), 403, "valid-calendar-data"),
    (ics("a", "DTSTART:20260102T000000Z", "DTEND;VALUE=DATE:20260103"), 403, "valid-calendar-data"),
    (ics("a", "DTSTART:20260102T000000Z", "DURATION:P99999D"), 403, "valid-calendar-data"),
    (ics("a", "DTSTART:20260102T000000Z", "DTSTART:20260103T000000Z"), 403, "valid-calendar-data"),
    (ics("a", "DTSTART;TZID=Nowhere:20260102T000000"), 403, "valid-calendar-data"),
    (ics("a", "DTSTART:00010101T000000Z"), 403, "min-date-time"),
    (ics("a", "DTSTART:99990101T000000Z"), 403, "max-date-time"),
    (ics("a", component="VTODO"), 403, "supported-calendar-component"),
    (ics("a", component="VFREEBUSY"), 403, "supported-calendar-component"),
    (ics("a", *MEETING).replace("VERSION:2.0", "VERSION:2.0\r\nMETHOD:REQUEST"), 403,
     "valid-calendar-object-resource"),
    (ics("a", *MEETING).replace("END:VCALENDAR", ics("b", *MEETING).split("//EN\r\n")[1]), 403,
     "valid-calendar-object-resource"),
    (ics("a", *MEETING, "DESCRIPTION:" + "x" * 600_000), 403, "max-resource-size"),
    (ics("a", *MEETING, "DESCRIPTION:\x01"), 403, "valid-calendar-data"),
])
def test_what_is_no_entry_is_refused_with_the_precondition(
    hanako: Account, body: str, status: int, condition: str
) -> None:
    answer = hanako.put(hanako.personal + "a.ics", body)
    assert (answer.status, condition_of(answer)) == (status, condition)
    assert hanako.ask("GET", hanako.personal + "a.ics").status == 404


def test_another_kind_of_data_is_refused(hanako: Account) -> None:
    answer = hanako.ask("PUT", hanako.personal + "a.ics", "{}", Content_Type="application/json")
    assert (answer.status, condition_of(answer)) == (403, "supported-calendar-data")
    latin = hanako.ask("PUT", hanako.personal + "a.ics", ics("a", *MEETING).encode("shift_jis"))
    assert (latin.status, condition_of(latin)) == (403, "valid-calendar-data")
    assert hanako.ask("PUT", hanako.personal + "a.ics", b"x" * 2_000_000).status == 413


def test_nothing_of_a_neighbour_exists(node: Node, hanako: Account) -> None:
    taro = node.account("taro")
    taro.put(taro.personal + "a.ics", ics("a", *MEETING))
    for method, path in (
        ("PROPFIND", taro.home), ("PROPFIND", taro.personal), ("GET", taro.personal + "a.ics"),
        ("PUT", taro.personal + "a.ics"), ("DELETE", taro.personal + "a.ics"), ("DELETE", taro.personal),
        ("REPORT", taro.personal), ("PROPPATCH", taro.personal), ("MKCALENDAR", taro.home + "new/"),
        ("PROPFIND", "/dav/principals/taro/"), ("PROPFIND", "/dav/principals/nobody/"), ("OPTIONS", taro.home),
        ("GET", hanako.home + "unknown/a.ics"), ("PUT", hanako.home + "unknown/a.ics"), ("GET", "/dav/x/y"),
    ):
        bodies = {"PUT": ics("z", *MEETING),
                  "PROPPATCH": '<propertyupdate xmlns="DAV:"><set><prop><x/></prop></set></propertyupdate>'}
        assert hanako.ask(method, path, bodies.get(method, "")).status == 404, (method, path)


def test_methods_that_are_not_offered_answer_405(hanako: Account) -> None:
    for method, path in (("LOCK", hanako.personal), ("POST", hanako.personal), ("GET", hanako.personal),
                         ("PUT", hanako.personal), ("MKCALENDAR", hanako.personal)):
        assert hanako.ask(method, path).status == 405, method
