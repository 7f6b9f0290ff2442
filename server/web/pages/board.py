"""The board as residents use it: the list, a search, writing, one post with what is said below it."""

from __future__ import annotations

from aiohttp import web

from server.association.board.model import (
    MAX_COMMENT,
    MAX_NOTE,
    MAX_PLACE,
    MAX_REASON,
    MAX_TEXT,
    MAX_TITLE,
    MOST_PHOTOS,
    Category,
    Comment,
    Post,
    State,
    Waiting,
    Writing,
)
from server.association.members.model import Purpose, Right
from server.foundation.errors import InvalidParam, NotFound, Refused
from server.media.pictures import Picture
from server.web.attached_files import numbered
from server.web.forms import Form
from server.web.photos import ACCEPT, answer_photo, name_of, photo_keeper, pictures_of
from server.web.reading import mark_room_read
from server.web.routing import Routes
from server.web.visit import Visit

_CATEGORIES = {category.value: category for category in Category}


def add_routes(routes: Routes) -> None:
    """Reading and writing."""
    routes.get("/board", show_list)
    routes.get("/board/mine", show_mine)
    routes.get("/board/new", show_empty_form)
    routes.post("/board/new", write)
    routes.get("/board/{post}", show_post)
    routes.get("/board/{post}/photos/{number}", show_photo)
    routes.get("/board/{post}/comments/{number}", show_comment_photo)
    routes.post("/board/{post}/comment", comment)
    routes.post("/board/{post}/withdraw", withdraw)
    routes.post("/board/{post}/report", report)
    routes.post("/board/{post}/ask", ask)
    routes.post("/board/{post}/give", give)


async def show_list(visit: Visit) -> web.StreamResponse:
    """Twenty at a time, newest first; one category, or what a search finds. Showing it is having seen it."""
    _, reader = visit.person, visit.services.common.reader
    category, search = _CATEGORIES.get(visit.query("category")), visit.query("q")
    if search:
        page = await reader.search(visit.user_id, search)
    else:
        page = await reader.page(visit.user_id, category, visit.query("after"))
        await mark_room_read(visit, visit.services.members.hall_room(Purpose.BOARD))
    return visit.page(
        "board.html", posts=[_shown(visit, post) for post in page.posts], numbers=page.comments, next=page.next,
        category=category, categories=list(Category), search=search, State=State,
    )


async def show_mine(visit: Visit) -> web.StreamResponse:
    """What one has written, and what waits for an officer's yes."""
    posts, waiting = await visit.services.common.reader.own(visit.person.user_id or "")
    return visit.page("board_mine.html", posts=posts, waiting=waiting, State=State)


async def show_empty_form(visit: Visit) -> web.StreamResponse:
    """The form; the category may be chosen already."""
    _ = visit.person
    return await _form_page(visit, Form([("category", visit.query("category") or Category.NEWS.value)]), ())


async def write(visit: Visit) -> web.StreamResponse:
    """Put it on the board, once however often the button is pressed."""
    _ = visit.person
    form = await visit.form(photo_keeper(visit))
    photos: tuple[Picture, ...] = ()
    try:
        photos = await pictures_of(visit, form)
        with visit.once(form) as is_first:
            if not is_first:
                return visit.go("/board/mine")
            made = await visit.services.common.board.write(
                visit.user_id, _writing(form, photos), anonymous=form.has("anonymous"))
    except Refused as fault:
        return await _form_page(visit, form, photos, fault)
    return visit.go("/board/mine" if isinstance(made, Waiting) else f"/board/{made.id}", done="sent")


async def show_post(visit: Visit) -> web.StreamResponse:
    """One post, with the buttons that are for this reader."""
    return await _post_page(visit)


async def show_photo(visit: Visit) -> web.StreamResponse:
    """A photo of a post, for whoever may read it."""
    post, _ = await _one(visit)
    return await answer_photo(visit, numbered(post.writing.photos, visit.parts["number"]))


async def show_comment_photo(visit: Visit) -> web.StreamResponse:
    """A photo that somebody has sent below a post."""
    _, comments = await _one(visit)
    found = next((item.photo for item in comments if item.event_id == f"${visit.parts['number']}"), None)
    if found is None:
        raise NotFound("その写真は、ありません")
    return await answer_photo(visit, found)


