"""カレンダーをスマホに入れる: a telephone is set up by one tap or by its camera; addresses for Google and others."""

from __future__ import annotations

from typing import Final

from aiohttp import web
from markupsafe import Markup

from server.calendars.busy_times import FREE_BUSY
from server.web.calendar_profile import APPLE_TYPE, CalendarAccount, apple_profile, davx5_link
from server.web.routing import Routes
from server.web.set_up_links import SetUp
from server.web.visit import Visit

_APPLE: Final = ("iPhone", "iPad", "Macintosh")


def add_routes(routes: Routes) -> None:
    """The page, this device, another device, feeds."""
    routes.get("/my/calendar", show_page)
    routes.post("/my/calendar/here", set_up_here)
    routes.post("/my/calendar/other", show_code)
    routes.post("/my/calendar/feeds", make_feed)
    routes.post("/my/calendar/feeds/{feed}/remove", remove_feed)
    routes.post("/my/calendar/busy", choose_busy_times)
    routes.get("/set-up/{number}", show_invitation)
    routes.post("/set-up/{number}", set_up_other)
    routes.get("/set-up/{number}/kairan.mobileconfig", give_profile)


async def show_page(visit: Visit) -> web.StreamResponse:
    """Ways into the telephone, devices that are connected, addresses that were given out."""
    return await _page(visit)


async def set_up_here(visit: Visit) -> web.StreamResponse:
    """The device that shows this page gets a password of its own."""
    form = await visit.form()
    return await _ready(visit, SetUp(visit.user_id, form.line("label") or "この電話"))


async def show_code(visit: Visit) -> web.StreamResponse:
    """A QR code that another telephone photographs."""
    form = await visit.form()
    number = visit.memory.set_ups.keep(SetUp(visit.user_id, form.line("label") or "スマートフォン"))
    link = f"{visit.services.settings.http.public_url}/set-up/{number}"
    svg = await visit.services.roster.papers.qr_svg(link)
    return visit.page("my_calendar_code.html", qr=Markup(svg), link=link)  # noqa: S704 - drawn by our own worker


async def show_invitation(visit: Visit) -> web.StreamResponse:
    """What the photographed code leads to: nothing happens before somebody says yes, since apps look at links, too."""
    visit.memory.set_ups.find(visit.parts["number"], with_secret=False)
    return visit.page("set_up.html", number=visit.parts["number"])


async def set_up_other(visit: Visit) -> web.StreamResponse:
    """The telephone that came by the code gets a password of its own; the code is used up."""
    await visit.form()
    return await _ready(visit, visit.memory.set_ups.take(visit.parts["number"]))


async def give_profile(visit: Visit) -> web.StreamResponse:
    """The profile for iPhone, iPad and Mac."""
    set_up = visit.memory.set_ups.find(visit.parts["number"], with_secret=True)
    return web.Response(
        body=apple_profile(_account(visit, set_up)), content_type=APPLE_TYPE,
        headers={"Content-Disposition": "attachment; filename=kairan.mobileconfig", "Cache-Control": "no-store"},
    )


async def make_feed(visit: Visit) -> web.StreamResponse:
    """An address for a program that only reads; shown this once."""
    form = await visit.form()
    _, secret = await visit.services.node.feeds.create(visit.user_id, form.line("label"))
    return await _page(visit, f"{visit.services.settings.http.public_url}/feed/{secret}/kairan.ics")


async def remove_feed(visit: Visit) -> web.StreamResponse:
    """Whoever has that address gets nothing any more."""
    await visit.form()
    await visit.services.node.feeds.revoke(visit.user_id, visit.parts["feed"])
    return visit.go("/my/calendar", done="removed")


async def choose_busy_times(visit: Visit) -> web.StreamResponse:
    """Whether neighbours' calendar apps may ask when one has time; never what one does then."""
    form = await visit.form()
    data = visit.services.node.accounts.account_data
    await data.set(visit.user_id, "", FREE_BUSY, {"show": form.line("show") == "yes"})
    return visit.go("/my/calendar", done="saved")


async def _page(visit: Visit, address: str = "") -> web.StreamResponse:
    node = visit.services.node
    return visit.page(
        "my_calendar.html", passwords=await node.app_passwords.list(visit.user_id),
        feeds=await node.feeds.list(visit.user_id), address=address,
        shows=(await node.accounts.account_data.find(visit.user_id, "", FREE_BUSY) or {}).get("show") is True,
        webcal="webcal:" + address.partition(":")[2] if address else "",
    )


async def _ready(visit: Visit, set_up: SetUp) -> web.StreamResponse:
    _, secret = await visit.services.node.app_passwords.create(set_up.user_id, set_up.label)
    ready = SetUp(set_up.user_id, set_up.label, secret)
    account = _account(visit, ready)
    return visit.page(
        "set_up_ready.html", number=visit.memory.set_ups.keep(ready), account=account, davx5=davx5_link(account),
        device=_device(visit),
    )


def _account(visit: Visit, set_up: SetUp) -> CalendarAccount:
    settings = visit.services.settings
    localpart = set_up.user_id[1:].partition(":")[0]
    return CalendarAccount(settings.http.public_url, settings.association.name, localpart, set_up.secret)


def _device(visit: Visit) -> str:
    agent = visit.request.headers.get("User-Agent", "")
    if any(word in agent for word in _APPLE):
        return "apple"
    return "android" if "Android" in agent else ""
