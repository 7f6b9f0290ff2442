"""What somebody with an app password may send in order to hurt, and how others are served meanwhile (issue 6, G11)."""

from __future__ import annotations

import itertools
import statistics
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.accounting import resident_mb
from benchmarks.calendar_client import Client
from benchmarks.calendar_servers import Served

ALLOWED_MS: Final = 200.0
ALLOWED_MB: Final = 50.0
LONGEST_S: Final = 5.0
REFUSALS: Final = frozenset({400, 403, 413, 507})
_ATTACKERS: Final = 2
_REQUESTS: Final = 200
_D: Final = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
_START: Final = "DTSTART:20260101T000000Z"
_LAUGHS: Final = (
    '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><propfind xmlns="DAV:"><prop><displayname>&c;</displayname></prop>'
    "</propfind>"
)
_HREFS: Final = (
    f"<C:calendar-multiget {_D}><D:prop><D:getetag/></D:prop>" + "<D:href>/dav/a</D:href>" * 100_000
    + "</C:calendar-multiget>"
)


@dataclass(frozen=True, slots=True)
class Attack:
    """One request; none of them may be obeyed."""

    method: str
    name: str
    body: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """Milliseconds that others waited (19 of 20 requests less), before and meanwhile; seconds of the longest attack."""

    calm_ms: float
    p95_ms: float
    longest_s: float
    grown_mb: float
    statuses: frozenset[int]

    @property
    def is_kept(self) -> bool:
        """Whether what was promised holds. A machine that is busy with other things is slow by itself."""
        return (self.p95_ms < max(ALLOWED_MS, 10 * self.calm_ms) and self.longest_s < LONGEST_S
                and self.grown_mb < ALLOWED_MB and self.statuses <= REFUSALS)


def entry(uid: str, *lines: str) -> str:
    """One entry; ``lines`` beside what every entry has."""
    inner = "".join(f"{line}\r\n" for line in (f"UID:{uid}", "DTSTAMP:20260101T000000Z", *lines))
    return (f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//b//b//EN\r\nBEGIN:VEVENT\r\n{inner}END:VEVENT\r\n"
            "END:VCALENDAR\r\n")


def query(inner: str, prop: str = "<D:getetag/>") -> str:
    """A calendar-query."""
    return f"<C:calendar-query {_D}><D:prop>{prop}</D:prop><C:filter>{inner}</C:filter></C:calendar-query>"


def in_time(start: str, end: str) -> str:
    """A filter for entries between two moments."""
    return (f'<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:time-range start="{start}" end="{end}"/>'
            "</C:comp-filter></C:comp-filter>")


def attacks() -> list[Attack]:
    """Rules without end, lists without end, entities, a hundred thousand names, deep and wide filters."""
    rules = ("FREQ=SECONDLY", "FREQ=MINUTELY;COUNT=100000", "FREQ=DAILY;BYSECOND=" + ",".join(map(str, range(60))),
             "FREQ=DAILY;BYHOUR=" + ",".join(map(str, range(24))), "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")
    dates = ",".join(f"2027{month:02}{day:02}T{hour:02}{minute:02}00Z" for month in range(1, 13)
                     for day in range(1, 29) for hour in range(24) for minute in (0, 20, 40))
    puts = [*(entry("x", _START, f"RRULE:{rule}") for rule in rules), entry("x", _START, f"RDATE:{dates}"),
            entry("x", _START, "SUMMARY:" + "x" * 900_000),
            entry("x", _START, *("BEGIN:VALARM", "TRIGGER:-PT5M", "END:VALARM") * 5_000)]
    deep = '<C:comp-filter name="VCALENDAR">' * 5_000 + "</C:comp-filter>" * 5_000
    wide = query('<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">'
                 + '<C:prop-filter name="SUMMARY"><C:text-match>x</C:text-match></C:prop-filter>' * 5_000
                 + "</C:comp-filter></C:comp-filter>")
    far = query(in_time("20260101T000000Z", "20960101T000000Z"),
                '<C:calendar-data><C:expand start="20260101T000000Z" end="20960101T000000Z"/></C:calendar-data>')
    return [*(Attack("PUT", "x.ics", body) for body in puts),
            *(Attack("REPORT", "", body) for body in (_LAUGHS, _HREFS, deep, wide, query(deep), far)),
            Attack("PROPFIND", "", "<a>" * 200_000)]


def send(client: Client, calendar: str, attack: Attack) -> int:
    """Send one; answers the status, 0 where the server hung up."""
    kind = "text/calendar" if attack.method == "PUT" else "text/xml"
    status, _ = client.ask(attack.method, calendar + attack.name, attack.body, Depth="1", Content_Type=kind)
    return status


def under_attack(served: Served, attacker: tuple[str, str]) -> Outcome:
    """Use one resident's calendar while another one attacks with two connections at once."""
    theirs = f"/dav/calendars/{attacker[0]}/personal/"
    _fill(Client(served.port, *attacker), theirs)
    calm = _p95(_use(served))
    before, over, statuses, took = resident_mb(served.process.pid), threading.Event(), set[int](), list[float]()
    ways = attacks()

    def attack() -> None:
        client = Client(served.port, *attacker)
        for way in itertools.cycle(ways):
            if over.is_set():
                return
            began = time.monotonic()
            statuses.add(send(client, theirs, way))
            took.append(time.monotonic() - began)

    threads = [threading.Thread(target=attack) for _ in range(_ATTACKERS)]
    for thread in threads:
        thread.start()
    try:
        p95 = _p95(_use(served))
    finally:
        over.set()
        for thread in threads:
            thread.join()
    grown = resident_mb(served.process.pid) - before
    return Outcome(calm * 1000, p95 * 1000, max(took, default=0.0), grown, frozenset(statuses - {0}))


def _fill(client: Client, calendar: str) -> None:
    for number in range(20):
        body = entry(f"d{number}", "DTSTART;TZID=Asia/Tokyo:20260105T100000", "RRULE:FREQ=DAILY")
        client.ask("PUT", f"{calendar}d{number}.ics", body, Content_Type="text/calendar")


def _use(served: Served) -> list[float]:
    """What a neighbour's app does meanwhile, in seconds a request."""
    client, waits = Client(served.port, served.user, served.secret), []
    month = query(in_time("20260501T000000Z", "20260601T000000Z"))
    for number in range(_REQUESTS):
        method, body = ("PROPFIND", "") if number % 3 else ("REPORT", month)
        began = time.monotonic()
        status, _ = client.ask(method, served.calendar, body, Depth="1" if body else "0")
        waits.append(time.monotonic() - began)
        if status != 207:
            raise RuntimeError(f"a neighbour was answered {status}")
        time.sleep(0.01)
    return waits


def _p95(waits: Sequence[float]) -> float:
    return statistics.quantiles(waits, n=20)[-1]
