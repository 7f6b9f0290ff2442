"""Invitations are answered in the calendar app: RFC 6638 as far as an association needs it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from lxml import etree

from server.calendars.ports import GatheringDraft
from server.foundation.clock import TOKYO
from tests.caldav.node import Account, Answer, C, D, Node, condition_of, ics, in_time

START = datetime(2027, 1, 10, 10, 0, tzinfo=TOKYO)
DRAFT = GatheringDraft("mochi@sakura.example", "餅つき", START, START + timedelta(hours=2), "集会所")
TALK = ("DTSTART:20270110T010000Z", "DTEND:20270110T020000Z", "SUMMARY:そうだん")


def moved(draft: GatheringDraft, hours: int) -> GatheringDraft:
    return GatheringDraft(draft.uid, draft.title, START + timedelta(hours=hours), START + timedelta(hours=hours + 2),
                          draft.place)


@pytest.fixture
def invited(node: Node, hanako: Account) -> Account:
    node.invitations.invite("mochi.ics", DRAFT)
    return hanako


def copy_of(account: Account) -> Answer:
    answer = account.ask("GET", account.invitations + "mochi.ics")
    assert answer.status == 200, answer.body
    return answer


def text_of(answer: Answer) -> str:
    return answer.body.decode().replace("\r\n ", "")


def with_answer(answer: Answer, partstat: str) -> str:
    return re.sub(r"PARTSTAT=[A-Z-]+", f"PARTSTAT={partstat}", text_of(answer))


def prop(answer: Answer, name: str) -> list[str]:
    return [item.text for item in answer.xml.iter(name)]


def propfind(account: Account, path: str, *names: str, depth: str = "0") -> Answer:
    inner = "".join(f"<{name}/>" for name in names)
    return account.ask("PROPFIND", path, (
        f'<D:propfind xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop>{inner}</D:prop></D:propfind>'),
        Depth=depth)


def test_a_principal_has_addresses_an_inbox_and_an_outbox(hanako: Account) -> None:
    answer = propfind(hanako, "/dav/principals/hanako/", "C:calendar-user-address-set", "C:schedule-inbox-URL",
                      "C:schedule-outbox-URL", "C:calendar-user-type")
    hrefs = prop(answer, f"{D}href")
    assert "mailto:hanako@sakura.example" in hrefs
    assert {hanako.inbox, hanako.outbox} <= set(hrefs)
    assert "calendar-auto-schedule" in answer.headers["dav"]
    boxes = propfind(hanako, hanako.inbox, "D:resourcetype", "C:schedule-default-calendar-URL")
    assert boxes.xml.find(f".//{C}schedule-inbox") is not None
    assert boxes.xml.find(f".//{C}calendar") is None
    assert hanako.invitations in prop(boxes, f"{D}href")
    assert propfind(hanako, hanako.outbox, "D:resourcetype").xml.find(f".//{C}schedule-outbox") is not None
    assert "POST" in hanako.ask("OPTIONS", hanako.outbox).headers["allow"]


def test_boxes_are_no_calendars_of_the_home(invited: Account) -> None:
    listed = propfind(invited, invited.home, "D:resourcetype", depth="1").hrefs()
    assert invited.invitations in listed
    assert not {invited.inbox, invited.outbox} & set(listed)
    for path in (invited.inbox, invited.outbox):
        assert invited.ask("MKCALENDAR", path).status == 405
        assert invited.ask("DELETE", path).status == 403
        assert invited.put(path + "x.ics", ics("x", *TALK)).status == 403


def test_an_invitation_waits_in_the_inbox_and_as_ones_own_copy(invited: Account) -> None:
    (name,) = (href for href in propfind(invited, invited.inbox, "D:getetag", depth="1").hrefs() if ".ics" in href)
    message = text_of(invited.ask("GET", name))
    assert "METHOD:REQUEST" in message
    copy = copy_of(invited)
    assert "METHOD" not in text_of(copy)
    for text in (message, text_of(copy)):
        assert 'ORGANIZER;CN="桜町町内会":mailto:kairan@sakura.example' in text
        assert "PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:hanako@sakura.example" in text
    assert copy.headers["schedule-tag"] == copy.etag()
    assert prop(propfind(invited, invited.invitations + "mochi.ics", "C:schedule-tag"), f"{C}schedule-tag") == [
        copy.etag()]
    assert invited.found(invited.inbox, in_time("20270101T000000Z", "20270201T000000Z")) == ["mochi.ics-0.ics"]


@pytest.mark.parametrize("partstat", ["ACCEPTED", "DECLINED", "TENTATIVE"])
def test_the_answer_in_ones_own_copy_is_the_answer_to_the_association(
    node: Node, invited: Account, partstat: str
) -> None:
    before = copy_of(invited)
    token = prop(invited.sync(invited.invitations), f"{D}sync-token")[0]
    answer = invited.put(invited.invitations + "mochi.ics", with_answer(before, partstat),
                         If_Schedule_Tag_Match=before.headers["schedule-tag"])
    assert answer.status == 204
    assert node.invitations.answers[invited.user_id, "mochi.ics"][0] == partstat
    after = copy_of(invited)
    assert f"PARTSTAT={partstat}:" in text_of(after)
    assert after.etag() != before.etag()
    assert invited.sync(invited.invitations, token).hrefs() == [invited.invitations + "mochi.ics"]
    assert invited.found(invited.inbox, '<C:comp-filter name="VCALENDAR"/>') == []
    late = invited.put(invited.invitations + "mochi.ics", with_answer(before, "ACCEPTED"),
                       If_Schedule_Tag_Match=before.headers["schedule-tag"])
    assert late.status == 412


def test_an_alarm_with_the_answer_is_ones_own(node: Node, invited: Account) -> None:
    alarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\nEND:VEVENT"
    body = with_answer(copy_of(invited), "ACCEPTED").replace("END:VEVENT", alarm)
    assert invited.put(invited.invitations + "mochi.ics", body).status == 204
    assert "BEGIN:VALARM" in text_of(copy_of(invited))
    assert "PARTSTAT=ACCEPTED" in text_of(copy_of(invited))
    taro = node.account("taro")
    assert "BEGIN:VALARM" not in text_of(copy_of(taro))
    assert "PARTSTAT=NEEDS-ACTION" in text_of(copy_of(taro))
    assert "hanako" not in text_of(copy_of(taro))


@pytest.mark.parametrize(("old", "new"), [
    ("DTEND;TZID=Asia/Tokyo:20270110T120000", "DTEND;TZID=Asia/Tokyo:20270110T130000"), ("餅つき", "そばうち"),
    ("集会所", "うち"), ("mailto:kairan@", "mailto:hanako@"), ("mailto:hanako@", "mailto:taro@"),
    ("STATUS:CONFIRMED", "STATUS:CANCELLED"), ("PARTSTAT=NEEDS-ACTION", "PARTSTAT=DELEGATED"),
])
def test_nothing_but_ones_own_answer_can_be_changed(node: Node, invited: Account, old: str, new: str) -> None:
    body = text_of(copy_of(invited))
    assert old in body
    answer = invited.put(invited.invitations + "mochi.ics", body.replace(old, new))
    assert (answer.status, condition_of(answer)) == (403, "allowed-attendee-scheduling-object-change")
    assert not node.invitations.answers


def test_nothing_is_added_to_invitations_nor_carried_away(invited: Account) -> None:
    assert invited.put(invited.invitations + "x.ics", ics("x", *TALK)).status == 403
    target = f"{invited.node.url}{invited.personal}mochi.ics"
    assert invited.ask("MOVE", invited.invitations + "mochi.ics", Destination=target).status == 403
    assert invited.ask("COPY", invited.invitations + "mochi.ics", Destination=target).status == 201
    assert copy_of(invited)


def test_privileges_of_invitations_and_boxes_tell_the_truth(invited: Account) -> None:
    def told(path: str) -> set[str]:
        answer = propfind(invited, path, "D:current-user-privilege-set")
        return {etree.QName(item[0]).localname for item in answer.xml.iter(f"{D}privilege")}

    assert told(invited.invitations) >= {"read", "write-content", "unbind"}
    assert not told(invited.invitations) & {"bind", "write", "write-properties"}
    assert told(invited.inbox) >= {"unbind", "schedule-deliver"}
    assert told(invited.outbox) >= {"schedule-send-freebusy"}
    assert not (told(invited.inbox) | told(invited.outbox)) & {"write-content", "bind", "write"}


def test_removing_ones_copy_says_no_until_the_time_changes(node: Node, invited: Account) -> None:
    token = prop(invited.sync(invited.invitations), f"{D}sync-token")[0]
    assert invited.ask("DELETE", invited.invitations + "mochi.ics").status == 204
    assert node.invitations.answers[invited.user_id, "mochi.ics"][0] == "DECLINED"
    assert invited.ask("GET", invited.invitations + "mochi.ics").status == 404
    gone = invited.sync(invited.invitations, token)
    assert gone.hrefs() == [invited.invitations + "mochi.ics"]
    assert b"404" in gone.body
    node.invitations.invite("mochi.ics", moved(DRAFT, 24), sequence=1)
    assert "PARTSTAT=DECLINED" in text_of(copy_of(invited))


def test_a_copy_is_removed_without_an_answer_where_the_app_says_so(node: Node, invited: Account) -> None:
    assert invited.ask("DELETE", invited.invitations + "mochi.ics", Schedule_Reply="F").status == 204
    assert not node.invitations.answers
    assert invited.ask("GET", invited.invitations + "mochi.ics").status == 404
    assert invited.ask("DELETE", invited.invitations + "mochi.ics", Schedule_Reply="F").status == 404


def test_a_message_that_was_shown_does_not_come_back_but_a_new_time_does(node: Node, invited: Account) -> None:
    everything = '<C:comp-filter name="VCALENDAR"/>'
    (name,) = invited.found(invited.inbox, everything)
    token = prop(invited.sync(invited.inbox), f"{D}sync-token")[0]
    assert invited.ask("DELETE", invited.inbox + name).status == 204
    assert invited.ask("DELETE", invited.inbox + name).status == 404
    assert invited.found(invited.inbox, everything) == []
    assert invited.inbox + name in invited.sync(invited.inbox, token).hrefs()
    node.invitations.invite("mochi.ics", moved(DRAFT, 24), sequence=1)
    assert invited.found(invited.inbox, everything) == ["mochi.ics-1.ics"]


def test_what_was_withdrawn_is_gone_and_what_was_called_off_says_so(node: Node, invited: Account) -> None:
    token = prop(invited.sync(invited.invitations), f"{D}sync-token")[0]
    cancelled = GatheringDraft(DRAFT.uid, DRAFT.title, DRAFT.start, DRAFT.end, cancelled=True)
    node.invitations.invite("mochi.ics", cancelled, sequence=1)
    assert "STATUS:CANCELLED" in text_of(copy_of(invited))
    assert invited.found(invited.inbox, '<C:comp-filter name="VCALENDAR"/>') == []
    assert invited.ask("DELETE", invited.invitations + "mochi.ics").status == 204
    assert not node.invitations.answers
    node.invitations.withdraw("mochi.ics")
    assert b"404" in invited.sync(invited.invitations, token).body


def test_who_is_not_on_the_roster_has_no_invitations(node: Node) -> None:
    stranger = node.account("stranger")
    node.invitations.strangers.add(stranger.user_id)
    assert stranger.ask("PROPFIND", stranger.invitations, Depth="0").status == 404
    assert stranger.ask("PROPFIND", stranger.inbox, Depth="1").status == 207
    hanako = node.account("hanako")
    for path in (hanako.inbox, hanako.outbox, hanako.invitations):
        assert stranger.ask("PROPFIND", path, Depth="0").status == 404
    assert stranger.ask("POST", hanako.outbox, "x").status == 404


# ---- busy times ----------------------------------------------------------------------------------------------------


def busy_request(organizer: str, *attendees: str, end: str = "20270111T000000Z") -> str:
    lines = "".join(f"ATTENDEE:{attendee}\r\n" for attendee in attendees)
    return ("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nMETHOD:REQUEST\r\nBEGIN:VFREEBUSY\r\nUID:ask\r\n"
            f"DTSTAMP:20260101T000000Z\r\nORGANIZER:{organizer}\r\n{lines}DTSTART:20270110T000000Z\r\nDTEND:{end}\r\n"
            "END:VFREEBUSY\r\nEND:VCALENDAR\r\n")


def statuses(answer: Answer) -> dict[str, str]:
    return {item.findtext(f"{C}recipient/{D}href"): item.findtext(f"{C}request-status")
            for item in answer.xml.iter(f"{C}response")}


def test_busy_times_are_told_of_who_allows_it_and_nobody_learns_who_lives_here(node: Node, hanako: Account) -> None:
    taro, shy = node.account("taro"), node.account("shy")
    node.shown_times.add(taro.user_id)
    for account in (taro, shy):
        account.put(account.personal + "x.ics", ics("x", *TALK))
    addresses = ["mailto:hanako@sakura.example", "mailto:taro@sakura.example", "mailto:shy@sakura.example",
                 "mailto:nobody@sakura.example", "mailto:taro@elsewhere.example", "matrix:u/taro:sakura.example",
                 "/dav/principals/taro/", "nonsense"]
    answer = hanako.ask("POST", hanako.outbox, busy_request("mailto:hanako@sakura.example", *addresses))
    assert answer.status == 200, answer.body
    told = statuses(answer)
    known = {address for address, status in told.items() if status.startswith("2.0")}
    assert known == {addresses[0], addresses[1], addresses[5], addresses[6]}
    assert {told[address] for address in addresses if address not in known} == {"3.7;Invalid calendar user"}
    data = [text for text in prop(answer, f"{C}calendar-data") if "mailto:taro" in text]
    assert "METHOD:REPLY" in data[0]
    assert "FREEBUSY:20270110T010000Z/20270110T020000Z" in data[0]
    assert "そうだん" not in answer.body.decode()


@pytest.mark.parametrize(("body", "status"), [
    (busy_request("mailto:taro@sakura.example", "mailto:taro@sakura.example"), 403),
    (busy_request("mailto:hanako@sakura.example"), 400),
    (busy_request("mailto:hanako@sakura.example", *(f"mailto:{number}@x" for number in range(60))), 400),
    (busy_request("mailto:hanako@sakura.example", "mailto:x@y", end="20370110T000000Z"), 400),
    (busy_request("mailto:hanako@sakura.example", "mailto:x@y", end="20270109T000000Z"), 400),
    (ics("x", *TALK), 400), ("nonsense", 400), ("", 400),
])
def test_requests_for_busy_times_that_make_no_sense_are_refused(hanako: Account, body: str, status: int) -> None:
    assert hanako.ask("POST", hanako.outbox, body).status == status
    assert hanako.ask("POST", hanako.personal, body).status == 405


def test_ones_own_answers_decide_whether_one_is_busy(invited: Account) -> None:
    body = busy_request("mailto:hanako@sakura.example", "mailto:hanako@sakura.example")

    def busy() -> str:
        return prop(invited.ask("POST", invited.outbox, body), f"{C}calendar-data")[0]

    assert "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20270110T010000Z/20270110T030000Z" in busy()
    invited.put(invited.invitations + "mochi.ics", with_answer(copy_of(invited), "ACCEPTED"))
    assert "FREEBUSY:20270110T010000Z/20270110T030000Z" in busy()
    invited.put(invited.invitations + "mochi.ics", with_answer(copy_of(invited), "DECLINED"))
    assert "FREEBUSY" not in busy().replace("VFREEBUSY", "")


# ---- one's own entries ---------------------------------------------------------------------------------------------


def test_neighbours_invited_to_an_own_entry_are_marked_as_not_told_whoever_they_are(
    node: Node, hanako: Account
) -> None:
    node.account("taro")
    body = ics("talk", *TALK, "ORGANIZER:mailto:hanako@sakura.example", "ATTENDEE:mailto:hanako@sakura.example",
               "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:taro@sakura.example", "ATTENDEE:mailto:nobody@sakura.example",
               "ATTENDEE;SCHEDULE-AGENT=CLIENT:mailto:friend@mail.example")
    answer = hanako.put(hanako.personal + "talk.ics", body)
    assert answer.status == 201
    assert "etag" not in answer.headers
    stored = hanako.ask("GET", hanako.personal + "talk.ics")
    lines = {line.rpartition(":")[2]: line for line in text_of(stored).splitlines() if line.startswith("ATTENDEE")}
    assert {name for name, line in lines.items() if "SCHEDULE-STATUS=5.3" in line} == {
        "taro@sakura.example", "nobody@sakura.example"}
    again = hanako.put(hanako.personal + "talk.ics", stored.body.decode())
    assert again.etag() == stored.etag()
    assert again.headers["schedule-tag"] == stored.headers["schedule-tag"]


def test_entries_of_other_organizers_are_kept_as_they_are(hanako: Account) -> None:
    body = ics("talk", *TALK, "ORGANIZER:mailto:boss@mail.example", "ATTENDEE:mailto:hanako@sakura.example")
    assert hanako.put(hanako.personal + "talk.ics", body).status == 201
    stored = hanako.ask("GET", hanako.personal + "talk.ics")
    assert stored.body.decode() == body
