"""The roster as a file: taking one in after a trial run, giving one out."""

from __future__ import annotations

from aiohttp import BodyPartReader, web

from server.association.members.model import Right
from server.association.members.roster import MAX_BYTES
from server.foundation.errors import InvalidParam
from server.web.forms import Upload, bytes_of
from server.web.routing import Routes
from server.web.visit import Visit


def add_routes(routes: Routes) -> None:
    """Import and export."""
    routes.get("/desk/roster/import", show_import)
    routes.post("/desk/roster/import", try_import)
    routes.post("/desk/roster/import/now", take_in)
    routes.post("/desk/roster/export", give_out)


async def show_import(visit: Visit) -> web.StreamResponse:
    """The form for a file."""
    visit.require(Right.EDIT_ROSTER)
    return visit.page("desk_roster_import.html", report=None, number="")


async def try_import(visit: Visit) -> web.StreamResponse:
    """Read the file and say what would be done; nothing is written."""
    visit.require(Right.EDIT_ROSTER)
    form = await visit.form(_whole_file)
    if not form.uploads:
        raise InvalidParam("ファイルを えらんでください。")
    data = form.uploads[0].data
    report = await visit.services.roster.exchange.take_in(visit.user_id, data, trial=True)
    number = visit.memory.pending.keep(visit.user_id, data)
    return visit.page("desk_roster_import.html", report=report, number=number)


async def take_in(visit: Visit) -> web.StreamResponse:
    """Take in the good lines of the file that was read before."""
    form = await visit.form()
    data = visit.memory.pending.take(visit.user_id, form.line("number"))
    report = await visit.services.roster.exchange.take_in(visit.user_id, data)
    return visit.page("desk_roster_import.html", report=report, number="")


async def give_out(visit: Visit) -> web.StreamResponse:
    """The whole roster as CSV."""
    await visit.form()
    data = await visit.services.roster.exchange.give_out(visit.user_id)
    return visit.download(data, "text/csv", "名簿.csv")


async def _whole_file(part: BodyPartReader) -> Upload:
    return Upload(part.name or "", part.filename or "", "text/csv", data=await bytes_of(part, MAX_BYTES))
