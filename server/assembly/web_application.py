"""The web application with all doors."""

from __future__ import annotations

from aiohttp import web

from federation import inbound
from federation.inbound.opening import FEDERATION
from federation.links.opening import OFFERS
from federation.sharing.opening import SHARE_OFFERS
from server.assembly.late_doors import add_late_doors
from server.assembly.node import Node
from server.assembly.previews import late_previews
from server.assembly.remote_media import late_remote_media
from server.assembly.watching import add_health, measure
from server.http.far_keys import FAR_KEYS
from server.http.keys import APPLICATION_SERVICES, DATABASE
from server.http.media_services import MEDIA, PREVIEWS, REMOTE_MEDIA
from server.http.room_services import ROOMS
from server.http.routes import Doors
from server.http.services import provide_accounts
from server.matrix_api import account_doors, media, rare_doors, room_doors


def make_app(node: Node) -> web.Application:
    """An application for ``node``."""
    settings = node.settings
    app = web.Application(client_max_size=settings.limits.upload_bytes)
    provide_accounts(app, node.accounts, settings, node.core.clock)
    app[DATABASE] = node.core.database
    app[ROOMS] = node.services
    app[MEDIA] = node.media
    app[PREVIEWS] = late_previews(node)
    app.on_shutdown.append(_let_go)
    _admit_application_services(app, node)
    doors = Doors(app)
    for group in (account_doors, room_doors, rare_doors, media):
        group.add_routes(doors)
    if settings.federation.enabled:
        inbound.add_routes(doors)
        if node.core.late.federation is not None:
            app[FEDERATION] = app[FAR_KEYS] = node.core.late.federation
            app[REMOTE_MEDIA] = node.core.late.remote_media = late_remote_media(node, node.core.late.federation)
            app[OFFERS] = app[SHARE_OFFERS] = node.core.late.wide_area
    measure(app, node)
    add_health(app, node)
    add_late_doors(app, node)
    return app


def _admit_application_services(app: web.Application, node: Node) -> None:
    """Where there are some: they may call, and from now on they are told what concerns them."""
    services = node.core.late.application_services
    if services is None:
        return
    app[APPLICATION_SERVICES] = services

    async def start(_app: web.Application) -> None:
        services.couriers.start()

    app.on_startup.append(start)


async def _let_go(app: web.Application) -> None:
    """Whoever waits for a file that is announced does not hold up the end."""
    app[MEDIA].media.stop_waiting()
