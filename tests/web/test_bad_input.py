"""Whatever a browser, or somebody who pretends to be one, sends: a plain Japanese page, never a 500."""

from __future__ import annotations

from dataclasses import replace

import pytest

from server.web.pages import all_pages
from server.web.routing import Routes
from tests.web.browser import Browser
from tests.web.conftest import LogIn
from tests.web.site import Site

JUNK = ["x", "%00", "%ff%fe", "..%2f..", "a" * 300, "%F0%9F%98%80", "mxc:%2F%2Fa", "%22%3E%3Cb%3E", "-1", "🙂"]


class Recorder(Routes):
    """Only remembers what there is."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []

    def get(self, path: str, page: object) -> None:
        self.found.append(("GET", path))

    def post(self, path: str, page: object) -> None:
        self.found.append(("POST", path))


def routes() -> list[tuple[str, str]]:
    recorder = Recorder()
    all_pages.add_routes(recorder)
    return recorder.found


def filled(path: str, junk: str) -> str:
    return "/".join(junk if part.startswith("{") else part for part in path.split("/"))


def test_there_are_many_pages() -> None:
    assert len(routes()) > 60


@pytest.mark.parametrize("who", ["町田 会長", "佐藤 花子"])
async def test_strange_addresses_never_break_a_page(log_in: LogIn, who: str) -> None:
    browser = await log_in(who)
    for method, path in routes():
        for junk in JUNK:
            if method == "GET" and "{" in path:
                page = await browser.get(filled(path, junk))
                assert page.status < 500, (path, junk)
    for path in ("/", "/circulars", "/desk/roster", "/desk/circulars", "/login", "/code"):
        for junk in JUNK:
            page = await browser.get(f"{path}?q={junk}&after={junk}&only={junk}&done={junk}&next={junk}")
            assert page.status < 500, (path, junk)


@pytest.mark.parametrize("kind", ["form", "parts"])
async def test_forms_full_of_nonsense_never_break_a_page(here: Site, chair: Browser, kind: str) -> None:
    person, home, block = here.person("佐藤 花子"), here.person("佐藤 花子").household_id, here.block("1班")
    values = ["", "x", "\x00", "𠮷" * 3000, "-1", "9" * 30, "２０２６", "mxc://a/b", "everyone", "c1", "<b>"]
    names = [
        "title", "text", "question", "choices", "most", "audience", "block", "group", "deadline", "day", "start", "end",
        "last_day", "revision", "kind", "status", "channel", "choice", "person", "household", "comment", "role", "name",
        "kana", "phone", "new_block", "number", "file", "step", "reason", "label", "how", "secret", "code", "each",
        "next", "paper", "user", "password", "category", "once",
    ]  # fmt: skip
    for method, path in routes():
        if method != "POST" or path in ("/logout", "/my/app", "/desk/trial/begin"):
            continue
        # The proof is the same on all pages of a session.
        my_page = await chair.get("/my")
        proof = dict(my_page.form("/my/calendar").fields)["form_proof"]
        full = filled(path.replace("{person}", person.id).replace("{home}", home).replace("{block}", block), "x")
        html = f'<form action="{full}"><input name="form_proof" value="{proof}"></form>'
        for value in values:
            chair.page = replace(my_page, html=html)
            page = await chair.submit(full, dict.fromkeys(names, value), files=[] if kind == "parts" else None)
            assert page.status < 500, (path, value, page.text)
            assert page.status in (200, 400, 403, 404, 409, 412, 413, 429), (path, value, page.status)
    assert (await chair.get("/my")).url == "/my"


@pytest.mark.parametrize(("kind", "data"), [
    ("multipart/form-data", b""), ("multipart/form-data; boundary=x", b"--x\r\nbroken"),
    ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n\xff\r\n--x--\r\n"),
    ("multipart/form-data; boundary=x", b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y--\r\n--x--\r\n"),
    ("multipart/form-data; boundary=" + "b" * 100, b"x"),
    ("application/x-www-form-urlencoded", b"\xff\xfe=%zz&&&="), ("application/json", b"{}"), ("", b"x"),
    ("application/x-www-form-urlencoded", b"a=1&" * 5000), ("application/x-www-form-urlencoded", b"a" * 600_000),
])  # fmt: skip
async def test_broken_bodies_are_refused_in_japanese(chair: Browser, kind: str, data: bytes) -> None:
    for path in ("/login", "/my/calendar", "/desk/circulars/new", "/desk/roster/import"):
        page = await chair.post(path, data, headers={"Content-Type": kind})
        assert 400 <= page.status < 500, (path, page.status)
        assert "ホームへ もどる" in page.text
