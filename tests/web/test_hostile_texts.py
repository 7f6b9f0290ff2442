"""What people write is shown as text, whatever it is: names, titles, bodies, files, answers, remarks."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from server.association.members.members import Members
from tests.web.browser import Browser, PageRead
from tests.web.conftest import LogIn
from tests.web.site import Site

TEXTS = [
    line for line in (Path(__file__).parents[1] / "data/web/hostile_texts.txt").read_text("utf-8").split("\n") if line
]
_ELEMENTS = {
    "html", "head", "meta", "title", "link", "body", "a", "header", "div", "span", "main", "h1", "h2", "p", "ul", "li",
    "b", "br", "small", "form", "input", "button", "textarea", "label", "select", "option", "fieldset", "legend", "dl",
    "dt", "dd", "footer", "nav", "details", "summary", "table", "thead", "tbody", "tr", "th", "td", "progress", "img",
    "section", "ol", "script", "noscript", "template",
}  # fmt: skip


def require_harmless(page: PageRead) -> None:
    """Only our own elements, no handlers, no scripts but ours, no addresses that run."""
    assert page.status in (200, 400, 409), page.text
    assert set(page.tags) <= _ELEMENTS, set(page.tags) - _ELEMENTS
    ours = ("/static/live.js?", "/static/app.js?", "/static/push.js?", "/static/queue.js?", "/static/read_aloud.js?")
    assert all(src.startswith(ours) for src in page.scripts)
    for link in page.links:
        assert urlsplit(link).scheme in ("", "http", "https")
        assert link.startswith(("/", "#", "http"))


def test_there_are_two_hundred_of_them() -> None:
    assert len(set(TEXTS)) >= 200


async def test_two_hundred_hostile_texts_as_circulars(here: Site, chair: Browser, log_in: LogIn) -> None:
    hanako = await log_in("佐藤 花子")
    for text in TEXTS:
        await chair.get("/desk/circulars/new")
        fields = {"title": text[:100], "text": f"前{text}後\n{text}", "step": "preview"}
        page = await chair.submit("/desk/circulars/new", fields, files=[])
        require_harmless(page)
        # What was written comes through the hidden fields of the preview unchanged.
        assert dict(page.form("/desk/circulars/new").fields)["text"].strip("\n") == shown(f"前{text}後\n{text}")
    for text in TEXTS[::20]:
        page = await posted(chair, text)
        circular = page.url.split("?")[0].rpartition("/")[2]
        require_harmless(page)
        page = await hanako.get(f"/circulars/{circular}")
        require_harmless(page)
        assert " ".join(shown(text).split()) in page.text
    for path in ("/", "/circulars", "/circulars?q=<svg onload=alert(1)>"):
        require_harmless(await hanako.get(path))
    require_harmless(await chair.get("/desk/circulars"))


async def posted(chair: Browser, text: str) -> PageRead:
    await chair.get("/desk/circulars/new")
    await chair.submit("/desk/circulars/new", {"title": text[:100], "text": text, "step": "preview"}, files=[])
    return await chair.submit("/desk/circulars/new", {"step": "send"})


async def test_hostile_names_blocks_and_search_words(here: Site, chair: Browser) -> None:
    members: Members = here.node.association.members
    for text in TEXTS[::15]:
        await chair.get("/desk/roster/new")
        fields = {"name": text[:60], "kana": text[:60], "new_block": text[:60], "household": text[:60]}
        require_harmless(await chair.submit("/desk/roster/new", fields))
        require_harmless(await chair.get("/desk/roster?q=" + text[:60].replace("&", "%26").replace("#", "%23")))
    for block in members.blocks():
        require_harmless(await chair.get(f"/desk/roster/blocks/{block.id}"))
    for path in ("/desk/roster", "/desk/roster/new", "/desk/invitations", "/desk/polls/new", "/desk/circulars/new"):
        require_harmless(await chair.get(path))


async def test_hostile_polls_gatherings_and_checks(here: Site, chair: Browser, log_in: LogIn) -> None:
    hanako = await log_in("佐藤 花子")
    for text in TEXTS[::25]:
        await chair.get("/desk/polls/new")
        page = await chair.submit("/desk/polls/new", {"question": text, "choices": f"{text}\n別"})
        require_harmless(page)
        require_harmless(await hanako.get(page.url.split("?")[0].replace("/desk", "")))
        await chair.get("/desk/gatherings/new")
        fields = {"title": text, "place": text, "description": text}
        page = await chair.submit("/desk/gatherings/new", fields)
        require_harmless(page)
        await chair.get("/desk/safety/new")
        page = await chair.submit("/desk/safety/new", {"title": text[:100], "kind": "drill"})
        require_harmless(page)
        page = await chair.submit("/desk/safety/start")
        require_harmless(page)
        check = page.url.rpartition("/")[2]
        page = await hanako.get("/")
        require_harmless(page)
        await hanako.submit(f"/safety/{check}", {"status": "safe", "comment": text})
        require_harmless(await hanako.get("/safety"))
        require_harmless(await chair.get(f"/desk/safety/{check}/people"))
    for path in ("/polls", "/gatherings"):
        require_harmless(await hanako.get(path))


async def test_hostile_names_of_files_labels_and_the_association(here: Site, chair: Browser) -> None:
    for text in TEXTS[::25]:
        name = text.replace('"', "%22").replace("\r", "").replace("\n", "")
        await chair.get("/desk/circulars/new")
        page = await chair.submit(
            "/desk/circulars/new", {"title": "題", "step": "preview"}, files=[("upload", name, "image/png", b"x")]
        )
        require_harmless(page)
        await chair.get("/my")
        require_harmless(await chair.submit("/my/calendar", {"label": text[:100]}))
    require_harmless(await chair.get("/my"))
    require_harmless(await chair.get("/login"))


def shown(text: str) -> str:
    """What is left of a text without signs that nobody sees."""
    return text.replace("\u200b", "")
