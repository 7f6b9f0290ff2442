"""The read-only matrix: what the privileges say is what the door does."""

from __future__ import annotations

import pytest

from tests.caldav.node import Account, D, Node, condition_of, ics

START = "DTSTART:20261123T010000Z"
ORDER = ('<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><A:calendar-order xmlns:A="http://apple.com/ns/ical/">3'
         "</A:calendar-order></D:prop></D:set></D:propertyupdate>")
NAME = ('<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><D:displayname>x</D:displayname></D:prop></D:set>'
        "</D:propertyupdate>")


def privileges(account: Account, path: str) -> set[str]:
    answer = account.ask("PROPFIND", path, Depth="0", body=(
        '<propfind xmlns="DAV:"><prop><current-user-privilege-set/></prop></propfind>'))
    return {item.tag.rpartition("}")[2] for item in answer.xml.findall(f".//{D}privilege/*")}


@pytest.fixture
def shared(node: Node) -> str:
    """A gathering that stands already."""
    node.officer("fukukaicho").put("/dav/calendars/fukukaicho/gatherings/there.ics", ics("there", START))
    return "there.ics"


@pytest.mark.parametrize(("role", "calendar", "expected"), [
    ("member", "personal", {"write", "write-content", "write-properties", "bind", "unbind"}),
    ("officer", "personal", {"write", "write-content", "write-properties", "bind", "unbind"}),
    ("guest", "personal", {"write", "write-content", "write-properties", "bind", "unbind"}),
    ("member", "gatherings", set()),
    ("officer", "gatherings", {"write-content", "bind", "unbind"}),
])
def test_privileges_agree_with_what_is_answered(
    node: Node, shared: str, role: str, calendar: str, expected: set[str]
) -> None:
    someone = _someone(node, role)
    path = f"{someone.home}{calendar}/"
    if calendar == "personal":
        someone.put(path + shared, ics("there", START))
    said = privileges(someone, path)
    assert said == {"read", "read-current-user-privilege-set", "read-free-busy"} | expected
    assert (someone.put(path + "new.ics", ics("new", START)).status == 201) == ("bind" in said)
    assert (someone.put(path + shared, ics("there", START, "SUMMARY:x")).status == 204) == ("write-content" in said)
    assert (someone.ask("DELETE", path + shared).status == 204) == ("unbind" in said)
    renamed = someone.ask("PROPPATCH", path, NAME)
    assert (b"HTTP/1.1 200" in renamed.body) == ("write-properties" in said)


def test_a_reader_is_told_which_right_is_missing(hanako: Account, shared: str) -> None:
    for answer in (hanako.put(hanako.gatherings + shared, ics("there", START)),
                   hanako.put(hanako.gatherings + "new.ics", ics("new", START)),
                   hanako.ask("DELETE", hanako.gatherings + shared), hanako.ask("DELETE", hanako.gatherings),
                   hanako.ask("DELETE", hanako.home)):
        assert (answer.status, condition_of(answer)) == (403, "need-privileges")
    assert "write-content" not in privileges(hanako, hanako.gatherings + shared)


def test_nobody_deletes_the_calendar_of_the_association(officer: Account) -> None:
    answer = officer.ask("DELETE", officer.gatherings)
    assert (answer.status, condition_of(answer)) == (403, "need-privileges")
    assert officer.ask("MKCALENDAR", officer.gatherings).status == 405


def test_for_a_guest_there_are_no_gatherings(node: Node, shared: str) -> None:
    guest = _someone(node, "guest")
    assert guest.gatherings not in guest.ask("PROPFIND", guest.home, Depth="1").hrefs()
    for method, path in (("PROPFIND", guest.gatherings), ("GET", guest.gatherings + shared),
                         ("PUT", guest.gatherings + shared), ("DELETE", guest.gatherings + shared),
                         ("DELETE", guest.gatherings)):
        body = ics("there", START) if method == "PUT" else ""
        assert guest.ask(method, path, body).status == 404


def test_colour_and_order_are_ones_own_even_on_a_calendar_that_is_only_read(hanako: Account, officer: Account) -> None:
    assert b"HTTP/1.1 200" in hanako.ask("PROPPATCH", hanako.gatherings, ORDER).body
    body = ('<propfind xmlns="DAV:"><prop><calendar-order xmlns="http://apple.com/ns/ical/"/></prop></propfind>')
    assert b">3<" in hanako.ask("PROPFIND", hanako.gatherings, body, Depth="0").body
    assert b">3<" not in officer.ask("PROPFIND", officer.gatherings, body, Depth="0").body


