"""An officer at a browser: logs in, fills in forms, reads the table, as the pages of the node offer it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import TracebackType
from typing import Final

import aiohttp

from server.demo.faults import DemoFailed
from server.demo.noto import Table

_FIGURES: Final = 8


@dataclass(slots=True)
class HtmlForm:
    """A form of a page: where it goes, and the fields that are filled in already."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class PageReader(HTMLParser):
    """Finds the forms of a page, and the cells of the table row of the whole association (``<tr class="all">``)."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[HtmlForm] = []
        self.totals: list[str] = []
        self._is_in_total = False
        self._is_in_cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A form, one of its hidden fields, a row or a cell begins."""
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(HtmlForm(values.get("action", "")))
        elif tag == "input" and values.get("type") == "hidden" and self.forms:
            self.forms[-1].fields[values.get("name", "")] = values.get("value", "")
        elif tag == "tr":
            self._is_in_total = values.get("class") == "all"
        elif tag == "td" and self._is_in_total:
            self._is_in_cell = True
            self.totals.append("")

    def handle_endtag(self, tag: str) -> None:
        """A cell ends."""
        if tag == "td":
            self._is_in_cell = False

    def handle_data(self, data: str) -> None:
        """What stands in a cell."""
        if self._is_in_cell:
            self.totals[-1] += data.strip()


def figures_on(page: str) -> Table:
    """The figures of all persons on the page of a safety check; raises ``DemoFailed``.

    Columns: answered, help, contact, safe, read, unread, without the app, total.
    """
    reader = PageReader()
    reader.feed(page)
    cells = reader.totals[:_FIGURES]
    if len(cells) < _FIGURES or not all(cell.isdigit() for cell in cells):
        raise DemoFailed("the page has no table of figures")
    answered, help_, contact, safe, read, unread, no_app, total = map(int, cells)
    table = Table(safe, contact, help_, read, unread)
    if (table.answered, table.total + no_app) != (answered, total):
        raise DemoFailed("the columns of the table do not add up")
    return table


class Browser:
    """One browser with its cookie. ``async with`` closes it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))

    async def __aenter__(self) -> Browser:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def log_in(self, user: str, password: str) -> None:
        """Go through the page for user id and password."""
        _, page = await self._get("/login")
        await self._submit(page, "/login", {"user": user, "password": password})

    async def page(self, path: str) -> str:
        """A page, as it stands there."""
        return (await self._get(path))[1]

    async def figures(self, check_id: str) -> Table:
        """The live table."""
        _, page = await self._get(f"/desk/safety/{check_id}/figures")
        return figures_on(page)

    async def _submit(self, page: str, action: str, values: Mapping[str, str]) -> tuple[str, str]:
        reader = PageReader()
        reader.feed(page)
        form = next((form for form in reader.forms if form.action == action), None)
        if form is None:
            raise DemoFailed(f"there is no form for {action}")
        async with self._session.post(self._url + action, data={**form.fields, **values}) as response:
            return await _read(response)

    async def _get(self, path: str) -> tuple[str, str]:
        async with self._session.get(self._url + path) as response:
            return await _read(response)


async def _read(response: aiohttp.ClientResponse) -> tuple[str, str]:
    """The path at which the browser ended, and the page."""
    if response.status != 200:
        raise DemoFailed(f"{response.url.path} answered {response.status}")
    return response.url.path, await response.text()
