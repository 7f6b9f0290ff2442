"""Booking as a resident does it: what there is, what is free, one's own bookings."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

from aiohttp import web

from server.association.bookings.actions import Bookings, Origin
from server.association.bookings.model import MAX_NOTE, MAX_TITLE, Booking, Clash, Facility, State, Wish
from server.association.bookings.repeating import Repeat, read_rule
from server.association.bookings.rules import hours_on, times_of
from server.association.bookings.schedule import Schedule
from server.association.members.model import Right
from server.foundation.clock import TOKYO, tokyo_time
from server.foundation.errors import InvalidParam, Refused
from server.web.dates import day_from_input, moment_from_input
from server.web.forms import Form
from server.web.routing import Routes
from server.web.visit import Visit

_EVERY: Final = {"weekly": ("WEEKLY", 1), "fortnightly": ("WEEKLY", 2), "monthly": ("MONTHLY", 1)}


def add_routes(routes: Routes) -> None:
    """What can be booked, one of it, a booking."""
    routes.get("/bookings", show_all)
    routes.get("/facilities/{facility}", show_facility)
    routes.get("/facilities/{facility}/day", show_facility)
    routes.post("/facilities/{facility}", book)
    routes.get("/bookings/{booking}", show_booking)
    routes.post("/bookings/{booking}", change)
    routes.post("/bookings/{booking}/cancel", cancel)
    routes.post("/bookings/{booking}/leave-out", leave_out)
    routes.get("/bookings/{booking}/file.ics", give_file)


async def show_all(visit: Visit) -> web.StreamResponse:
    """What can be booked, and what one has booked."""
    schedule = _schedule(visit)
    mine = [item for item in schedule.of_person(visit.person.id, visit.services.clock.now_ms()) if not item.is_over]
    return visit.page("bookings.html", facilities=schedule.facilities(), mine=[shown(visit, item) for item in mine])


async def show_facility(visit: Visit) -> web.StreamResponse:
    """What is free on a day, and the form."""
    facility = _schedule(visit).facility(visit.parts["facility"])
    today = tokyo_time(visit.services.clock.now_ms()).date()
    day = day_from_input(visit.query("day"), "予約") if visit.query("day") else today
    return _facility_page(visit, facility, Form([("day", day.isoformat())]), day)


async def book(visit: Visit) -> web.StreamResponse:
    """Book it, once however often the button is pressed; a clash shows what is free and offers to wait."""
    form = await visit.form()
    facility = _schedule(visit).facility(visit.parts["facility"])
    try:
        with visit.once(form) as is_first:
            if not is_first:
                return visit.go("/bookings")
            booking = await _verbs(visit).book(
                visit.user_id, wish_of(facility.id, form), person_id=_for_whom(visit, form),
                origin=Origin(waits=form.has("waits")),
            )
    except Refused as fault:
        return _facility_page(visit, facility, form, _day_of(visit, form), fault)
    return visit.go(f"/bookings/{booking.id}", done="sent")


async def show_booking(visit: Visit) -> web.StreamResponse:
    """One booking, with changing and cancelling."""
    booking = _schedule(visit).get(visit.user_id, visit.parts["booking"])
    return _booking_page(visit, booking)


async def change(visit: Visit) -> web.StreamResponse:
    """Another time or purpose, unless somebody else has changed it meanwhile."""
    form = await visit.form()
    old = _schedule(visit).get(visit.user_id, visit.parts["booking"])
    try:
        revision = form.number("revision", "版", least=0, most=999_999_999)
        wish = _changed(old.wish, wish_of(old.wish.facility_id, form))
        await _verbs(visit).change(visit.user_id, old.id, wish, expected_revision=revision)
    except Refused as fault:
        return _booking_page(visit, old, fault)
    return visit.go(f"/bookings/{old.id}", done="corrected")


async def cancel(visit: Visit) -> web.StreamResponse:
    """Give the time back."""
    form = await visit.form()
    booking_id = visit.parts["booking"]
    await _verbs(visit).cancel(visit.user_id, booking_id, form.line("reason"))
    return visit.go(f"/bookings/{booking_id}", done="saved")


async def leave_out(visit: Visit) -> web.StreamResponse:
    """Give back one day of a booking that repeats."""
    form = await visit.form()
    booking_id = visit.parts["booking"]
    day = day_from_input(form.line("day"), "予約")
    revision = form.number("revision", "版", least=0, most=999_999_999)
    await _verbs(visit).leave_out(visit.user_id, booking_id, day, expected_revision=revision)
    return visit.go(f"/bookings/{booking_id}", done="saved")


async def give_file(visit: Visit) -> web.StreamResponse:
    """The booking for a calendar app that is not connected."""
    booking = _schedule(visit).get(visit.user_id, visit.parts["booking"])
    facility = _schedule(visit).facility(booking.wish.facility_id)
    data = visit.services.daily.booking_as_ics(facility, booking)
    return visit.download(data, "text/calendar", f"{facility.name}.ics")


def wish_of(facility_id: str, form: Form) -> Wish:
    """What a form wants; raises ``InvalidParam``."""
    start = moment_from_input(form.line("day"), form.line("start"), "はじまり")
    end = moment_from_input(form.line("day"), form.line("end"), "おわり")
    return Wish(facility_id, start, end, form.line("title"), form.text("note"), _rule_of(form, start))


def _rule_of(form: Form, start: datetime) -> str:
    """How the form wants it to repeat."""
    every = form.line("repeat")
    if every not in _EVERY:
        return ""
    last = day_from_input(form.line("until"), "くり返しのおわり")
    unit, interval = _EVERY[every]
    if unit == "MONTHLY":
        # The fifth of a month is not in every one, so that it counts as the last.
        nth = (start.day - 1) // 7 + 1
        return Repeat(unit, interval, (start.weekday(),), nth if nth < 5 else -1, last=last).as_rule()
    return Repeat(unit, interval, last=last).as_rule()


def _changed(old: Wish, wish: Wish) -> Wish:
    """What repeats goes on repeating on the same days, at the new time."""
    if not old.rule:
        return wish
    start, end = (datetime.combine(old.start.date(), moment.timetz()) for moment in (wish.start, wish.end))
    left_out = tuple(datetime.combine(moment.date(), start.timetz()) for moment in old.except_for)
    return replace(wish, start=start, end=end, rule=old.rule, except_for=left_out)


def shown(visit: Visit, booking: Booking, time: Wish | None = None) -> dict[str, object]:
    """A booking in words of a list, at one of its times or else the next."""
    wish = time or _schedule(visit).next_time(booking)
    return {
        "booking": booking, "facility": _schedule(visit).facility(wish.facility_id), "on": wish.start.date(),
        "from": f"{wish.start:%H:%M}", "to": f"{wish.end:%H:%M}", "repeats": _repeating(booking.wish),
    }


def _repeating(wish: Wish) -> dict[str, object]:
    """How it repeats, from when until when and how often; empty where it does not."""
    if not wish.rule:
        return {}
    times = times_of(wish)
    first, last = times[0].start.date(), times[-1].start.date()
    every = read_rule(wish.rule, wish.start).in_words(wish.start.date())
    left_out = sorted(moment.date() for moment in wish.except_for)
    return {"every": every, "first": first, "last": last, "count": len(times), "left_out": left_out}


def _verbs(visit: Visit) -> Bookings:
    return visit.services.daily.bookings


def _schedule(visit: Visit) -> Schedule:
    return visit.services.daily.bookings.schedule


def _for_whom(visit: Visit, form: Form) -> str | None:
    """An officer may book for somebody who has no telephone, by their name on the roster."""
    name = form.line("for_name")
    if not name:
        return None
    visit.require(Right.KEEP_FACILITIES)
    plain = name.replace(" ", "")
    found = [item.id for item in visit.services.members.persons() if item.name.replace(" ", "") == plain]
    if len(found) != 1:
        raise InvalidParam("その名前の人が、名簿にひとりだけいるようには書かれていません")
    return found[0]


def _day_of(visit: Visit, form: Form) -> date:
    try:
        return day_from_input(form.line("day"), "予約")
    except InvalidParam:
        return tokyo_time(visit.services.clock.now_ms()).date()


def _facility_page(
    visit: Visit, facility: Facility, form: Form, day: date, fault: Refused | None = None
) -> web.Response:
    _ = visit.person
    schedule = _schedule(visit)
    free = [(f"{start:%H:%M}", f"{end:%H:%M}", "", "") for start, end in schedule.free_on(facility, day)]
    midnight = datetime(day.year, day.month, day.day, tzinfo=TOKYO)
    taken = [
        (f"{time.start:%H:%M}", f"{time.end:%H:%M}", item.state.label,
         time.title if facility.rules.shows_titles or schedule.sees(visit.user_id, item) else "")
        for item in schedule.of_facility(facility.id, round(midnight.timestamp()) * 1000) if item.holds
        for time in schedule.times(item) if time.start.date() == day
    ]
    return visit.page(
        "facility.html", facility=facility, form=form, day=day.isoformat(), on=day,
        times=sorted(free + taken), is_open=hours_on(facility, day) is not None, once=visit.new_once(),
        before=(day - timedelta(days=1)).isoformat(), after=(day + timedelta(days=1)).isoformat(),
        may_keep=visit.may(Right.KEEP_FACILITIES), most=(MAX_TITLE, MAX_NOTE), is_clash=isinstance(fault, Clash),
        may_repeat=facility.rules.times > 0 or visit.may(Right.KEEP_FACILITIES),
        fault=fault,
    )


def _booking_page(visit: Visit, booking: Booking, fault: Refused | None = None) -> web.Response:
    wish, person = booking.wish, None
    register = visit.services.members.register
    own = visit.services.members.person_of_user(visit.user_id)
    if register.has_person(booking.person) and (own is None or own.id != booking.person):
        person = register.person(booking.person)
    facility, now = _schedule(visit).facility(wish.facility_id), tokyo_time(visit.services.clock.now_ms())
    coming = [time for time in _schedule(visit).times(booking) if time.end > now]
    return visit.page(
        "booking.html", item=shown(visit, booking), facility=facility, booking=booking, State=State, person=person,
        day=wish.start.date().isoformat(), may_keep=visit.may(Right.KEEP_FACILITIES), most=(MAX_TITLE, MAX_NOTE),
        fault=fault,
        is_ahead=bool(coming), coming=[time.start.date() for time in coming],
    )


