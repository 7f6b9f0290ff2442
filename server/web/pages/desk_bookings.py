"""Facilities and bookings at the desk: what waits for a yes, opening hours and rules, lists for whoever drives."""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from aiohttp import web

from server.association.bookings.actions import Bookings
from server.association.bookings.model import (
    MAX_NAME,
    MAX_NOTE,
    MAX_PLACE,
    Booking,
    Facility,
    Hours,
    Kind,
    Rules,
    State,
    Wish,
)
from server.association.bookings.repeating import MAX_TIMES
from server.association.bookings.rules import length_in_words
from server.association.members.model import Right
from server.foundation.clock import tokyo_time
from server.foundation.errors import Refused
from server.web.dates import day_from_input
from server.web.forms import Form
from server.web.pages.bookings import shown
from server.web.routing import Routes
from server.web.visit import Visit

_DAYS: Final = "月火水木金土日"
_STEPS: Final = (15, 30, 60)
_LENGTHS: Final = (30, 60, 120, 180, 240, 480, 0)


def add_routes(routes: Routes) -> None:
    """Looking after what can be booked."""
    routes.get("/desk/bookings", show_desk)
    routes.post("/desk/bookings/{booking}/confirm", confirm)
    routes.post("/desk/bookings/{booking}/decline", decline)
    routes.get("/desk/facilities/new", show_empty_form)
    routes.post("/desk/facilities/new", add)
    routes.get("/desk/facilities/{facility}", show_form)
    routes.post("/desk/facilities/{facility}", change)
    routes.post("/desk/facilities/{facility}/remove", remove)
    routes.get("/desk/facilities/{facility}/list.csv", give_list)


async def show_desk(visit: Visit) -> web.StreamResponse:
    """What waits for an answer, all facilities, and what is booked in the next two weeks."""
    visit.require(Right.KEEP_FACILITIES)
    schedule, now = _verbs(visit).schedule, visit.services.clock.now_ms()
    last = tokyo_time(now) + timedelta(days=14)
    coming = sorted(
        ((item, time) for facility in schedule.facilities() for item in schedule.of_facility(facility.id, now)
         if item.state in (State.CONFIRMED, State.WAITING)
         for time in schedule.times(item) if time.start < last and time.end > tokyo_time(now)),
        key=lambda pair: pair[1].start,
    )
    return visit.page(
        "desk_bookings.html", facilities=schedule.facilities(),
        asked=[_line(visit, item) for item in schedule.asked(visit.user_id)],
        coming=[_line(visit, item, time) for item, time in coming],
    )


async def confirm(visit: Visit) -> web.StreamResponse:
    """Say yes."""
    await visit.form()
    await _verbs(visit).confirm(visit.user_id, visit.parts["booking"])
    return visit.go("/desk/bookings", done="sent")


async def decline(visit: Visit) -> web.StreamResponse:
    """Say no, and why."""
    form = await visit.form()
    await _verbs(visit).decline(visit.user_id, visit.parts["booking"], form.line("reason"))
    return visit.go("/desk/bookings", done="sent")


async def show_empty_form(visit: Visit) -> web.StreamResponse:
    """A new facility."""
    visit.require(Right.KEEP_FACILITIES)
    return _form_page(visit, "", _as_form(Facility("", "")))


async def add(visit: Visit) -> web.StreamResponse:
    """Enter it, once however often the button is pressed."""
    visit.require(Right.KEEP_FACILITIES)
    form = await visit.form()
    try:
        with visit.once(form) as is_first:
            if is_first:
                await _verbs(visit).put_facility(visit.user_id, _facility("", form))
    except Refused as fault:
        return _form_page(visit, "", form, fault)
    return visit.go("/desk/bookings", done="saved")


async def show_form(visit: Visit) -> web.StreamResponse:
    """The form with what is so now."""
    visit.require(Right.KEEP_FACILITIES)
    facility = _verbs(visit).schedule.facility(visit.parts["facility"])
    return _form_page(visit, facility.id, _as_form(facility))


async def change(visit: Visit) -> web.StreamResponse:
    """Other hours or rules; what is booked already stays."""
    visit.require(Right.KEEP_FACILITIES)
    form, facility_id = await visit.form(), visit.parts["facility"]
    now = _verbs(visit).schedule.facility(facility_id)
    # What the form was filled in over, if that is not what holds by now.
    expected = now if form.line("mark") == _mark(now) else replace(now, id="")
    try:
        await _verbs(visit).put_facility(visit.user_id, _facility(facility_id, form), expected=expected)
    except Refused as fault:
        return _form_page(visit, facility_id, form, fault)
    return visit.go("/desk/bookings", done="saved")


async def remove(visit: Visit) -> web.StreamResponse:
    """It can no longer be booked."""
    await visit.form()
    facility = _verbs(visit).schedule.facility(visit.parts["facility"])
    gone = Facility(facility.id, facility.name, facility.kind, facility.place, facility.note, facility.rules, True)
    await _verbs(visit).put_facility(visit.user_id, gone)
    return visit.go("/desk/bookings", done="removed")


