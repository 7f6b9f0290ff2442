"""Groups as residents see them: what there is, asking to be let in, the folder; and what leaders do."""

from __future__ import annotations

from aiohttp import web

from server.association.circulars.model import Attachment
from server.association.groups.model import MAX_ABOUT, MAX_WORDS, MOST_FILES, Place
from server.association.members.model import AudienceKind
from server.foundation.errors import InvalidParam, Refused
from server.web.attached_files import answer_file
from server.web.photos import answer_photo, name_of, photo_keeper, pictures_of
from server.web.routing import Routes
from server.web.visit import Visit

_COMING = 5
_LOOKED_AT = 60


def add_routes(routes: Routes) -> None:
    """The list, one group, what is in its folder."""
    routes.get("/groups", show_list)
    routes.get("/groups/{group}", show_group)
    routes.post("/groups/{group}/ask", ask)
    routes.post("/groups/{group}/come", come_in)
    routes.post("/groups/{group}/leave", leave)
    routes.post("/groups/{group}/people", decide)
    routes.post("/groups/{group}/about", set_about)
    routes.post("/groups/{group}/files", add_files)
    routes.post("/groups/{group}/files/{file}", remove_file)
    routes.get("/groups/{group}/files/{file}", show_file)


async def show_list(visit: Visit) -> web.StreamResponse:
    """All groups, one's own first."""
    _ = visit.person
    groups, proposals = visit.services.common.groups, visit.services.common.proposals
    return visit.page(
        "groups.html", lines=await groups.all(visit.user_id), Place=Place,
        own=await proposals.waiting_of(visit.user_id), kinds=await proposals.categories(),
        is_open=await proposals.are_open(),
    )


async def show_group(visit: Visit) -> web.StreamResponse:
    """What everybody may know of it; for its members also who is in it and what it keeps."""
    return await _group_page(visit)


async def ask(visit: Visit) -> web.StreamResponse:
    """Ask to be let in."""
    form = await visit.form()
    await visit.services.common.groups.ask(visit.user_id, visit.parts["group"], form.line("words"))
    return _back(visit, "answered")


async def come_in(visit: Visit) -> web.StreamResponse:
    """One has been invited."""
    await visit.form()
    await visit.services.common.groups.come_in(visit.user_id, visit.parts["group"])
    return _back(visit, "saved")


async def leave(visit: Visit) -> web.StreamResponse:
    """Leave, or take one's question back."""
    await visit.form()
    await visit.services.common.groups.leave(visit.user_id, visit.parts["group"])
    return _back(visit, "saved")


async def decide(visit: Visit) -> web.StreamResponse:
    """A leader lets somebody in, or does not."""
    form, groups, group_id = await visit.form(), visit.services.common.groups, visit.parts["group"]
    verb = groups.let_in if form.line("step") == "in" else groups.decline
    await verb(visit.user_id, group_id, form.line("person"))
    return _back(visit, "saved")


async def set_about(visit: Visit) -> web.StreamResponse:
    """What the group is about; where another leader was faster, what was typed stays to be looked at again."""
    form = await visit.form()
    about, expected = form.text("about"), form.text("was_about") if form.has("was_about") else None
    try:
        await visit.services.common.groups.set_about(visit.user_id, visit.parts["group"], about, expected=expected)
    except Refused as fault:
        if fault.status not in (400, 412):
            raise
        return await _group_page(visit, fault, about)
    return _back(visit, "saved")


async def add_files(visit: Visit) -> web.StreamResponse:
    """Papers and photos, several at once."""
    form = await visit.form(photo_keeper(visit, papers=True))
    try:
        with visit.once(form) as is_first:
            if is_first:
                files = await pictures_of(visit, form)
                await visit.services.common.groups.add_files(visit.user_id, visit.parts["group"], files)
    except InvalidParam as fault:
        return await _group_page(visit, fault)
    return _back(visit, "sent")


async def remove_file(visit: Visit) -> web.StreamResponse:
    """Take a file out of the folder."""
    await visit.form()
    await visit.services.common.groups.remove_file(visit.user_id, visit.parts["group"], f"${visit.parts['file']}")
    return _back(visit, "removed")


async def show_file(visit: Visit) -> web.StreamResponse:
    """A paper as it is, a photo scaled; for members."""
    found = (await visit.services.common.groups.file(
        visit.user_id, visit.parts["group"], f"${visit.parts['file']}")).file
    if found.is_photo:
        return await answer_photo(visit, found)
    return await answer_file(visit, Attachment(found.url, found.name, found.mimetype, found.size), is_small=False)


def _back(visit: Visit, done: str) -> web.Response:
    return visit.go(f"/groups/{visit.parts['group']}", done=done)


async def _group_page(visit: Visit, fault: Refused | None = None, typed: str | None = None) -> web.Response:
    groups, group_id = visit.services.common.groups, visit.parts["group"]
    line = await groups.line(visit.user_id, group_id)
    inside = await groups.inside(visit.user_id, group_id) if line.place is Place.INSIDE or line.leads else None
    coming = [
        item for item in visit.services.gatherings.verbs.upcoming(visit.user_id, _LOOKED_AT)
        if item.gathering.audience.kind is AudienceKind.GROUPS and group_id in item.gathering.audience.ids
    ]
    return visit.page(
        "group.html", line=line, inside=inside, Place=Place, coming=coming[:_COMING], once=visit.new_once(),
        files=[] if inside is None else [(item, name_of(visit, item.sender)) for item in inside.papers],
        most=(MAX_WORDS, MAX_ABOUT, MOST_FILES), typed=typed,
        fault=fault,
    )
