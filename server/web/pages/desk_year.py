"""年度のまとめ, and good examples for the next officers."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from server.association.examples.model import MAX_NOTE, Example, Kind
from server.association.members.came_by import CameBy
from server.foundation.errors import NotFound
from server.web.routing import Routes
from server.web.visit import Visit
from server.web.yearly import as_csv, chosen_year, figures_of, year_of

_KINDS = {kind.value: kind for kind in Kind}


def add_routes(routes: Routes) -> None:
    """Figures, the file, examples."""
    routes.get("/desk/year", show_year)
    routes.post("/desk/year/file", give_out)
    routes.get("/desk/examples", show_examples)
    routes.post("/desk/examples/{kind}/{thing}", recommend)


@dataclass(frozen=True, slots=True)
class _Line:
    """An example as the list shows it."""

    example: Example
    title: str
    by: str
    look: str
    again: str


async def show_year(visit: Visit) -> web.StreamResponse:
    """The figures of a year."""
    number = chosen_year(visit)
    return visit.page(
        "desk_year.html", year=await figures_of(visit, number), running=year_of(visit.services.clock.now_ms()),
        channels=list(CameBy))


async def give_out(visit: Visit) -> web.StreamResponse:
    """The same as CSV."""
    await visit.form()
    year = await figures_of(visit, chosen_year(visit))
    return visit.download(as_csv(year), "text/csv", f"{year.number}年度のまとめ.csv")


async def show_examples(visit: Visit) -> web.StreamResponse:
    """What was recommended, with the way to write the same again."""
    found = [await _line(visit, example) for example in await visit.services.examples.all(visit.user_id)]
    return visit.page("desk_examples.html", lines=[line for line in found if line is not None])


async def recommend(visit: Visit) -> web.StreamResponse:
    """Mark something, or take the mark back."""
    form = await visit.form()
    kind, thing_id = _KINDS.get(visit.parts["kind"]), visit.parts["thing"]
    if kind is None or await _title(visit, kind, thing_id) is None:
        raise NotFound("その例は ありません。")
    if form.line("step") == "take_back":
        await visit.services.examples.take_back(visit.user_id, kind, thing_id)
        return visit.go("/desk/examples", done="removed")
    await visit.services.examples.recommend(visit.user_id, kind, thing_id, form.text("note")[:MAX_NOTE])
    return visit.go("/desk/examples", done="saved")


async def _line(visit: Visit, example: Example) -> _Line | None:
    title = await _title(visit, example.kind, example.thing_id)
    if title is None:
        return None  # withdrawn since, or not for this officer
    person = visit.services.members.person_of_user(example.officer)
    place = "circulars" if example.kind is Kind.CIRCULAR else "gatherings"
    return _Line(example, title, "" if person is None else person.name, f"/{place}/{example.thing_id}",
                 f"/desk/{place}/new?like={example.thing_id}")


async def _title(visit: Visit, kind: Kind, thing_id: str) -> str | None:
    try:
        if kind is Kind.CIRCULAR:
            return (await visit.services.circulars.reader.one(visit.user_id, thing_id)).circular.title
        return visit.services.gatherings.verbs.get(visit.user_id, thing_id).plan.title
    except NotFound:
        return None