async def comment(visit: Visit) -> web.StreamResponse:
    """Answer below it."""
    form, post_id = await visit.form(), visit.parts["post"]
    try:
        with visit.once(form) as is_first:
            if is_first:
                await visit.services.common.board.comment(visit.user_id, post_id, form.text("text"))
    except InvalidParam as fault:
        return await _post_page(visit, fault)
    return visit.go(f"/board/{post_id}", done="sent")


async def withdraw(visit: Visit) -> web.StreamResponse:
    """Take one's own post back, or one's own comment (``comment``)."""
    form, post_id, board = await visit.form(), visit.parts["post"], visit.services.common.board
    if form.has("comment"):
        await board.withdraw_comment(visit.user_id, post_id, form.line("comment"))
        return visit.go(f"/board/{post_id}", done="removed")
    await board.withdraw(visit.user_id, post_id)
    return visit.go("/board", done="removed")


async def report(visit: Visit) -> web.StreamResponse:
    """Tell the officers that something is wrong with it, or with a comment."""
    form, post_id = await visit.form(), visit.parts["post"]
    try:
        await visit.services.common.board.report(
            visit.user_id, post_id, form.text("reason"), form.line("comment"))
    except InvalidParam as fault:
        return await _post_page(visit, fault)
    return visit.go("/board", done="reported")


async def ask(visit: Visit) -> web.StreamResponse:
    """Ask for what is given away, or do not want it any more."""
    form, post_id, giving = await visit.form(), visit.parts["post"], visit.services.common.giving
    if form.has("back"):
        await giving.take_back(visit.user_id, post_id)
        return visit.go(f"/board/{post_id}", done="removed")
    await giving.ask(visit.user_id, post_id, form.line("note"))
    return visit.go(f"/board/{post_id}", done="answered")


async def give(visit: Visit) -> web.StreamResponse:
    """What the giver says: for whom it is, that it has come to nothing, that it is done."""
    form, post_id, giving = await visit.form(), visit.parts["post"], visit.services.common.giving
    step = form.line("step")
    if step == "promise":
        await giving.promise(visit.user_id, post_id, form.line("to"))
    elif step == "again":
        await giving.offer_again(visit.user_id, post_id)
    elif step == "done":
        await giving.hand_over(visit.user_id, post_id)
    else:
        raise InvalidParam("もう一度 ボタンを おしてください")
    return visit.go(f"/board/{post_id}", done="saved")


async def _one(visit: Visit) -> tuple[Post, list[Comment]]:
    return await visit.services.common.reader.one(visit.user_id, visit.parts["post"])


async def _post_page(visit: Visit, fault: Refused | None = None) -> web.Response:
    post, comments = await _one(visit)
    reader, giving = visit.services.common.reader, visit.services.common.giving
    is_mine = await reader.is_author(visit.user_id, post)
    requests = await giving.requests(visit.user_id, post)
    return visit.page(
        "board_post.html", post=post, writing=post.writing, State=State, is_mine=is_mine, requests=[
            (item, name_of(visit, item.user_id)) for item in requests
        ], author="" if post.is_anonymous else name_of(visit, post.author), is_moderator=visit.may(Right.MODERATE),
        comments=[(item, "" if item.by_author else name_of(visit, item.author),
                   item.author == visit.user_id or (item.by_author and is_mine)) for item in comments],
        once=visit.new_once(), most=(MAX_COMMENT, MAX_REASON, MAX_NOTE),
        fault=fault,
    )


async def _form_page(
    visit: Visit, form: Form, photos: tuple[Picture, ...], fault: Refused | None = None
) -> web.Response:
    rules = await visit.services.common.board.rules()
    is_moderator = visit.may(Right.MODERATE)
    open_ones = [item for item in Category if is_moderator or item not in rules.officers_only]
    return visit.page(
        "board_new.html", form=form, photos=photos, categories=open_ones, rules=rules, accept=ACCEPT,
        waits=rules.approve and not is_moderator, once=visit.new_once(),
        most=(MAX_TITLE, MAX_TEXT, MAX_PLACE, MOST_PHOTOS),
        fault=fault,
    )


def _writing(form: Form, photos: tuple[Picture, ...]) -> Writing:
    category = _CATEGORIES.get(form.line("category"))
    if category is None:
        raise InvalidParam("しゅるいを えらんでください")
    return Writing(
        category=category, title=form.line("title"), text=form.text("text"), place=form.line("place"), photos=photos)


def _shown(visit: Visit, post: Post) -> tuple[Post, str]:
    return post, "" if post.is_anonymous else name_of(visit, post.author)
