"""The door as python-caldav sees it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from caldav.elements import dav, ical
from caldav.lib import error

from tests.caldav.node import Account

TOKYO = ZoneInfo("Asia/Tokyo")


def test_discovery_finds_the_principal_the_home_and_its_calendars(hanako: Account) -> None:
    principal = hanako.client().principal()
    assert str(principal.url).endswith("/dav/principals/hanako/")
    names = {item.get_display_name() for item in principal.calendars()}
    assert names == {"桜町町内会の行事", "わたしの手帳", "わたしのやること", "出欠のお返事"}


def test_an_entry_is_saved_changed_found_and_deleted(hanako: Account) -> None:
    calendar = hanako.calendar()
    saved = calendar.save_event(
        dtstart=datetime(2026, 11, 23, 10, tzinfo=TOKYO), dtend=datetime(2026, 11, 23, 11, tzinfo=TOKYO),
        summary="清掃活動",
    )
    found = calendar.search(start=datetime(2026, 11, 1, tzinfo=TOKYO), end=datetime(2026, 12, 1, tzinfo=TOKYO),
                            event=True)
    assert [item.icalendar_component["SUMMARY"] for item in found] == ["清掃活動"]
    entry = found[0]
    with entry.edit_icalendar_instance() as instance:
        instance.walk("VEVENT")[0]["SUMMARY"] = "清掃活動（雨天中止）"
    entry.save()
    again = calendar.event_by_uid(saved.id)
    assert again.icalendar_component["SUMMARY"] == "清掃活動（雨天中止）"
    again.delete()
    with pytest.raises(error.NotFoundError):
        calendar.event_by_uid(saved.id)


def test_a_series_is_expanded_by_the_server(hanako: Account) -> None:
    calendar = hanako.calendar()
    calendar.save_event(dtstart=datetime(2026, 11, 2, 19, tzinfo=TOKYO), dtend=datetime(2026, 11, 2, 20, tzinfo=TOKYO),
                        summary="太鼓", rrule={"FREQ": "WEEKLY"})
    # The library asks for a day more on both sides.
    found = calendar.search(start=datetime(2026, 12, 3, tzinfo=TOKYO), end=datetime(2027, 1, 1, tzinfo=TOKYO),
                            event=True, server_expand=True)
    starts = [part["DTSTART"].dt for item in found for part in item.icalendar_instance.walk("VEVENT")]
    assert starts == [datetime(2026, 12, day, 10, tzinfo=UTC) for day in (7, 14, 21, 28)]


def test_tasks_have_a_list_of_their_own(hanako: Account) -> None:
    tasks = hanako.calendar("tasks")
    tasks.save_todo(summary="当番表を回す", due=date(2026, 12, 1))
    assert [item.icalendar_component["SUMMARY"] for item in tasks.todos()] == ["当番表を回す"]
    tasks.todos()[0].complete()
    assert tasks.todos() == []


def test_a_calendar_is_made_named_coloured_and_removed(hanako: Account) -> None:
    principal = hanako.client().principal()
    made = principal.make_calendar(name="孫の行事", cal_id="mago")
    assert "孫の行事" in {item.get_display_name() for item in principal.calendars()}
    made.set_properties([ical.CalendarColor("#FF2968FF"), dav.DisplayName("孫")])
    assert made.get_property(dav.DisplayName()) == "孫"
    assert made.get_property(ical.CalendarColor()) == "#FF2968FF"
    made.delete()
    assert {str(item.url).rsplit("/", 2)[1] for item in principal.calendars()} == {
        "gatherings", "invitations", "personal", "tasks"}


def test_sync_tells_what_came_and_what_went(hanako: Account) -> None:
    calendar = hanako.calendar()
    first = calendar.save_event(dtstart=datetime(2026, 1, 1, tzinfo=UTC), summary="a")
    objects = calendar.objects_by_sync_token()
    assert len(list(objects)) == 1
    calendar.save_event(dtstart=datetime(2026, 1, 2, tzinfo=UTC), summary="b")
    first.delete()
    updated, deleted = objects.sync()
    assert (len(updated), len(deleted)) == (1, 1)


def test_free_busy_is_told(hanako: Account) -> None:
    calendar = hanako.calendar()
    start = datetime(2026, 11, 23, 1, tzinfo=UTC)
    calendar.save_event(dtstart=start, dtend=start + timedelta(hours=1), summary="x")
    answer = calendar.freebusy_request(start - timedelta(days=1), start + timedelta(days=1))
    assert "FREEBUSY:20261123T010000Z/20261123T020000Z" in answer.data.replace("\r\n", "\n")


def test_an_officer_announces_a_gathering_from_the_calendar_app(officer: Account, hanako: Account) -> None:
    officer.calendar("gatherings").save_event(
        dtstart=datetime(2026, 12, 5, 9, tzinfo=TOKYO), dtend=datetime(2026, 12, 5, 11, tzinfo=TOKYO), summary="餅つき",
        location="公民館",
    )
    found = hanako.calendar("gatherings").events()
    assert [(item.icalendar_component["SUMMARY"], item.icalendar_component["LOCATION"]) for item in found] == [
        ("餅つき", "公民館")]
    with pytest.raises(error.AuthorizationError):
        found[0].delete()