async def give_list(visit: Visit) -> web.StreamResponse:
    """A month's bookings as a file, for whoever drives or keeps the accounts (R45)."""
    visit.require(Right.KEEP_FACILITIES)
    facility = _verbs(visit).schedule.facility(visit.parts["facility"])
    first = _month(visit)
    rows = io.StringIO()
    writer = csv.writer(rows)
    writer.writerow(["日", "はじまり", "おわり", "名前", "班", "電話", "目的", "メモ", "状態"])
    schedule, month = _verbs(visit).schedule, (first.year, first.month)
    listed = [(time, item) for item in schedule.of_facility(facility.id) if not item.is_over
              for time in schedule.times(item) if (time.start.year, time.start.month) == month]
    for time, booking in sorted(listed, key=lambda pair: pair[0].start):
        writer.writerow(_row(visit, booking, time))
    await visit.services.members.log_look(visit.user_id, f"{facility.name}の予約の一覧")
    return visit.download(rows.getvalue().encode("utf-8-sig"), "text/csv", f"{facility.name}-{first:%Y-%m}.csv")


def _row(visit: Visit, item: Booking, wish: Wish) -> list[str]:
    members = visit.services.members
    person = members.person(item.person) if members.register.has_person(item.person) else None
    return [
        wish.start.date().isoformat(), f"{wish.start:%H:%M}", f"{wish.end:%H:%M}",
        *(_harmless(text) for text in (
            person.name if person else "", members.block_of(person.id).name if person else "",
            person.phone if person else "", wish.title, wish.note.replace("\n", " "), item.state.label,
        )),
    ]


def _harmless(text: str) -> str:
    """A text that a table program does not take for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def _month(visit: Visit) -> date:
    text = visit.query("month")
    return day_from_input(f"{text}-01", "月") if text else tokyo_time(visit.services.clock.now_ms()).date()


def _verbs(visit: Visit) -> Bookings:
    return visit.services.daily.bookings


def _line(visit: Visit, item: Booking, time: Wish | None = None) -> dict[str, object]:
    register = visit.services.members.register
    name = register.person(item.person).name if register.has_person(item.person) else ""
    return {**shown(visit, item, time), "name": name}


def _facility(facility_id: str, form: Form) -> Facility:
    kind = next((item for item in Kind if item.value == form.line("kind")), Kind.PLACE)
    days = form.lines("day")
    span = Hours.parse(f"{form.line('opens')}-{form.line('closes')}")
    hours = tuple(span if str(number) in days else None for number in range(7))
    return Facility(facility_id, form.line("name"), kind, form.line("place"), form.text("note"), Rules(
        hours=hours, step=form.number("step", "きざみ", least=5, most=120),
        longest=form.number("longest", "いちばん長い時間", least=0, most=1440),
        ahead_days=form.number("ahead_days", "何日先まで", least=0, most=800),
        notice_hours=form.number("notice_hours", "何時間前まで", least=0, most=800),
        most=form.number("most", "ひとりの数", least=0, most=1000),
        at_once=form.number("at_once", "同じ時間の数", least=1, most=1000),
        times=form.number("times", "くり返しの数", least=0, most=MAX_TIMES) if form.line("times") else Rules().times,
        asks=form.has("asks"), shows_titles=form.has("shows_titles"),
        closed=tuple(day_from_input(text, "休み") for text in form.text("closed").split()),
    ))


def _as_form(facility: Facility) -> Form:
    rules = facility.rules
    spans = [hours for hours in rules.hours if hours is not None]
    opens, closes = str(spans[0]).split("-")
    fields = [
        ("name", facility.name), ("kind", facility.kind.value), ("place", facility.place), ("note", facility.note),
        ("opens", opens), ("closes", closes), ("step", str(rules.step)), ("longest", str(rules.longest)),
        ("ahead_days", str(rules.ahead_days)), ("notice_hours", str(rules.notice_hours)), ("most", str(rules.most)),
        ("at_once", str(rules.at_once)), ("times", str(rules.times)),
        ("closed", "\n".join(day.isoformat() for day in rules.closed)),
        *[("day", str(number)) for number, hours in enumerate(rules.hours) if hours is not None],
    ]
    return Form([*fields, *[(name, "1") for name in ("asks", "shows_titles") if getattr(rules, name)]])


def _mark(facility: Facility) -> str:
    """Changes with anything that the form shows."""
    return hashlib.sha256(repr(_as_form(facility).fields).encode()).hexdigest()[:16]


def _form_page(visit: Visit, facility_id: str, form: Form, fault: Refused | None = None) -> web.Response:
    if fault is not None and fault.status not in (400, 412):
        raise fault
    now = _verbs(visit).schedule.facility(facility_id) if facility_id else None
    # Where something else was wrong, what others have changed meanwhile has not been shown yet.
    mark = "" if now is None else form.line("mark") if fault is not None and fault.status == 400 else _mark(now)
    lengths = [(item, length_in_words(item) if item else "きまりなし") for item in _LENGTHS]
    return visit.page(
        "desk_facility.html", facility_id=facility_id, form=form, mark=mark,
        other=now if fault is not None and fault.status == 412 else None, kinds=list(Kind), days=list(enumerate(_DAYS)),
        steps=[(item, length_in_words(item)) for item in _STEPS], lengths=lengths, once=visit.new_once(),
        most=(MAX_NAME, MAX_PLACE, MAX_NOTE), fault=fault,
        month=f"{tokyo_time(visit.services.clock.now_ms()):%Y-%m}",
    )
