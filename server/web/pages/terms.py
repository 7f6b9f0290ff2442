"""The association's texts that people agree to: reading them, and agreeing to a new version."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from server.foundation.errors import NotFound
from server.web.routing import Routes
from server.web.visit import Visit

_UNKNOWN: Final = "この文書は ありません。"


def add_routes(routes: Routes) -> None:
    """The list, one text, and the yes to all of them."""
    routes.get("/terms", show_list)
    routes.post("/terms", accept)
    routes.get("/terms/{policy}/{version}/{language}", show_text)


async def show_list(visit: Visit) -> web.StreamResponse:
    """The texts in force; whoever is logged in can agree to those that they have not agreed to yet."""
    consents = visit.services.node.accounts.consents
    if not consents.policies:
        raise NotFound(_UNKNOWN)
    missing = [] if visit.session is None else await consents.missing(visit.session.user_id)
    given = [] if visit.session is None else await consents.given_by(visit.session.user_id)
    dates = {(one.policy, one.version): one.accepted_ts for one in given}
    return visit.page("terms.html", policies=consents.policies, missing=missing, dates=dates)


async def accept(visit: Visit) -> web.StreamResponse:
    """Agree to the texts in force."""
    await visit.form()
    await visit.services.node.accounts.accept_policies(visit.user_id)
    return visit.go("/terms", done="saved")


async def show_text(visit: Visit) -> web.StreamResponse:
    """One version of a text in one language; earlier versions too. Open to everybody."""
    parts = visit.parts
    for policy in visit.services.node.accounts.consents.all_policies:
        if (policy.name, policy.version) == (parts["policy"], parts["version"]) and parts["language"] in policy.texts:
            return visit.page("terms_text.html", policy=policy, text=policy.texts[parts["language"]])
    raise NotFound(_UNKNOWN)
