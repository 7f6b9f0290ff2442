"""Looking after board and photos at the desk: what waits, what is reported, who does not want to be seen, the rules."""

from __future__ import annotations

from aiohttp import web

from server.association.board.model import MAX_REASON, Category, Rules
from server.association.members.model import Right
from server.foundation.errors import InvalidParam, Refused
from server.web.attached_files import numbered
from server.web.forms import Form
from server.web.photos import answer_photo, name_of
from server.web.routing import Routes
from server.web.visit import Visit


def add_routes(routes: Routes) -> None:
    """One page with everything that there is to decide; the decisions; the rules."""
    routes.get("/desk/board", show_desk)
    routes.post("/desk/board/waiting/{item}", decide_waiting)
    routes.get("/desk/board/waiting/{item}/{number}", show_waiting_photo)
    routes.post("/desk/board/posts/{post}", decide_reported)
    routes.post("/desk/board/photos/{photo}", decide_photo)
    routes.get("/desk/board/decisions", show_decisions)
    routes.get("/desk/board/rules", show_rules)
    routes.post("/desk/board/rules", set_rules)
    routes.post("/desk/board/authors/{post}", look)


async def show_desk(visit: Visit) -> web.StreamResponse:
    """What waits for a decision."""
    visit.require(Right.MODERATE)
    common = visit.services.common
    waiting = await common.moderation.waiting(visit.user_id)
    reported = await common.moderation.reported(visit.user_id)
    objections = await common.gallery.objections(visit.user_id)
    return visit.page(
        "desk_board.html", waiting=[
            (item, "" if item.is_anonymous else name_of(visit, item.author)) for item in waiting
        ], reported=[(item, _writer(visit, item.comment.author if item.comment else item.post.author))
                     for item in reported if item.post is not None],
        objections=[(item, photo, name_of(visit, item.user_id)) for item, photo in objections], most=MAX_REASON,
    )


async def decide_waiting(visit: Visit) -> web.StreamResponse:
    """Let a post onto the board, or not."""
    form, item_id, moderation = await visit.form(), visit.parts["item"], visit.services.common.moderation
    if form.line("step") == "approve":
        await moderation.approve(visit.user_id, item_id)
    else:
        await moderation.decline(visit.user_id, item_id, form.text("reason"))
    return visit.go("/desk/board", done="saved")


async def show_waiting_photo(visit: Visit) -> web.StreamResponse:
    """A photo of a post that waits."""
    waiting = await visit.services.common.moderation.waiting(visit.user_id)
    photos = next((item.writing.photos for item in waiting if item.id == visit.parts["item"]), ())
    return await answer_photo(visit, numbered(photos, visit.parts["number"]))


async def decide_reported(visit: Visit) -> web.StreamResponse:
    """Keep or remove a post, or one of its comments (``event``)."""
    form, post_id, moderation = await visit.form(), visit.parts["post"], visit.services.common.moderation
    verb = moderation.remove if form.line("step") == "remove" else moderation.keep
    await verb(visit.user_id, post_id, form.line("event"), form.text("reason"))
    return visit.go("/desk/board", done="saved")


async def decide_photo(visit: Visit) -> web.StreamResponse:
    """Remove a hidden photo for good, or put it back."""
    form = await visit.form()
    step = form.line("step")
    if step not in ("remove", "keep"):
        raise InvalidParam("もう一度 ボタンを おしてください")
    await visit.services.common.gallery.decide(
        visit.user_id, visit.parts["photo"], remove=step == "remove", answer=form.text("reason"))
    return visit.go("/desk/board", done="saved")


async def show_decisions(visit: Visit) -> web.StreamResponse:
    """What was decided, by whom and why."""
    common = visit.services.common
    decisions = await common.moderation.decisions(visit.user_id)
    removed = await common.moderation.removed(visit.user_id)
    photos = await common.gallery.decided(visit.user_id)
    return visit.page(
        "desk_board_decisions.html", decisions=[(item, name_of(visit, item.officer)) for item in decisions],
        removed=[(post, _writer(visit, post.closed_by)) for post in removed],
        photos=[(item, name_of(visit, item.decided_by)) for item in photos],
    )


async def show_rules(visit: Visit) -> web.StreamResponse:
    """What is allowed on the board."""
    visit.require(Right.MODERATE)
    return await _rules_page(visit)


async def set_rules(visit: Visit) -> web.StreamResponse:
    """Allow something else."""
    form = await visit.form()
    rules, before = _rules_in(form, ""), _rules_in(form, "before_")
    try:
        await visit.services.common.moderation.set_rules(visit.user_id, rules, expected=before)
    except Refused as fault:
        if fault.status != 412:
            raise
        return await _rules_page(visit, fault)
    return visit.go("/desk/board/rules", done="saved")


def _rules_in(form: Form, prefix: str) -> Rules:
    """The rules that a form says; with the prefix those that held when it was filled in."""
    chosen = set(form.lines(f"{prefix}officers_only"))
    return Rules(form.has(f"{prefix}anonymous"), form.has(f"{prefix}approve"), frozenset(
        item for item in Category if item.value in chosen))


async def _rules_page(visit: Visit, fault: Refused | None = None) -> web.Response:
    return visit.page(
        "desk_board_rules.html", rules=await visit.services.common.board.rules(), categories=list(Category),
        fault=fault)


async def look(visit: Visit) -> web.StreamResponse:
    """Who has asked without a name; that somebody has looked is kept."""
    await visit.form()
    user_id = await visit.services.common.moderation.look_at_author(visit.user_id, visit.parts["post"])
    return visit.page("desk_board_author.html", name=name_of(visit, user_id), post_id=visit.parts["post"])


def _writer(visit: Visit, user_id: str) -> str:
    """A name; empty for what the node has said for somebody."""
    return "" if user_id == visit.services.members.node_user_id else name_of(visit, user_id)
