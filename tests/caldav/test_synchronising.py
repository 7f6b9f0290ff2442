"""sync-collection and the CTag."""

from __future__ import annotations

import pytest

from tests.caldav.node import Account, Answer, C, D, condition_of, ics

START = "DTSTART:20261123T010000Z"


def token_of(answer: Answer) -> str:
    assert answer.status == 207, answer.body
    return str(answer.xml.findtext(f"{D}sync-token"))


def told(answer: Answer) -> dict[str, str]:
    """Last path segment to the status of it."""
    return {
        item.findtext(f"{D}href").rpartition("/")[2]: item.findtext(f".//{D}status").split(" ")[1]
        for item in answer.xml.findall(f"{D}response")
    }


def test_each_change_is_told_once_and_a_deletion_by_404(hanako: Account) -> None:
    path = hanako.personal
    first = hanako.sync(path)
    assert told(first) == {}
    hanako.put(path + "a.ics", ics("a", START))
    hanako.put(path + "b.ics", ics("b", START))
    second = hanako.sync(path, token_of(first))
    assert told(second) == {"a.ics": "200", "b.ics": "200"}
    hanako.put(path + "b.ics", ics("b", START, "SUMMARY:new"))
    hanako.ask("DELETE", path + "a.ics")
    third = hanako.sync(path, token_of(second))
    assert told(third) == {"a.ics": "404", "b.ics": "200"}
    again = hanako.sync(path, token_of(third))
    assert (told(again), token_of(again)) == ({}, token_of(third))
    assert told(hanako.sync(path)) == {"b.ics": "200"}


def test_what_came_and_went_in_between_is_gone_and_what_came_back_is_there(hanako: Account) -> None:
    path = hanako.personal
    token = token_of(hanako.sync(path))
    hanako.put(path + "a.ics", ics("a", START))
    hanako.ask("DELETE", path + "a.ics")
    assert told(hanako.sync(path, token)) == {"a.ics": "404"}
    hanako.put(path + "a.ics", ics("a", START))
    assert told(hanako.sync(path, token)) == {"a.ics": "200"}


@pytest.mark.parametrize("since_start", [True, False])
def test_a_limit_cuts_and_the_rest_follows_with_the_next_token(hanako: Account, since_start: bool) -> None:
    path = hanako.personal
    token = "" if since_start else token_of(hanako.sync(path))
    for number in range(7):
        hanako.put(f"{path}{number}.ics", ics(str(number), START))
    hanako.ask("DELETE", path + "0.ics")
    seen: list[str] = []
    for _ in range(10):
        answer = hanako.sync(path, token, limit=3)
        names = told(answer)
        seen += [name for name in names if name]
        token = token_of(answer)
        if names.get("") != "507":
            break
        assert b"number-of-matches-within-limits" in answer.body
        assert len(names) == 4
    # From nothing, the deleted one comes after the first cut and may be named; it does no harm.
    assert sorted(seen) == [f"{number}.ics" for number in range(7)]
    assert told(hanako.sync(path, token)) == {}


def test_tokens_that_are_not_ours_are_refused(hanako: Account) -> None:
    path = hanako.personal
    token = token_of(hanako.sync(path))
    key, _, revision = token.rpartition(":")
    for wrong in ("nonsense", "urn:kairan:sync:", token + "0", f"{key}:0", f"{key}:-1", f"{key}:" + "9" * 40,
                  token_of(hanako.sync(hanako.tasks)), f"{key}:١"):
        answer = hanako.sync(path, wrong)
        assert (answer.status, condition_of(answer)) == (403, "valid-sync-token"), wrong
    assert hanako.sync(path, f"{key}:{revision}").status == 207


def test_a_calendar_made_anew_does_not_know_the_old_tokens(hanako: Account) -> None:
    path = hanako.home + "once/"
    hanako.ask("MKCALENDAR", path)
    token = token_of(hanako.sync(path))
    assert hanako.ask("DELETE", path).status == 204
    hanako.ask("MKCALENDAR", path)
    assert condition_of(hanako.sync(path, token)) == "valid-sync-token"


def test_the_ctag_is_the_sync_token_and_moves_with_every_change(hanako: Account) -> None:
    body = ('<D:propfind xmlns:D="DAV:" xmlns:S="http://calendarserver.org/ns/"><D:prop><S:getctag/><D:sync-token/>'
            "</D:prop></D:propfind>")

    def tags() -> tuple[str, str]:
        answer = hanako.ask("PROPFIND", hanako.personal, body, Depth="0").xml
        return answer.findtext(".//{http://calendarserver.org/ns/}getctag"), answer.findtext(f".//{D}sync-token")

    before = tags()
    assert before[0] == before[1] == token_of(hanako.sync(hanako.personal))
    hanako.put(hanako.personal + "a.ics", ics("a", START))
    assert tags() != before


def test_gatherings_are_synchronised_too(hanako: Account, officer: Account) -> None:
    empty = token_of(hanako.sync(hanako.gatherings))
    for number in range(3):
        officer.put(f"{officer.gatherings}{number}.ics", ics(str(number), START))
    first = hanako.sync(hanako.gatherings, empty, limit=2)
    assert told(first) == {"0.ics": "200", "1.ics": "200", "": "507"}
    second = hanako.sync(hanako.gatherings, token_of(first))
    assert told(second) == {"2.ics": "200"}
    officer.ask("DELETE", officer.gatherings + "1.ics")
    assert told(hanako.sync(hanako.gatherings, token_of(second))) == {"1.ics": "404"}
    assert condition_of(hanako.sync(hanako.gatherings, token_of(hanako.sync(hanako.personal)))) == "valid-sync-token"


def test_data_may_be_asked_for_along_with_the_changes(hanako: Account) -> None:
    hanako.put(hanako.personal + "a.ics", ics("a", START))
    answer = hanako.ask("REPORT", hanako.personal, (
        '<D:sync-collection xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:sync-token/>'
        "<D:sync-level>1</D:sync-level><D:prop><C:calendar-data/></D:prop></D:sync-collection>"))
    assert answer.xml.findtext(f".//{C}calendar-data") == ics("a", START)


def test_only_one_level_is_synchronised_and_limits_are_numbers(hanako: Account) -> None:
    assert hanako.sync(hanako.home).status == 403
    for body, status in (("<D:sync-level>7</D:sync-level>", 400),
                         ("<D:limit><D:nresults>0</D:nresults></D:limit>", 403),
                         ("<D:limit><D:nresults>x</D:nresults></D:limit>", 403)):
        answer = hanako.ask("REPORT", hanako.personal, (
            f'<D:sync-collection xmlns:D="DAV:"><D:sync-token/>{body}<D:prop/></D:sync-collection>'))
        assert answer.status == status
