"""A day with evolution-data-server, what GNOME's calendars and Evolution are made of, told line by line as JSON.

Run by ``tests/caldav/test_evolution.py`` with Debian's own Python, which has the library, on a bus of its own.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import threading
import urllib.request
from typing import Any

import gi  # type: ignore[import-not-found]

gi.require_version("ECal", "2.0")
gi.require_version("EDataServer", "1.2")
gi.require_version("ICalGLib", "3.0")
from gi.repository import (  # type: ignore[import-not-found]  # noqa: E402 - the versions come first
    ECal,
    EDataServer,
    GLib,
    ICalGLib,
)

WORLD = json.loads(os.environ["KAIRAN_WORLD"])
WAIT_S = 60
START = "20270105T100000"
THIS, ALL = ECal.ObjModType.THIS, ECal.ObjModType.ALL


def say(**told: Any) -> None:
    print(json.dumps(told, ensure_ascii=False), flush=True)


def entry(uid: str, title: str, *lines: str) -> str:
    inner = "".join(f"{line}\r\n" for line in (
        f"UID:{uid}", "DTSTAMP:20260101T000000Z", f"DTSTART;TZID=Asia/Tokyo:{START}",
        "DTEND;TZID=Asia/Tokyo:20270105T110000", f"SUMMARY:{title}", *lines))
    return f"BEGIN:VEVENT\r\n{inner}END:VEVENT\r\n"


def other_device(method: str, name: str, body: str = "") -> str:
    """What a telephone does meanwhile."""
    token = base64.b64encode(f"{WORLD['name']}:{WORLD['password']}".encode()).decode()
    url = f"{WORLD['url']}/dav/calendars/{WORLD['name']}/personal/{name}"
    request = urllib.request.Request(url, body.encode() or None, {
        "Authorization": f"Basic {token}", "Content-Type": "text/calendar"}, method=method)
    with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
        said: bytes = answer.read()
    return said.decode()


def titles(client: Any) -> list[str]:
    client.refresh_sync(None)
    _, found = client.get_object_list_sync("#t", None)
    return sorted(item.get_summary() for item in found)


def instances(client: Any) -> list[str]:
    """Days of January and February on which something takes place."""
    days: list[str] = []

    def note(component: Any, start: Any, *_more: object) -> bool:
        days.append(f"{start.get_month()}/{start.get_day()} {component.get_summary()}")
        return True

    first, last = 1798761600, 1803859200
    client.generate_instances_sync(first, last, None, note)
    return sorted(days)


def use_personal(client: Any) -> None:
    say(step="personal", readonly=client.is_readonly(), titles=titles(client))
    client.create_object_sync(ICalGLib.Component.new_from_string(entry("eds-1", "花見")), 0, None)
    say(step="created", there="SUMMARY:花見" in other_device("GET", "eds-1.ics"))
    _, component = client.get_object_sync("eds-1", None, None)
    component.set_summary("夜桜")
    client.modify_object_sync(component, ALL, 0, None)
    say(step="changed", there="SUMMARY:夜桜" in other_device("GET", "eds-1.ics"))
    series = entry("eds-2", "体操", "RRULE:FREQ=WEEKLY;COUNT=4")
    client.create_object_sync(ICalGLib.Component.new_from_string(series), 0, None)
    say(step="recurs", days=instances(client))
    moved = ICalGLib.Component.new_from_string(
        entry("eds-2", "体操（外）", "RECURRENCE-ID;TZID=Asia/Tokyo:20270112T100000").replace("20270105T", "20270113T"))
    client.modify_object_sync(moved, THIS, 0, None)
    client.remove_object_sync("eds-2", "20270119T100000", THIS, 0, None)
    say(step="one moved, one left out", days=instances(client), stored=other_device("GET", "eds-2.ics"))
    shell = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//t//EN\r\n{}END:VCALENDAR\r\n"
    other_device("PUT", "far.ics", shell.format(entry("far", "電話から")))
    say(step="from a telephone", titles=titles(client))
    other_device("DELETE", "far.ics")
    client.remove_object_sync("eds-1", None, ALL, 0, None)
    client.remove_object_sync("eds-2", None, ALL, 0, None)
    say(step="removed", titles=titles(client), days=instances(client))


def use_gatherings(client: Any) -> None:
    say(step="gatherings", readonly=client.is_readonly(), titles=titles(client))
    try:
        client.create_object_sync(ICalGLib.Component.new_from_string(entry("no", "だめ")), 0, None)
    except GLib.Error as refused:
        say(step="refused", why=refused.message)


def main() -> None:
    threading.Thread(target=GLib.MainLoop().run, daemon=True).start()
    registry = EDataServer.SourceRegistry.new_sync(None)
    login = EDataServer.NamedParameters()
    login.set("username", WORLD["name"])
    login.set("password", WORLD["password"])

    def log_in(_registry: Any, source: Any, *_why: object) -> None:
        source.invoke_authenticate(login, None, None)

    registry.connect("credentials-required", log_in)
    discovered = EDataServer.webdav_discover_sources_sync(
        registry.ref_source("personal"), f"{WORLD['url']}/", 0, login, None)
    say(step="discovered", calendars=len(discovered.out_discovered_sources),
        addresses=discovered.out_calendar_user_addresses)
    for name, use in (("personal", use_personal), ("gatherings", use_gatherings)):
        use(ECal.Client.connect_sync(registry.ref_source(name), ECal.ClientSourceType.EVENTS, WAIT_S, None))
    say(done=True)
    # Threads of the library would keep the program.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
