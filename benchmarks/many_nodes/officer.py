"""The chair of each association at a browser: logs in, starts the safety check on the page for it, reads the table."""

from __future__ import annotations

from types import TracebackType

import aiohttp

from benchmarks.many_nodes.houses import OFFICER, PASSWORD, House
from server.demo.browser import PageReader, figures_on


class Officer:
    """One browser with its cookie. ``async with`` closes it."""

    def __init__(self, house: House) -> None:
        self._url = house.url
        self._session = aiohttp.ClientSession(
            cookie_jar=aiohttp.CookieJar(unsafe=True), timeout=aiohttp.ClientTimeout(total=300)
        )
        self._sure = ""
        self._table = ""

    async def __aenter__(self) -> Officer:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def log_in(self) -> None:
        """By user id and password."""
        await self._submit(await self._page("/login"), "/login", user=OFFICER, password=PASSWORD)

    async def prepare(self) -> None:
        """As far as the last page before everybody's phone rings."""
        form = await self._page("/desk/safety/new")
        self._sure = (await self._submit(
            form, "/desk/safety/new", kind="real", title="震度5強の地震", audience="everyone",
        ))[1]

    async def start(self) -> None:
        """Press the button."""
        self._table, _ = await self._submit(self._sure, "/desk/safety/start")

    async def answered(self) -> int:
        """How many have answered, by the table on the page."""
        return figures_on(await self._page(f"{self._table}/figures")).answered

    async def _page(self, path: str) -> str:
        async with self._session.get(self._url + path) as response:
            response.raise_for_status()
            return await response.text()

    async def _submit(self, page: str, action: str, **values: str) -> tuple[str, str]:
        reader = PageReader()
        reader.feed(page)
        form = next((form for form in reader.forms if form.action == action), None)
        if form is None:
            raise RuntimeError(f"there is no form for {action}")
        async with self._session.post(self._url + action, data={**form.fields, **values}) as response:
            response.raise_for_status()
            return response.url.path, await response.text()