def test_properties_change_together_or_not_at_all(hanako: Account) -> None:
    both = NAME.replace("<D:displayname>", "<D:getetag>1</D:getetag><D:displayname>")
    answer = hanako.ask("PROPPATCH", hanako.personal, both)
    assert b"403 Forbidden" in answer.body
    assert b"424 Failed" in answer.body
    assert b"cannot-modify-protected-property" in answer.body
    assert "わたしの手帳".encode() in hanako.ask("PROPFIND", hanako.personal, Depth="0").body


def test_what_only_the_app_understands_is_kept_and_can_be_removed(hanako: Account) -> None:
    dead = '<x:thing xmlns:x="urn:x" x:kind="&lt;&amp;"><x:inner>値</x:inner></x:thing>'
    for path in (hanako.personal, hanako.home, "/dav/principals/hanako/"):
        hanako.ask("PROPPATCH", path, f'<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop>{dead}</D:prop></D:set>'
                                      "</D:propertyupdate>")
        body = '<propfind xmlns="DAV:"><prop><thing xmlns="urn:x"/></prop></propfind>'
        found = hanako.ask("PROPFIND", path, body, Depth="0").xml
        assert found.findtext(".//{urn:x}thing/{urn:x}inner") == "値"
        hanako.ask("PROPPATCH", path, '<D:propertyupdate xmlns:D="DAV:"><D:remove><D:prop><thing xmlns="urn:x"/>'
                                      "</D:prop></D:remove></D:propertyupdate>")
        assert b"404 Not Found" in hanako.ask("PROPFIND", path, body, Depth="0").body


def test_properties_are_no_store_for_something_else(hanako: Account) -> None:
    def patch(inner: str) -> int:
        return hanako.ask("PROPPATCH", hanako.personal, (
            f'<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop>{inner}</D:prop></D:set></D:propertyupdate>')).status

    assert patch("".join(f'<p{number} xmlns="urn:x"/>' for number in range(100))) == 507
    assert patch('<p xmlns="urn:x">' + "x" * 20_000 + "</p>") == 507
    assert patch('<C:calendar-timezone xmlns:C="urn:ietf:params:xml:ns:caldav">x</C:calendar-timezone>') == 403


def test_a_calendar_is_made_with_its_properties_in_the_home_only(hanako: Account) -> None:
    body = ('<C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:set><D:prop>'
            '<D:displayname>釣り</D:displayname><C:supported-calendar-component-set><C:comp name="VTODO"/>'
            "</C:supported-calendar-component-set></D:prop></D:set></C:mkcalendar>")
    assert hanako.ask("MKCALENDAR", hanako.home + "fishing/", body).status == 201
    shown = hanako.ask("PROPFIND", hanako.home + "fishing/", Depth="0").body
    assert "釣り".encode() in shown
    assert hanako.put(hanako.home + "fishing/a.ics", ics("a", component="VTODO")).status == 201
    assert hanako.ask("MKCALENDAR", hanako.home + "fishing/", body).status == 405
    assert hanako.ask("MKCALENDAR", hanako.home + "a/b/").status in (403, 404)
    wrong = body.replace("VTODO", "VFREEBUSY")
    assert condition_of(hanako.ask("MKCALENDAR", hanako.home + "x/", wrong)) == "supported-calendar-component"
    plain = '<D:mkcol xmlns:D="DAV:"/>'
    assert condition_of(hanako.ask("MKCOL", hanako.home + "x/", plain)) == "valid-resourcetype"
    extended = ('<D:mkcol xmlns:D="DAV:"><D:set><D:prop><D:resourcetype><D:collection/>'
                '<C:calendar xmlns:C="urn:ietf:params:xml:ns:caldav"/></D:resourcetype></D:prop></D:set></D:mkcol>')
    assert hanako.ask("MKCOL", hanako.home + "x/", extended).status == 201


def _someone(node: Node, role: str) -> Account:
    account = node.officer(role) if role == "officer" else node.account(role)
    if role == "guest":
        node.rights.guests.add(account.user_id)
    return account
