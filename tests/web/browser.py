"""A browser without a window: cookies, forms, and what is read on a page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

from aiohttp import ClientSession, FormData
from yarl import URL

Fields = Mapping[str, str | Sequence[str]]


@dataclass
class FormOnPage:
    """A form as it stands there: where it goes, and what it sends untouched."""

    action: str
    method: str = "post"
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[FormOnPage] = []
        self.links: list[str] = []
        self.scripts: list[str] = []
        self.tags: list[str] = []
        self.text: list[str] = []
        self._textarea: str | None = None
        self._is_first_option = False
        self._is_option_without_value = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.tags += [name for name in values if name.startswith("on")]
        if tag == "form":
            self.forms.append(FormOnPage(values.get("action", ""), values.get("method", "get")))
        if tag == "script":
            self.scripts.append(values.get("src", ""))
        if tag == "a":
            self.links.append(values.get("href", ""))
        if not self.forms:
            return
        kind = values.get("type", "text")
        if tag == "input" and "name" in values and (kind not in ("checkbox", "radio") or "checked" in values):
            if kind != "file":
                self.forms[-1].fields.append((values["name"], values.get("value", "")))
        if tag == "button" and "name" in values:
            self.forms[-1].buttons.append((values["name"], values.get("value", "")))
        if tag == "select":
            self.forms[-1].fields.append((values.get("name", ""), ""))
            self._is_first_option = True
        if tag == "option" and (self._is_first_option or "selected" in values):
            self._is_first_option = False
            self._choose(values.get("value", ""))
            self._is_option_without_value = "value" not in values
        if tag == "textarea":
            self._textarea = values.get("name", "")
            self.forms[-1].fields.append((self._textarea, ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._textarea = None
        if tag == "option":
            self._is_option_without_value = False

    def handle_data(self, data: str) -> None:
        if self._textarea is not None and self.forms:
            name, value = self.forms[-1].fields[-1]
            self.forms[-1].fields[-1] = (name, value + data)
        elif self._is_option_without_value:
            self._choose(data.strip())
        elif data.strip():
            self.text.append(data.strip())

    def _choose(self, value: str) -> None:
        """What the last list of choices says."""
        name, _ = self.forms[-1].fields[-1]
        self.forms[-1].fields[-1] = (name, value)


@dataclass
class PageRead:
    """An answer of the node."""

    status: int
    url: str
    html: str
    headers: dict[str, str]
    history: list[int]

    @property
    def read(self) -> _Reader:
        reader = _Reader()
        reader.feed(self.html)
        return reader

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.read.text))

    @property
    def tags(self) -> list[str]:
        return self.read.tags

    @property
    def links(self) -> list[str]:
        return self.read.links

    @property
    def scripts(self) -> list[str]:
        return self.read.scripts

    def form(self, action: str) -> FormOnPage:
        return next(form for form in self.read.forms if form.action == action)


class Browser:
    """Somebody with cookies."""

    def __init__(self, url: str, http: ClientSession) -> None:
        self.url = url
        self.http = http
        self.page: PageRead | None = None

    @property
    def cookie(self) -> str | None:
        found = {cookie.key: cookie.value for cookie in self.http.cookie_jar}
        return found.get("kairan")

    def take_cookie(self, value: str) -> None:
        """Have this cookie, whatever the node said before."""
        self.http.cookie_jar.clear()
        self.http.cookie_jar.update_cookies({"kairan": value}, URL(self.url))

    async def get(self, path: str, **more: object) -> PageRead:
        return await self._ask("GET", path, **more)

    async def post(self, path: str, data: object, **more: object) -> PageRead:
        return await self._ask("POST", path, data=data, **more)

    async def submit(
        self, action: str, changes: Fields | None = None,
        files: list[tuple[str, str, str, bytes]] | None = None, **more: object,
    ) -> PageRead:
        """Fill in and send a form of the page that is open. ``changes`` replace fields; lists send several."""
        assert self.page is not None
        changes = changes or {}
        fields = [(name, value) for name, value in self.page.form(action).fields if name not in changes]
        for name, value in changes.items():
            fields += [(name, item) for item in ([value] if isinstance(value, str) else value)]
        if files is None:
            return await self.post(action, fields, **more)
        body = FormData(quote_fields=False, default_to_multipart=True)
        for name, value in fields:
            body.add_field(name, value)
        for name, filename, kind, data in files:
            body.add_field(name, data, filename=filename, content_type=kind)
        return await self.post(action, body, **more)

    async def log_in(self, user: str, password: str) -> PageRead:
        await self.get("/login")
        return await self.submit("/login", {"user": user, "password": password})

    async def _ask(self, method: str, path: str, **more: object) -> PageRead:
        async with self.http.request(method, urljoin(self.url, path), **more) as answer:  # type: ignore[arg-type]
            data = await answer.read()
            self.page = PageRead(
                answer.status, str(answer.url.relative()), data.decode("utf-8", "replace"), dict(answer.headers),
                [step.status for step in answer.history],
            )
            return self.page
