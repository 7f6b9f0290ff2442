"""My data: what is kept of me and why, all of it as a file; and where I am logged in."""

from __future__ import annotations

from aiohttp import web
from markupsafe import Markup

from server.foundation.errors import InvalidParam
from server.web.own_data import as_zip, own_data
from server.web.routing import Routes
from server.web.visit import Visit


def add_routes(routes: Routes) -> None:
    """Looking, taking along, logging out elsewhere."""
    routes.get("/my/data", show_data)
    routes.post("/my/data/file", give_file)
    routes.get("/my/devices", show_devices)
    routes.post("/my/devices/card", show_card)
    routes.post("/my/devices/browsers", end_browser)
    routes.post("/my/devices/apps", end_app)
    routes.post("/my/devices/others", end_others)


async def show_data(visit: Visit) -> web.StreamResponse:
    """Every kind of things with their number; what they say opens below it."""
    visit.person  # noqa: B018 - for those on the roster
    return visit.page("my_data.html", tables=await own_data(visit))


async def give_file(visit: Visit) -> web.StreamResponse:
    """The same as files for a spreadsheet."""
    await visit.form()
    visit.person  # noqa: B018 - for those on the roster
    return visit.download(as_zip(await own_data(visit)), "application/zip", "わたしの記録.zip")


async def show_devices(visit: Visit) -> web.StreamResponse:
    """Browsers and apps, used last first."""
    node, here = visit.services.node, visit.here
    apps = sorted(await node.accounts.devices(visit.user_id), key=lambda one: -(one.last_seen_ts or one.created_ts))
    return visit.page("my_devices.html", browsers=await node.sessions.of(visit.user_id), apps=apps, here=here)


async def show_card(visit: Visit) -> web.StreamResponse:
    """A card for one's own next telephone, this once: to be photographed with it, or printed."""
    await visit.form()
    roster = visit.services.roster
    card = await roster.invitations.own_card(visit.user_id)
    svg = await roster.papers.qr_svg(card.link)
    return visit.page(
        "my_devices_card.html", card=card, qr=Markup(svg),  # noqa: S704 - drawn by our own worker
        code_page=f"{visit.services.settings.http.public_url}/code",
    )


async def end_browser(visit: Visit) -> web.StreamResponse:
    """Log out in one other browser."""
    form = await visit.form()
    try:
        wanted = bytes.fromhex(form.line("which"))
    except ValueError:
        raise InvalidParam("もう一度 えらんでください。") from None
    if wanted == visit.here:
        return await visit.log_out()
    await visit.services.node.sessions.end_some(visit.user_id, {wanted})
    return visit.go("/my/devices", done="logged_out")


async def end_app(visit: Visit) -> web.StreamResponse:
    """Log out in one app."""
    form = await visit.form()
    await visit.services.node.accounts.sessions.drop(visit.user_id, [form.line("which")])
    return visit.go("/my/devices", done="logged_out")


async def end_others(visit: Visit) -> web.StreamResponse:
    """Log out everywhere but here: a telephone is lost."""
    await visit.form()
    node = visit.services.node
    browsers = {one.hash for one in await node.sessions.of(visit.user_id)} - {visit.here}
    await node.sessions.end_some(visit.user_id, browsers)
    await node.accounts.sessions.drop_all(visit.user_id)
    return visit.go("/my/devices", done="logged_out")
